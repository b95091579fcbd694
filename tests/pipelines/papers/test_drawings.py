import numpy as np
import pytest
import torch

from forensic.errors import InputError
from pipelines.papers.drawings import Drawings, draw_test, squared_error_ranks
from pipelines.papers.tables import Materials
from tests.support.cufs import write_cufs
from tests.support.generators import small_generator, write_copying_fcn

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    place = tmp_path_factory.mktemp("drawings")
    write_copying_fcn(place / "fcn-medium.safetensors")
    return Materials([place], {"cuhk": write_cufs(place / "cuhk")}, CPU)


def test_ranks_are_those_of_the_squared_error() -> None:
    drawn = torch.zeros(3, 1, 188, 143)
    made = torch.stack([torch.full((1, 188, 143), level / 255) for level in (3.0, 1.0, 1.0)])
    ranks = squared_error_ranks(Drawings(drawn, made, ["a", "b", "c"]))
    assert ranks.tolist() == [3, 2, 2]  # a tie counts against the system


def test_drawings_are_centred_on_the_same_pixels(materials: Materials) -> None:
    gray = draw_test(materials, None)
    assert gray.made.shape == gray.drawn.shape == (3, 1, 188, 143)
    copied = draw_test(materials, materials.generator("fcn-medium"))
    assert copied.people == ["toy/2", "toy/3", "toy/4"]
    values = [d.made.flatten(1).numpy() for d in (gray, copied)]
    assert all(np.corrcoef(a, b)[0, 1] > 0.95 for a, b in zip(*values, strict=True))


def test_generator_that_does_not_draw_is_refused(materials: Materials) -> None:
    with pytest.raises(InputError, match="does not draw"):
        draw_test(materials, small_generator())
