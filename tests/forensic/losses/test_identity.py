import numpy as np
import pytest
import torch
from torch import Tensor, nn

from forensic.errors import UnknownNameError
from forensic.faces.align import ARCFACE_112, TEMPLATES
from forensic.faces.geometry import map_points
from forensic.losses.identity import IdentityLoss


class Flat(nn.Module):
    """The picture itself as a vector, scaled by a weight that must not learn."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, faces: Tensor) -> Tensor:
        return self.scale * faces.flatten(1)


def _faces(seed: int) -> Tensor:
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def test_the_same_face_costs_nothing_and_the_opposite_vector_two() -> None:
    loss = IdentityLoss(Flat(), template="arcface-112")
    assert loss(_faces(0), _faces(0)).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert all(0 < value < 1 for value in loss(_faces(0), _faces(1)).tolist())
    opposite = torch.tensor([[-1.0] * 4, [1.0] * 4])
    vectors = iter([torch.ones(2, 4), opposite])
    loss.embed = lambda faces: next(vectors)  # type: ignore[method-assign]
    assert loss(_faces(0), _faces(1)).tolist() == pytest.approx([2, 0])


def test_the_gradient_reaches_the_made_face_and_nothing_else() -> None:
    network, made, photo = Flat(), _faces(0).requires_grad_(), _faces(1).requires_grad_()
    IdentityLoss(network, template="arcface-112")(made, photo).sum().backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert photo.grad is None
    assert network.scale.grad is None


@pytest.mark.parametrize("template", ["arcface-112", "arcface-112x96", "facenet-160"])
def test_landmarks_land_where_the_embedder_wants_them(template: str) -> None:
    across, down = np.meshgrid(np.arange(96), np.arange(96))
    places = torch.tensor(np.stack([across, down, down]) / 96, dtype=torch.float32)[None]
    loss = IdentityLoss(Flat(), template=template)
    height, width = loss.size_hw
    moved = loss.embed(places).reshape(3, height, width)[:2].numpy() * 96
    here, there = TEMPLATES["csi-96"], TEMPLATES[template]
    source = map_points(here.matrix(ARCFACE_112.astype(np.float32)), ARCFACE_112)
    target = map_points(there.matrix(ARCFACE_112.astype(np.float32)), ARCFACE_112)
    for point, wanted in zip(target, source, strict=True):
        x, y = np.rint(point).astype(int)
        error = moved[:, y, x] - wanted
        assert np.abs(error).max() < 0.6  # half a pixel of the template, rounded to


def test_an_unknown_geometry_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="arcface-113"):
        IdentityLoss(Flat(), template="arcface-113")
