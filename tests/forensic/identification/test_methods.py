from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders.adapter import subtract_start
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_network
from forensic.errors import UnknownNameError, WeightsError
from forensic.generators.registry import GENERATORS, SKETCH_TO_PHOTO
from forensic.identification.enrol import embed_faces
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import (
    METHODS,
    DirectMethod,
    FusionMethod,
    InversionMethod,
    create_method,
    describe_method,
)
from forensic.weights.bundle import read_bundle_metadata, save_bundle
from forensic.weights.fusions import Fusion, FusionPart
from forensic.weights.store import find_weights
from tests.support.face_graph import write_face_graph
from tests.support.fakes import FakeEmbedder
from tests.support.generators import small_generator
from tests.support.images import face_landmarks, face_sketch

CPU = torch.device("cpu")
SKETCHES = [face_sketch(1), face_sketch(2)]
POINTS = [face_landmarks(1), face_landmarks(2)]


def test_every_trained_generator_of_photos_is_a_method() -> None:
    facts = {name: read_bundle_metadata(find_weights(name)) for name in GENERATORS}
    inverting = {
        name
        for name, fact in facts.items()
        if fact.get("direction", SKETCH_TO_PHOTO) == SKETCH_TO_PHOTO
    }
    assert set(METHODS) == {"none", "adapter", "best", *inverting}


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


def fusion(**weights: float) -> Fusion:
    parts = tuple(FusionPart(name, weight, {}) for name, weight in weights.items())
    return Fusion("fake", "f" * 64, parts, 0.0, {})


def test_a_fusion_hands_out_its_parts_and_the_faces_made() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    made = InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small")
    fitted = Fusion(
        "fake",
        "f" * 64,
        (FusionPart("none", 3.0, {}), FusionPart("small", 1.0, {"small": "a" * 64})),
        0.0,
        {},
    )
    method = FusionMethod(fusion=fitted, parts=[DirectMethod(embedder=FakeEmbedder()), made])
    probes = method.probe(SKETCHES, POINTS)
    assert set(probes.parts) == {"none", "small"}
    expected = 3 * probes.parts["none"] + probes.parts["small"]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(probes.vectors, expected, atol=1e-6)
    assert all(face is not None for face in probes.faces)
    assert method.weights_sha256 == {"small": "a" * 64}
    assert describe_method(method)["fusion_weights"] == {"none": 3.0, "small": 1.0}


def test_a_fusion_refuses_parts_with_other_weights() -> None:
    inverter = SketchInverter(small_generator(), device=CPU)
    made = InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small")
    with pytest.raises(WeightsError, match="fitted with other weights of small"):
        FusionMethod(fusion=fusion(small=1.0), parts=[made])


def test_best_is_made_of_what_was_fitted(tmp_path: Path) -> None:
    fusion(none=1.0).write(tmp_path / "best-fake.json")
    method = create_method("best", embedder=FakeEmbedder(), device=CPU, weights=tmp_path)
    probes = method.probe(SKETCHES, POINTS)
    np.testing.assert_allclose(
        probes.vectors, embed_faces(FakeEmbedder(), SKETCHES, POINTS), atol=1e-6
    )


def test_the_adapter_encodes_sketches_into_the_embedders_space(tmp_path: Path) -> None:
    description = write_face_graph(tmp_path)
    config, network = start_network(str(description))
    nothing = subtract_start(network, network.state_dict())
    save_bundle(tmp_path / "adapter-toy.safetensors", nothing.state_dict(), config.as_json())
    embedder = create_embedder(str(description), device=CPU)
    method = create_method("adapter", embedder=embedder, device=CPU, weights=tmp_path)
    probes = method.probe(SKETCHES, POINTS)
    # untrained, it is the embedder itself, but for the looks at a moved and mirrored sketch
    direct = embed_faces(embedder, SKETCHES, POINTS)
    assert (probes.vectors * direct).sum(axis=1).min() > 0.95
    assert probes.faces == (None, None)
    assert method.probe([], []).vectors.shape == (0, embedder.dimension)
    assert set(method.weights_sha256) == {"adapter"}
