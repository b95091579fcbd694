"""Training of sketch inversion for sketches from other hands: an improvement on the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from forensic.embedders.starts import start_network
from forensic.errors import RecipeError
from forensic.generators.mirrored import MIRRORED, Mirrored
from forensic.losses.identity import IdentityLoss
from forensic.training.augment import deform, repaper
from forensic.training.drawing import dodge, draw, to_gray
from forensic.training.hand import sometimes
from forensic.training.task import Batch
from forensic.training.tasks.csi import CSITask
from forensic.weights.embedders import JOIN

LINE_SIGMA = 3.5
"""Blur of the style `line` in pixels of the crop."""


class RobustCSITask(CSITask):
    """Convolutional Sketch Inversion on sketches that vary, with an identity loss beside its own.

    The paper's networks see one operator's sketches, each lying exactly on its photo. Here some
    are drawn by other operators, bent as a hand bends them, and put on other paper, while the
    photo stays; and the machine-made face may be asked to have the vector of the photo.

    Args:
        redraw_share: Share of sketches drawn by another operator, a new one each time.
        retrace: Pass those through the dodge of the style `line`, as is done with a sketch by a
            person before it is inverted.
        deformation: Greatest standard deviation of the displacement, in pixels.
        deform_share: Share of sketches that are displaced.
        paper_share: Share of sketches with other paper, pencil, shadow and grain.
        identity: Embedders whose networks can be read: names, TOML or ONNX files, joined by `+`;
            the mean of their losses counts, and validation chooses by it.
        identity_weight: Weight of its loss beside the others, which are of bytes.
        mirror: Publish a generator that looks at a sketch and at its mirror image.
        weights: Folder of fetched weights, for embedders that do not come with the package.
        device: Where to compute.
        options: As for `CSITask`.

    Raises:
        RecipeError: A weight without an embedder, or a share outside of 0 to 1.
        MissingWeights: The VGG file or the embedder's is not there.
        WeightsError: One holds another network.
    """

    def __init__(
        self,
        *,
        redraw_share: float = 0.3,
        retrace: bool = False,
        deformation: float = 2.0,
        deform_share: float = 0.5,
        paper_share: float = 0.3,
        identity: str | None = None,
        identity_weight: float = 0.0,
        mirror: bool = False,
        weights: str | None = None,
        device: torch.device,
        **options: Any,
    ) -> None:
        super().__init__(device=device, **options)
        shares = (redraw_share, deform_share, paper_share)
        if not all(0 <= share <= 1 for share in shares):
            raise RecipeError(f"options: shares are {shares}; each must lie from 0 to 1.")
        if bool(identity) != bool(identity_weight):
            raise RecipeError("options: identity and identity_weight belong together.")
        self.redraw_share, self.retrace = redraw_share, retrace
        self.deformation, self.deform_share = deformation, deform_share
        self.paper_share, self.identity_weight = paper_share, identity_weight
        self.mirror = mirror
        if mirror:
            self.metadata[MIRRORED] = "true"
        self.identities = [
            _identity_loss(name, Path(weights) if weights else None).to(device)
            for name in (identity.split(JOIN) if identity else ())
        ]
        if self.identities:
            self.score, self.higher_is_better = "identity", False

    def step(self, batch: Batch) -> dict[str, float]:
        """Minimise the losses on a batch whose sketches were changed at random."""
        return super().step({**batch, "sketch": self.vary(batch["sketch"], batch["photo"])})

    def vary(self, sketch: Tensor, photo: Tensor) -> Tensor:
        """Return (B, C, H, W) sketches, redrawn, bent and on other paper, each by its own chance.

        Args:
            sketch: (B, C, H, W) in [0, 1], C 1 or 3.
            photo: (B, 3, H, W) in [0, 1], which they show.
        """
        faces = sketch.expand(-1, 3, -1, -1)
        faces = sometimes(self.redraw_share, self._redraw(photo), faces)
        faces = sometimes(self.deform_share, deform(faces, pixels=self.deformation), faces)
        faces = sometimes(self.paper_share, repaper(faces), faces)
        return faces if sketch.shape[1] == faces.shape[1] else to_gray(faces)

    def _redraw(self, photo: Tensor) -> Tensor:
        drawn = draw(photo)
        if self.retrace:
            drawn = dodge(to_gray(drawn), sigma=LINE_SIGMA, darkness=1.0).expand(-1, 3, -1, -1)
        return drawn

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return PSNR (dB), SSIM and R of each image and, where it is asked for, its identity."""
        if self.mirror:
            networks = {"generator": Mirrored(networks["generator"])}
        return super().validate(networks, batch)

    def _measure(self, predicted: Tensor, photo: Tensor) -> dict[str, Tensor]:
        figures = super()._measure(predicted, photo)
        if self.identities:
            figures["identity"] = self._identity(predicted, photo)
        return figures

    def _judge(self, predicted: Tensor, photo: Tensor) -> dict[str, Tensor]:
        losses = super()._judge(predicted, photo)
        if self.identities:
            losses["identity"] = self._identity(predicted, photo).mean()
            losses["loss"] = losses["loss"] + self.identity_weight * losses["identity"]
        return losses

    def _identity(self, predicted: Tensor, photo: Tensor) -> Tensor:
        with self.autocast:
            return torch.stack([loss(predicted, photo) for loss in self.identities]).mean(0)


def _identity_loss(name: str, weights: Path | None) -> IdentityLoss:
    config, network = start_network(name, weights=weights)
    return IdentityLoss(network, template=config.template)
