from dataclasses import replace

import numpy as np
import pytest

from forensic.errors import ManyFacesError, NoFaceError
from forensic.faces.detect import FaceDetector
from forensic.faces.geometry import map_points
from forensic.faces.search import LADDERS, Look, find_face, find_faces, look_at
from forensic.values import RGB, Face
from tests.support.images import face_landmarks, face_photo, face_sketch


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def _error(face: Face, seed: int) -> float:
    """Return the largest error of a landmark as a share of the distance between the eyes."""
    true = face_landmarks(seed)
    errors = np.linalg.norm(face.landmarks - true, axis=1)
    return float(errors.max() / np.linalg.norm(true[1] - true[0]))


def _faint(image: RGB, share: float) -> RGB:
    return (255 - share * (255 - image.astype(np.float32))).astype(np.uint8)


def test_a_photo_is_found_by_the_first_look(detector: FaceDetector) -> None:
    face = find_face(face_photo(0), detector)
    assert face.detector == "mtcnn/plain"
    assert _error(face, 0) < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_a_faint_drawing_is_found(detector: FaceDetector, seed: int) -> None:
    sketch = _faint(face_sketch(seed), 0.25)
    face = find_face(sketch, detector, kind="sketch")
    assert _error(face, seed) < 0.25


def test_white_chalk_on_black_is_found_as_a_negative(detector: FaceDetector) -> None:
    face = find_face(255 - face_sketch(0), detector, kind="sketch")
    assert face.detector.startswith("mtcnn/negative-")
    assert _error(face, 0) < 0.25


@pytest.mark.parametrize("look", LADDERS["sketch"], ids=lambda look: look.name)
def test_every_look_maps_what_it_finds_back(detector: FaceDetector, look: Look) -> None:
    photo = np.pad(face_photo(0), ((0, 30), (20, 60), (0, 0)), mode="edge")
    (faces,) = look_at([photo], detector, look, negatives=False)
    true = np.add(face_landmarks(0), (20, 0))
    assert faces
    errors = np.linalg.norm(faces[0].landmarks - true, axis=1)
    assert errors.max() < 0.3 * np.linalg.norm(true[1] - true[0])


@pytest.mark.parametrize("look", LADDERS["sketch"], ids=lambda look: look.name)
def test_every_look_says_truly_where_its_pixels_come_from(look: Look) -> None:
    image = np.full((90, 121, 3), 255, np.uint8)
    image[40:45, 70:75] = 0
    changed, back = look.change(image)
    dark = 255.0 - changed[..., 0]
    dark[dark < 128] = 0
    y, x = np.mgrid[: dark.shape[0], : dark.shape[1]]
    centroid = [(dark * x).sum() / dark.sum(), (dark * y).sum() / dark.sum()]
    np.testing.assert_allclose(map_points(back, [centroid])[0], (72, 42), atol=0.3)


def test_only_a_trusted_look_takes_implausible_points(detector: FaceDetector) -> None:
    # Mapped back to a picture of more than twice the height, the mouth lies far too low.
    look = Look("tall", lambda image: (image, np.array([[1.0, 0, 0], [0, 2.2, 0]])))
    strict, trusting = (
        look_at([face_photo(0)], detector, chosen, negatives=False)[0]
        for chosen in (look, replace(look, trusted=True))
    )
    assert trusting
    assert not strict


def test_blank_paper_is_refused_with_the_remedy(detector: FaceDetector) -> None:
    blank = np.full((120, 100, 3), 250, np.uint8)
    with pytest.raises(NoFaceError, match=r"100×120.*--landmarks.*--aligned"):
        find_face(blank, detector, kind="sketch")


def test_two_people_are_refused_and_the_rest_of_the_batch_is_not(detector: FaceDetector) -> None:
    pair = np.concatenate([face_photo(0), face_photo(1)], axis=1)
    alone = face_photo(2)
    both, one = find_faces([pair, alone], detector, kind="photo")
    assert isinstance(both, ManyFacesError)
    assert isinstance(one, Face)
    picked = find_face(pair, detector, allow_many=True)
    assert picked.probability > 0.9
    with pytest.raises(ManyFacesError):
        find_face(pair, detector)
