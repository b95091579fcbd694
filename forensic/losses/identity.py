"""How far a machine-made face is from its photo in the space of a frozen face embedder."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.faces.align import ARCFACE_112, TEMPLATES
from forensic.faces.geometry import map_points, similarity_between


class IdentityLoss(nn.Module):
    """One minus the cosine between the vectors of a made face and of the true photo.

    Faces lie in one geometry and the embedder wants another. Both are named, so that one fixed
    map leads from the former to the latter; it is that of a face whose landmarks lie as in the
    middle of all faces.

    Args:
        network: An embedder's network, as `start_network` returns it; it is frozen here.
        template: Geometry that the network wants, a name in `forensic.faces.align.TEMPLATES`.
        geometry: Geometry of the faces.

    Raises:
        UnknownNameError: No such geometry.

    Source:
        The cosine follows the identity loss of Shen et al., FaceID-GAN, CVPR 2018; the embedder
        and the fixed map are ours.
    """

    def __init__(self, network: nn.Module, *, template: str, geometry: str = "csi-96") -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.size_hw = TEMPLATES[template].size_hw
        self.theta: Tensor
        self.register_buffer("theta", _sampling_map(template, geometry), persistent=False)

    def forward(self, predicted: Tensor, photo: Tensor) -> Tensor:
        """Return the loss (B,) of each face, from 0 to 2.

        Args:
            predicted: (B, 3, H, W) in [0, 1]; the gradient flows into it.
            photo: Same shape and range; no gradient.
        """
        with torch.no_grad():
            wanted = self.embed(photo)
        return 1 - F.cosine_similarity(self.embed(predicted), wanted)

    def embed(self, faces: Tensor) -> Tensor:
        """Return (B, D) float32 vectors of (B, 3, H, W) faces in [0, 1]."""
        theta = self.theta.expand(len(faces), -1, -1)
        grid = F.affine_grid(theta, [*faces.shape[:2], *self.size_hw], align_corners=False)
        moved = F.grid_sample(faces.float(), grid, padding_mode="border", align_corners=False)
        rows: Tensor = self.network(moved.clamp(0, 1))
        return rows.float()


def _sampling_map(template: str, geometry: str) -> Tensor:
    """Return (1, 2, 3): for places of the template, from -1 to 1, those of the geometry."""
    mean_face = ARCFACE_112.astype(np.float32)
    target, source = TEMPLATES[template], TEMPLATES[geometry]
    there = map_points(target.matrix(mean_face), mean_face)
    here = map_points(source.matrix(mean_face), mean_face)
    matrix = similarity_between(there, here)
    # Pixel p of n lies at (2 p + 1) / n - 1.
    wide = np.array(target.size_hw[::-1], dtype=np.float64)
    high = np.array(source.size_hw[::-1], dtype=np.float64)
    turn = matrix[:, :2] * (wide / high[:, None])
    middle = matrix[:, :2] @ ((wide - 1) / 2) + matrix[:, 2]
    theta = np.column_stack([turn, (2 * middle + 1) / high - 1])
    return torch.tensor(theta[None], dtype=torch.float32)
