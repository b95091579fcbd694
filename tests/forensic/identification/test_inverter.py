from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.errors import LandmarksError, ShapeError
from forensic.faces.align import align_face
from forensic.faces.landmarks import ALIGNED
from forensic.generators.registry import load_generator
from forensic.identification.inverter import SketchInverter
from forensic.images.io import load_image
from forensic.images.label import label_machine_made
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.sketches.registry import SKETCH_STYLES
from tests.support.generators import small_generator, write_copying_fcn
from tests.support.images import face_landmarks, face_photo, face_sketch

CPU = torch.device("cpu")


def test_a_drawn_sketch_passes_crop_style_and_network() -> None:
    generator = small_generator()
    sketch, points = face_sketch(1), face_landmarks(1)
    made = SketchInverter(generator, device=CPU).invert([sketch], [points])[0]
    crop, moved = align_face(sketch, points, "csi-96")
    with torch.inference_mode():
        photo = generator.network(images_to_tensor([SKETCH_STYLES["line"](crop)]))
    np.testing.assert_array_equal(made.image, tensor_to_images(photo)[0])
    np.testing.assert_array_equal(made.landmarks, moved)


def test_eyes_and_mouth_lie_where_the_paper_puts_them() -> None:
    """Section 3.1: eyes 38 pixels below the top, mouth 32 below the eyes."""
    inverter = SketchInverter(small_generator(), device=CPU)
    made = inverter.invert([face_sketch(2)], [face_landmarks(2)])[0]
    assert made.image.shape == (96, 96, 3)
    assert made.landmarks[:2, 1].mean() == pytest.approx(38, abs=1e-3)
    assert made.landmarks[3:, 1].mean() == pytest.approx(70, abs=1e-3)


def test_a_simulated_sketch_is_not_sketched_twice() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    arguments = [face_sketch(1)], [face_landmarks(1)]
    drawn = inverter.invert(*arguments)[0]
    simulated = inverter.invert(*arguments, is_simulated=True)[0]
    assert (drawn.image != simulated.image).any()
    assert drawn.provenance["style_applied"] is True
    assert simulated.provenance["style_applied"] is False


def test_a_colour_model_sees_three_channels() -> None:
    generator = small_generator(style="pencil-color", in_channels=3)
    inverter = SketchInverter(generator, device=CPU)
    for is_simulated in (False, True):
        made = inverter.invert([face_sketch(1)], [face_landmarks(1)], is_simulated=is_simulated)
        assert made[0].image.shape == (96, 96, 3)


def test_provenance_names_generator_weights_and_sketch() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    first, second = inverter.invert(
        [face_sketch(1), face_sketch(2)], [face_landmarks(1), face_landmarks(2)]
    )
    assert first.provenance["generator"] == "small"
    assert first.provenance["generator_weights_sha256"] == "a" * 64
    assert first.provenance["sketch_pixels_sha256"] != second.provenance["sketch_pixels_sha256"]
    assert inverter.weights_sha256 == {"small": "a" * 64}


def test_a_written_face_says_that_it_is_machine_made(tmp_path: Path) -> None:
    made = SketchInverter(small_generator(), device=CPU).invert(
        [face_sketch(1)], [face_landmarks(1)]
    )[0]
    made.write(tmp_path / "face.png")
    written = load_image(tmp_path / "face.png")
    assert written.shape == (206, 192, 3)
    band = written[192:]
    assert band.min() == 0
    assert band.max() > 250
    assert 0.05 < (band > 128).mean() < 0.5


def test_the_label_does_not_hide_the_face() -> None:
    face = np.full((96, 96, 3), 7, np.uint8)
    assert (label_machine_made(face)[:192] == 7).all()


def test_no_sketches_and_refused_sketches() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    assert inverter.invert([], []) == []
    with pytest.raises(LandmarksError):
        inverter.invert([face_sketch(1)], [np.zeros((5, 2), np.float32)])
    with pytest.raises(ShapeError):
        inverter.invert([face_sketch(1)[:, :, 0]], [face_landmarks(1)])


def test_landmarks_follow_crop_and_lost_border(tmp_path: Path) -> None:
    """A network that copies the photo and loses six pixels a side: the same pixel at each point."""
    generator = load_generator(str(write_copying_fcn(tmp_path / "copy.safetensors")), CPU)
    photo, five = face_photo(1), ALIGNED["cufs"].landmarks
    made = SketchInverter(generator, device=CPU).invert([photo], [five])[0]
    assert made.image.shape == (188, 143, 3)
    assert made.source is not None
    assert made.source.shape == (200, 155, 3)
    for (x, y), (u, v) in zip(five.astype(int), made.landmarks.astype(int), strict=True):
        assert abs(int(made.image[v, u, 1]) - int(photo[y, x, 1])) <= 1
    assert made.provenance["direction"] == "photo-to-sketch"
    assert made.provenance["style_applied"] is False
