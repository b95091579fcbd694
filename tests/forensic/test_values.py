from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from forensic.values import LEAD_ONLY, Candidate, Face


def test_a_result_cannot_be_altered_after_the_fact() -> None:
    candidate = Candidate(rank=1, subject_id="a", photo_id="b", similarity=0.5)
    with pytest.raises(FrozenInstanceError):
        candidate.rank = 2  # type: ignore[misc]
    face = Face((0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0, "mtcnn/plain")
    with pytest.raises(FrozenInstanceError):
        face.probability = 0.5  # type: ignore[misc]


def test_notice_says_lead_and_identifies_nobody() -> None:
    assert "leads only" in LEAD_ONLY
    assert "identifies nobody" in LEAD_ONLY
