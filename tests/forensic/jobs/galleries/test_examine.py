"""What an intake makes of real pictures of persons who do not exist."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.faces.detect import FaceDetector
from forensic.images.io import encode_image
from forensic.jobs.galleries.examine import Examined, FaceExaminer, load_photo
from tests.support.images import face_landmarks, face_photo


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def examine(detector, files, **policy):
    examiner = FaceExaminer(detector, template="arcface-112", policy=IntakePolicy(**policy))
    return [a.reason if isinstance(a, Refusal) else a for a in examiner(files)]


def blurred(photo, radius):
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))


def test_each_photo_gets_its_own_answer(detector) -> None:
    photo = face_photo(1)
    noise = np.random.default_rng(0).integers(0, 255, (120, 120, 3)).astype(np.uint8)
    two = np.concatenate([face_photo(1), face_photo(2)], axis=1)
    png = encode_image(photo)
    files = [png, b"not an image", png[: len(png) // 2], encode_image(noise), encode_image(two)]
    good, *others = examine(detector, files)
    assert isinstance(good, Examined)
    assert good.face.shape == (112, 112, 3)
    assert good.size_px == (200, 250)
    assert others == ["unreadable", "unreadable", "no_face", "several_faces"]


def test_empty_and_enormous_files_are_told_and_the_rest_taken(detector) -> None:
    hundred_megapixels = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(hundred_megapixels, "PNG")
    files = [b"", hundred_megapixels.getvalue(), encode_image(face_photo(1))]
    empty, enormous, good = examine(detector, files)
    assert (empty, enormous) == ("empty", "too_many_pixels")
    assert isinstance(good, Examined)


def test_the_policy_decides(detector) -> None:
    png = encode_image(face_photo(1))
    soft = encode_image(blurred(face_photo(1), 6))
    two = encode_image(np.concatenate([face_photo(1), face_photo(2)], axis=1))
    assert examine(detector, [png], min_face_px=190) == ["too_small"]
    assert examine(detector, [soft]) == ["blurred"]
    assert isinstance(examine(detector, [soft], min_sharpness=0)[0], Examined)
    assert isinstance(examine(detector, [two], several_faces="heaviest")[0], Examined)


def test_landmarks_are_in_pixels_of_the_whole_photo(detector) -> None:
    """A large photo is decoded smaller, which must not show."""
    large = np.asarray(Image.fromarray(face_photo(1)).resize((200 * 10, 250 * 10)))
    (found,) = examine(detector, [encode_image(large, format="JPEG")])
    assert isinstance(found, Examined)
    assert found.size_px == (2000, 2500)
    expected = (face_landmarks(1) + 0.5) * 10 - 0.5
    assert np.abs(np.array(found.landmarks) - expected).max() < 60  # six pixels of the original
    assert found.quality["face_px"] > 600


@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_scans_do_not_fill_the_memory(format_name: str) -> None:
    scan = np.zeros((5000, 4000, 3), np.uint8)
    image, size_px = load_photo(encode_image(scan, format=format_name), at_least_px=896)
    assert size_px == (4000, 5000)
    assert 896 <= min(image.shape[:2]) < 2 * 896


def test_a_photo_lying_on_its_side_has_its_upright_size(tmp_path: Path) -> None:
    picture, exif, data = Image.new("RGB", (60, 40)), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    picture.save(data, "JPEG", exif=exif)
    image, size_px = load_photo(data.getvalue(), at_least_px=16)
    assert size_px == (40, 60)
    assert image.shape[1] <= image.shape[0]
