"""The three stages of Cali-Sketch on pictures of 32 pixels."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensic.datasets.calibration import CalibrationFaces
from forensic.errors import MissingWeights, RecipeError
from forensic.generators.cali_sketch import CaliSketch
from forensic.runtime import seed_everything
from forensic.training.loop import Schedule, Trainer
from forensic.training.task import Batch
from forensic.training.tasks.cali_sketch import CaliSketchTask
from tests.support.calibration import write_calibration
from tests.support.training import assert_resumes_exactly, moved_parts
from tests.support.vgg import write_vgg19

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cali")
    write_vgg19(folder / "vgg.safetensors")
    write_calibration(folder / "data")
    return folder


def create_task(place: Path, **options: Any) -> CaliSketchTask:
    torch.manual_seed(0)
    small = {"width": 4, "n_blocks": 1, "discriminator_width": 4, "precision": "fp32"}
    facts = {"in_channels": 1, "contours": "toy", "separate_steps": 2}
    files = {"vgg": str(place / "vgg.safetensors")}
    return CaliSketchTask(device=CPU, **facts | small | files | options)


def batch(place: Path) -> Batch:
    faces = CalibrationFaces(place / "data", split="train")
    return faces.batch(np.arange(4))


def moved(task: CaliSketchTask, data: Batch) -> set[str]:
    """Do one step and return the names of the networks that changed."""
    parts = {"scn": task.generator.scn, "isn": task.generator.isn, **task.networks()}
    return moved_parts(parts, lambda: task.step(data))


def test_losses_are_the_weighted_sums_of_equations_4_and_6(place: Path) -> None:
    figures = create_task(place).step(batch(place))
    assert figures["isn"] == pytest.approx(
        figures["pixel"]
        + 0.1 * figures["fool"]
        + 0.1 * figures["feature"]
        + 200 * figures["style"]
        + figures["variation"],
        rel=1e-5,
    )
    assert figures["loss"] == pytest.approx(figures["scn"] + figures["isn"], rel=1e-6)
    assert figures["scn"] > 10 * figures["calibration"] > 0


def test_all_four_networks_learn_in_every_stage(place: Path) -> None:
    task, data = create_task(place), batch(place)
    everyone = {"scn", "isn", "generator", "edge_discriminator", "photo_discriminator"}
    assert [moved(task, data) for _ in range(4)] == [everyone] * 4


def test_networks_are_strangers_until_the_third_stage(place: Path) -> None:
    """A synthesis loss of weight zero changes what the calibrator learns in stage 3 alone."""
    silent = dict.fromkeys(
        [
            "pixel_weight",
            "adversarial_weight",
            "feature_weight",
            "style_weight",
            "variation_weight",
        ],
        0.0,
    )
    first, second = create_task(place), create_task(place, **silent)
    data = batch(place)

    def calibrators() -> list[torch.Tensor]:
        return [
            torch.cat([p.flatten() for p in t.generator.scn.parameters()]) for t in (first, second)
        ]

    for _ in range(2):
        assert not first.is_joint
        first.step(data)
        second.step(data)
    assert torch.equal(*calibrators())
    assert first.is_joint
    first.step(data)
    second.step(data)
    assert not torch.equal(*calibrators())


def test_calibration_alone_learns_what_it_learns_in_stage_1(place: Path) -> None:
    whole, alone = create_task(place), create_task(place, calibration_only=True, separate_steps=1)
    data = batch(place)
    for _ in range(2):
        whole.step(data)
        assert moved(alone, data) == {"scn", "generator", "edge_discriminator"}
    pairs = zip(whole.generator.scn.parameters(), alone.generator.scn.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert alone.optimizers()["scn"].param_groups[0]["lr"] == 1e-4  # there is no stage 3
    assert alone.metadata["trained"] == "calibration only"


def test_calibration_alone_is_chosen_by_its_edges(place: Path) -> None:
    task, data = create_task(place, calibration_only=True), batch(place)
    with torch.inference_mode():
        figures = task.validate(task.networks(), data)
    assert figures.keys() == {"precision", "recall", "f1"}
    assert task.score in figures
    both = figures["precision"], figures["recall"]
    torch.testing.assert_close(figures["f1"], 2 * both[0] * both[1] / (both[0] + both[1]))


def test_stage_2_synthesizes_from_canny_times_contour(place: Path) -> None:
    task, data = create_task(place), batch(place)
    seen: list[torch.Tensor] = []
    task.generator.isn.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for _ in range(3):
        task.step(data)
    assert torch.equal(seen[0], data["detail"] * data["contour"])
    assert torch.equal(seen[1], seen[0])
    assert not torch.equal(seen[2], seen[0])


def test_rates_of_the_stages(place: Path) -> None:
    task, data = create_task(place), batch(place)

    def rates() -> dict[str, float]:
        return {n: o.param_groups[0]["lr"] for n, o in task.optimizers().items()}

    task.step(data)
    assert rates() == pytest.approx(
        {"scn": 1e-4, "isn": 1e-4, "edge_discriminator": 1e-5, "photo_discriminator": 1e-5}
    )
    task.step(data)
    task.step(data)
    assert rates() == pytest.approx(
        {"scn": 1e-5, "isn": 1e-5, "edge_discriminator": 1e-6, "photo_discriminator": 1e-6}
    )


@pytest.mark.parametrize("targets", [["contour"], ["detail"], ["contour", "detail"]])
def test_ablations_of_table_2_do_not_see_the_other_target(place: Path, targets: list[str]) -> None:
    data = batch(place)
    other = ({"contour", "detail"} - set(targets)) or {"photo"}
    plain = create_task(place, targets=targets).step(data)["calibration"]
    spoiled = data | {name: 1 - data[name] for name in other}
    assert create_task(place, targets=targets).step(spoiled)["calibration"] == pytest.approx(plain)


@pytest.mark.parametrize("targets", [[], ["edges"]])
def test_refused_targets(place: Path, targets: list[str]) -> None:
    with pytest.raises(RecipeError, match="contour"):
        create_task(place, targets=targets)


def test_calibration_learns(place: Path) -> None:
    task, data = create_task(place, separate_steps=99, learning_rate=2e-3), batch(place)
    losses = [task.step(data) for _ in range(25)]
    assert losses[-1]["pixel"] < 0.9 * losses[0]["pixel"]
    assert losses[-1]["style"] < losses[0]["style"]


def test_bf16_is_finite(place: Path) -> None:
    figures = create_task(place, precision="bf16").step(batch(place))
    assert all(np.isfinite(value) for value in figures.values())


def test_validation_judges_the_given_networks_face_by_face(place: Path) -> None:
    task, data = create_task(place), batch(place)
    other = CaliSketch(width=4, n_blocks=1).eval()
    with torch.inference_mode():
        figures = task.validate({"generator": other}, data)
        error = (other(data["sketch"]) - data["photo"]).square().mean(dim=(1, 2, 3))
    assert {name: v.shape for name, v in figures.items()} == dict.fromkeys(
        ("psnr", "ssim", "precision", "recall", "f1"), (4,)
    )
    torch.testing.assert_close(figures["psnr"], -10 * torch.log10(error))


def test_export_rebuilds_and_names_its_rulers(place: Path) -> None:
    task = create_task(place)
    config, network = task.export(task.networks())["generator"]
    CaliSketch(**config).load_state_dict(network.state_dict())
    assert task.metadata["contours"] == "toy"
    assert "stand-in" in task.metadata["features"]


def test_missing_ruler(place: Path) -> None:
    with pytest.raises(MissingWeights, match=r"options\.vgg"):
        create_task(place, vgg=str(place / "absent.pth"))


def create_trainer(place: Path, out: Path, images: int) -> Trainer:
    seed_everything(1)
    return Trainer(
        create_task(place, separate_steps=3),
        training=CalibrationFaces(place / "data", split="train"),
        validation=CalibrationFaces(place / "data", split="validation"),
        folder=out,
        schedule=Schedule(images=images, batch_size=2, validate_every=4, average_decay=0.9),
        device=CPU,
    )


@pytest.mark.parametrize("stop_at", [4, 8])
def test_resuming_is_exact_across_the_stages(place: Path, tmp_path: Path, stop_at: int) -> None:
    assert_resumes_exactly(partial(create_trainer, place), tmp_path, stop_at=stop_at, images=12)
