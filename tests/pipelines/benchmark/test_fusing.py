from pathlib import Path

import numpy as np
import pytest

from forensic.embedders.embedder import unit_rows
from forensic.errors import CalibrationError
from forensic.identification.methods import DirectMethod, FusionMethod
from forensic.weights.fusions import Fusion, FusionPart
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.enrolment import Enrolled
from pipelines.benchmark.folders import PairsData
from pipelines.benchmark.fusing import FusionOptions, fit, least_gain, score_blocks
from tests.support.benchmark import FakeMethod, fake_system
from tests.support.fakes import FakeEmbedder


def embedded(vectors: np.ndarray, missing: tuple[int, ...] = ()) -> Embedded:
    enrolled = ~np.isin(np.arange(len(vectors)), missing)
    return Embedded((vectors * enrolled[:, None]).astype(np.float32), enrolled)


def enrolment(n: int, noise: float, seed: int = 0, missing: tuple[int, ...] = ()) -> Enrolled:
    """Return people whose sketches lie near their photos by `none`, and anywhere by `blind`."""
    draw = np.random.default_rng(seed)
    photos = unit_rows(draw.normal(size=(n, 16)))
    sketches = unit_rows(photos + noise * draw.normal(size=(n, 16)))
    anywhere = unit_rows(draw.normal(size=(n, 16)))
    others = unit_rows(draw.normal(size=(7, 16)))
    return Enrolled(
        {"photo": embedded(photos), "distractor": embedded(others, (3,))},
        {"sketch": {"none": embedded(sketches, missing), "blind": embedded(anywhere, missing)}},
    )


def test_every_probe_meets_its_mate_first_and_then_everybody_else() -> None:
    enrolled = enrolment(5, 0.1, missing=(2,))
    block = score_blocks(enrolled, ["none"])
    assert block.shape == (1, 4, 1 + 6 + 3)
    photos = enrolled.photos["photo"].vectors[[0, 1, 3, 4]]
    sketches = enrolled.sketches["sketch"]["none"].vectors[[0, 1, 3, 4]]
    np.testing.assert_allclose(block[0, :, 0], (photos * sketches).sum(1), rtol=1e-5)
    np.testing.assert_allclose(block[0, 0, 7:], photos[1:] @ sketches[0], rtol=1e-5)


def test_a_method_that_sees_nothing_is_left_out() -> None:
    options = FusionOptions((Path("a"), Path("b")), (), ("none", "blind"), "fake", "cpu", "viewed")
    system = fake_system(methods=[FakeMethod("none"), FakeMethod("blind", blind=True)])
    sets = [enrolment(40, 0.4), enrolment(30, 0.4, seed=1)]
    fusion = fit(system, sets, options, [PairsData([]), PairsData([])])
    assert [part.method for part in fusion.parts] == ["none"]
    assert fusion.fitted_on["tried"] == ["none", "blind"]
    assert fusion.fitted_on["probes_by_set"] == {"a": 40, "b": 30}
    assert fusion.embedder_weights_sha256 == system.embedder.weights_sha256
    assert fusion.parts[0].weights_sha256 == {}


def test_parts_that_help_each_other_are_kept() -> None:
    """Two drawings of everybody, with noise of their own: both tell something."""
    first, second = enrolment(60, 0.6), enrolment(60, 0.6)
    noise = np.random.default_rng(7).normal(size=(60, 16))
    other = unit_rows(first.photos["photo"].vectors + 0.6 * noise)
    sketches = {"none": first.sketches["sketch"]["none"], "blind": embedded(other)}
    both = Enrolled(second.photos, {"sketch": sketches})
    options = FusionOptions((Path("a"),), (), ("none", "blind"), "fake", "cpu", "viewed")
    system = fake_system(methods=[FakeMethod("none"), FakeMethod("blind")])
    fusion = fit(system, [both], options, [PairsData([])])
    assert {part.method for part in fusion.parts} == {"none", "blind"}


def test_vectors_of_another_fusion_are_not_taken_from_the_cache() -> None:
    part = DirectMethod(embedder=FakeEmbedder())
    identities = []
    for weight in (1.0, 2.0):
        fitted = Fusion("fake", "f" * 64, (FusionPart("none", weight, {}),), 0.0, {})
        method = FusionMethod(fusion=fitted, parts=[part])
        identities.append(fake_system(methods=[method]).identity("best"))
    assert identities[0] != identities[1]


def test_nobody_to_learn_from() -> None:
    with pytest.raises(CalibrationError, match="Too few"):
        score_blocks(enrolment(2, 0.1, missing=(0,)), ["none"])


def test_the_more_is_tried_the_more_a_part_must_help() -> None:
    assert least_gain(2) == pytest.approx(2.7055 / 2, abs=1e-3)  # chi-squared, 90th percentile
    assert least_gain(3) == pytest.approx(3.8415 / 2, abs=1e-3)  # 95th
    assert least_gain(1) == least_gain(2)
