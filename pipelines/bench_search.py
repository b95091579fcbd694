"""`forensic bench search`: exact search beside FAISS, NumPy, and the machine's memory.

All sides search the same rows for the same probes in turns, in one run, so that a busy machine
slows each of them. The roof is the time in which the device reads the bytes that our first pass
must read, and does nothing else. Our answer is compared with float64 products of every row.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from forensic.values import Vectors

if TYPE_CHECKING:
    import torch

    from forensic.gallery.exact import ExactSearch
    from forensic.gallery.similarity import Engine

DATA = ("random", "clustered")
PHOTOS_PER_CLUSTER = 10

_CHUNK_ROWS = 32768
_PAUSE_S = 0.05  # threads that FAISS and BLAS leave behind spin for a while


@dataclass(frozen=True)
class SearchTimes:
    """Times of one search of a batch, medians over the repeats in milliseconds.

    Attributes:
        rows: Rows of the gallery.
        dim: Numbers in a row.
        batch: Probes searched at once.
        k: Rows wanted for each probe.
        data: Kind of gallery, one of `DATA`.
        device: Where our engine searches.
        ours_ms: Our engine, with exact rescoring and order.
        faiss_flat_ms: `faiss.IndexFlatIP`, on the GPU where we search on one and FAISS has one.
        faiss_device: Where FAISS searches.
        numpy_ms: A float32 matrix product, and partial sorting, on the CPU.
        roof_ms: The device reads the bytes of our first pass once.
        roof_bytes: How many bytes that are.
        best_ms: The least time of each side, by its name.
        cpu_ms: Processor time of all threads, median of each side: on a machine that others
            use as well, a fairer comparison than time on the clock.
        threads: Cores used by each side.
        exact: Whether our rows, their order and similarities were those of the float64 oracle.
    """

    rows: int
    dim: int
    batch: int
    k: int
    data: str
    device: str
    ours_ms: float
    faiss_flat_ms: float
    faiss_device: str
    numpy_ms: float
    roof_ms: float
    roof_bytes: int
    best_ms: dict[str, float]
    cpu_ms: dict[str, float]
    threads: int
    exact: bool


@click.command()
@click.option("--rows", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--dim", type=click.IntRange(1), default=512, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Probes.")
@click.option("--k", type=click.IntRange(1, 2048), default=50, show_default=True)
@click.option(
    "--data",
    type=click.Choice(DATA),
    default="random",
    show_default=True,
    help="Random directions, the hardest for our bounds, or ten near photos of each person.",
)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N or cuda:all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_search(
    rows: int,
    dim: int,
    batch: int,
    k: int,
    data: str,
    repeats: int,
    seed: int,
    device: str,
    as_json: bool,
) -> None:
    """Time one search of synthetic unit vectors, and check that it is exact."""
    from forensic.gallery.gpus import choose_gpus
    from forensic.runtime import provenance

    if device != "cpu":
        choose_gpus(device)  # refused before millions of rows are drawn
    vectors, queries = synthetic_gallery(rows, dim, batch, data=data, seed=seed)
    k = min(k, rows)
    times = measure(vectors, queries, k=k, data=data, repeats=repeats, device=device)
    if as_json:
        click.echo(json.dumps({**asdict(times), "provenance": provenance()}, indent=2))
    else:
        click.echo(_table(times))
    if not times.exact:
        raise click.ClickException("The result differs from the float64 oracle: please report it.")


def synthetic_gallery(
    rows: int, dim: int, batch: int, *, data: str, seed: int
) -> tuple[Vectors, Vectors]:
    """Return (rows, dim) gallery rows and (batch, dim) probes, float32 of unit length.

    Args:
        rows: Rows of the gallery.
        dim: Numbers in a row.
        batch: Number of probes.
        data: `random` directions, or `clustered`: each person's rows, and the probes, lie at a
            cosine of about 0.7 to the person's centre.
        seed: Seeds the generator.
    """
    generator = np.random.default_rng(seed)
    vectors = np.empty((rows, dim), dtype=np.float32)
    n_centres = -(-rows // PHOTOS_PER_CLUSTER)
    centres = generator.standard_normal((n_centres if data == "clustered" else 0, dim), np.float32)

    def drawn(persons: NDArray[np.int64]) -> Vectors:
        values = generator.standard_normal((len(persons), dim), np.float32)
        if data == "clustered":
            values += centres[persons]
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        return values

    for start in range(0, rows, _CHUNK_ROWS):
        persons = np.arange(start, min(start + _CHUNK_ROWS, rows)) // PHOTOS_PER_CLUSTER
        vectors[start : start + _CHUNK_ROWS] = drawn(persons)
    return vectors, drawn(generator.integers(0, n_centres, batch))


def measure(
    vectors: Vectors, queries: Vectors, *, k: int, data: str, repeats: int, device: str = "cpu"
) -> SearchTimes:
    """Return the times of all sides, measured in turns after one unmeasured turn.

    Raises:
        DeviceError: A GPU was asked for that is not there, or the rows do not fit it.
    """
    import faiss

    from forensic.gallery.engines import create_engine

    ours = create_engine(vectors, np.arange(len(vectors)), device=device, coded_from_rows=1)
    flat, faiss_device = flat_index(vectors, device)
    roof, roof_bytes = find_roof(ours, vectors, device)
    sides: dict[str, Callable[[], object]] = {
        "roof": roof,
        "ours": lambda: ours.search(queries, k),
        "faiss_flat": lambda: flat.search(queries, k),
        "numpy": lambda: numpy_search(queries, vectors, k),
    }
    wall, processor = time_in_turns(sides, repeats)
    median = {name: statistics.median(values) for name, values in wall.items()}
    return SearchTimes(
        rows=len(vectors),
        dim=vectors.shape[1],
        batch=len(queries),
        k=k,
        data=data,
        device=device,
        ours_ms=median["ours"],
        faiss_flat_ms=median["faiss_flat"],
        faiss_device=faiss_device,
        numpy_ms=median["numpy"],
        roof_ms=median["roof"],
        roof_bytes=roof_bytes,
        best_ms={name: min(values) for name, values in wall.items()},
        cpu_ms={name: statistics.median(values) for name, values in processor.items()},
        threads=faiss.omp_get_max_threads(),
        exact=is_exact(ours, queries, vectors, k),
    )


def time_in_turns(
    sides: dict[str, Callable[[], object]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return milliseconds on the clock and of all processors by side, without the first turn."""
    wall: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, side in sides.items():
            time.sleep(_PAUSE_S)
            start, busy = time.perf_counter(), time.process_time()
            side()
            if turn:
                wall[name].append((time.perf_counter() - start) * 1e3)
                processor[name].append((time.process_time() - busy) * 1e3)
    return wall, processor


