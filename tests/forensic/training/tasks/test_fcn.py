"""The task of FCN on pictures of 24 pixels."""

from typing import Any

import pytest
import torch

from forensic.errors import RangeError, UnknownNameError
from forensic.generators.fcn import FCN
from forensic.losses.discriminative import discriminative_regulariser, summed_squared_error
from forensic.training.task import Batch
from forensic.training.tasks.fcn import FCNTask


def create_task(**options: Any) -> FCNTask:
    torch.manual_seed(0)
    settings = {"in_channels": 3, "size": "sr", "device": torch.device("cpu")}
    return FCNTask(**settings | options)


def batch(n: int = 4) -> Batch:
    draw = torch.Generator().manual_seed(3)
    photo = torch.rand(n, 3, 24, 26, generator=draw)
    return {"photo": photo, "sketch": 0.3 + 0.5 * photo}


def test_loss_is_equation_1_on_bytes() -> None:
    task = create_task(discriminative_weight=50.0, discriminative_scale=1e6)
    with torch.no_grad():
        made = 255 * task.generator.train()(batch()["photo"])
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    drawn = 255 * (batch()["sketch"] * luma).sum(1, keepdim=True)[:, :, 6:-6, 6:-6]
    figures = task.step(batch())
    generative = summed_squared_error(made, drawn).item()
    regulariser = discriminative_regulariser(made, drawn, scale=1e6).item()
    assert figures["generative"] == pytest.approx(generative, rel=1e-5)
    assert figures["discriminative"] == pytest.approx(regulariser, rel=1e-4)
    assert figures["loss"] == pytest.approx(generative + 50 * regulariser, rel=1e-5)


def test_without_weight_only_the_generative_loss_counts() -> None:
    plain = create_task(discriminative_weight=0.0).step(batch())
    assert plain["loss"] == plain["generative"]
    assert plain["discriminative"] > 0  # still told, for comparison


def test_first_step_of_sgd_is_rate_times_gradient() -> None:
    task = create_task(learning_rate=1e-9, discriminative_weight=0.0)
    layer = task.generator.body[-1]
    assert isinstance(layer, torch.nn.Conv2d)
    before = layer.weight.detach().clone()
    task.step(batch())
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.detach(), before - 1e-9 * layer.weight.grad)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_comes_nearer_to_the_drawings(precision: str) -> None:
    task = create_task(optimizer="adam", learning_rate=3e-3, precision=precision)
    losses = [task.step(batch())["generative"] for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]


def test_validation_judges_the_given_network_on_the_scale_of_bytes() -> None:
    task = create_task()
    perfect = FCN(size="sr").eval()
    with torch.inference_mode():
        made = perfect(batch()["photo"])
        asked = {"photo": batch()["photo"], "sketch": torch.zeros(4, 1, 24, 26)}
        asked["sketch"][:, :, 6:-6, 6:-6] = (made + 20 / 255).clamp(0, 1)
        figures = task.validate({"generator": perfect}, asked)
    assert figures["prl"].tolist() == pytest.approx([20.0] * 4, abs=0.1)
    assert figures["ssim"].shape == (4,)
    assert not task.higher_is_better


def test_export_and_metadata() -> None:
    task = create_task(coordinates=False)
    config, network = task.export(task.networks())["generator"]
    FCN(**config).load_state_dict(network.state_dict())
    assert config == {"size": "sr", "coordinates": False}
    assert task.metadata == {"direction": "photo-to-sketch"}


def test_refused() -> None:
    with pytest.raises(UnknownNameError, match="adam"):
        create_task(optimizer="adamw")
    with pytest.raises(RangeError):
        create_task(discriminative_weight=-1.0)
