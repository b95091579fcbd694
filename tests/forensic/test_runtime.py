import json
import os
import platform
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import forensic
from forensic.errors import DeviceError, UnknownNameError
from forensic.runtime import (
    choose_device,
    choose_precision,
    let_waiting_threads_sleep,
    provenance,
    seed_everything,
)


def test_cpu_is_the_cpu_even_where_there_is_cuda() -> None:
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_takes_what_torch_sees() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:x", "tpu", "meta", "mps"])
def test_unknown_device_is_an_error_of_ours(name: str) -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda or cuda:N"):
        choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_cuda_asked_for_and_absent_is_never_replaced(name: str) -> None:
    with pytest.raises(DeviceError, match="sees no CUDA device"):
        choose_device(name)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA")
def test_cuda_index_beyond_the_last() -> None:
    assert choose_device("cuda:0").index == 0
    with pytest.raises(DeviceError, match="there are"):
        choose_device("cuda:99")


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_is_the_one_asked_for(name: str, dtype: torch.dtype) -> None:
    matrix = torch.eye(2)
    with choose_precision(name, torch.device("cpu")):
        assert (matrix @ matrix).dtype == dtype


@pytest.mark.parametrize("name", ["BF16", "fp16", ""])
def test_other_precisions_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Known: bf16, fp32"):
        choose_precision(name, torch.device("cpu"))


def test_seed_fixes_all_three_generators() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    seed_everything(7)
    first = draw()
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_provenance_is_json_and_names_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/some/where/bin/forensic", "train", "recipe.toml"])
    record = json.loads(json.dumps(provenance()))
    assert record["forensic"] == forensic.__version__
    assert record["libraries"]["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert record["command"] == ["forensic", "train", "recipe.toml"]
    assert str(Path.home()) not in json.dumps(record)


def test_provenance_outside_a_checkout_has_no_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no git to be found
    assert provenance(["x"])["commit"] is None


@pytest.mark.parametrize(("chosen", "taken"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, taken: str
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "")
    if chosen is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == taken


FAULTS = """
import resource, sys
from forensic.runtime import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
size = 40 * 2**20  # more than glibc would ever keep by itself
b"x" * size
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    b"x" * size
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_used_again() -> None:
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    assert faults("kept") < faults("given back") / 4
