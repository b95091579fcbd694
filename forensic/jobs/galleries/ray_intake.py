"""The same intake on a Ray cluster: photos go out as a Ray Data job, vectors come back.

The driver reads the files, so that a folder, a ZIP or a manifest works as it does here and no
file system need be shared; their bytes travel through Ray's object store. It also writes the
records. Scheduling, and doing again what a lost machine had, are Ray's.

Ray is imported here alone, and only when it is asked for.
"""

from __future__ import annotations

import logging
import math
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from forensic.cases.intake import IntakePolicy
from forensic.errors import JobError, SettingsError
from forensic.jobs.galleries.intake import Item, MakeExaminer, ahead
from forensic.jobs.galleries.ray_work import (
    Answer,
    MakeEmbedder,
    Models,
    examine_and_embed,
    try_models,
    unpack_answer,
)
from forensic.jobs.galleries.workers import KILLED

if TYPE_CHECKING:
    from forensic.embedders.embedder import Embedder

Needs = Mapping[str, float]
"""Cores and GPUs of a process, as Ray's arguments name them."""

_BATCHES_PER_CORE = 4
"""Size of a window, the photos of one Ray Data job; enough to keep unequal machines busy."""

_WINDOWS = 2
"""Jobs at once: the second fills the cores that the first one's last batches leave idle."""

_RETRIES = 2
"""How often Ray does a batch again whose process or machine was lost."""

_PATIENCE_S = 10.0
"""For how long to wait for the cluster's head to take a connection."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Use a Ray cluster that runs already, for as long as the block lasts.

    Args:
        address: `host:port` of its head, or `auto`; this machine must be one of its nodes.

    Raises:
        SettingsError: Ray is not installed, or there is no such cluster.
    """
    # Ray would send statistics of its use over the network unless told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A Ray that starts processes of its own changes what they see of the GPUs, and warns of it.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        from ray.data import DataContext
    except ImportError as error:
        raise SettingsError(
            f"Ray cannot be loaded ({error}). It comes with the extra `ray`: "
            'pip install "forensic-sketch[ray]", or ".[ray]" in a checkout.'
        ) from error
    try:
        _check_listening(address)
        ray.init(
            address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
    except Exception as error:  # Ray raises of everything: connection, value, runtime, its own
        raise SettingsError(
            f"No Ray cluster answers at {address!r} ({_first_line(error)}). Start one with "
            "`ray start --head`, join it from this machine with `ray start --address HOST:PORT`, "
            "and give that address, or auto."
        ) from error
    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _check_listening(address: str) -> None:
    """Fail where nothing listens; Ray itself would go on trying for minutes.

    Raises:
        ValueError: It is no `host:port`.
        OSError: Nothing listens there.
    """
    if address != "auto":
        host, _, port = address.rpartition(":")
        if "/" in host or not port.isdigit():
            raise ValueError("it must be host:port or auto")
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S).close()


