from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.datasets.taught import DRAWN, PHOTO, TO_DRAW, TaughtFaces
from forensic.errors import RecipeError
from forensic.runtime import seed_everything
from forensic.training.loop import Schedule, Trainer
from forensic.training.tasks.sketchface import SketchFaceTask
from forensic.weights.bundle import load_bundle, save_bundle
from tests.support.taught import write_taught

CPU = torch.device("cpu")
SMALL = {"widths": (8, 8, 12), "depths": (1, 1, 1), "total_steps": 60, "warmup_steps": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_taught(tmp_path_factory.mktemp("taught"), n_train=12, n_validation=4)


def small_task(seed: int = 0, **options) -> SketchFaceTask:
    seed_everything(seed)
    return SketchFaceTask(dimension=8, device=CPU, **{**SMALL, **options})


def trainer(folder: Path, out: Path, images: int) -> Trainer:
    schedule = Schedule(images=images, batch_size=6, validate_every=24, average_decay=0.9, seed=5)
    return Trainer(
        small_task(),
        training=TaughtFaces(folder, split="train", n_others=8),
        validation=TaughtFaces(folder, split="validation"),
        folder=out,
        schedule=schedule,
        device=CPU,
    )


def test_loss_falls_on_a_tiny_set(folder: Path) -> None:
    task, training = small_task(), TaughtFaces(folder, split="train", n_others=12)
    losses = []
    for step in range(40):
        seed_everything(step)
        losses.append(task.step(training.batch(np.arange(12)))["loss"])
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_choice_is_the_cross_entropy_with_margin() -> None:
    task = small_task(scale=10.0, margin=0.2, choice_weight=1.0)
    own = torch.eye(8)[:1]
    batch = {"target": own, "others": torch.eye(8)[[1, 0]], "kind": torch.tensor([PHOTO])}
    losses = task._compute_losses(own, batch)
    # own cosine 1 less the margin; one stranger at 0; the photo itself, masked, at -1
    expected = -np.log(np.exp(8) / (np.exp(8) + np.exp(0) + np.exp(-10)))
    assert losses["choice"].item() == pytest.approx(expected, rel=1e-3)
    assert losses["loss"].item() == pytest.approx(expected, rel=1e-3)


def test_each_kind_is_changed_in_its_own_way() -> None:
    task = small_task(redraw_share=0.0)
    seed_everything(0)
    faces = torch.rand(3, 3, 14, 14).repeat_interleave(8, 2).repeat_interleave(8, 3)
    out = task.augment(faces, torch.tensor([PHOTO, TO_DRAW, DRAWN]))
    color = (out.amax(1) - out.amin(1)).mean((1, 2))
    assert color[1] < 1e-6  # drawn anew, hence gray
    assert (out - faces).abs().mean((1, 2, 3)).min() > 0.01
    assert out.min() >= 0
    assert out.max() <= 1


def test_validation_counts_hits_and_spares_the_same_person(folder: Path) -> None:
    class Oracle(torch.nn.Module):
        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            return torch.eye(8)[: len(faces)]

    batch = {
        "face": torch.rand(3, 3, 112, 112),
        "kind": torch.tensor([PHOTO, TO_DRAW, DRAWN]),
        "target": torch.eye(8)[[0, 1, 3]],
        "others": torch.eye(8),
    }
    figures = small_task().validate({"embedder": Oracle()}, batch)
    assert figures["rank1"].tolist() == [1, 1, 0]
    assert figures["photo_rank1"].tolist() == [1]
    assert figures["drawing_rank1"].tolist() == [0]
    assert figures["line_cosine"].tolist() == [1]


def test_resumed_training_equals_an_unbroken_one(folder: Path, tmp_path: Path) -> None:
    trainer(folder, tmp_path / "whole", 48).fit()
    trainer(folder, tmp_path / "parts", 24).fit()
    resumed = trainer(folder, tmp_path / "parts", 48)
    assert resumed.progress.images_seen == 24
    resumed.fit()
    a, b = (torch.load(tmp_path / n / "checkpoint.pt") for n in ("whole", "parts"))
    assert a["progress"]["images_seen"] == b["progress"]["images_seen"] == 48
    for name, value in a["networks"]["embedder"].items():
        torch.testing.assert_close(value, b["networks"]["embedder"][name], rtol=0, atol=0)


def test_export_is_a_bundle_of_the_network(folder: Path, tmp_path: Path) -> None:
    done = trainer(folder, tmp_path / "run", 24)
    done.fit()
    config, network = done.task.export(done.best_networks())["embedder"]
    save_bundle(tmp_path / "x.safetensors", network.state_dict(), config)
    assert load_bundle(tmp_path / "x.safetensors")[0]["dimension"] == 8


def test_starts_from_a_bundle(tmp_path: Path) -> None:
    first = small_task(seed=1)
    path = tmp_path / "first.safetensors"
    save_bundle(path, first.network.state_dict(), first.network.config)
    second = small_task(seed=2, start=str(path), widths=(4, 4, 4))
    assert second.network.config == first.network.config
    for name, value in second.network.state_dict().items():
        torch.testing.assert_close(value, first.network.state_dict()[name], atol=1e-3, rtol=1e-3)
    assert all(p.requires_grad for p in second.network.parameters())
    with pytest.raises(RecipeError, match="length 8"):
        SketchFaceTask(dimension=12, device=CPU, start=str(path), **SMALL)
