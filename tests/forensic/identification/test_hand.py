"""What sketches of one hand share, and what is left without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.errors import DataFolderError, NoFaceError, RangeError
from forensic.identification import hand as hands
from forensic.identification import methods
from forensic.identification.hand import SHRINK, Hand, HandMethod, centre_rows, read_hand
from forensic.identification.methods import DirectMethod, create_method, describe_method
from forensic.identification.probes import Probes
from forensic.images.io import write_image
from forensic.values import RGB, Landmarks
from forensic.weights.fusions import Fusion, FusionPart
from tests.support.fakes import FakeEmbedder
from tests.support.images import face_landmarks, face_sketch

CPU = torch.device("cpu")
SKETCHES = tuple(face_sketch(seed) for seed in range(5))
POINTS = tuple(face_landmarks(seed) for seed in range(5))
HAND = Hand(SKETCHES[:4], POINTS[:4])


class StyledMethod:
    """Puts every person on an axis of their own, all moved the same way by their artist's style."""

    def __init__(self, style: float) -> None:
        self.name, self.embedder, self.weights_sha256 = "styled", FakeEmbedder(), {"styled": "a"}
        self.style = style

    def probe(
        self, sketches: Sequence[RGB], landmarks: Sequence[Landmarks], *, is_simulated: bool = False
    ) -> Probes:
        seeds = [next(i for i, s in enumerate(SKETCHES) if np.array_equal(s, x)) for x in sketches]
        rows = np.eye(6, dtype=np.float32)[seeds]
        rows[:, 5] += self.style
        rows[:, 0] += self.style
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return Probes(rows, (None,) * len(sketches))


def test_the_mean_of_others_is_subtracted_as_if_two_more_had_no_shift() -> None:
    probe = np.array([[0.6, 0.8]], np.float32)
    others = np.array([[1, 0]] * 6, np.float32)
    expected = np.array([0.6 - 6 / (6 + SHRINK), 0.8])
    found = centre_rows(probe, others)
    np.testing.assert_allclose(found[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_without_others_a_row_stays_what_it_is() -> None:
    probe = np.array([[0.6, 0.8]], np.float32)
    np.testing.assert_allclose(centre_rows(probe, np.zeros((0, 2), np.float32)), probe)


def test_nothing_left_is_refused() -> None:
    with pytest.raises(RangeError):
        centre_rows(np.zeros((1, 2), np.float32), np.zeros((0, 2), np.float32))


def test_a_person_is_found_once_the_style_is_out() -> None:
    method = StyledMethod(style=3.0)
    gallery = np.eye(6, dtype=np.float32)[:5]
    plain = method.probe(SKETCHES[4:], POINTS[4:]).vectors @ gallery.T
    assert plain.argmax() == 0, "the style looks like person 0"
    centred = HandMethod(method, HAND).probe(SKETCHES[4:], POINTS[4:]).vectors @ gallery.T
    assert centred.argmax() == 4


def test_a_probe_among_the_hands_sketches_changes_nothing() -> None:
    method = DirectMethod(embedder=FakeEmbedder())
    with_itself = HandMethod(method, HAND).probe(SKETCHES[1:2], POINTS[1:2]).vectors
    rest = Hand((SKETCHES[0], *SKETCHES[2:4]), (POINTS[0], *POINTS[2:4]))
    without = HandMethod(method, rest).probe(SKETCHES[1:2], POINTS[1:2]).vectors
    np.testing.assert_allclose(with_itself, without, atol=1e-6)


def test_every_part_of_a_fusion_is_centred_and_the_result_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fusion = Fusion("toy", "0" * 64, (FusionPart("none", 2.0, {}),), 0.0, {})
    monkeypatch.setattr(methods, "find_fusion", lambda *_args, **_options: fusion)
    method = create_method("best", embedder=FakeEmbedder(), device=CPU, hand=HAND)
    probes = method.probe(SKETCHES[4:], POINTS[4:])
    expected = HandMethod(DirectMethod(embedder=FakeEmbedder()), HAND)
    np.testing.assert_allclose(
        probes.vectors, expected.probe(SKETCHES[4:], POINTS[4:]).vectors, atol=1e-6
    )
    described = describe_method(method)
    assert described["same_hand_sketches"] == 4
    assert described["same_hand_sha256"] == HAND.sha256
    assert "same_hand_sha256" not in describe_method(DirectMethod(embedder=FakeEmbedder()))


def test_unusable_sketches_are_named_and_too_few_are_refused(tmp_path: Path) -> None:
    for number, sketch in enumerate(SKETCHES[:4]):
        write_image(tmp_path / "sub" / f"{number}.png", sketch)

    def find(sketch: RGB) -> Landmarks:
        if np.array_equal(sketch, SKETCHES[0]):
            raise NoFaceError("No face is found.")
        return POINTS[1]

    hand = read_hand(tmp_path, find)
    assert len(hand.sketches) == 3
    assert hand.rejected == {"sub/0.png": "No face is found."}
    (tmp_path / "sub" / "1.png").unlink()
    with pytest.raises(DataFolderError, match=r"2 usable.*at least 3.*sub/0.png: No face"):
        read_hand(tmp_path, find)


def test_of_many_sketches_the_same_are_chosen_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "MOST", 3)
    for number, sketch in enumerate(SKETCHES):
        write_image(tmp_path / "a" / f"{number}.png", sketch)
        write_image(tmp_path / "b" / f"{9 - number}.png", sketch)
    first, second = (read_hand(tmp_path / name, lambda _: POINTS[0]) for name in "ab")
    assert len(first.sketches) == 3
    assert first.sha256 == second.sha256
