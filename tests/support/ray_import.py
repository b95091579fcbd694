"""An import on a Ray cluster of this machine that loses a node.

`main` wants a process of its own, for Ray leaves threads, signal handlers and open files behind.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from db.session import open_engine
from forensic.cases.intake import IntakePolicy, Refusal
from forensic.jobs.galleries import imports
from forensic.jobs.galleries.examine import Examined
from forensic.jobs.galleries.pace import Progress
from forensic.jobs.galleries.ray_intake import RayIntake, connected
from tests.support.imports import HashEmbedder, run
from tests.support.words import WordExaminer

SMALL_BATCH = 4
SLOW_S = 0.02


class TracedExaminer(WordExaminer):
    """Leaves a file named after its process for each batch, and takes its time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, files: Sequence[bytes]) -> list[Examined | Refusal]:
        import ray

        node = ray.get_runtime_context().get_node_id()
        (self._folder / f"{node}-{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(SLOW_S * len(files))
        return super().__call__(files)


def make_traced(policy: IntakePolicy, *, folder: Path) -> TracedExaminer:
    return TracedExaminer(folder)


def nodes_of(folder: Path) -> set[str]:
    return {trace.name.partition("-")[0] for trace in folder.iterdir()}


def patiently(start: Callable[[], Any]) -> Any:
    """Start a part of a cluster; Ray gives up after half a minute, which a busy machine may need.

    Processes of a start that failed end with this one.
    """
    for _ in range(3):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return start()


def main() -> None:
    """Do an import on two nodes, and kill one of them as soon as both are at work.

    Arguments: the database, a folder for everything else, and the job.
    """
    from ray.cluster_utils import Cluster

    url, base, job_id = sys.argv[1], Path(sys.argv[2]), uuid.UUID(sys.argv[3])
    imports.BATCH_SIZE = SMALL_BATCH
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # of the nodes that are started here
    node = {"num_cpus": 1, "object_store_memory": 80 << 20}
    head = {**node, "include_dashboard": False}
    cluster = patiently(partial(Cluster, initialize_head=True, head_node_args=head))
    doomed = patiently(partial(cluster.add_node, **node))
    traces = base / "traces"
    traces.mkdir()
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and progress.done and len(nodes_of(traces)) == 2:
            killed.append(progress.done)
            cluster.remove_node(doomed, allow_graceful=False)

    engine = open_engine(url, busy_timeout_s=60)
    with connected(cluster.address):
        intake = RayIntake(
            HashEmbedder(),
            make_embedder=HashEmbedder,
            make_examiner=partial(make_traced, folder=traces),
        )
        job = run(engine, job_id, base, intake=intake, on_progress=kill)
    cluster.shutdown()
    told = {"killed_at": killed[0], "nodes": len(nodes_of(traces)), "total": job.total}
    sys.stdout.write(json.dumps(told) + "\n")
