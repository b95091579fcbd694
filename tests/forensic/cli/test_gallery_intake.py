"""Options of one engine are not silently ignored by the other."""

from __future__ import annotations

from contextlib import nullcontext

import click
import pytest

from forensic.cli import gallery_intake
from forensic.cli.gallery_intake import open_intake
from forensic.jobs.galleries import ray_intake
from tests.support.imports import HashEmbedder


@pytest.mark.parametrize(
    ("engine", "address", "device", "processes", "told"),
    [
        ("local", "auto", "auto", None, "--ray-address belongs to --engine ray"),
        ("ray", None, "auto", None, "--engine ray needs --ray-address"),
        ("ray", "auto", "cuda:1", None, "Ray chooses which GPU"),
        ("ray", "auto", "auto", 2, "belongs to --engine local"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    engine: str, address: str | None, device: str, processes: int | None, told: str
) -> None:
    with pytest.raises(click.UsageError, match=told):
        open_intake("sketchface", engine, address, device=device, processes=processes)


@pytest.mark.parametrize(
    ("device", "on_nodes", "on_gpus"),
    [("auto", "cpu", False), ("cpu", "cpu", False), ("cuda", "cuda", True)],
)
def test_the_device_goes_to_the_nodes_and_not_to_the_driver(
    monkeypatch: pytest.MonkeyPatch, device: str, on_nodes: str, on_gpus: bool
) -> None:
    devices: list[str] = []

    def load(name: str, *, device: str) -> HashEmbedder:
        devices.append(device)
        return HashEmbedder()

    monkeypatch.setattr(ray_intake, "connected", nullcontext)
    monkeypatch.setattr(gallery_intake, "load_embedder", load)
    with open_intake("hash", "ray", "auto", device=device, processes=None) as intake:
        assert isinstance(intake, ray_intake.RayIntake)
        assert intake._on_gpus == on_gpus
        intake._make_embedder()
    assert devices == ["cpu", on_nodes]
