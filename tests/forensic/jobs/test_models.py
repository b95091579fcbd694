from pathlib import Path

import pytest

from forensic.errors import IndexMismatch
from forensic.jobs.models import ModelShelf
from tests.support.face_graph import write_adapter


def test_a_worker_finds_composed_embedders_and_their_adapters_by_the_name_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(write_adapter(tmp_path)))
    shelf = ModelShelf()
    embedder = shelf.embedder("drawn:toy-graph+sketchface")
    method = shelf.method("adapter", embedder)
    assert set(method.weights_sha256) == {"adapter toy-graph", "adapter sketchface"}
    again = shelf.embedder("drawn:toy-graph+sketchface", weights_sha256=embedder.weights_sha256)
    assert again is embedder
    with pytest.raises(IndexMismatch, match="embed the gallery anew"):
        shelf.embedder("drawn:toy-graph+sketchface", weights_sha256="0" * 64)
