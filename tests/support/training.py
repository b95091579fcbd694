"""A training small enough to run hundreds of steps in a test, alone or as a process to kill.

    python -m tests.support.training FOLDER

trains six steps in FOLDER, resumes, and hangs five unsaved steps later, with a line on stdout.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.runtime import seed_everything
from forensic.training.loop import Schedule, Trainer
from forensic.training.task import Batch


class ToySamples:
    """Random pictures; the sketch is the photo's first channel."""

    def __init__(self, n: int, seed: int = 0) -> None:
        self.photos = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None) -> Batch:
        """Return `sketch` and `photo`, those flagged mirrored."""
        photos = self.photos[torch.as_tensor(indices)].clone()
        if flips is not None:
            mirrored = torch.as_tensor(flips)
            photos[mirrored] = photos[mirrored].flip(3)
        return {"sketch": photos[:, :1], "photo": photos}


class ToyTask:
    """A convolution with everything that makes resuming hard: statistics, dropout and Adam.

    Args:
        fail_at: Step, counted from 0, at which the loss is not a number.
        scores: Validation scores to hand out, one a validation, in place of the true ones.
    """

    score, higher_is_better = "psnr", True

    def __init__(self, *, width: int = 4, fail_at: int = -1, scores: Any = None) -> None:
        self.network = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.Dropout(0.5),
            nn.ReLU(),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-2)
        self.fail_at, self.scores = fail_at, scores
        self.steps = 0

    def networks(self) -> dict[str, nn.Module]:
        """Return the one network."""
        return {"toy": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return Adam."""
        return {"toy": self.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Minimise the squared error."""
        self.network.train()
        loss = (self.network(batch["sketch"]) - batch["photo"]).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        return {"loss": math.nan if self.steps - 1 == self.fail_at else loss.item()}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return the negative squared error of each picture, or the next of the given scores."""
        error = (networks["toy"](batch["sketch"]) - batch["photo"]).square().mean(dim=(1, 2, 3))
        if self.scores is not None:
            return {"psnr": torch.full_like(error, next(self.scores))}
        return {"psnr": -error}

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the network."""
        return {"toy": ({}, networks["toy"])}


def create_trainer(
    folder: Path, task: ToyTask | None = None, *, report: Any = str, **schedule: Any
) -> Trainer:
    """Return a trainer in a folder: batches of 4 of 10 pictures, validated every 8 images."""
    seed_everything(5)
    settings = {"images": 80, "batch_size": 4, "validate_every": 8, "average_decay": 0.9, "seed": 5}
    return Trainer(
        task or ToyTask(),
        training=ToySamples(10),
        validation=ToySamples(3, seed=1),
        folder=folder,
        schedule=Schedule(**settings | schedule),
        device=torch.device("cpu"),
        report=report,
    )


def state_of(trainer: Trainer) -> dict[str, Tensor]:
    """Return everything that a training has learned, flat: weights, averages, Adam's moments."""
    sides = {"trained": trainer.task.networks(), "average": trainer.average.networks}
    flat = {
        f"{side}.{name}.{key}": value
        for side, networks in sides.items()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    for name, optimizer in trainer.task.optimizers().items():
        for i, moments in optimizer.state_dict()["state"].items():
            flat |= {f"adam.{name}.{i}.{key}": value for key, value in moments.items()}
    return flat


def assert_same(first: Trainer, second: Trainer) -> None:
    """Demand that two trainings have learned the same, bit for bit."""
    ours, theirs = state_of(first), state_of(second)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key
    assert first.progress.best_score == second.progress.best_score


def assert_resumes_exactly(
    create: Callable[[Path, int], Trainer], place: Path, *, stop_at: int, images: int
) -> None:
    """Demand that a training ends the same whether or not it stops on the way.

    Args:
        create: Takes a folder and the number of images to a new trainer.
        place: An empty folder.
        stop_at: Images after which the second one stops and is made anew.
        images: Where both end.
    """
    straight = create(place / "straight", images)
    straight.fit()
    create(place / "parts", stop_at).fit()
    torch.rand(17)  # a new process stands elsewhere in its chance
    rest = create(place / "parts", images)
    assert rest.progress.images_seen == stop_at
    rest.fit()
    assert_same(rest, straight)


def moved_parts(parts: Mapping[str, nn.Module], step: Callable[[], object]) -> set[str]:
    """Do one step and return the names of the parts whose weights changed."""
    before = {name: [p.detach().clone() for p in part.parameters()] for name, part in parts.items()}
    step()
    return {
        name
        for name, part in parts.items()
        if any(not torch.equal(p, q) for p, q in zip(part.parameters(), before[name], strict=True))
    }


def main() -> None:
    """Train in the folder named on the command line until somebody kills the process."""

    class Hanging(ToyTask):
        def step(self, batch: Batch) -> dict[str, float]:
            if self.steps == 5:
                print("hanging", flush=True)  # noqa: T201 - the parent waits for this line
                time.sleep(600)
            return super().step(batch)

    folder = Path(sys.argv[1])
    create_trainer(folder, images=24).fit()
    create_trainer(folder, Hanging(), checkpoint_minutes=math.inf).fit()


if __name__ == "__main__":
    main()
