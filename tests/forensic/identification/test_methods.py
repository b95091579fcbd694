import numpy as np
import pytest
import torch

from forensic.errors import UnknownNameError
from forensic.generators.registry import GENERATORS
from forensic.identification.enrol import embed_faces
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import (
    METHODS,
    DirectMethod,
    InversionMethod,
    create_method,
    describe_method,
)
from tests.support.fakes import FakeEmbedder
from tests.support.generators import small_generator
from tests.support.images import face_landmarks, face_sketch

CPU = torch.device("cpu")
SKETCHES = [face_sketch(1), face_sketch(2)]
POINTS = [face_landmarks(1), face_landmarks(2)]


def test_every_trained_generator_is_a_method() -> None:
    assert set(METHODS) == {"none", *GENERATORS}


def test_none_embeds_the_sketch_itself() -> None:
    method = create_method("none", embedder=FakeEmbedder(), device=CPU)
    probes = method.probe(SKETCHES, POINTS)
    np.testing.assert_array_equal(probes.vectors, embed_faces(FakeEmbedder(), SKETCHES, POINTS))
    assert probes.faces == (None, None)
    assert method.weights_sha256 == {}


def test_inversion_embeds_the_machine_made_face() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    method = InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small")
    probes = method.probe(SKETCHES, POINTS)
    made = inverter.invert(SKETCHES, POINTS)
    expected = embed_faces(FakeEmbedder(), [m.image for m in made], [m.landmarks for m in made])
    np.testing.assert_array_equal(probes.vectors, expected)
    assert [f.provenance["generator"] for f in probes.faces if f] == ["small", "small"]
    assert method.weights_sha256 == {"small": "a" * 64}


def test_no_sketches() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    for method in (
        DirectMethod(embedder=FakeEmbedder()),
        InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small"),
    ):
        assert method.probe([], []).vectors.shape == (0, 64)


def test_unknown_method() -> None:
    with pytest.raises(UnknownNameError, match="csi-line"):
        create_method("csi-lines", embedder=FakeEmbedder(), device=CPU)


def test_a_description_names_everything_that_a_result_depends_on() -> None:
    facts = describe_method(create_method("none", embedder=FakeEmbedder(), device=CPU))
    assert facts == {
        "method": "none",
        "embedder": "fake",
        "embedder_template": "arcface-112",
        "embedder_weights_sha256": "f" * 64,
    }
