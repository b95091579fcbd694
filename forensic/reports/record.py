"""The content of a benchmark's `report.json`, documented and checked field by field.

`forensic benchmark schema` prints it as JSON Schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from forensic.errors import DataFolderError
from forensic.files import read_json
from forensic.reports.sections import (
    CohortsRecord,
    GrowthRecord,
    Interval,
    LikelihoodRecord,
    OpenSetRecord,
    QualityRecord,
    Rate,
    StrictModel,
)


class RankOne(StrictModel):
    """The headline: how often the mate came first."""

    successes: int = Field(ge=0, description="Probes whose mate was at rank 1.")
    trials: int = Field(ge=1, description="All probes, failures to enrol included.")
    ci95: Interval = Field(description="Clopper-Pearson interval of the rate.")
    p_vs_chance: float = Field(
        ge=0, le=1, description="One-sided exact binomial test against 1 / gallery."
    )


class PublishedRecord(StrictModel):
    """A published figure beside ours, and the test of ours against it *treated as fixed*."""

    source: str
    cms1: Rate
    trials: int = Field(description="Probes behind it; assumed where the paper does not say.")
    ci95: Interval = Field(description="Clopper-Pearson interval of the published rate.")
    p_differs: float = Field(
        ge=0, le=1, description="Two-sided: twice the smaller one-sided exact binomial p-value."
    )


class MethodRecord(StrictModel):
    """What one method achieved."""

    cms: dict[str, Rate] = Field(description="Cumulative match score by rank, 0 to 1.")
    cms_ci95: dict[str, Interval] = Field(description="Clopper-Pearson interval by rank.")
    cms_p_vs_chance: dict[str, float] = Field(description="Test against rank / gallery.")
    rank1: RankOne
    failures_to_enrol: int = Field(
        ge=0,
        description="Probes that could only miss, because no usable face was found in the "
        "sketch or in the mate's photo. They count as misses at every rank.",
    )
    median_rank: float | None = Field(description="None when over half of the probes failed.")
    cmc: list[Rate] = Field(description="Match score at rank 1, 2, ... .")
    ranks: dict[str, int | None] = Field(description="Rank of the mate by probe; null: failure.")
    weights_sha256: dict[str, str] = Field(description="Generators used, by name.")
    published: PublishedRecord | None = Field(
        default=None, description="The paper's figure for the same protocol, if there is one."
    )


class ComparisonRecord(StrictModel):
    """Two methods on the same probes, by McNemar's exact test at rank 1."""

    a: str
    b: str
    mcnemar_p: float = Field(ge=0, le=1)
    holm_p: float = Field(ge=0, le=1, description="Adjusted over all comparisons of the report.")
    only_a: int = Field(description="Probes that only a found at rank 1.")
    only_b: int = Field(description="Probes that only b found at rank 1.")
    both: int
    neither: int
    rate_difference: float = Field(description="Rate of a minus rate of b, -1 to 1.")
    cohens_g: float = Field(description="Effect size only_a / (only_a + only_b) - 1/2.")
    smallest_gap: int | None = Field(
        description="Fewest probes by which the two could have differed and been told apart "
        "at 5 %, unadjusted, if all of them had differed the same way. Null: too few probes."
    )
    is_primary: bool = Field(
        default=False, description="Is one of them the very sketch that the other starts from?"
    )


class FailureRecord(StrictModel):
    """An image that could not be enrolled."""

    role: Literal[
        "sketch", "photo", "distractor", "non-mated", "calibration-photo", "calibration-sketch"
    ]
    name: str
    reason: str


class EmbedderRecord(StrictModel):
    """The network that turned faces into vectors, or several that work as one."""

    name: str
    dimension: int
    template: str
    weights_sha256: str
    parts: dict[str, str] = Field(
        default_factory=dict, description="SHA-256 of the weights of each of several."
    )


class SameHandRecord(StrictModel):
    """Other sketches by the same artist, whose common style was taken out of every sketch."""

    sketches: int = Field(ge=1, description="Used; a probe among them changes nothing.")
    sha256: str = Field(description="Of all of them.")
    rejected: dict[str, str] = Field(description="Which could not be used, and why.")


class BenchmarkReport(StrictModel):
    """One benchmark: every probe is a sketch with one photo in the gallery that is its mate."""

    notice: str
    benchmark: Literal["pairs", "lfw-same-photo", "lfw-cross-photo"]
    format: Literal[1]
    sketch_kind: Literal["viewed", "forensic", "composite", "freehand", "unknown", "simulated"]
    subject: str = Field(
        default="", description="Whose sketches and photos these are, as far as folders tell."
    )
    probes: int = Field(ge=1, description="Sketches searched for, failures included.")
    gallery: int = Field(
        ge=1,
        description="Photos searched among: every mate's photo, and the distractors that could "
        "be enrolled.",
    )
    gallery_enrolled: int = Field(ge=1, description="Those that gave a vector.")
    distractors: int = Field(ge=0, description="Photos of other people, enrolled or not.")
    duplicates_left_out: list[str] = Field(
        description="Distractors with the very content of another photo of the gallery."
    )
    landmarks: dict[str, dict[str, int]] = Field(
        description="How many faces were found by what, for sketches, photos and distractors."
    )
    mended: dict[str, dict[str, int]] = Field(
        default={},
        description="How many drawings were inverted (white on black) or evened (paper shadow) "
        "before anything looked at them, as in `forensic identify`; roles without any are left "
        "out.",
    )
    same_hand: SameHandRecord | None = Field(
        default=None, description="Present where other sketches of the same hand were given."
    )
    embedder: EmbedderRecord
    methods: dict[str, MethodRecord]
    comparisons: list[ComparisonRecord] = Field(
        description="All pairs of methods: the family over which Holm's correction runs."
    )
    failures: list[FailureRecord]
    open_set: OpenSetRecord | None = Field(
        default=None, description="Present where non-mated probes were given."
    )
    cohorts: list[CohortsRecord] = Field(
        default=[], description="One entry for each column of labels and each method."
    )
    likelihood: LikelihoodRecord | None = Field(
        default=None, description="Present where a calibration set was given."
    )
    quality: QualityRecord | None = Field(
        default=None, description="Present where a method makes faces."
    )
    growth: GrowthRecord | None = Field(
        default=None, description="Present where the gallery holds other photos than the mates."
    )
    provenance: dict[str, Any] = Field(
        description="Versions, commit, machine, command, seeds, data hashes; times under `times`."
    )


def load_report(path: Path) -> BenchmarkReport:
    """Read and check a `report.json`.

    Raises:
        DataFolderError: The file cannot be read, is not JSON, or is no such report; the message
            names the first wrong key.
    """
    try:
        return BenchmarkReport(**read_json(path))
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataFolderError(f"{path} is no benchmark report: {where}: {first['msg']}.") from error
    except (ValueError, TypeError) as error:
        raise DataFolderError(f"{path} is no benchmark report: {error}.") from error
