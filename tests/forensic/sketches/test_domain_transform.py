"""The edge-aware filter against its definition: for every pixel, the mean of a box."""

import numpy as np
import pytest

from forensic.sketches.domain_transform import ITERATIONS, DomainTransform, box_bounds

IMAGE = np.random.default_rng(4).random((7, 9, 3))
IMAGE[:, 4:] += 2.0  # an edge that no small box crosses


def naive_coordinates(line: np.ndarray, ratio: float) -> list[float]:
    """Return the transformed position of each pixel of a (W, C) line (equation 11)."""
    place, places = 0.0, []
    for i in range(len(line)):
        place += 1 + (ratio * abs(line[i] - line[i - 1]).sum() if i else 0)
        places.append(place)
    return places


def naive_pass(image: np.ndarray, guide: np.ndarray, ratio: float, radius: float) -> np.ndarray:
    """Return each pixel's mean over the pixels of its row within the radius (equation 17)."""
    out = np.empty_like(image)
    for row in range(image.shape[0]):
        places = naive_coordinates(guide[row], ratio)
        for column, here in enumerate(places):
            near = [j for j, there in enumerate(places) if here - radius < there <= here + radius]
            out[row, column] = image[row, near].mean(axis=0)
    return out


def naive_filter(image: np.ndarray, sigma_s: float, sigma_r: float) -> np.ndarray:
    guide, out = image, image
    for i in range(3):
        sigma = sigma_s * np.sqrt(3) * 2 ** (3 - (i + 1)) / np.sqrt(4**3 - 1)
        radius = np.sqrt(3) * sigma
        out = naive_pass(out, guide, sigma_s / sigma_r, radius)
        turned = naive_pass(
            out.transpose(1, 0, 2), guide.transpose(1, 0, 2), sigma_s / sigma_r, radius
        )
        out = turned.transpose(1, 0, 2)
    return out


@pytest.mark.parametrize(("sigma_s", "sigma_r"), [(2.0, 0.5), (60.0, 0.45), (5.0, 20.0)])
def test_filter_equals_the_double_loop(sigma_s: float, sigma_r: float) -> None:
    found = DomainTransform.of(IMAGE, sigma_s=sigma_s, sigma_r=sigma_r).filter(IMAGE)
    np.testing.assert_allclose(found, naive_filter(IMAGE, sigma_s, sigma_r), atol=1e-12)


def test_radii_halve_and_their_variances_sum_to_that_of_the_box() -> None:
    transform = DomainTransform.of(IMAGE, sigma_s=6.0, sigma_r=1.0)
    radii = [transform.radius(i) for i in range(ITERATIONS)]
    assert radii[0] == pytest.approx(2 * radii[1]) == pytest.approx(4 * radii[2])
    # A box of radius r has variance r^2 / 3; three of them make one filter of variance sigma^2.
    assert sum(r**2 / 3 for r in radii) == pytest.approx(6.0**2)


def test_constant_image_stays_and_infinite_colour_scale_is_a_plain_blur() -> None:
    flat = np.full((6, 6, 3), 0.3)
    np.testing.assert_allclose(
        DomainTransform.of(flat, sigma_s=60, sigma_r=0.1).filter(flat), flat, rtol=1e-12
    )
    wide = DomainTransform.of(IMAGE, sigma_s=1000.0, sigma_r=1e12).filter(IMAGE)
    np.testing.assert_allclose(
        wide, IMAGE.mean(axis=(0, 1), keepdims=True).repeat(7, 0).repeat(9, 1)
    )


def test_an_edge_is_never_crossed() -> None:
    found = DomainTransform.of(IMAGE, sigma_s=4.0, sigma_r=0.01).filter(IMAGE)
    assert found[:, :4].max() < 1.01
    assert found[:, 4:].min() > 1.99


def test_mirroring_and_turning_commute_with_the_filter() -> None:
    def smooth(image: np.ndarray) -> np.ndarray:
        return DomainTransform.of(image, sigma_s=3.0, sigma_r=0.7).filter(image)

    np.testing.assert_allclose(smooth(IMAGE[:, ::-1]), smooth(IMAGE)[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(smooth(IMAGE[::-1]), smooth(IMAGE)[::-1], atol=1e-12)


def test_box_sizes_count_rows_plus_columns() -> None:
    flat = np.zeros((5, 8, 3))
    assert (DomainTransform.of(flat, sigma_s=60, sigma_r=0.1).box_sizes() == 5 + 8).all()
    split = flat.copy()
    split[:, 3:] = 1.0  # columns 0-2 and 3-7 are two worlds
    sizes = DomainTransform.of(split, sigma_s=60, sigma_r=0.1).box_sizes()
    assert sizes[0].tolist() == [5 + 3] * 3 + [5 + 5] * 5


def test_bounds_of_one_row_do_not_reach_into_another() -> None:
    coordinates = np.array([[1.0, 2.0, 9.0], [1.0, 100.0, 101.0]])
    lower, upper = box_bounds(coordinates, 1.5)
    assert lower.tolist() == [[0, 0, 2], [0, 1, 1]]
    assert upper.tolist() == [[2, 2, 3], [1, 3, 3]]
