"""Alternating updates of two players, and their exact resume inside the training loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.discriminators.multiscale import MultiScaleDiscriminator
from forensic.discriminators.patch import PatchDiscriminator
from forensic.errors import TrainingError, UnknownNameError
from forensic.losses.adversarial import Kind
from forensic.losses.feature_matching import feature_matching
from forensic.runtime import choose_precision, seed_everything
from forensic.training.adversary import Adversary
from forensic.training.loop import Schedule, Trainer
from forensic.training.schedules import steps_done
from forensic.training.task import Batch
from tests.support.training import assert_resumes_exactly

CPU = torch.device("cpu")


def create_adversary(
    discriminator: nn.Module | None = None, *, kind: Kind = "lsgan", precision: str = "fp32"
) -> Adversary:
    network = discriminator or PatchDiscriminator(
        in_channels=3, width=4, n_strided=2, norm="none", spectral=True
    )
    return Adversary(
        network, kind=kind, learning_rate=1e-2, autocast=choose_precision(precision, CPU)
    )


def images(seed: int) -> Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["vanilla", "lsgan", "hinge"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_discriminator_learns_to_tell_bright_from_dark(kind: Kind, precision: str) -> None:
    torch.manual_seed(0)
    adversary = create_adversary(kind=kind, precision=precision)
    bright, dark = images(0) / 4 + 0.75, images(0) / 4
    losses = [adversary.learn(real=bright, made=dark).item() for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    assert adversary.fool(adversary.judge(bright)) < adversary.fool(adversary.judge(dark))


def test_learning_leaves_the_generator_alone() -> None:
    made = images(0).requires_grad_()
    create_adversary().learn(real=images(1), made=made * 1)
    assert made.grad is None


def test_judging_moves_the_images_and_never_the_discriminator() -> None:
    adversary = create_adversary()
    before = [p.detach().clone() for p in adversary.discriminator.parameters()]
    made = images(0).requires_grad_()
    adversary.fool(adversary.judge(made)).backward()
    assert made.grad is not None
    assert made.grad.abs().max() > 0
    for parameter, old in zip(adversary.discriminator.parameters(), before, strict=True):
        assert parameter.requires_grad
        assert parameter.grad is None
        assert torch.equal(parameter, old)


def test_scales_are_averaged() -> None:
    torch.manual_seed(0)
    network = MultiScaleDiscriminator(in_channels=3, width=2, n_strided=2)
    adversary = create_adversary(network)
    judgement = adversary.judge(images(0))
    apart = [adversary.fool([scale]).item() for scale in judgement]
    assert adversary.fool(judgement).item() == pytest.approx(sum(apart) / 3)
    assert adversary.learn(real=images(0), made=images(1)).isfinite()


def test_unknown_game() -> None:
    with pytest.raises(UnknownNameError, match="wgan"):
        create_adversary(kind="wgan")  # type: ignore[arg-type]


class Samples:
    """Random pictures; the sketch is the photo's first channel."""

    photos = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(7))

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: Any, *, flips: Any = None) -> Batch:
        photos = self.photos[torch.as_tensor(np.asarray(indices))]
        return {"sketch": photos[:, :1], "photo": photos}


class GameTask:
    """The smallest adversarial task: everything that the papers' tasks have."""

    score, higher_is_better = "psnr", True

    def __init__(self) -> None:
        self.generator = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 1)
        )
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=1e-3)
        self.adversary = create_adversary()

    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.adversary.discriminator}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"generator": self.optimizer, "discriminator": self.adversary.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        self.generator.train()
        made = self.generator(batch["sketch"])
        against = self.adversary.learn(real=batch["photo"], made=made)
        judgement, true = self.adversary.judge(made), self.adversary.judge(batch["photo"])
        loss = self.adversary.fool(judgement) + 10 * feature_matching(judgement, true)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item(), "discriminator": against.item()}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        made = networks["generator"](batch["sketch"])
        return {"psnr": -(made - batch["photo"]).square().mean(dim=(1, 2, 3))}

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        return {"generator": ({}, networks["generator"])}


def create_trainer(folder: Path, *, images: int, task: GameTask | None = None) -> Trainer:
    seed_everything(5)
    return Trainer(
        task or GameTask(),
        training=Samples(),
        validation=Samples(),
        folder=folder,
        schedule=Schedule(images=images, batch_size=2, validate_every=4, average_decay=0.9),
        device=CPU,
    )


@pytest.mark.parametrize("stop_at", [2, 8, 14])
def test_resuming_a_game_is_exact_bit_for_bit(tmp_path: Path, stop_at: int) -> None:
    def create(folder: Path, images: int) -> Trainer:
        return create_trainer(folder, images=images)

    assert_resumes_exactly(create, tmp_path, stop_at=stop_at, images=16)
    rest = create(tmp_path / "parts", 16)
    assert steps_done(rest.task.optimizers()["discriminator"]) == 8


def test_discriminator_that_is_no_number_stops_the_training_too(tmp_path: Path) -> None:
    class Lost(GameTask):
        def step(self, batch: Batch) -> dict[str, float]:
            return super().step(batch) | {"discriminator": float("nan")}

    trainer = create_trainer(tmp_path, images=4, task=Lost())
    with pytest.raises(TrainingError, match=r"the loss 'discriminator' \(nan\)"):
        trainer.fit()
