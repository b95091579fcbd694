"""The training loop. It knows steps, checkpoints, budgets and figures, and no architecture."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from forensic.datasets.pairs import Order
from forensic.errors import TrainingError
from forensic.runtime import seed_everything
from forensic.training.average import MovingAverage
from forensic.training.checkpoint import load_checkpoint, save_checkpoint
from forensic.training.history import History
from forensic.training.task import Batch, TrainingTask

CHECKPOINT, BEST, HISTORY = "checkpoint.pt", "best.pt", "history.jsonl"
IMAGES_PER_LINE = 2000
"""About how many images the mean losses of one line of the history cover."""


class Samples(Protocol):
    """A training or validation set: a length and batches by index."""

    @property
    def metadata(self) -> dict[str, str]:
        """What a user of the weights must know of the samples, stored beside them."""

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None) -> Batch:
        """Return the samples at `indices`, those flagged mirrored."""


@dataclass(frozen=True)
class Schedule:
    """How long and how often; all counts are in images seen, so that batch sizes compare.

    Attributes:
        images: Stop after so many.
        batch_size: Images a step.
        validate_every: Images between validations.
        patience: Stop after so many validations without a better score; 0 never stops early.
        checkpoint_minutes: Minutes between checkpoints.
        average_decay: Decay of the moving average that is validated and published; 0 for none.
        seed: Fixes initial weights, order and mirroring.
        publish: `best` publishes the average at the best validation, `last` that at the latest,
            where validation cannot see what counts; `patience` is then without effect.
    """

    images: int
    batch_size: int
    validate_every: int = 20_000
    patience: int = 0
    checkpoint_minutes: float = 3.0
    average_decay: float = 0.0
    seed: int = 0
    publish: str = "best"


@dataclass
class Progress:
    """Where a training stands; part of every checkpoint."""

    step: int = 0
    images_seen: int = 0
    elapsed_s: float = 0.0
    best_score: float | None = None
    validations_since_best: int = 0


class Trainer:
    """Trains a task on samples, with exact resume from the last checkpoint.

    Args:
        task: The system.
        training: Its training set.
        validation: People that are not in the training set.
        folder: Where checkpoints and history go; a training found there is resumed.
        schedule: How long and how often.
        device: Where to compute.
        report: Called with one line of text now and then.
    """

    def __init__(
        self,
        task: TrainingTask,
        *,
        training: Samples,
        validation: Samples,
        folder: Path,
        schedule: Schedule,
        device: torch.device,
        report: Callable[[str], object] = str,
    ) -> None:
        self.task, self.training, self.validation = task, training, validation
        self.folder, self.schedule, self.device, self.report = folder, schedule, device, report
        self.progress = Progress()
        self.history = History(folder / HISTORY)
        self.average = MovingAverage(task.networks(), decay=schedule.average_decay)
        self._order = Order(len(training), batch_size=schedule.batch_size, seed=schedule.seed)
        self._steps_per_line = max(1, round(IMAGES_PER_LINE / self._order.batch_size))
        self._sums: dict[str, float] = defaultdict(float)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).is_file():
            self._resume()
        else:
            self.history.truncate_after(0)

    def fit(self, *, max_minutes: float = math.inf) -> Progress:
        """Train until the schedule ends, patience runs out, time is up, or a signal asks to stop.

        Args:
            max_minutes: Stop cleanly, with a checkpoint, after so many minutes of this call.

        Returns:
            Where the training stands; `images_seen` below the schedule's means it can go on.

        Raises:
            TrainingError: A loss or a weight is not a finite number; the last good checkpoint
                stays.
        """
        started = saved = time.monotonic()
        before = self.progress.elapsed_s
        with _stop_requests() as stop:
            while not self._is_finished() and not stop.is_set():
                self._one_step()
                now = time.monotonic()
                self.progress.elapsed_s = before + now - started
                if self._crossed(self.schedule.validate_every):
                    self._validate()
                if now - saved > 60 * self.schedule.checkpoint_minutes:
                    self._save()
                    saved = now
                if now - started > 60 * max_minutes:
                    break
        self._save()
        return self.progress

    def best_networks(self) -> dict[str, nn.Module]:
        """Return the averaged networks that are to be published, on the CPU, for inference.

        Raises:
            TrainingError: Nothing was validated yet, or the file is damaged.
        """
        if not (self.folder / BEST).is_file():
            raise TrainingError(f"{self.folder} has no validated weights yet. Train longer.")
        state = load_checkpoint(self.folder / BEST)
        networks = MovingAverage(self.task.networks(), decay=0).networks
        for name, network in networks.items():
            network.load_state_dict(state[name])
            network.cpu().eval()
        return networks

    def _one_step(self) -> None:
        step = self.progress.step
        seed_everything(self.schedule.seed * 1_000_003 + step)
        indices, flips = self._order.at(step)
        batch = {
            name: value.to(self.device, non_blocking=True)
            for name, value in self.training.batch(indices, flips=flips).items()
        }
        losses = self.task.step(batch)
        for name, value in losses.items():
            if not math.isfinite(value):
                what = "the loss" if name == "loss" else f"the loss {name!r}"
                raise TrainingError(self._spoiled(f"{what} ({value})"))
        self.progress.step += 1
        self.progress.images_seen += len(indices)
        self.average.update(self.task.networks(), self.progress.step)
        for name, value in losses.items():
            self._sums[name] += value
        if self.progress.step % self._steps_per_line == 0:
            self._log()

    def _log(self) -> None:
        means = {name: value / self._steps_per_line for name, value in self._sums.items()}
        self._sums.clear()
        self._write("train", means)

    def _validate(self) -> None:
        sums: dict[str, list[float]] = defaultdict(list)
        for first in range(0, len(self.validation), 32):
            indices = np.arange(first, min(first + 32, len(self.validation)))
            batch = {k: v.to(self.device) for k, v in self.validation.batch(indices).items()}
            with torch.inference_mode():
                figures = self.task.validate(self.average.networks, batch)
            for name, values in figures.items():
                sums[name] += values.double().tolist()
        means = {name: float(np.mean(values)) for name, values in sums.items()}
        self._write("validation", means)
        self._keep_best(means[self.task.score])

    def _keep_best(self, score: float) -> None:
        best = self.progress.best_score
        sign = 1 if self.task.higher_is_better else -1
        latest = self.schedule.publish == "last"
        if best is None or latest or sign * score > sign * best:
            self.progress.best_score, self.progress.validations_since_best = score, 0
            nets = {name: net.state_dict() for name, net in self.average.networks.items()}
            save_checkpoint(self.folder / BEST, nets)
        else:
            self.progress.validations_since_best += 1

    def _write(self, kind: str, figures: dict[str, float]) -> None:
        p = self.progress
        self.history.write(
            kind=kind, step=p.step, images=p.images_seen, seconds=round(p.elapsed_s, 1), **figures
        )
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        rate = p.images_seen / max(p.elapsed_s, 1e-9)
        left = (self.schedule.images - p.images_seen) / max(rate, 1e-9) / 60
        self.report(
            f"{kind:10} {p.images_seen:>8} images  {shown}  {rate:.1f}/s  {left:.0f} min left"
        )

    def _crossed(self, every: int) -> bool:
        seen = self.progress.images_seen
        return seen // every != (seen - self._order.batch_size) // every

    def _is_finished(self) -> bool:
        tired = 0 < self.schedule.patience <= self.progress.validations_since_best
        return tired or self.progress.images_seen >= self.schedule.images

    def _save(self) -> None:
        # An update can spoil the weights while its loss was still finite.
        if not all(_is_finite(network) for network in self.task.networks().values()):
            raise TrainingError(self._spoiled("a weight"))
        state: dict[str, Any] = {
            "progress": asdict(self.progress),
            "networks": {k: v.state_dict() for k, v in self.task.networks().items()},
            "averages": {k: v.state_dict() for k, v in self.average.networks.items()},
            "optimizers": {k: v.state_dict() for k, v in self.task.optimizers().items()},
            "sums": dict(self._sums),
        }
        save_checkpoint(self.folder / CHECKPOINT, state)

    def _spoiled(self, what: str) -> str:
        path = self.folder / CHECKPOINT
        kept = f"{path} holds the last good state" if path.is_file() else "nothing was saved yet"
        return (
            f"At step {self.progress.step} (image {self.progress.images_seen}) {what} is not a "
            f"finite number; {kept}. Lower the learning rate."
        )

    def _resume(self) -> None:
        state = load_checkpoint(self.folder / CHECKPOINT)
        self.progress = Progress(**state["progress"])
        try:
            for name, network in self.task.networks().items():
                network.load_state_dict(state["networks"][name])
                self.average.networks[name].load_state_dict(state["averages"][name])
            for name, optimizer in self.task.optimizers().items():
                optimizer.load_state_dict(state["optimizers"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise TrainingError(
                f"{self.folder / CHECKPOINT} belongs to another recipe ({error}). "
                "Choose another --out folder."
            ) from error
        self._sums.update(state["sums"])
        self.history.truncate_after(self.progress.step)
        self.report(f"Resumed at {self.progress.images_seen} images.")


def _is_finite(network: nn.Module) -> bool:
    return all(bool(p.isfinite().all()) for p in network.parameters())


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """Turn SIGTERM and Ctrl-C into a clean stop with a checkpoint; only in the main thread."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def ask(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        event.set()

    old = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield event
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
