"""Galleries as a whole, as the command line makes and lists them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from forensic.cases.actor import command_actor
from forensic.cases.intake import IntakePolicy
from forensic.errors import RecordConflict
from forensic.jobs.galleries import catalog
from tests.support.imports import HashEmbedder


def test_a_taken_name_is_told_and_changes_nothing(engine: Engine) -> None:
    def create(purpose: str) -> None:
        given = {"embedder": HashEmbedder(), "policy": IntakePolicy(), "actor": command_actor()}
        catalog.create(engine, "mugshots", purpose=purpose, **given)

    create("tests")
    with pytest.raises(RecordConflict, match="There is a gallery 'mugshots' already"):
        create("others")
    (only,) = catalog.describe_all(engine)
    assert only.purpose == "tests"
