"""What a process of the cluster answers is what this machine would."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.errors import IndexMismatch, JobError, WeightsError
from forensic.jobs.galleries.intake import Item
from forensic.jobs.galleries.ray_work import Models, examine_and_embed, unpack_answer
from tests.support.imports import HashEmbedder, word_intake
from tests.support.words import make_word_examiner

pa = pytest.importorskip("pyarrow", reason='Ray is not installed: pip install ".[ray]".')
MAKE = partial(make_word_examiner, IntakePolicy())
FILES = [b"face 1", b"no_face 2", b"face ends in zeros\x00\x00"]


def without_weights() -> HashEmbedder:
    raise WeightsError("There are no weights.")


def broken() -> HashEmbedder:
    raise ZeroDivisionError("by zero")


def answers_of(models: Models):
    rows = pa.table({"number": range(7, 10), "data": pa.array(FILES, pa.large_binary())})
    answered = examine_and_embed(rows, models=models.packed())
    assert answered["number"].to_pylist() == [7, 8, 9]
    return [unpack_answer(packed) for packed in answered["answer"].to_pylist()]


def test_answers_are_those_of_the_local_intake() -> None:
    here = [Item(n, "", "", data=data) for n, data in enumerate(FILES)]
    list(word_intake().run(IntakePolicy(), [here]))
    there = answers_of(Models(HashEmbedder, MAKE, HashEmbedder.weights_sha256))
    assert [refusal for refusal, _, _ in there] == [item.refusal for item in here]
    assert isinstance(there[1][0], Refusal)
    for item, (_, examined, vector) in zip(here, there, strict=True):
        np.testing.assert_array_equal(vector, item.vector)
        if item.examined is not None:
            np.testing.assert_array_equal(examined.face, item.examined.face)


def test_errors_come_back_as_what_they_were() -> None:
    sha256 = HashEmbedder.weights_sha256
    with pytest.raises(WeightsError, match="no weights") as raised:
        answers_of(Models(without_weights, MAKE, sha256))
    assert "without_weights" in raised.value.__notes__[0]  # where on the node it came from
    with pytest.raises(IndexMismatch, match="other weights for hash"):
        answers_of(Models(HashEmbedder, MAKE, "b" * 64))
    with pytest.raises(JobError, match="ZeroDivisionError: by zero"):
        answers_of(Models(broken, MAKE, sha256))
