"""Policies and sources survive the records, and what is wrong in them is named."""

from __future__ import annotations

from typing import Any

import pytest

from forensic.cases.intake import ImportSource, IntakePolicy, read_policy, read_source
from forensic.errors import InputError


def test_policy_goes_through_json_and_back() -> None:
    policy = IntakePolicy(min_face_px=60, several_faces="heaviest", originals="reference")
    assert read_policy(policy.model_dump(mode="json")) == policy
    assert read_policy({}) == IntakePolicy()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"min_face_px": 0}, "min_face_px"),
        ({"min_sharpness": float("nan")}, "min_sharpness"),
        ({"several_faces": "largest"}, "several_faces"),
        ({"min_face": 40}, "min_face"),
    ],
)
def test_wrong_policy_is_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_policy(values)


def test_source_goes_through_json_and_back() -> None:
    source = ImportSource(kind="manifest", path="/in/list.csv", root="/in/photos")
    assert read_source({"source": source.model_dump(mode="json")}) == source


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "kind"),
        ({"kind": "tar", "path": "x"}, "kind"),
        ({"kind": "folder"}, "either a path or"),
        ({"kind": "zip", "path": "x", "sha256": "0" * 64}, "either a path or"),
        ({"kind": "folder", "sha256": "0" * 64}, "only a ZIP"),
        ({"kind": "zip", "path": "x", "root": "y"}, "only a manifest"),
        ({"kind": "zip", "sha256": "../../etc"}, "sha256"),
    ],
)
def test_wrong_source_is_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_source({"source": values})
