from __future__ import annotations

import pytest

from forensic.cases.intake import REASONS, IntakePolicy
from forensic.errors import InputError
from forensic.web.pages import intake_words


def told(**changes: object) -> dict[str, str]:
    policy = IntakePolicy(**changes).model_dump(mode="json")
    return {rule.name: rule.value for rule in intake_words.rules(policy)}


def test_every_setting_is_told_with_its_unit_and_why() -> None:
    rules = intake_words.rules(IntakePolicy().model_dump(mode="json"))
    assert len(rules) == len(IntakePolicy.model_fields)
    assert all(rule.about.endswith(".") for rule in rules)
    assert told()["Smallest face"] == "40 pixels wide"
    assert not any("_" in rule.name + rule.value for rule in rules)


@pytest.mark.parametrize(
    ("changes", "rule", "value"),
    [
        ({"min_sharpness": 0}, "Least sharpness", "none"),
        ({"min_sharpness": 0.1}, "Least sharpness", "0.1"),
        ({"several_faces": "heaviest"}, "Photos with several faces", "the most prominent is taken"),
        ({"originals": "reference"}, "Photo files", "left where they are"),
        ({"keep_crops": True}, "Cut-out faces", "kept"),
    ],
)
def test_each_choice_reads_differently(changes: dict[str, object], rule: str, value: str) -> None:
    assert told(**changes)[rule] == value


def test_an_unknown_setting_is_not_passed_over() -> None:
    with pytest.raises(InputError, match="min_smile"):
        intake_words.rules({"min_smile": 1})


def test_quality_is_one_sentence_of_what_was_measured() -> None:
    measured = {"face_px": 95.4, "sharpness": 0.5349, "probability": 0.9981, "detector": "d"}
    assert intake_words.quality(measured) == (
        "Face 95 px wide, sharpness 0.53, found by d with certainty 0.998"
    )
    assert intake_words.quality({"sharpness": 0.2}) == "Sharpness 0.20"
    assert intake_words.quality({}) == ""


def test_reasons_are_sentences_and_unknown_codes_stay() -> None:
    assert {intake_words.why(code) for code in REASONS} == set(REASONS.values())
    assert intake_words.why("later_code") == "later_code"
