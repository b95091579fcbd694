from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import nn

from forensic.errors import RangeError, WeightsError
from forensic.weights.bundle import EIGHT_BITS, load_bundle, read_bundle_metadata, save_bundle


def make_network(*, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


def test_a_network_comes_back_from_its_file_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = make_network(width=4)
    network(torch.rand(2, 3, 8, 8))
    save_bundle(tmp_path / "n.safetensors", network.state_dict(), {"width": 4}, {"seen": "2"})
    config, state = load_bundle(tmp_path / "n.safetensors")
    again = make_network(**config)
    again.load_state_dict(state)
    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(again.eval()(x), network.eval()(x), atol=2e-3, rtol=0)
    assert state["1.num_batches_tracked"] == 1
    assert {t.dtype for t in state.values() if t.is_floating_point()} == {torch.float32}
    assert read_bundle_metadata(tmp_path / "n.safetensors")["seen"] == "2"


def test_kernels_take_two_bytes_each(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    save_bundle(path, {"kernel": torch.zeros(1000, 10)}, {})
    assert 20_000 < path.stat().st_size < 20_500


def test_kernels_in_eight_bits_take_one_byte_each(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    save_bundle(path, {"kernel": torch.zeros(10, 1000)}, {}, EIGHT_BITS)
    assert 10_000 < path.stat().st_size < 10_500
    assert read_bundle_metadata(path)["bits"] == "8"
    assert not load_bundle(path)[1]["kernel"].any()


def test_eight_bits_keep_a_254th_of_the_largest_of_each_row(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = torch.tensor([1e-6, 1.0, 30.0, 0.0]).view(4, 1, 1, 1)
    state = {"kernel": torch.randn(4, 3, 5, 5) * sizes, "bias": torch.tensor([1e6, 1e-9])}
    save_bundle(tmp_path / "n.safetensors", state, {}, EIGHT_BITS)
    again = load_bundle(tmp_path / "n.safetensors")[1]
    assert set(again) == set(state)
    off = (again["kernel"] - state["kernel"]).abs().flatten(1).amax(1)
    largest = state["kernel"].abs().flatten(1).amax(1)
    assert (off <= largest / 254 * 1.0001).all()
    assert (off[:3] > 0).all()
    torch.testing.assert_close(again["bias"], state["bias"], atol=0, rtol=0)


def test_the_same_weights_are_the_same_file(tmp_path: Path) -> None:
    facts = dict.fromkeys("gfedcba", "größer")
    state = {"kernel": torch.eye(3), "bias": torch.ones(2)}
    for number in range(8):
        save_bundle(tmp_path / f"{number}.safetensors", state, {"width": 1}, facts)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert read_bundle_metadata(tmp_path / "0.safetensors")["a"] == "größer"
    torch.testing.assert_close(load_bundle(tmp_path / "0.safetensors")[1], state)


def test_statistics_beyond_half_precision_survive(tmp_path: Path) -> None:
    variance = torch.tensor([1e6, 1e-9])
    save_bundle(tmp_path / "n.safetensors", {"running_var": variance}, {})
    torch.testing.assert_close(load_bundle(tmp_path / "n.safetensors")[1]["running_var"], variance)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_a_kernel_that_would_be_lost_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(RangeError, match="'kernel'"):
        save_bundle(tmp_path / "n.safetensors", {"kernel": torch.full((2, 2), value)}, {})
    assert list(tmp_path.iterdir()) == []


def test_shared_storage_is_written_twice_rather_than_refused(tmp_path: Path) -> None:
    shared = torch.rand(3)
    save_bundle(tmp_path / "n.safetensors", {"a": shared, "b": shared}, {})
    assert set(load_bundle(tmp_path / "n.safetensors")[1]) == {"a", "b"}


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "n.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a weights bundle"):
        load_bundle(path)


def test_steps_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    whole = torch.ones(4, 3, dtype=torch.int8)
    path.write_bytes(save({"k": whole, "k::step": torch.ones(5, 1)}, metadata={"config": "{}"}))
    with pytest.raises(WeightsError, match="not a weights bundle"):
        load_bundle(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        load_bundle(tmp_path / "absent.safetensors")
