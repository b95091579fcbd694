"""The task of Convolutional Sketch Inversion on pictures of 16 pixels."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensic.errors import MissingWeights, RecipeError
from forensic.generators.csi import CSI
from forensic.losses.total_variation import total_variation
from forensic.metrics.psnr import psnr
from forensic.training.task import Batch
from forensic.training.tasks.csi import CSITask
from forensic.weights.bundle import save_bundle
from tests.support.vgg import write_vgg


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_vgg(tmp_path_factory.mktemp("vgg") / "vgg.safetensors"))


def create_task(vgg: str, **options: Any) -> CSITask:
    torch.manual_seed(0)
    settings = {"in_channels": 1, "precision": "fp32", "device": torch.device("cpu")}
    return CSITask(vgg=vgg, **settings | options)


def batch() -> Batch:
    draw = torch.Generator().manual_seed(3)
    photo = torch.rand(4, 3, 16, 16, generator=draw)
    return {"sketch": photo.mean(dim=1, keepdim=True), "photo": photo}


def test_loss_is_the_weighted_sum_of_equation_3(vgg: str) -> None:
    figures = create_task(vgg, feature_scale=1000.0).step(batch())
    wanted = figures["pixel"] + 1000 * figures["feature"] + 1e-5 * figures["variation"]
    assert figures["loss"] == pytest.approx(wanted, rel=1e-6)
    assert all(value > 0 for value in figures.values())


def test_pixels_are_compared_as_bytes_and_variation_is_summed(vgg: str) -> None:
    task = create_task(vgg)
    with torch.no_grad():
        predicted = 255 * task.generator.train()(batch()["sketch"])
    figures = create_task(vgg).step(batch())
    error = (predicted - 255 * batch()["photo"]).square().mean()
    assert figures["pixel"] == pytest.approx(error.item(), rel=1e-4)
    assert figures["variation"] == pytest.approx(total_variation(predicted).item(), rel=1e-4)


def test_weight_of_zero_leaves_a_term_out(vgg: str) -> None:
    task = create_task(vgg, pixel_weight=0.0, variation_weight=0.0)
    figures = task.step(batch())
    assert figures["loss"] == pytest.approx(figures["feature"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_moves_the_generator_towards_the_photos(vgg: str, precision: str) -> None:
    task = create_task(vgg, precision=precision)
    ruler = {name: value.clone() for name, value in task.features.state_dict().items()}
    losses = [task.step(batch())["loss"] for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]
    for name, value in task.features.state_dict().items():
        assert torch.equal(value, ruler[name]), name


def test_first_adam_step_is_as_long_as_the_learning_rate(vgg: str) -> None:
    """Adam's first step is the rate times the sign of the gradient."""
    task = create_task(vgg, learning_rate=2e-3)
    before = task.generator.decoder[2].weight.detach().clone()
    task.step(batch())
    moved = (task.generator.decoder[2].weight.detach() - before).abs()
    assert moved.max().item() == pytest.approx(2e-3, rel=1e-3)


def test_validation_judges_the_given_networks_image_by_image(vgg: str) -> None:
    task = create_task(vgg)
    torch.manual_seed(1)
    other = CSI(in_channels=1).eval()
    with torch.inference_mode():
        figures = task.validate({"generator": other}, batch())
        predicted = other(batch()["sketch"])
    assert {name: value.shape for name, value in figures.items()} == dict.fromkeys(
        ("psnr", "ssim", "r"), (4,)
    )
    torch.testing.assert_close(figures["psnr"], psnr(predicted, batch()["photo"]))
    assert task.score in figures
    assert task.higher_is_better


def test_export_rebuilds(vgg: str) -> None:
    task = create_task(vgg, in_channels=3)
    (config, network) = task.export(task.networks())["generator"]
    CSI(**config).load_state_dict(network.state_dict())
    assert config["in_channels"] == 3


def test_a_training_starts_from_an_earlier_network(vgg: str, tmp_path: Path) -> None:
    earlier = create_task(vgg)
    earlier.step(batch())
    config, network = earlier.export(earlier.networks())["generator"]
    path = tmp_path / "mine.safetensors"
    facts = {"network": "csi", "style": "pencil-gray"}
    save_bundle(path, network.state_dict(), config, facts)
    later = create_task(vgg, start=str(path))
    expected = {name: t.half().float() for name, t in network.state_dict().items() if t.ndim > 1}
    started = later.networks()["generator"].state_dict()
    assert all(torch.equal(started[name], tensor) for name, tensor in expected.items())
    assert later.step(batch())["loss"] > 0  # it can be trained
    with pytest.raises(RecipeError, match="3 channels"):
        create_task(vgg, start=str(path), in_channels=3)


def test_missing_ruler(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"options\.vgg"):
        create_task(str(tmp_path / "absent.pth"))
