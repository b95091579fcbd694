"""What does not fit, or is not there, is refused before anything is loaded."""

from __future__ import annotations

import pytest
import torch

from forensic.errors import DeviceError
from forensic.gallery import gpus, listers
from forensic.gallery.engines import create_engine
from forensic.gallery.gpus import RESERVED_BYTES, check_fit, choose_gpus
from tests.support.galleries import unit_rows

GIB = 2**30


def test_an_index_larger_than_the_card_is_refused_with_numbers():
    with pytest.raises(DeviceError) as refusal:
        check_fit(100_000_000, 512, {"cuda:0": 24 * GIB})
    told = str(refusal.value)
    assert "needs 95.9 GiB on each of 1 GPUs (100000000 rows of 512" in told
    assert "24.0 GiB on cuda:0" in told


def test_what_just_fits_is_admitted():
    needed = 1000 * 512 * 2 + RESERVED_BYTES
    check_fit(1000, 512, {"cuda:0": needed})
    with pytest.raises(DeviceError):
        check_fit(1000, 512, {"cuda:0": needed - 1})


def test_several_gpus_share_the_rows_and_the_fullest_one_decides():
    free = {"cuda:0": 60 * GIB, "cuda:1": 60 * GIB}
    check_fit(100_000_000, 512, free)
    with pytest.raises(DeviceError, match=r"10\.0 GiB on cuda:1"):
        check_fit(100_000_000, 512, free | {"cuda:1": 10 * GIB})


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:all"])
def test_without_cuda_the_device_is_refused(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="sees no CUDA device"):
        create_engine(unit_rows("random", 3, 4, 0), torch.arange(3).numpy(), device=device)


@pytest.mark.parametrize("device", ["cpu", "tpu", "cuda:x", "mps"])
def test_what_is_no_gpu_is_refused(device):
    with pytest.raises(DeviceError):
        choose_gpus(device)


def test_all_gpus_are_all_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert [str(gpu) for gpu in choose_gpus("cuda:all")] == ["cuda:0", "cuda:1", "cuda:2"]
    assert [str(gpu) for gpu in choose_gpus("cuda:2")] == ["cuda:2"]
    assert [str(gpu) for gpu in choose_gpus("cuda")] == ["cuda:0"]


def test_nothing_is_loaded_where_the_rows_do_not_fit(monkeypatch):
    def load(*_arguments):
        raise AssertionError("loaded before the check")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(gpus, "free_memory", lambda _: {"cuda:0": 1 << 20})
    monkeypatch.setattr(listers.TorchLister, "__init__", load)
    monkeypatch.setattr(listers.FaissLister, "__init__", load)
    vectors = unit_rows("random", 3, 4, 0)
    with pytest.raises(DeviceError, match=r"free are: 0\.0 GiB on cuda:0"):
        create_engine(vectors, torch.arange(3).numpy(), device="cuda")
