"""The training loop: exact resume above all, and every way in which a training ends."""

import math
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from forensic.errors import TrainingError
from forensic.training import loop
from forensic.training.history import History
from forensic.training.loop import BEST, CHECKPOINT, HISTORY
from forensic.training.task import Batch
from tests.support.training import ToyTask, assert_same, create_trainer

ROOT = Path(__file__).resolve().parents[3]


def figures(folder: Path) -> list[dict[str, object]]:
    return [
        {k: v for k, v in line.items() if k != "seconds"}
        for line in History(folder / HISTORY).read()
    ]


@pytest.mark.parametrize("stop_at", [4, 40, 76])
def test_resuming_is_exact_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    """Twenty steps straight equal some steps, a new trainer, and the rest."""
    monkeypatch.setattr(loop, "IMAGES_PER_LINE", 30)  # a line every 8 steps, cut by the stop
    straight = create_trainer(tmp_path / "straight")
    straight.fit()
    create_trainer(tmp_path / "parts", images=stop_at).fit()
    torch.rand(17)  # whatever else drew random numbers meanwhile
    rest = create_trainer(tmp_path / "parts")
    assert rest.progress.images_seen == stop_at
    rest.fit()
    assert_same(straight, rest)
    assert figures(tmp_path / "parts") == figures(tmp_path / "straight")
    assert rest.progress.best_score == straight.progress.best_score


