"""The task of the study's autoencoders on pictures of 32 pixels."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from forensic.errors import MissingWeights, RecipeError, WeightsError
from forensic.generators.autoencoders import VGG_BLOCKS, VGGAutoencoder
from forensic.training.task import Batch
from forensic.training.tasks.autoencoder import AutoencoderTask
from tests.support.vgg import normalised_state


def create_task(network: str = "conv-autoencoder", **options: Any) -> AutoencoderTask:
    torch.manual_seed(0)
    settings = {
        "in_channels": 3,
        "network": network,
        "direction": "sketch-to-photo",
        "device": torch.device("cpu"),
    }
    return AutoencoderTask(**settings | options)


def batch(channels: int = 3) -> Batch:
    photo = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    return {"photo": photo, "sketch": photo.mean(1, keepdim=True).expand(-1, channels, -1, -1)}


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Tensor]]:
    """A VGG-16 of random numbers under torchvision's names, and its kernels in order."""
    torch.manual_seed(5)
    state, kernels, channels = dict[str, Tensor](), list[Tensor](), 3
    places = iter((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))
    for width, depth in VGG_BLOCKS:
        for _ in range(depth):
            layer = nn.Conv2d(channels, width, 3)
            place, channels = next(places), width
            state[f"features.{place}.weight"] = layer.weight.detach()
            state[f"features.{place}.bias"] = layer.bias.detach()  # type: ignore[union-attr]
            kernels.append(layer.weight.detach())
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file(state, path)
    return path, kernels


def test_direction_decides_source_and_target() -> None:
    seen: list[Tensor] = []
    for direction, name in (("sketch-to-photo", "sketch"), ("photo-to-sketch", "photo")):
        task = create_task(direction=direction)
        task.generator.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
        task.step(batch(1))
        assert torch.equal(seen[-1], batch(3)[name])
        assert task.metadata == {"direction": direction}
    with pytest.raises(RecipeError, match="photo-to-sketch"):
        create_task(direction="photo2sketch")


def test_loss_is_the_mean_squared_error() -> None:
    task = create_task()
    with torch.no_grad():
        error = (task.generator(batch()["sketch"]) - batch()["photo"]).square().mean()
    assert task.step(batch())["loss"] == pytest.approx(error.item(), rel=1e-5)


def test_sparse_loss_is_cross_entropy_and_the_codes_norm() -> None:
    options = {"side_px": 32, "widths": [16, 4]}
    figures = create_task("sparse-autoencoder", network_options=options, sparsity=0.5).step(batch())
    wanted = figures["cross_entropy"] + 0.5 * figures["code_norm"]
    assert figures["loss"] == pytest.approx(wanted)
    assert figures["code_norm"] > 0


@pytest.mark.parametrize("network", ["conv-autoencoder", "sparse-autoencoder"])
def test_training_comes_nearer(network: str) -> None:
    options = {"side_px": 32, "widths": [32, 16]} if "sparse" in network else None
    task = create_task(network, network_options=options)
    losses = [task.step(batch())["loss"] for _ in range(40)]
    assert losses[-1] < 0.98 * losses[0]


def test_vgg_encoder_is_filled_and_frozen_until_it_is_tuned(
    vgg16: tuple[Path, list[Tensor]],
) -> None:
    path, kernels = vgg16
    task = create_task("vgg-autoencoder", vgg=str(path), finetune_after_steps=1)
    assert isinstance(task.generator, VGGAutoencoder)
    own = [layer.weight for layer in task.generator.encoder if isinstance(layer, nn.Conv2d)]
    assert len(task.frozen) == 26
    free = task.generator.decoder[0]
    assert isinstance(free, nn.ConvTranspose2d)
    before = free.weight.detach().clone()
    task.step(batch())
    assert all(torch.equal(a, b) for a, b in zip(own, kernels, strict=True))
    assert not torch.equal(free.weight, before)
    assert task.optimizer.param_groups[0]["lr"] == 1e-3
    task.step(batch())
    assert not torch.equal(own[0], kernels[0])
    assert task.optimizer.param_groups[0]["lr"] == 1e-4


def test_stand_in_fills_what_it_has(tmp_path: Path) -> None:
    state = normalised_state()
    state["conv3_1.weight"] = torch.randn(256, 128, 3, 3)
    save_file(state, tmp_path / "vgg19.safetensors")
    task = create_task("vgg-autoencoder", vgg=str(tmp_path / "vgg19.safetensors"))
    assert len(task.frozen) == 10
    assert isinstance(task.generator, VGGAutoencoder)
    convolutions = [m for m in task.generator.encoder if isinstance(m, nn.Conv2d)]
    assert torch.equal(convolutions[4].weight, state["conv3_1.weight"])
    matrix = task.generator.get_buffer("colour_map")
    assert torch.equal(matrix, state["conv0.weight"][:, :, 0, 0])


def test_vgg_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="fetch vgg16"):
        create_task("vgg-autoencoder")
    with pytest.raises(MissingWeights):
        create_task("vgg-autoencoder", vgg=str(tmp_path / "absent.pth"))
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="neither"):
        create_task("vgg-autoencoder", vgg=str(tmp_path / "other.safetensors"))
    assert not create_task("vgg-autoencoder", vgg="none").frozen


def test_unknown_network() -> None:
    with pytest.raises(RecipeError, match="conv-autoencoder"):
        create_task("csi")


def test_validation_and_export() -> None:
    task = create_task()
    with torch.inference_mode():
        figures = task.validate(task.networks(), batch())
    assert {name: value.shape for name, value in figures.items()} == dict.fromkeys(
        ("ssim", "mse", "psnr"), (2,)
    )
    config, network = task.export(task.networks())["generator"]
    assert config == {}
    assert network is task.generator
