import json
from pathlib import Path

import pytest
import torch

from forensic.errors import DataFolderError, MissingWeights
from pipelines.papers.tables import (
    Materials,
    Measured,
    PaperTable,
    Row,
    as_json,
    as_markdown,
    printed_only,
    try_row,
)
from tests.support.generators import write_copying_fcn

CPU = torch.device("cpu")


def materials(*weights: Path, **data: Path) -> Materials:
    return Materials(weights, data, CPU)


def test_weights_are_found_by_name_in_run_folders(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_copying_fcn(tmp_path / "run" / "fcn-medium.safetensors")
    loaded = materials(tmp_path).generator("fcn-medium")
    assert (loaded.name, loaded.direction) == ("fcn-medium", "photo-to-sketch")
    with pytest.raises(MissingWeights, match="forensic train fcn-large"):
        materials(tmp_path).generator("fcn-large")


def test_missing_data_name_the_option() -> None:
    with pytest.raises(DataFolderError, match="--data cuhk=FOLDER"):
        materials().folder("cuhk")


def test_row_that_cannot_be_computed_says_why() -> None:
    row = try_row("Ours", {"1": 1.0}, lambda: Row("", split=str(materials().folder("cuhk"))))
    assert (row.name, row.paper) == ("Ours", {"1": 1.0})
    assert "--data cuhk=FOLDER" in row.missing
    assert not row.ours


def test_errors_of_the_program_are_not_hidden() -> None:
    def broken() -> Row:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        try_row("Ours", {}, broken)


def test_text_shows_both_sides_and_every_reason() -> None:
    measured = Row(
        "Ours", {"a": 0.5}, {"a": Measured(0.25, (0.2, 0.3))}, 100, "test part", images_seen=2000
    )
    rows = [measured, printed_only("Theirs", {"a": 0.75})]
    table = PaperTable("toy-1", "Toy, Table 1", {"a": "rate", "b": "other"}, rows, "A note.")
    text = as_markdown(table)
    assert (
        "| | rate, paper | rate, ours | other, paper | other, ours | n | trained on | measured on |"
        in text
    )
    assert "| Ours | 0.5 | 0.25 (0.2 to 0.3) |  |  | 100 | 2,000 images | test part |" in text
    assert (
        "| Theirs | 0.75 |  |  |  |  |  | not computed: another system, quoted by the paper |"
        in text
    )
    assert text.endswith("A note.")
    document = json.loads(json.dumps(as_json(table)))
    assert document["columns"] == [["a", "rate"], ["b", "other"]]  # in order
    assert document["rows"][0]["ours"] == {"a": {"value": 0.25, "ci95": [0.2, 0.3]}}
