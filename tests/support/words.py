"""An examiner that takes files at their word; light enough to start many processes with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import numpy as np

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.jobs.galleries.examine import Examined

POINTS = [[30.0, 40.0], [66.0, 40.0], [48.0, 60.0], [34.0, 76.0], [62.0, 76.0]]


class WordExaminer:
    """Takes a file at its word: `face …`, `no_face …`; `die …` kills the process."""

    def __call__(self, files: Sequence[bytes]) -> list[Examined | Refusal]:
        return [self._look(data) for data in files]

    def _look(self, data: bytes) -> Examined | Refusal:
        word = data.split()[0].decode()
        if word == "die":
            os._exit(3)
        if word != "face":
            return Refusal(word, f"It says {word}.")
        face = np.frombuffer(hashlib.sha256(data).digest() * 2, np.uint8)[:48].reshape(4, 4, 3)
        return Examined(face, (96, 96), POINTS, {"sharpness": 0.5})


def make_word_examiner(policy: IntakePolicy) -> WordExaminer:
    return WordExaminer()
