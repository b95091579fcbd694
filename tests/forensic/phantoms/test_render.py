"""Pictures of phantoms are repeatable, alike within a person, and hold their landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from forensic.check import check_landmarks
from forensic.phantoms import create_person, render_photo, render_photos
from tests.support.images import face_landmarks, face_photo


def test_same_seeds_same_picture() -> None:
    first, points = render_photo(create_person(5), 9)
    again, same_points = render_photo(create_person(5), 9)
    assert np.array_equal(first, again)
    assert np.array_equal(points, same_points)


def test_picture_is_rgb_of_the_asked_size() -> None:
    photo, points = render_photo(create_person(1), 2, (125, 100))
    assert photo.shape == (125, 100, 3)
    assert photo.dtype == np.uint8
    assert points.dtype == np.float32
    check_landmarks(points)


def test_landmarks_scale_with_the_picture() -> None:
    person = create_person(3)
    _, small = render_photo(person, 4, (125, 100))
    _, large = render_photo(person, 4, (250, 200))
    assert np.abs((small + 0.5) * 2 - 0.5 - large).max() < 1.0


def test_two_pictures_of_a_person_differ_and_persons_differ_more() -> None:
    def middle(seed: int, take: int) -> np.ndarray:
        points = face_landmarks(seed, take=take)
        x, y = points[:2].mean(0).astype(int)
        return face_photo(seed, take=take)[y - 30 : y + 75, x - 45 : x + 45].astype(float)

    same = [np.abs(middle(s, 0) - middle(s, 1)).mean() for s in range(6)]
    other = [np.abs(middle(s, 0) - middle((s + 1) % 6, 1)).mean() for s in range(6)]
    assert min(same) > 2
    assert np.mean(other) > 1.3 * np.mean(same)


def test_batch_equals_single_pictures() -> None:
    (photo, points), _ = render_photos([(2, 11), (3, 12)])
    expected, expected_points = render_photo(create_person(2), 11)
    assert np.array_equal(photo, expected)
    assert np.array_equal(points, expected_points)


@pytest.mark.parametrize("seed", range(4))
def test_a_face_detector_agrees_with_the_true_landmarks(seed: int) -> None:
    from facenet_pytorch import MTCNN
    from PIL import Image

    photo = Image.fromarray(face_photo(seed))
    _, probabilities, found = MTCNN(device="cpu").detect(photo, landmarks=True)
    assert probabilities[0] > 0.9
    distance_px = np.linalg.norm(np.asarray(found[0], float) - face_landmarks(seed), axis=1)
    assert distance_px.max() < 10, "the eyes lie 50 px apart"
    assert distance_px.mean() < 5.5
