import numpy as np
import pytest

from forensic.errors import DtypeError, LandmarksError, ShapeError
from forensic.faces.geometry import invert_affine, map_points, similarity_between, warp

IDENTITY = np.eye(2, 3)


def test_similarity_of_a_quarter_turn_doubled_and_shifted_is_exact() -> None:
    source = np.array([(0.0, 0), (1, 0), (0, 1), (3, 2)])
    target = 2 * np.stack([-source[:, 1], source[:, 0]], axis=1) + (5, -7)
    expected = [[0, -2, 5], [2, 0, -7]]
    np.testing.assert_allclose(similarity_between(source, target), expected, atol=1e-12)


def test_similarity_never_reflects() -> None:
    source = np.array([(0.0, 0), (4, 0), (4, 2), (0, 2)])
    matrix = similarity_between(source, source * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) >= 0


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 5, 2))
    best = similarity_between(source, target)
    unknowns = np.array([[(x, -y, 1, 0), (y, x, 0, 1)] for x, y in source]).reshape(10, 4)
    a, b, shift_x, shift_y = np.linalg.lstsq(unknowns, target.ravel(), rcond=None)[0]
    np.testing.assert_allclose(best, [[a, -b, shift_x], [b, a, shift_y]], atol=1e-12)


def test_coinciding_points_fix_no_similarity() -> None:
    with pytest.raises(LandmarksError, match="coincide"):
        similarity_between(np.ones((5, 2)), np.arange(10).reshape(5, 2))


def test_inverse_undoes_a_map() -> None:
    matrix = np.array([[1.2, -0.3, 7], [0.4, 0.9, -2]])
    points = np.array([(0.0, 0), (10, 3), (-4, 8)])
    there_and_back = map_points(invert_affine(matrix), map_points(matrix, points))
    np.testing.assert_allclose(there_and_back, points, atol=1e-5)


def test_identity_and_whole_pixel_shifts_are_exact() -> None:
    image = np.random.default_rng(1).integers(0, 256, (13, 17, 3), dtype=np.uint8)
    np.testing.assert_array_equal(warp(image, IDENTITY, (13, 17)), image)
    shifted = warp(image, np.array([[1.0, 0, 3], [0, 1, 2]]), (13, 17))
    np.testing.assert_array_equal(shifted[2:, 3:], image[:-2, :-3])
    # Outside the image its border is repeated.
    np.testing.assert_array_equal(shifted[0, 3:], image[0, :-3])


@pytest.mark.parametrize("scale", [0.3, 0.37, 0.66, 0.8, 0.95, 1.0, 1.7])
def test_a_ramp_stays_a_ramp_at_any_scale_neither_darker_nor_shifted(scale: float) -> None:
    y, x = np.mgrid[:400, :300]
    ramp = np.rint(20 + 0.3 * x + 0.25 * y).astype(np.uint8)
    turn = scale * np.exp(0.2j)
    matrix = np.array([[turn.real, -turn.imag, 0.0], [turn.imag, turn.real, 0]])
    matrix[:, 2] = (56, 56) - matrix[:, :2] @ (150, 200)
    moved = warp(np.repeat(ramp[..., None], 3, axis=2), matrix, (112, 112))[..., 0]
    places = map_points(invert_affine(matrix), np.argwhere(np.ones((112, 112)))[:, ::-1])
    difference = moved.ravel() - (20 + places @ (0.3, 0.25))
    inner = ((places > 8) & (places < (291, 391))).all(axis=1)
    assert abs(difference[inner].mean()) < 0.05  # cutting off fractions would make it -0.5
    assert np.abs(difference[inner]).max() < 1.25


def test_warp_there_and_back_returns_a_smooth_image() -> None:
    y, x = np.mgrid[:80, :80]
    wave = (128 + 60 * np.sin(x / 9) + 40 * np.cos(y / 11)).astype(np.uint8)
    image = np.repeat(wave[..., None], 3, axis=2)
    turn = similarity_between([(20, 30), (60, 30)], [(22, 36), (58, 26)])
    back = warp(warp(image, turn, (80, 80)), invert_affine(turn), (80, 80))
    inner = slice(16, 64)
    difference = back[inner, inner].astype(int) - image[inner, inner]
    assert np.abs(difference).mean() < 2


def test_a_point_of_light_lands_where_its_position_is_mapped() -> None:
    image = np.zeros((60, 60, 3), dtype=np.uint8)
    image[20:25, 30:35] = 255
    matrix = similarity_between([(10, 10), (50, 20)], [(15, 8), (54, 33)])
    moved = warp(image, matrix, (70, 80))[..., 0].astype(float)
    y, x = np.mgrid[:70, :80]
    centroid = [(moved * x).sum() / moved.sum(), (moved * y).sum() / moved.sum()]
    np.testing.assert_allclose(centroid, map_points(matrix, [(32, 22)])[0], atol=0.1)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(DtypeError):
        warp(np.zeros((5, 5, 3)), IDENTITY, (5, 5))  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        warp(np.zeros((5, 5), np.uint8), IDENTITY, (5, 5))
    with pytest.raises(ShapeError):
        map_points(np.eye(3), [(0, 0)])
    with pytest.raises(ShapeError):
        similarity_between(np.zeros((4, 2)), np.zeros((5, 2)))
