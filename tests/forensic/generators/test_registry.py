"""What every generator network promises, swept over the table; and loading of trained ones."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from forensic.errors import ShapeError, UnknownNameError, WeightsError
from forensic.generators import registry
from forensic.generators.registry import GENERATORS, NETWORKS, create_generator, load_generator
from forensic.sketches.registry import SKETCH_STYLES
from forensic.weights.bundle import save_bundle

CPU = torch.device("cpu")
TOY: dict[str, dict[str, Any]] = {"csi": {"width": 4, "n_blocks": 1}}
CASES = [(name, channels) for name in NETWORKS for channels in (1, 3)]


def build(name: str, channels: int) -> nn.Module:
    torch.manual_seed(0)
    return create_generator(name, in_channels=channels, **TOY[name])


def sketches(channels: int, side: int = 32) -> Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_photo_has_the_size_of_the_sketch_and_its_range(name: str, channels: int) -> None:
    photos = build(name, channels)(100 * sketches(channels))
    assert photos.shape == (2, 3, 32, 32)
    assert photos.dtype == torch.float32
    assert photos.min() >= 0
    assert photos.max() <= 1


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_other_channels_are_refused(name: str, channels: int) -> None:
    with pytest.raises(ShapeError):
        build(name, channels)(sketches(4 - channels))


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_gradient_reaches_every_parameter(name: str, channels: int) -> None:
    network = build(name, channels).train()
    (network(sketches(channels)) - 0.3).abs().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_save_and_load_give_the_same_photo(name: str, channels: int, tmp_path: Path) -> None:
    network = build(name, channels)
    network(sketches(channels))  # moves the running statistics off their start
    torch.save(network.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(99)
    again = create_generator(name, in_channels=channels, **TOY[name])
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(again.eval()(sketches(channels)), network.eval()(sketches(channels)))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_photo_does_not_depend_on_its_batch(name: str) -> None:
    network = build(name, 1).eval()
    both = network(sketches(1))
    torch.testing.assert_close(network(sketches(1)[1:]), both[1:])


@pytest.mark.parametrize("name", NETWORKS)
def test_seed_fixes_the_start(name: str) -> None:
    first, second = build(name, 1).state_dict(), build(name, 1).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_every_trained_generator_names_a_network() -> None:
    assert GENERATORS
    assert set(GENERATORS.values()) <= set(NETWORKS)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="generator network"):
        create_generator("cis")
    with pytest.raises(UnknownNameError, match="csi-line"):
        load_generator("csi-lines", CPU)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trained generator of toy size where the catalogue's file would lie."""
    path = tmp_path / "csi-line.safetensors"
    network = build("csi", 1)
    save_bundle(path, network.state_dict(), network.config, {"style": "line"})  # type: ignore[arg-type]
    monkeypatch.setattr(registry, "find_weights", lambda name: path)
    return path


def test_loaded_generator_is_ready_and_says_what_it_is(bundle: Path) -> None:
    loaded = load_generator("csi-line", CPU)
    assert (loaded.name, loaded.style) == ("csi-line", "line")
    assert loaded.style in SKETCH_STYLES
    assert len(loaded.weights_sha256) == 64
    assert not loaded.network.training
    assert not any(p.requires_grad for p in loaded.network.parameters())
    wanted = build("csi", 1).eval()(sketches(1))
    torch.testing.assert_close(loaded.network(sketches(1)), wanted, atol=2e-3, rtol=0)


def test_bundle_of_another_network(bundle: Path) -> None:
    save_bundle(bundle, nn.Linear(2, 2).state_dict(), {"in_channels": 1}, {"style": "line"})
    with pytest.raises(WeightsError, match="does not fit the network 'csi'"):
        load_generator("csi-line", CPU)


@pytest.mark.parametrize("config", [{"in_channels": 1, "heads": 8}, {}])
def test_bundle_with_arguments_of_another_network(bundle: Path, config: dict[str, int]) -> None:
    save_bundle(bundle, build("csi", 1).state_dict(), config, {"style": "line"})
    with pytest.raises(WeightsError, match="does not fit the network 'csi'"):
        load_generator("csi-line", CPU)


def test_bundle_that_does_not_name_its_style(bundle: Path) -> None:
    network = build("csi", 1)
    save_bundle(bundle, network.state_dict(), network.config)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="style"):
        load_generator("csi-line", CPU)
