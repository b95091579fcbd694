"""What a gallery takes in, and how good a photo is, in words with units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forensic.cases.intake import REASONS, IntakePolicy, read_policy

_SEVERAL = {
    "reject": ("rejected", "Nobody can tell whose photo it is."),
    "heaviest": ("the most prominent is taken", "The others are left out."),
}
_ORIGINALS = {
    "copy": ("copied into this service", "Their seal is checked whenever they are shown."),
    "reference": ("left where they are", "They cannot be shown beside a sketch."),
}


@dataclass(frozen=True)
class Rule:
    """One rule of intake.

    Attributes:
        name: What it is about.
        value: What holds, with its unit.
        about: Why, or how it is meant.
    """

    name: str
    value: str
    about: str


def rules(values: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return a gallery's policy as rules that its operator can read.

    Raises:
        InputError: The policy holds an unknown value.
    """
    policy = read_policy(values)
    return (
        Rule(
            "Smallest face",
            f"{policy.min_face_px} pixels wide",
            "Measured in the photo as it was received; smaller faces are rejected.",
        ),
        _sharpness(policy),
        Rule("Photos with several faces", *_SEVERAL[policy.several_faces]),
        Rule("Photo files", *_ORIGINALS[policy.originals]),
        Rule(
            "Cut-out faces",
            "kept" if policy.keep_crops else "not kept",
            "The face as the embedder saw it; it can be cut out again from the photo.",
        ),
    )


def _sharpness(policy: IntakePolicy) -> Rule:
    name = "Least sharpness"
    if policy.min_sharpness == 0:
        return Rule(name, "none", "Blurred faces are taken in too.")
    about = "Share of the finest detail, without a unit: press photos have 0.12 to 0.59, blur less."
    return Rule(name, f"{policy.min_sharpness:g}", about)


def quality(measured: Mapping[str, Any]) -> str:
    """Return what was measured on a photo as one sentence; empty where nothing was."""
    told = []
    if "face_px" in measured:
        told.append(f"face {measured['face_px']:.0f} px wide")
    if "sharpness" in measured:
        told.append(f"sharpness {measured['sharpness']:.2f}")
    if "probability" in measured:
        finder = f" by {measured['detector']}" if "detector" in measured else ""
        told.append(f"found{finder} with certainty {measured['probability']:.3f}")
    text = ", ".join(told)
    return text[:1].upper() + text[1:]


def why(reason_code: str | None) -> str:
    """Return why a file was rejected, by its code."""
    return REASONS.get(reason_code or "", reason_code or "")
