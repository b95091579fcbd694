"""What every generator network promises, swept over the table; and loading of trained ones."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from forensic.errors import MissingWeights, ShapeError, UnknownNameError, WeightsError
from forensic.generators import registry
from forensic.generators.registry import (
    GENERATORS,
    NETWORKS,
    create_generator,
    find_network_name,
    load_generator,
)
from forensic.images.frame import Frame
from forensic.sketches.registry import SKETCH_STYLES
from forensic.weights.bundle import save_bundle

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Toy:
    """A network small enough for tests: its arguments, input channels and sides."""

    options: dict[str, Any] = field(default_factory=dict)
    channels: int = 3
    side: int = 32
    shape: tuple[int, ...] = (2, 3, 32, 32)


TOYS: dict[str, list[Toy]] = {
    "cali-sketch": [
        Toy({"width": 4, "n_blocks": 1}, channels=1),
        Toy({"width": 4, "n_blocks": 1, "synthesis": "improved-2"}, channels=1),
    ],
    "conv-autoencoder": [Toy()],
    "csi": [
        Toy({"in_channels": 1, "width": 4, "n_blocks": 1}, channels=1),
        Toy({"in_channels": 3, "width": 4, "n_blocks": 1}),
    ],
    "deepfacepencil": [Toy({"width": 4, "n_down": 2, "n_blocks": 1})],
    "fcn": [
        Toy({"size": "sr"}, side=20, shape=(2, 1, 8, 8)),
        Toy({"size": "small", "coordinates": False}, side=20, shape=(2, 1, 8, 8)),
    ],
    "pix2pix": [Toy({"width": 4, "depth": 5})],
    "pix2pixhd-global": [Toy({"width": 4, "n_down": 2, "n_blocks": 1})],
    "sparse-autoencoder": [Toy({"side_px": 32, "widths": (8, 6)})],
    "vgg-autoencoder": [Toy()],
}
CSI = TOYS["csi"][0]
CASES = [(name, toy) for name, toys in TOYS.items() for toy in toys]
each_network = pytest.mark.parametrize(
    ("name", "toy"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
)


def build(name: str, toy: Toy) -> nn.Module:
    torch.manual_seed(0)
    return create_generator(name, **toy.options)


def pictures(toy: Toy, channels: int | None = None) -> Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.rand(2, channels or toy.channels, toy.side, toy.side, generator=draw)


def test_every_network_has_a_toy() -> None:
    assert set(TOYS) == set(NETWORKS)


@each_network
def test_shape_and_range_of_what_is_made(name: str, toy: Toy) -> None:
    made = build(name, toy).eval()(100 * pictures(toy))
    assert made.shape == toy.shape
    assert made.dtype == torch.float32
    assert made.min() >= 0
    assert made.max() <= 1


@each_network
def test_other_channels_are_refused(name: str, toy: Toy) -> None:
    with pytest.raises(ShapeError):
        build(name, toy)(pictures(toy, 4 - toy.channels))


@each_network
def test_gradient_reaches_every_parameter(name: str, toy: Toy) -> None:
    network = build(name, toy).train()
    (network(pictures(toy)) - 0.3).abs().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().max() > 0, key


@each_network
def test_config_and_state_rebuild_the_network(name: str, toy: Toy, tmp_path: Path) -> None:
    network = build(name, toy)
    network(pictures(toy))  # moves the running statistics off their start
    torch.save(network.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(99)
    config = json.loads(json.dumps(network.config))  # as weights carry it
    again = create_generator(name, **config)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(again.eval()(pictures(toy)), network.eval()(pictures(toy)))
    assert find_network_name(again) == name


@each_network
def test_a_picture_does_not_depend_on_its_batch(name: str, toy: Toy) -> None:
    network = build(name, toy).eval()
    both = network(pictures(toy))
    torch.testing.assert_close(network(pictures(toy)[1:]), both[1:])


@each_network
def test_seed_fixes_the_start(name: str, toy: Toy) -> None:
    first, second = build(name, toy).state_dict(), build(name, toy).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


FACE, FCN_CROP = (3, 256, 256), (3, 200, 155)


@pytest.mark.parametrize(
    ("name", "options", "given", "made", "parameters"),
    [
        ("csi", {"in_channels": 1}, (1, 96, 96), (3, 96, 96), 1_674_057),
        ("csi", {"in_channels": 3}, (3, 96, 96), (3, 96, 96), 1_679_241),
        ("fcn", {"size": "sr"}, FCN_CROP, (1, 188, 143), 28_865),
        ("fcn", {"size": "small"}, FCN_CROP, (1, 188, 143), 123_201),
        ("fcn", {"size": "medium"}, FCN_CROP, (1, 188, 143), 475_777),
        ("fcn", {"size": "large"}, FCN_CROP, (1, 188, 143), 1_869_057),
        ("cali-sketch", {}, (1, 256, 256), FACE, 22_847_364),
        ("cali-sketch", {"synthesis": "improved-1"}, (1, 256, 256), FACE, 32_288_644),
        ("cali-sketch", {"synthesis": "improved-2"}, (1, 256, 256), FACE, 54_014_532),
        ("deepfacepencil", {}, FACE, FACE, 105_727_299),
        ("pix2pixhd-global", {}, FACE, FACE, 102_631_875),
        ("sparse-autoencoder", {}, FACE, FACE, 201_869_120),
        ("conv-autoencoder", {}, FACE, FACE, 233_027),
        ("pix2pix", {}, FACE, FACE, 54_419_459),
        ("vgg-autoencoder", {}, (3, 224, 224), (3, 224, 224), 16_286_947),
    ],
)
def test_published_networks_have_the_papers_parameters_and_sizes(
    name: str,
    options: dict[str, Any],
    given: tuple[int, ...],
    made: tuple[int, ...],
    parameters: int,
) -> None:
    with torch.device("meta"):
        network = create_generator(name, **options).eval()
        assert network(torch.empty(2, *given)).shape == (2, *made)
    assert sum(p.numel() for p in network.parameters()) == parameters


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
    network = build("csi", CSI)
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
    wanted = build("csi", CSI).eval()(pictures(CSI))
    torch.testing.assert_close(loaded.network(pictures(CSI)), wanted, atol=2e-3, rtol=0)


def test_bundle_of_another_network(bundle: Path) -> None:
    save_bundle(bundle, nn.Linear(2, 2).state_dict(), {"in_channels": 1}, {"style": "line"})
    with pytest.raises(WeightsError, match="does not fit the network 'csi'"):
        load_generator("csi-line", CPU)


@pytest.mark.parametrize("config", [{"in_channels": 1, "heads": 8}, {}])
def test_bundle_with_arguments_of_another_network(bundle: Path, config: dict[str, int]) -> None:
    save_bundle(bundle, build("csi", CSI).state_dict(), config, {"style": "line"})
    with pytest.raises(WeightsError, match="does not fit the network 'csi'"):
        load_generator("csi-line", CPU)


def test_bundle_that_does_not_name_its_style(bundle: Path) -> None:
    network = build("csi", CSI)
    save_bundle(bundle, network.state_dict(), network.config)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="style"):
        load_generator("csi-line", CPU)


def test_a_file_says_itself_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    toy = TOYS["fcn"][0]
    facts = {
        "network": "fcn",
        "style": "drawing",
        "direction": "photo-to-sketch",
        "geometry": "cufs-250",
        "frame": Frame((200, 155)).to_json(),
    }
    save_bundle(path, build("fcn", toy).state_dict(), toy.options, facts)
    loaded = load_generator(str(path), CPU)
    assert (loaded.name, loaded.direction, loaded.geometry) == (
        "mine",
        "photo-to-sketch",
        "cufs-250",
    )
    assert loaded.frame == Frame((200, 155), None)
    assert loaded.network(pictures(toy)).shape == toy.shape


def test_file_that_is_missing_or_anonymous(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic train"):
        load_generator(str(tmp_path / "absent.safetensors"), CPU)
    path = tmp_path / "mine.safetensors"
    save_bundle(path, build("csi", CSI).state_dict(), CSI.options, {"style": "line"})
    with pytest.raises(WeightsError, match="which network"):
        load_generator(str(path), CPU)
