import numpy as np
import pytest

from forensic.errors import CalibrationError
from forensic.stats.cllr import cllr
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.folders import ImageFile, Pair, PairsData
from pipelines.benchmark.likelihood import check_calibration, likelihood_record, pair_similarities

RNG = np.random.default_rng(8)


def _people(n: int, noise: float) -> tuple[Embedded, Embedded]:
    photos = RNG.normal(size=(n, 16))
    sketches = photos + noise * RNG.normal(size=(n, 16))
    rows = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (sketches, photos)]
    one, other = (Embedded(side.astype(np.float32), np.ones(n, dtype=bool)) for side in rows)
    return one, other


def _record(known: tuple[Embedded, Embedded], test: tuple[Embedded, Embedded]):  # type: ignore[no-untyped-def]
    return likelihood_record(
        {"none": known[0]}, known[1], {"none": test[0]}, test[1],
        sketch_kind="viewed", gallery=500,
    )  # fmt: skip


def test_pairs_are_those_of_the_similarity_matrix() -> None:
    sketches, photos = _people(6, 0.5)
    lost = Embedded(sketches.vectors, np.array([True] * 5 + [False]))
    mated, nonmated = pair_similarities(lost, photos)
    matrix = sketches.vectors[:5].astype(float) @ photos.vectors[:5].astype(float).T
    assert mated == pytest.approx(np.diag(matrix))
    assert np.sort(nonmated) == pytest.approx(np.sort(matrix[~np.eye(5, dtype=bool)]))


def test_good_similarities_give_informative_bounded_ratios_and_the_warning() -> None:
    record = _record(_people(80, 0.6), _people(60, 0.6))
    method = record.methods["none"]
    assert (method.calibrated_on_mated, method.calibrated_on_nonmated) == (80, 80 * 79)
    for fit in (method.logistic, method.pav):
        assert 0 <= fit.cllr_min <= fit.cllr < 0.6
        assert fit.cllr == pytest.approx(fit.cllr_min + fit.cllr_cal)
        assert fit.bounds[0] < 0 < fit.bounds[1]
    assert method.logistic.slope
    assert method.pav.steps
    heights = [height for _, height in method.pav.steps]
    assert heights == sorted(heights)
    assert method.ece["silent"].y[30] == pytest.approx(1)  # even odds, no evidence: one bit
    assert method.ece["own"].y[30] == pytest.approx(method.logistic.cllr)
    assert "500 people" in record.warning


def test_cost_is_that_of_the_line_within_its_bounds() -> None:
    known, test = _people(70, 0.8), _people(40, 0.8)
    fit = _record(known, test).methods["none"].logistic
    ratios = [
        np.clip(fit.slope * side + fit.intercept, *fit.bounds) for side in pair_similarities(*test)
    ]
    assert fit.cllr == pytest.approx(cllr(*ratios))


def test_similarities_without_information_and_too_few_probes_are_refused() -> None:
    sketches, photos = _people(60, 0.5)
    turned = Embedded(-sketches.vectors, sketches.enrolled)
    with pytest.raises(CalibrationError, match=r"Method 'none' .*not more similar"):
        _record((turned, photos), _people(60, 0.5))
    with pytest.raises(CalibrationError, match="at least two probes"):
        _record((sketches, photos), _people(1, 0.5))
    few = Embedded(sketches.vectors, np.arange(60) < 40)
    with pytest.raises(CalibrationError, match="at least 50"):
        _record((few, photos), _people(60, 0.5))


def test_a_method_without_information_does_not_take_the_others_with_it() -> None:
    known, test = _people(60, 0.5), _people(20, 0.5)
    turned = Embedded(-known[0].vectors, known[0].enrolled)
    record = likelihood_record(
        {"none": known[0], "odd": turned}, known[1], {"none": test[0], "odd": test[0]}, test[1],
        sketch_kind="viewed", gallery=500,
    )  # fmt: skip
    assert list(record.methods) == ["none"]
    assert "not more similar" in record.refused["odd"]


def test_a_small_set_or_an_unstated_kind_is_refused_before_any_work(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def data(n: int) -> PairsData:
        image = ImageFile(tmp_path, "a.png", "0")
        return PairsData(pairs=[], calibration=[Pair("a", image, image)] * n)

    check_calibration(data(0), "unknown")
    check_calibration(data(50), "viewed")
    with pytest.raises(CalibrationError, match="49 people, needed are at least 50"):
        check_calibration(data(49), "viewed")
    with pytest.raises(CalibrationError, match="--kind"):
        check_calibration(data(50), "unknown")