class RayIntake:
    """Examines and embeds on the machines of a cluster; for use while `connected`.

    Every node needs this package, in the same version, and the embedder's weights.

    Args:
        embedder: Only says which vectors are asked for; its copies on the nodes give them.
        make_embedder: Makes such a copy; picklable.
        make_examiner: Makes an examiner for a policy; picklable.
        on_gpus: Whether the embedder's copies compute on the nodes' GPUs.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        make_embedder: MakeEmbedder,
        make_examiner: MakeExaminer,
        on_gpus: bool = False,
    ) -> None:
        self.embedder_name, self.weights_sha256 = embedder.name, embedder.weights_sha256
        self.dimension = embedder.dimension
        self.embedding_s = 0.0  # many machines do so at once: no share of the time tells anything
        self._make_embedder, self._make_examiner = make_embedder, make_examiner
        self._on_gpus = on_gpus

    def run(self, policy: IntakePolicy, batches: Iterable[list[Item]]) -> Iterator[list[Item]]:
        """Yield each batch, in order; one window is worked on while the next is read.

        Raises:
            IndexMismatch: A node has other weights under the embedder's name.
            SettingsError: GPUs are asked for, and no node offers one.
            JobError: The cluster's processes die whatever they are given, or the cluster is lost.
        """
        make = partial(self._make_examiner, policy)
        models = Models(self._make_embedder, make, self.weights_sha256).packed()
        needs = _needs(on_gpus=self._on_gpus)
        with ThreadPoolExecutor(_WINDOWS) as jobs:
            begun = (
                (window, jobs.submit(_answer, _photos_of(window), models, needs))
                for window in _windows(iter(batches))
            )
            for window, answers in ahead(begun, _WINDOWS - 1):
                _note(window, answers.result())
                yield from window


def _needs(*, on_gpus: bool) -> Needs:
    """Return what Ray sets aside for a process: a core, and on GPUs its share of one.

    Each core takes an equal share, so that all of them find faces while the GPUs embed.

    Raises:
        SettingsError: No node offers a GPU.
    """
    if not on_gpus:
        return {"num_cpus": 1}
    import ray

    offered = ray.cluster_resources()
    gpus, cores = offered.get("GPU", 0.0), max(1.0, offered.get("CPU", 0.0))
    if not gpus:
        raise SettingsError(
            "No node of the Ray cluster offers a GPU. Start nodes that have one with `ray start "
            "--num-gpus N`, or import with --device cpu."
        )
    # Ray counts shares to four digits; rounded up, the last core would get none.
    return {"num_cpus": 1, "num_gpus": math.floor(min(1.0, gpus / cores) * 10**4) / 10**4}


def _windows(batches: Iterator[list[Item]]) -> Iterator[list[list[Item]]]:
    import ray

    while True:
        cores = int(ray.cluster_resources().get("CPU", 0))
        window = list(islice(batches, _BATCHES_PER_CORE * max(1, cores)))
        if not window:
            return
        yield window


def _photos_of(window: Iterable[Sequence[Item]]) -> list[dict[int, bytes]]:
    """Return the content of each fresh item by its number, in batches."""
    return [{item.item_id: item.data for item in batch if item.is_fresh} for batch in window]


def _note(window: Iterable[Sequence[Item]], answers: Mapping[int, Answer]) -> None:
    for batch in window:
        for item in batch:
            if item.is_fresh:
                item.refusal, item.examined, item.vector = answers[item.item_id]


def _answer(
    batches: Sequence[Mapping[int, bytes]], models: bytes, needs: Needs
) -> dict[int, Answer]:
    """Return the answer for every photo.

    A photo may bring down each process that looks at it. Then those of its batch are done one by
    one, and only the one that does it again is refused.

    Raises:
        JobError: Processes die whatever they are given, or the cluster is lost.
        ForensicError: What a process raised, for example that it lacks the embedder's weights.
    """
    from ray.exceptions import RayError

    photos = {number: data for batch in batches for number, data in batch.items()}
    try:
        answers = _run_job([batch for batch in batches if batch], models, needs)
        if left := [{n: data} for n, data in photos.items() if n not in answers]:
            answers |= _run_job(left, models, needs)
        if answers.keys() != photos.keys():
            _check_alive(models, needs)
    except RayError as error:
        raise JobError(
            f"The Ray cluster has failed: {_first_line(error)} Its nodes need this package and "
            "enough memory. Running the import again goes on.",
            reason="workers_lost",
        ) from error
    return {number: answers.get(number, (KILLED, None, None)) for number in photos}


def _run_job(
    batches: Sequence[Mapping[int, bytes]], models: bytes, needs: Needs
) -> dict[int, Answer]:
    """Return the answers of one Ray Data job; none for batches that bring processes down."""
    if not batches:
        return {}
    import pyarrow as pa
    import ray.data

    # A batch is a block, a block is a task; 64-bit offsets bear more than two gigabytes.
    blocks = [
        pa.table({"number": list(batch), "data": pa.array(batch.values(), pa.large_binary())})
        for batch in batches
    ]
    asked = ray.data.from_arrow(blocks).map_batches(
        partial(examine_and_embed, models=models),
        batch_size=None,
        batch_format="pyarrow",
        max_retries=_RETRIES,
        **needs,
    )
    asked.context.max_errored_blocks = -1  # lost ones are missed by whoever asked
    answers = {}
    for row in asked.take_all():
        answers[row["number"]] = unpack_answer(row["answer"])
    return answers


def _check_alive(models: bytes, needs: Needs) -> None:
    """Load the models on the cluster; fails where not even that is survived."""
    import ray

    ray.get(ray.remote(**needs)(try_models).remote(models))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
