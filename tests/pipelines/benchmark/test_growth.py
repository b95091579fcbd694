import numpy as np

from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.growth import growth_record, sub_gallery_sizes
from pipelines.benchmark.scoring import build_gallery, search_all

RNG = np.random.default_rng(3)


def _unit(n: int, dimension: int = 6) -> Embedded:
    rows = RNG.normal(size=(n, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Embedded(rows.astype(np.float32), np.ones(n, dtype=bool))


def test_largest_gallery_is_the_whole_one_and_larger_ones_find_no_more() -> None:
    photos, others, probes = _unit(30), _unit(90), _unit(30)
    near = photos.vectors + 1.2 * probes.vectors
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    probes = Embedded(near.astype(np.float32), probes.enrolled)
    gallery = build_gallery(photos, others, [str(i) for i in range(120)])
    record = growth_record({"none": probes}, gallery)
    assert record is not None
    points = record.methods["none"]
    ranks = search_all(probes, gallery).ranks
    assert points[-1].gallery == gallery.size == 120
    assert points[-1].found == {str(r): int((ranks <= r).sum()) for r in (1, 5, 10, 50)}
    assert points[0].gallery == 30
    found = [point.found["1"] for point in points]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]
    assert growth_record({"none": probes}, gallery) == record  # seeded


def test_lost_mate_counts_in_size_and_trials() -> None:
    photos, others, probes = _unit(4), _unit(5), _unit(4)
    photos = Embedded(photos.vectors, np.array([True, False, True, True]))
    gallery = build_gallery(photos, others, [str(i) for i in range(9)])
    record = growth_record({"none": probes}, gallery)
    assert record is not None
    assert (record.trials, record.methods["none"][-1].gallery) == (4, gallery.size)
    assert record.methods["none"][0].found["50"] == 3


def test_nobody_but_mates_means_no_growth() -> None:
    nobody = Embedded(np.zeros((0, 6), np.float32), np.zeros(0, bool))
    gallery = build_gallery(_unit(3), nobody, ["a", "b", "c"])
    assert growth_record({"none": _unit(3)}, gallery) is None
    assert sub_gallery_sizes(3) == [0, 3]
