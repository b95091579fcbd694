"""A figure is quoted only for what it was measured on."""

import pytest

from forensic.weights import accuracy
from forensic.weights.accuracy import EMBEDDED_BY, measured_accuracy
from forensic.weights.catalogue import load_catalogue
from forensic.weights.fusions import Fusion
from forensic.weights.store import BUNDLED

SKETCHFACE = load_catalogue()["sketchface"].sha256


def test_figures_of_galleries_at_least_as_large_are_quoted_nearest_first() -> None:
    found = measured_accuracy("sketchface", SKETCHFACE, kind="viewed", gallery_size=60)
    assert found
    assert all(m.gallery_size >= 60 for m in found)
    assert [m.gallery_size for m in found] == sorted(m.gallery_size for m in found)
    assert all(m.kind == "viewed" and m.probes > 0 for m in found)
    assert all("interval" in m.rate and m.command.startswith("forensic ") for m in found)


@pytest.mark.parametrize(
    ("embedder", "sha256", "kind", "size"),
    [
        ("sketchface", SKETCHFACE, "forensic", 60),
        ("sketchface", SKETCHFACE, "viewed", 1_000_000),
        ("sketchface", "0" * 64, "viewed", 60),
        ("no-such", SKETCHFACE, "viewed", 60),
        ("vgg16", load_catalogue()["vgg16"].sha256, "viewed", 60),
    ],
)
def test_nothing_is_quoted_for_anything_else(
    embedder: str, sha256: str, kind: str, size: int
) -> None:
    assert measured_accuracy(embedder, sha256, kind=kind, gallery_size=size) == ()


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("best*.json")), ids=lambda path: path.stem)
def test_figures_of_best_are_found_by_the_embedders_weights_whatever_it_is_called(path) -> None:
    fusion = Fusion.read(path)
    sha256 = fusion.embedder_weights_sha256
    used = {of for part in fusion.parts for of in part.weights_sha256.values()}
    like = {"kind": "viewed", "gallery_size": 40}
    found = measured_accuracy("mine", sha256, **like, best_of=used)
    assert {"AR, test", "CUHK student, test"} <= {m.data for m in found}
    assert not measured_accuracy("mine", "0" * 64, **like, best_of=used)
    # a fusion of one's own goes before the bundled one, whose figures say nothing of it
    assert not measured_accuracy("mine", sha256, **like, best_of={"0" * 64})
    assert not measured_accuracy("mine", sha256, **like, best_of={*used, "0" * 64})


def test_figures_of_best_in_another_gallery_are_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fusion = Fusion.read(BUNDLED / "best-drawn-sketchface.json")
    sha256 = fusion.embedder_weights_sha256
    used = {of for part in fusion.parts for of in part.weights_sha256.values()}
    tables = {
        f"Sketch to photo, rank 1. {name}: 40 probes in a gallery of 50": {
            "best": name,
            EMBEDDED_BY: f"some ({by[:12]}…)",
        }
        for name, by in (("drawn", sha256), ("plain", SKETCHFACE))
    }
    mine = load_catalogue()["adapter-sketchface"]
    monkeypatch.setattr(accuracy, "_results", lambda entry: tables if entry == mine else {})
    quoted = {"kind": "viewed", "gallery_size": 40, "best_of": used}
    assert [m.data for m in measured_accuracy("any", sha256, **quoted)] == ["drawn"]
