"""The three stages of DeepFacePencil on pictures of 32 pixels."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensic.datasets.deformed import DeformedPairs
from forensic.errors import RecipeError
from forensic.generators.deepfacepencil.generators import DeepFacePencil, GlobalGenerator
from forensic.runtime import seed_everything
from forensic.training.loop import Schedule, Trainer
from forensic.training.task import Batch
from forensic.training.tasks.deepfacepencil import DeepFacePencilTask
from tests.support.deformed import write_triplets
from tests.support.training import assert_resumes_exactly, moved_parts
from tests.support.vgg import write_vgg19

CPU = torch.device("cpu")
SHAPE = {"width": 4, "n_down": 2, "n_blocks": 5, "discriminator_width": 4}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_triplets(tmp_path_factory.mktemp("dfp") / "data")


@pytest.fixture(scope="module")
def batch(place: Path) -> Batch:
    return DeformedPairs(place, split="train").batch(np.arange(2))


def create_task(**options: Any) -> DeepFacePencilTask:
    torch.manual_seed(0)
    facts: dict[str, Any] = {"in_channels": 1, "stage_steps": [2, 2, 2], "precision": "fp32"}
    return DeepFacePencilTask(device=CPU, **facts | SHAPE | options)


def moved(task: DeepFacePencilTask, data: Batch) -> set[str]:
    """Do one step and return the names of the parts that changed."""
    dual = task.generator
    pooling = torch.nn.ModuleList([dual.pooling.branches, dual.pooling.first, dual.pooling.rest])
    parts = {
        "encoder": dual.encoder,
        "trunk": dual.trunk,
        "pooling": pooling,
        "main_encoder": dual.main_encoder,
        "classifier": task.classifier,
        "discriminator": task.adversary.discriminator,
    }
    return moved_parts(parts, lambda: task.step(data))


def test_each_stage_trains_its_own_parts(batch: Batch) -> None:
    task = create_task()
    first = {"encoder", "trunk", "classifier", "discriminator"}
    second = {"pooling", "main_encoder", "discriminator"}
    third = {"encoder", "trunk", *second}
    wanted = [first, first, second, second, third, third]
    assert [moved(task, batch) for _ in range(6)] == wanted


def test_losses_are_the_weighted_sums_of_equation_8(batch: Batch) -> None:
    task = create_task(stage_steps=[1, 1, 9])
    for branches in (1, 1, 2):
        figures = task.step(batch)
        apart = figures["pixel"] + 2 * figures["fool"] + 10 * figures["matching"]
        wanted = branches * apart + 10 * figures.get("embedding", 0.0)
        assert figures["loss"] == pytest.approx(wanted, rel=1e-5)
    assert figures["embedding"] > 0


def test_each_branch_is_judged_on_its_own_sketch_and_photo(batch: Batch) -> None:
    task, seen = create_task(stage_steps=[0, 0, 9]), []
    task.adversary.discriminator.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].detach().clone())
    )
    with torch.no_grad():
        wanted = [
            torch.cat([s.expand(-1, 3, -1, -1), task.generator(s.expand(-1, 3, -1, -1), main=m)], 1)
            for s, m in ((batch["sketch"], False), (batch["deformed"], True))
        ]
    task.step(batch)
    real, fake, judged = seen[:3]
    torch.testing.assert_close(fake, torch.cat(wanted))
    assert torch.equal(judged, fake)
    assert torch.equal(real[:, :3], fake[:, :3])
    assert torch.equal(real[:, 3:], batch["photo"].repeat(2, 1, 1, 1))


def test_rate_falls_in_the_second_half_of_each_stage(batch: Batch) -> None:
    task, rates = create_task(stage_steps=[4, 1, 2]), []
    for _ in range(7):
        task.step(batch)
        rates.append({o.param_groups[0]["lr"] for o in task.optimizers().values()})
    assert rates == [{2e-4}, {2e-4}, {2e-4}, {1e-4}, {2e-4}, {2e-4}, {2e-4}]


@pytest.mark.parametrize("system", ["baseline", "baseline-deformed"])
def test_baselines_train_the_auxiliary_generator_alone(system: str, batch: Batch) -> None:
    task = create_task(system=system, stage_steps=[9])
    seen: list[int] = []
    task.generator.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    assert moved(task, batch) == {"encoder", "trunk", "discriminator"}
    assert seen == [2 if system == "baseline" else 4]
    ((config, network),) = task.export(task.networks()).values()
    assert isinstance(network, GlobalGenerator)
    GlobalGenerator(**config).load_state_dict(network.state_dict())
    assert task.metadata["system"] == system


def test_features_of_vgg_are_optional(batch: Batch, tmp_path: Path) -> None:
    write_vgg19(tmp_path / "vgg.safetensors")
    task = create_task(vgg=str(tmp_path / "vgg.safetensors"))
    figures = task.step(batch)
    apart = figures["pixel"] + 2 * figures["fool"] + 10 * figures["matching"]
    assert figures["loss"] == pytest.approx(apart + 10 * figures["feature"], rel=1e-5)
    assert "stand-in" in task.metadata["features"]


def test_classifier_learns_to_tell_the_sketches_apart(batch: Batch) -> None:
    task = create_task(stage_steps=[99, 1, 1], learning_rate=5e-3)
    data = {**batch, "deformed": batch["sketch"].transpose(2, 3)}
    losses = [task.step(data)["classifier"] for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_bf16_is_finite(batch: Batch) -> None:
    task = create_task(precision="bf16", stage_steps=[1, 1, 1])
    for _ in range(3):
        assert all(np.isfinite(value) for value in task.step(batch).values())


def test_validation_judges_the_main_generator_on_deformed_sketches(batch: Batch) -> None:
    task = create_task()
    other = create_task(learning_rate=1e-3).generator.eval()
    with torch.inference_mode():
        figures = task.validate({"generator": other}, batch)
        made = other(batch["deformed"].expand(-1, 3, -1, -1), main=True)
        error = (made - batch["photo"]).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(figures["psnr"], -10 * torch.log10(error))
    assert {name: v.shape for name, v in figures.items()} == dict.fromkeys(
        ("psnr", "ssim", "psnr_aligned"), (2,)
    )


def test_export_rebuilds_the_main_generator(batch: Batch) -> None:
    task = create_task()
    ((config, network),) = task.export(task.networks()).values()
    again = DeepFacePencil(**config)
    again.load_state_dict(network.state_dict())
    sketch = batch["sketch"].expand(-1, 3, -1, -1)
    # Kernels of another memory layout round otherwise.
    torch.testing.assert_close(again(sketch), task.generator(sketch, main=True), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "options", [{"system": "duel"}, {"stage_steps": [1]}, {"system": "baseline"}]
)
def test_refused_systems_and_stages(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="stage_steps"):
        create_task(**options)


def create_trainer(place: Path, out: Path, images: int) -> Trainer:
    seed_everything(1)
    return Trainer(
        create_task(),
        training=DeformedPairs(place, split="train"),
        validation=DeformedPairs(place, split="validation"),
        folder=out,
        schedule=Schedule(images=images, batch_size=2, validate_every=4, average_decay=0.9),
        device=CPU,
    )


@pytest.mark.parametrize("stop_at", [4, 8])
def test_resuming_is_exact_across_the_stages(place: Path, tmp_path: Path, stop_at: int) -> None:
    assert_resumes_exactly(partial(create_trainer, place), tmp_path, stop_at=stop_at, images=12)
