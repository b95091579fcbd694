"""The task of pix2pix on pictures of 32 pixels."""

from typing import Any

import pytest
import torch
from torch import Tensor

from forensic.errors import RecipeError
from forensic.generators.pix2pix import UNet
from forensic.training.task import Batch
from forensic.training.tasks.pix2pix import Pix2PixTask


def create_task(**options: Any) -> Pix2PixTask:
    torch.manual_seed(0)
    settings = {
        "in_channels": 1,
        "direction": "sketch-to-photo",
        "width": 8,
        "depth": 4,
        "n_strided": 2,
        "device": torch.device("cpu"),
    }
    return Pix2PixTask(**settings | options)


def batch() -> Batch:
    photo = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    return {"photo": photo, "sketch": photo.mean(1, keepdim=True)}


def test_loss_of_the_generator() -> None:
    figures = create_task().step(batch())
    assert figures["loss"] == pytest.approx(figures["fooled"] + 100 * figures["pixel"], rel=1e-5)
    assert all(value > 0 for value in figures.values())


def test_discriminator_sees_the_sketch_beside_the_photo() -> None:
    task = create_task()
    seen: list[Tensor] = []
    task.adversary.discriminator.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    task.step(batch())
    real = seen[0]
    assert torch.equal(real[:, :3], batch()["sketch"].expand(-1, 3, -1, -1))
    assert torch.equal(real[:, 3:], batch()["photo"])


def test_both_players_move_and_only_by_their_own_optimizer() -> None:
    task = create_task(learning_rate=1e-3)
    before = {n: [p.clone() for p in net.parameters()] for n, net in task.networks().items()}
    task.step(batch())
    for name, network in task.networks().items():
        moved = [
            not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True)
        ]
        assert any(moved), name
    owners = [
        {id(p) for g in o.param_groups for p in g["params"]} for o in task.optimizers().values()
    ]
    assert owners[0].isdisjoint(owners[1])


def test_training_comes_nearer() -> None:
    task = create_task(learning_rate=2e-3, width=4)
    photo = torch.tensor([0.9, 0.2, 0.4]).view(1, 3, 1, 1).expand(2, 3, 32, 32)
    flat = {"sketch": batch()["sketch"], "photo": photo}
    pixels = [task.step(flat)["pixel"] for _ in range(25)]
    assert pixels[-1] < 0.7 * pixels[0]


def test_validation_export_and_refusal() -> None:
    task = create_task(direction="photo-to-sketch")
    with torch.inference_mode():
        figures = task.validate({"generator": task.generator.eval()}, batch())
    assert figures["ssim"].shape == (2,)
    ((config, network),) = task.export(task.networks()).values()
    UNet(**config).load_state_dict(network.state_dict())
    assert task.metadata == {"direction": "photo-to-sketch"}
    with pytest.raises(RecipeError):
        create_task(direction="both")
