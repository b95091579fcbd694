"""Where an import examines and embeds: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

import click

from forensic.cli.gallery import load_embedder

if TYPE_CHECKING:
    from forensic.jobs.galleries.intake import Intake


def open_intake(
    embedder: str,
    engine: str,
    ray_address: str | None,
    *,
    device: str,
    processes: int | None,
) -> AbstractContextManager[Intake]:
    """Return an intake for as long as a `with` block lasts.

    Args:
        embedder: Name or path.
        engine: `local` or `ray`.
        ray_address: Of the cluster's head, for `ray` alone.
        device: Where the embedder computes; on a cluster Ray chooses which GPU.
        processes: That find faces; only `local` has a choice.

    Raises:
        click.UsageError: An option is missing, or belongs to the other engine.
        SettingsError: Ray is not installed, or no such cluster answers; told on entering.
        ForensicError: The embedder cannot be loaded.
    """
    if engine == "local":
        if ray_address is not None:
            raise click.UsageError("--ray-address belongs to --engine ray.")
        return nullcontext(_local_intake(embedder, device, processes))
    if ray_address is None:
        raise click.UsageError("--engine ray needs --ray-address: host:port, or auto.")
    if processes is not None:
        raise click.UsageError(
            "--engine ray computes on the cores that the cluster's nodes offer; --processes "
            "belongs to --engine local."
        )
    if device not in ("auto", "cpu", "cuda"):
        raise click.UsageError(
            "With --engine ray, --device is cpu or cuda; Ray chooses which GPU of a node."
        )
    return _ray_intake(embedder, ray_address, device="cuda" if device == "cuda" else "cpu")


def _local_intake(embedder: str, device: str, processes: int | None) -> Intake:
    import torch

    from forensic.jobs.galleries.intake import LocalIntake, share_cores

    best, threads = share_cores(len(os.sched_getaffinity(0)))
    torch.set_num_threads(threads)
    return LocalIntake.of_device(
        load_embedder(embedder, device=device),
        device="cpu",
        processes=best if processes is None else processes,
    )


@contextmanager
def _ray_intake(embedder: str, address: str, *, device: str) -> Iterator[Intake]:
    from forensic.jobs.galleries.examine import create_face_examiner
    from forensic.jobs.galleries.ray_intake import RayIntake, connected

    with connected(address):
        asked = load_embedder(embedder, device="cpu")
        make = partial(create_face_examiner, template=asked.template, device="cpu")
        copy = partial(load_embedder, embedder, device=device)
        yield RayIntake(asked, make_embedder=copy, make_examiner=make, on_gpus=device == "cuda")
