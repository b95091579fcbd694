"""The parts of a benchmark's record that only some runs have, documented field by field."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Rate = float
Interval = tuple[float, float]


class StrictModel(BaseModel):
    """A record without unknown keys that does not change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OperatingRecord(StrictModel):
    """Error rates at the lowest threshold that keeps false alarms within a wanted rate."""

    fpir_wanted: Rate
    resolved: bool = Field(
        description="Whether there are at least 1 / fpir_wanted non-mated searches. If not, the "
        "threshold lies just above all of them and the wanted rate is not shown to be reached."
    )
    threshold: float | None = Field(
        description="Least similarity of a candidate; null: every similarity."
    )
    fnir: Rate = Field(description="Share of mated searches without the mate among candidates.")
    fnir_ci95: Interval
    fpir: Rate = Field(description="Share of non-mated searches with any candidate.")
    fpir_ci95: Interval


class DetRecord(StrictModel):
    """The trade-off, from the lowest threshold to the highest; long curves are thinned evenly."""

    threshold: list[float]
    fpir: list[Rate]
    fnir: list[Rate]


class OpenSetMethod(StrictModel):
    """Open-set rates of one method."""

    points: list[OperatingRecord]
    det: DetRecord
    nonmated_top: dict[str, float | None] = Field(
        description="Highest similarity of each non-mated probe; null: failure to enrol."
    )


class OpenSetRecord(StrictModel):
    """Searches for people who are not in the gallery, beside those for people who are."""

    nonmated: int = Field(ge=1, description="Non-mated probes, failures to enrol included.")
    nonmated_failures: int = Field(
        ge=0, description="Those without a usable face. They raise no alarm, and are counted."
    )
    methods: dict[str, OpenSetMethod]


class CohortRecord(StrictModel):
    """One group of people; a rate is null where it had no search of that kind."""

    name: str
    mated: int
    fnir: Rate | None
    fnir_ci95: Interval | None
    nonmated: int
    fpir: Rate | None
    fpir_ci95: Interval | None


class CohortsRecord(StrictModel):
    """Rates per cohort of one column of labels and one method, at one threshold for all."""

    column: str = Field(description="The column of the user's file. Labels are never inferred.")
    method: str
    fpir_wanted: Rate
    threshold: float | None
    unlabelled: int = Field(ge=0, description="Probes without a label in this column, left out.")
    cohorts: list[CohortRecord]
    fnir_max_over_geometric_mean: float | None = Field(
        description="Worst FNIR over the geometric mean of all, 1 is parity. Null: some rate is 0."
    )
    fpir_max_over_geometric_mean: float | None = Field(description="The same for FPIR.")


class CllrRecord(StrictModel):
    """A calibration, judged on the probes of the benchmark, which it has not seen."""

    bounds: Interval = Field(description="Lowest and highest log10 LR supported (ELUB).")
    slope: float | None = Field(description="log10 LR per similarity; logistic only.")
    intercept: float | None = Field(description="log10 LR at similarity 0; logistic only.")
    steps: list[tuple[float, float]] | None = Field(
        description="Similarity and log10 LR from there up; PAV only."
    )
    cllr: float = Field(description="Cost in bits: 0 is perfect, 1 says nothing, above misleads.")
    cllr_min: float = Field(description="What remains after the best recalibration.")
    cllr_cal: float = Field(description="The difference: what bad calibration costs.")
    misleading_mated: Rate = Field(description="Share of mated pairs with LR below 1.")
    misleading_nonmated: Rate = Field(description="Share of non-mated pairs with LR above 1.")


class CurveRecord(StrictModel):
    """Points of a plot."""

    x: list[float]
    y: list[float]


class LikelihoodMethod(StrictModel):
    """Likelihood ratios of one method."""

    calibrated_on_mated: int
    calibrated_on_nonmated: int
    tested_on_mated: int
    tested_on_nonmated: int
    logistic: CllrRecord
    pav: CllrRecord
    tippett_mated: CurveRecord = Field(description="Logistic: share with at least a log10 LR.")
    tippett_nonmated: CurveRecord
    ece: dict[str, CurveRecord] = Field(
        description="Logistic: bits over log10 prior odds, for `own`, `best` and `silent`."
    )


class LikelihoodRecord(StrictModel):
    """Pairwise likelihood ratios. They do not hold for the first of a search: see `warning`."""

    sketch_kind: str = Field(description="The one kind of sketch that the calibration serves.")
    people: int = Field(description="People of the calibration set, used for nothing else.")
    warning: str
    methods: dict[str, LikelihoodMethod]
    refused: dict[str, str] = Field(description="Methods without a calibration, and why.")


class PublishedMean(StrictModel):
    """A paper's mean for the same protocol, as printed."""

    mean: float
    standard_error: float


class MeanRecord(StrictModel):
    """A mean over faces, with its error by a bootstrap that draws people, not pictures."""

    mean: float
    standard_error: float
    ci95: Interval = Field(description="Percentile interval of the bootstrap.")
    published: PublishedMean | None = None


class QualityMethod(StrictModel):
    """How near the machine-made faces of one method come to the photos; higher is nearer.

    A face without a finite figure (no R of a constant image) is left out of that mean; null:
    no face has one.
    """

    faces: int = Field(ge=1)
    people: int = Field(ge=1)
    psnr: MeanRecord | None = Field(description="PSNR in dB, mean of R, G and B.")
    ssim: MeanRecord | None = Field(description="Structural similarity, at most 1.")
    r: MeanRecord | None = Field(description="Pearson correlation of all values, at most 1.")


class QualityRecord(StrictModel):
    """Quality of machine-made faces. A faithful picture need not be a face that is found."""

    seed: int = Field(description="Of the bootstrap.")
    methods: dict[str, QualityMethod]


class GrowthPoint(StrictModel):
    """Success in a gallery of one size."""

    gallery: int
    found: dict[str, int] = Field(description="Probes with the mate at that rank or better.")
    rank1: Rate
    rank1_ci95: Interval


class GrowthRecord(StrictModel):
    """Match score against gallery size: all mates and ever more of the other photos."""

    seed: int = Field(description="Of the order in which the other photos are added.")
    trials: int
    methods: dict[str, list[GrowthPoint]]
