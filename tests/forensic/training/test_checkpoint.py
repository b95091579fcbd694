from pathlib import Path

import pytest
import torch

from forensic.errors import TrainingError
from forensic.training.checkpoint import load_checkpoint, save_checkpoint


def test_round_trip_keeps_tensors_numbers_and_none(tmp_path: Path) -> None:
    state = {"w": torch.rand(3, dtype=torch.float64), "best": None, "sums": {"loss": 0.1}, "n": 7}
    save_checkpoint(tmp_path / "c.pt", state)
    found = load_checkpoint(tmp_path / "c.pt")
    assert torch.equal(found.pop("w"), state.pop("w"))  # type: ignore[arg-type]
    assert found == state


def test_failure_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.pt", {"n": 1})
    with pytest.raises(AttributeError, match="pickle"):
        save_checkpoint(tmp_path / "c.pt", {"n": 2, "f": lambda: None})
    assert load_checkpoint(tmp_path / "c.pt") == {"n": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_truncated_file(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.pt", {"w": torch.zeros(100)})
    content = (tmp_path / "c.pt").read_bytes()
    (tmp_path / "c.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match="Remove it"):
        load_checkpoint(tmp_path / "c.pt")


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"x": Path("/")}, tmp_path / "c.pt")
    with pytest.raises(TrainingError):
        load_checkpoint(tmp_path / "c.pt")
