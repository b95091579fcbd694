"""Where a benchmark's figures come from, in words: faces, seeds, and the time it took."""

from __future__ import annotations

from forensic.reports.record import BenchmarkReport, SameHandRecord
from forensic.reports.tables import count


def landmarks_text(report: BenchmarkReport) -> str:
    """Return how many faces were found by what, by role."""
    roles = (
        f"{role}: " + (", ".join(f"{count(n)} {source}" for source, n in found.items()) or "none")
        for role, found in report.landmarks.items()
    )
    return "; ".join(roles)


def mended_text(report: BenchmarkReport) -> str:
    """Return how many drawings were inverted or evened before they were looked at, by role."""
    roles = (
        f"{role}: " + ", ".join(f"{count(n)} {step}" for step, n in steps.items())
        for role, steps in report.mended.items()
    )
    return "; ".join(roles)


def same_hand_text(hand: SameHandRecord) -> str:
    """Return what was done with other sketches of the same artist."""
    left_out = f" ({len(hand.rejected)} could not be used)" if hand.rejected else ""
    return (
        f"what {count(hand.sketches)} sketches by the same artist{left_out} share was taken out "
        "of every sketch; no photos of theirs were used"
    )


def duplicates_text(report: BenchmarkReport) -> str:
    """Return how many photos were left out as copies."""
    n = len(report.duplicates_left_out)
    return f"{count(n)} of the other photos, whose content equals another photo of the gallery"


def seeds_text(report: BenchmarkReport) -> str:
    """Return the seeds of everything random."""
    seeds = report.provenance.get("seeds", {})
    return ", ".join(f"{what} {seed}" for what, seed in seeds.items()) or "nothing random"


def stages_text(report: BenchmarkReport) -> str:
    """Return the seconds of work by stage, the longest first; what the cache held took none."""
    stages = report.provenance["times"].get("work_seconds_by_stage", {})
    ordered = sorted(stages.items(), key=lambda stage: -stage[1])
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ordered)
