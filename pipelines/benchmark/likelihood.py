"""Likelihood ratios from similarities: calibrated on some people, judged on the probes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forensic.errors import CalibrationError
from forensic.reports.sections import (
    CllrRecord,
    CurveRecord,
    LikelihoodMethod,
    LikelihoodRecord,
)
from forensic.stats.calibration import (
    LEAST_MATED,
    Calibration,
    CalibrationSet,
    Floats,
    LogisticCalibration,
    PavCalibration,
    after_search,
    fit_logistic,
    fit_pav,
)
from forensic.stats.cllr import decompose, ece_points, tippett_points
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.folders import PairsData
from pipelines.benchmark.strangers import thinned

MOST_OTHERS = 200  # photos of other people that one sketch is compared with
PRIOR_ODDS = np.linspace(-3, 3, 61)


def check_calibration(data: PairsData, sketch_kind: str) -> None:
    """Refuse, before any work, a calibration that cannot succeed.

    Raises:
        CalibrationError: The kind of sketch is not stated, or too few people are given.
    """
    if not data.calibration:
        return
    if sketch_kind == "unknown":
        raise CalibrationError(
            "A calibration serves one kind of sketch. State it with --kind; the calibration "
            "sketches must be of the same kind as the probes."
        )
    if len(data.calibration) < LEAST_MATED:
        raise CalibrationError(
            f"--calibrate holds {len(data.calibration)} people, needed are at least {LEAST_MATED} "
            "used for nothing else. Without them report ranks and similarities, no likelihood "
            "ratio."
        )


def likelihood_record(
    calibration: Mapping[str, Embedded],
    calibration_photos: Embedded,
    probes: Mapping[str, Embedded],
    photos: Embedded,
    *,
    sketch_kind: str,
    gallery: int,
) -> LikelihoodRecord:
    """Calibrate every method on one set of people, and judge the outcome on another.

    Args:
        calibration: Sketches of the calibration set by method.
        calibration_photos: One row per sketch.
        probes: Sketches of the benchmark by method.
        photos: Their mates, one row per sketch.
        sketch_kind: What the calibration is valid for.
        gallery: Number of photos searched, for the warning.

    Raises:
        CalibrationError: For no method: too few sketches and photos gave vectors, or the
            similarities do not rise with truth. What goes for some methods only is recorded.
    """
    methods, refused = {}, {}
    for name, known in calibration.items():
        pairs = CalibrationSet(*pair_similarities(known, calibration_photos), sketch_kind)
        try:
            methods[name] = _method(pairs, pair_similarities(probes[name], photos))
        except CalibrationError as error:
            refused[name] = str(error)
    if not methods:
        name, reason = next(iter(refused.items()))
        raise CalibrationError(f"Method {name!r} cannot be calibrated: {reason}")
    return LikelihoodRecord(
        sketch_kind=sketch_kind,
        people=len(calibration_photos.enrolled),
        warning=after_search(0.0, searched=gallery).warning,
        methods=methods,
        refused=refused,
    )


def pair_similarities(sketches: Embedded, photos: Embedded) -> tuple[Floats, Floats]:
    """Return similarities of sketches to the photo of their person and to those of others.

    Row i of both is one person; a person without a vector on either side is left out. Each
    sketch is compared with the next `MOST_OTHERS` people in turn, which needs no n×n matrix.
    """
    usable = sketches.enrolled & photos.enrolled
    drawn, shown = (side.vectors[usable].astype(np.float64) for side in (sketches, photos))
    turns = range(1, min(len(drawn) - 1, MOST_OTHERS) + 1)
    others = [(drawn * np.roll(shown, -turn, axis=0)).sum(axis=1) for turn in turns]
    return (drawn * shown).sum(axis=1), np.concatenate([np.empty(0), *others])


def _method(known: CalibrationSet, test: tuple[Floats, Floats]) -> LikelihoodMethod:
    if not len(test[1]):
        raise CalibrationError("A calibration is judged on at least two probes with their photos.")
    fitted: tuple[Calibration, Calibration] = (fit_logistic(known), fit_pav(known))
    mated, nonmated = (fitted[0].log10_lr(side) for side in test)
    curves = zip(("own", "best", "silent"), ece_points(mated, nonmated, PRIOR_ODDS), strict=True)
    return LikelihoodMethod(
        calibrated_on_mated=len(known.mated),
        calibrated_on_nonmated=len(known.nonmated),
        tested_on_mated=len(mated),
        tested_on_nonmated=len(nonmated),
        logistic=_cllr(fitted[0], test),
        pav=_cllr(fitted[1], test),
        tippett_mated=_curve(*tippett_points(mated)),
        tippett_nonmated=_curve(*tippett_points(nonmated)),
        ece={curve: _curve(PRIOR_ODDS, bits) for curve, bits in curves},
    )


def _cllr(calibration: Calibration, test: tuple[Floats, Floats]) -> CllrRecord:
    parts = decompose(*(calibration.log10_lr(side) for side in test))
    line = calibration if isinstance(calibration, LogisticCalibration) else None
    return CllrRecord(
        bounds=calibration.bounds,
        slope=line.slope if line else None,
        intercept=line.intercept if line else None,
        steps=_steps(calibration) if isinstance(calibration, PavCalibration) else None,
        cllr=parts.total,
        cllr_min=parts.discrimination,
        cllr_cal=parts.calibration,
        misleading_mated=parts.misleading_mated,
        misleading_nonmated=parts.misleading_nonmated,
    )


def _steps(calibration: PavCalibration) -> list[tuple[float, float]]:
    """Return where each step of the bounded function begins, and its height."""
    heights = np.clip(calibration.values, *calibration.bounds)
    first = np.flatnonzero(np.diff(heights, prepend=-np.inf))
    return [(float(calibration.knots[i]), float(heights[i])) for i in first]


def _curve(x: Floats, y: Floats) -> CurveRecord:
    kept = thinned(len(x))
    return CurveRecord(x=x[kept].tolist(), y=y[kept].tolist())
