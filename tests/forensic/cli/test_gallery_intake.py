"""Options of one engine are not silently ignored by the other."""

from __future__ import annotations

import click
import pytest

from forensic.cli.gallery_intake import open_intake


@pytest.mark.parametrize(
    ("engine", "address", "device", "processes", "told"),
    [
        ("local", "auto", "auto", None, "--ray-address belongs to --engine ray"),
        ("ray", None, "auto", None, "--engine ray needs --ray-address"),
        ("ray", "auto", "cuda", None, "belong to --engine local"),
        ("ray", "auto", "auto", 2, "belong to --engine local"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    engine: str, address: str | None, device: str, processes: int | None, told: str
) -> None:
    with pytest.raises(click.UsageError, match=told):
        open_intake("sketchface", engine, address, device=device, processes=processes)
