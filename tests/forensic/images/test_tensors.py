import numpy as np
import pytest
import torch

from forensic.errors import DtypeError, ShapeError
from forensic.images.tensors import images_to_tensor, tensor_to_images

BYTES = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3), dtype=np.uint8)


def test_every_byte_survives_the_round_trip() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(tensor_to_images(images_to_tensor(levels)), levels)
    np.testing.assert_array_equal(tensor_to_images(images_to_tensor(BYTES)), BYTES)


def test_axes_and_range() -> None:
    tensor = images_to_tensor(BYTES)
    assert tensor.shape == (3, 3, 5, 4)
    assert tensor.dtype == torch.float32
    assert tensor[1, 2, 4, 3].item() == pytest.approx(BYTES[1, 4, 3, 2] / 255)
    assert tensor.is_contiguous(memory_format=torch.channels_last)


def test_a_list_and_a_mirrored_view_serve_too() -> None:
    assert torch.equal(images_to_tensor(list(BYTES)), images_to_tensor(BYTES))
    mirrored = BYTES[:, :, ::-1]
    assert torch.equal(images_to_tensor(mirrored), images_to_tensor(BYTES).flip(3))


def test_values_outside_are_clipped_and_halves_rounded() -> None:
    tensor = torch.tensor([-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 7.0]).view(1, 1, 1, 6)
    assert tensor_to_images(tensor).ravel().tolist() == [0, 0, 0, 1, 255, 255]


def test_refused() -> None:
    with pytest.raises(ShapeError):
        images_to_tensor(BYTES[0])
    with pytest.raises(ShapeError):
        tensor_to_images(torch.zeros(3, 4, 4))
    with pytest.raises(DtypeError, match="float64"):
        images_to_tensor(BYTES / 255)  # would come out 255 times too dark
    with pytest.raises(ValueError, match="same shape"):
        images_to_tensor([BYTES[0], BYTES[0, :4]])