def flat_index(vectors: Vectors, device: str) -> tuple[Any, str]:
    """Return FAISS's flat index of the rows, on our first GPU where it can be, and where it is."""
    import faiss

    from forensic.gallery.gpus import choose_gpus
    from forensic.gallery.listers import faiss_has_gpus

    flat: Any = faiss.IndexFlatIP(vectors.shape[1])
    where = "cpu"
    if device != "cpu" and faiss_has_gpus():
        gpu = choose_gpus(device)[0]
        where = str(gpu)
        flat = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), gpu.index or 0, flat)
    flat.add(vectors)
    return flat, where


def find_roof(engine: Engine, vectors: Vectors, device: str) -> tuple[Callable[[], object], int]:
    """Return what reads the bytes of the engine's first pass once, and how many they are."""
    import faiss

    from forensic.gallery.exact import ExactSearch
    from forensic.gallery.gpus import choose_gpus

    if isinstance(engine, ExactSearch):
        n_bytes = engine.codes.n_bytes if engine.codes else 0
        return reader(engine, faiss.omp_get_max_threads()), n_bytes
    return gpu_reader(vectors.size, choose_gpus(device))


def gpu_reader(n_numbers: int, gpus: Sequence[torch.device]) -> tuple[Callable[[], object], int]:
    """Return what reads so many float16 numbers once, divided among devices, and their bytes."""
    import torch

    share = -(-n_numbers // (4 * len(gpus)))  # four of them in each int64 that is read
    parts = [torch.zeros(share, dtype=torch.int64, device=gpu) for gpu in gpus]

    def read() -> list[float]:
        largest = [part.amax() for part in parts]  # all at work before any is waited for
        return [value.item() for value in largest]

    return read, 8 * share * len(gpus)


def reader(engine: ExactSearch, threads: int) -> Callable[[], object]:
    """Return a function that reads the bytes of the first pass once, on all cores."""
    codes = engine.codes
    parts: list[NDArray[np.int64]] = []
    for shard in range(len(codes.shards) if codes else 0):
        flat = codes.bytes_of(shard).reshape(-1) if codes else np.empty(0, dtype=np.uint8)
        parts.append(flat[: flat.size // 8 * 8].view(np.int64))
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(lambda part: part.max(initial=0), parts))


def numpy_search(queries: Vectors, vectors: Vectors, k: int) -> NDArray[np.int64]:
    """Return the `k` best rows of each query the plain way, (Q, k)."""
    products = queries @ vectors.T
    best = np.argpartition(-products, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(products, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def is_exact(engine: Engine, queries: Vectors, vectors: Vectors, k: int) -> bool:
    """Tell whether the engine's answer is that of float64 products, ties by row."""
    rows, similarities = engine.search(queries, k)
    best = np.empty((len(queries), 0), dtype=np.int64)
    best_similarity = np.empty((len(queries), 0), dtype=np.float32)
    wide = queries.astype(np.float64)
    for start in range(0, len(vectors), _CHUNK_ROWS):
        chunk = vectors[start : start + _CHUNK_ROWS].astype(np.float64)
        found = (wide @ chunk.T).astype(np.float32)
        numbers = np.broadcast_to(np.arange(start, start + len(chunk)), found.shape)
        found = np.concatenate([best_similarity, found], axis=1)
        numbers = np.concatenate([best, numbers], axis=1)
        order = np.argsort(-found, axis=1, kind="stable")[:, :k]  # numbers ascend: ties by row
        best = np.take_along_axis(numbers, order, axis=1)
        best_similarity = np.take_along_axis(found, order, axis=1)
    return np.array_equal(rows, best) and np.array_equal(similarities, best_similarity)


def _table(times: SearchTimes) -> str:
    lines = [
        f"{times.rows} x {times.dim} {times.data} rows, batch {times.batch}, top {times.k}, "
        f"{times.device}, {times.threads} threads; our result is "
        f"{'' if times.exact else 'NOT '}exact",
        f"{'':<26}{'median ms':>12}{'best ms':>12}{'CPU ms':>12}{'x ours':>9}",
    ]
    for label, name, median in (
        ("ours", "ours", times.ours_ms),
        (f"FAISS IndexFlatIP, {times.faiss_device}", "faiss_flat", times.faiss_flat_ms),
        ("NumPy", "numpy", times.numpy_ms),
        (f"reading {times.roof_bytes / 1e6:.0f} MB", "roof", times.roof_ms),
    ):
        best, ratio = times.best_ms[name], median / times.ours_ms
        lines.append(
            f"{label:<26}{median:>12.2f}{best:>12.2f}{times.cpu_ms[name]:>12.2f}{ratio:>9.2f}"
        )
    return "\n".join(lines)