def test_resuming_after_a_kill_is_exact(tmp_path: Path) -> None:
    """A process killed between checkpoints loses the steps since the last one and nothing else."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.training", str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert figures(tmp_path / "killed")[-1]["step"] == 10  # written, yet beyond the checkpoint
    resumed = create_trainer(tmp_path / "killed")
    assert resumed.progress.step == 6
    resumed.fit()
    straight = create_trainer(tmp_path / "straight")
    straight.fit()
    assert_same(straight, resumed)
    assert figures(tmp_path / "killed") == figures(tmp_path / "straight")


def test_death_before_the_first_checkpoint_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_text('{"kind": "train", "step": 500, "loss": 1}\n{"kind": "tra')
    create_trainer(tmp_path).fit()
    assert figures(tmp_path)[0]["step"] == 2


def test_finished_training_does_nothing_more(tmp_path: Path) -> None:
    first = create_trainer(tmp_path)
    first.fit()
    again = create_trainer(tmp_path)
    assert again.fit().step == 20
    assert_same(first, again)


def test_longer_schedule_goes_on(tmp_path: Path) -> None:
    create_trainer(tmp_path, images=40).fit()
    assert create_trainer(tmp_path, images=120).fit().images_seen == 120


def test_time_limit_stops_cleanly(tmp_path: Path) -> None:
    trainer = create_trainer(tmp_path)
    progress = trainer.fit(max_minutes=0)
    assert progress.step == 1
    assert create_trainer(tmp_path).progress.step == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_finishes_the_step_saves_and_restores_the_handlers(
    tmp_path: Path, number: signal.Signals
) -> None:
    class Interrupted(ToyTask):
        def step(self, batch: Batch) -> dict[str, float]:
            if self.steps == 2:
                os.kill(os.getpid(), number)
            return super().step(batch)

    before = signal.getsignal(number)
    assert create_trainer(tmp_path, Interrupted()).fit().step == 3
    assert signal.getsignal(number) is before
    assert create_trainer(tmp_path).progress.step == 3


def test_training_in_a_worker_thread_leaves_signals_alone(tmp_path: Path) -> None:
    trainer = create_trainer(tmp_path, images=8)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(trainer.fit).result().step == 2


def test_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    good = create_trainer(tmp_path, images=40)
    good.fit()
    saved = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(TrainingError, match=r"At step 13 \(image 52\) the loss \(nan\)") as caught:
        create_trainer(tmp_path, ToyTask(fail_at=3)).fit()
    assert str(tmp_path / CHECKPOINT) in str(caught.value)
    assert (tmp_path / CHECKPOINT).read_bytes() == saved
    assert_same(create_trainer(tmp_path), good)


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    good = create_trainer(tmp_path, images=40)
    good.fit()

    class Spoiled(ToyTask):
        def step(self, batch: Batch) -> dict[str, float]:
            losses = super().step(batch)
            self.network[0].weight.data[0] = math.nan
            return losses

    with pytest.raises(TrainingError, match=r"a weight is not a finite number; .* last good"):
        create_trainer(tmp_path, Spoiled(), images=44).fit()
    assert_same(create_trainer(tmp_path), good)


def test_patience_counts_validations_without_a_better_score(tmp_path: Path) -> None:
    task = ToyTask(scores=iter([1.0, 3.0, 3.0, 2.0, 9.0]))
    progress = create_trainer(tmp_path, task, patience=2).fit()
    assert progress.step == 8  # the fourth validation, at every second step
    assert progress.best_score == 3.0
    assert progress.validations_since_best == 2


def test_patience_survives_a_resume(tmp_path: Path) -> None:
    first = ToyTask(scores=iter([3.0, 2.0]))
    create_trainer(tmp_path, first, patience=2, images=16).fit()
    second = ToyTask(scores=iter([1.0, 9.0]))
    assert create_trainer(tmp_path, second, patience=2).fit().step == 6


def test_lower_is_better(tmp_path: Path) -> None:
    task = ToyTask(scores=iter([3.0, 1.0, 2.0, 2.0]))
    task.higher_is_better = False
    assert create_trainer(tmp_path, task, images=32).fit().best_score == 1.0


def test_best_networks_are_the_averages_of_the_best_validation(tmp_path: Path) -> None:
    task = ToyTask(scores=iter([1.0, 5.0, 2.0, 2.0]))
    trainer = create_trainer(tmp_path, task, images=16)
    trainer.fit()
    wanted = {k: v.clone() for k, v in trainer.average.networks["toy"].state_dict().items()}
    longer = create_trainer(tmp_path, task, images=32)
    longer.fit()
    best = longer.best_networks()["toy"]
    assert not best.training
    assert all(torch.equal(value, wanted[key]) for key, value in best.state_dict().items())
    assert not torch.equal(wanted["0.weight"], task.network.state_dict()["0.weight"])


def test_the_last_networks_are_published_where_that_is_asked_for(tmp_path: Path) -> None:
    task = ToyTask(scores=iter([1.0, 5.0, 2.0, 2.0]))
    trainer = create_trainer(tmp_path, task, images=32, publish="last")
    assert trainer.fit().best_score == 2.0
    latest = trainer.average.networks["toy"].state_dict()
    published = trainer.best_networks()["toy"].state_dict()
    assert all(torch.equal(value, latest[key]) for key, value in published.items())


def test_nothing_validated_yet(tmp_path: Path) -> None:
    trainer = create_trainer(tmp_path, images=4)
    trainer.fit()
    with pytest.raises(TrainingError, match="Train longer"):
        trainer.best_networks()


def test_validation_sees_every_person_once(tmp_path: Path) -> None:
    class Counting(ToyTask):
        seen: list[Tensor]

        def validate(self, networks: dict[str, torch.nn.Module], batch: Batch) -> dict[str, Tensor]:
            self.seen.append(batch["photo"])
            return super().validate(networks, batch)

    task = Counting()
    task.seen = []
    trainer = create_trainer(tmp_path, task, images=8)
    trainer.fit()
    assert torch.equal(torch.cat(task.seen), trainer.validation.photos)  # type: ignore[attr-defined]


def test_history_means_cover_the_steps_since_the_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Rising(ToyTask):
        def step(self, batch: Batch) -> dict[str, float]:
            super().step(batch)
            return {"loss": float(self.steps)}

    monkeypatch.setattr(loop, "IMAGES_PER_LINE", 30)  # does not divide by the batch of 4
    create_trainer(tmp_path, Rising(), images=96, validate_every=10**9).fit()
    lines = figures(tmp_path)
    assert [line["step"] for line in lines] == [8, 16, 24]
    assert [line["loss"] for line in lines] == [4.5, 12.5, 20.5]


def test_checkpoint_of_another_network(tmp_path: Path) -> None:
    create_trainer(tmp_path, images=8).fit()
    with pytest.raises(TrainingError, match="belongs to another recipe"):
        create_trainer(tmp_path, ToyTask(width=5))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_damaged_checkpoint_names_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(TrainingError, match="Remove it to start afresh"):
        create_trainer(tmp_path)


def test_damaged_best_networks(tmp_path: Path) -> None:
    trainer = create_trainer(tmp_path, images=8)
    trainer.fit()
    (tmp_path / BEST).write_bytes(b"half")
    with pytest.raises(TrainingError):
        trainer.best_networks()


def test_batch_larger_than_the_training_set(tmp_path: Path) -> None:
    progress = create_trainer(tmp_path, batch_size=64, images=30).fit()
    assert (progress.step, progress.images_seen) == (3, 30)
    assert math.isfinite(progress.best_score or math.nan)
