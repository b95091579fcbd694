"""The two generators of DeepFacePencil and their common trunk."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError
from forensic.generators.deepfacepencil.generators import (
    DeepFacePencil,
    DualGenerator,
    GlobalGenerator,
)

TOY = {"width": 4, "n_down": 2, "n_blocks": 2}


def millions(network: nn.Module) -> float:
    return round(sum(p.numel() for p in network.parameters()) / 1e6, 2)


def test_parameters_and_output_of_the_published_networks() -> None:
    with torch.device("meta"):
        auxiliary, main = GlobalGenerator(), DeepFacePencil()
        assert millions(auxiliary) == 102.63
        assert millions(main) == 105.73
        for network in (auxiliary, main):
            assert network(torch.empty(2, 3, 256, 256)).shape == (2, 3, 256, 256)


def test_together_they_own_one_trunk() -> None:
    with torch.device("meta"):
        both, main = DualGenerator(), DeepFacePencil()
        encoder = GlobalGenerator().encoder
    own = sum(p.numel() for p in main.parameters()) + sum(p.numel() for p in encoder.parameters())
    assert sum(p.numel() for p in both.parameters()) == own
    assert len({v.data_ptr() for v in DualGenerator(**TOY).state_dict().values()}) == len(
        DualGenerator(**TOY).state_dict()
    )


@pytest.mark.parametrize(("main", "kind"), [(True, DeepFacePencil), (False, GlobalGenerator)])
def test_each_can_be_taken_out_alone(main: bool, kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    both = DualGenerator(**TOY).eval()
    alone = both.extract(main=main).eval()
    sketch = torch.rand(2, 3, 16, 16)
    assert type(alone) is kind
    assert torch.equal(alone(sketch), both(sketch, main=main))
    again = kind(**alone.config)
    again.load_state_dict(alone.state_dict())
    assert torch.equal(again.eval()(sketch), both(sketch, main=main))


def test_every_residual_block_can_be_compared() -> None:
    both, sketch = DualGenerator(**TOY), torch.rand(1, 3, 16, 16)
    sides = [both.embed(sketch, main=main) for main in (True, False)]
    assert [len(side) for side in sides] == [2, 2]
    assert all(a.shape == b.shape == (1, 16, 4, 4) for a, b in zip(*sides, strict=True))


@pytest.mark.parametrize("kind", [DeepFacePencil, GlobalGenerator])
def test_sizes_that_do_not_divide(kind: type[nn.Module]) -> None:
    with pytest.raises(ShapeError, match="divide by 4"):
        kind(**TOY)(torch.rand(1, 3, 16, 18))
