"""What the processes of a Ray cluster do: a block of photos in, a block of answers out."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from forensic.cases.intake import Refusal
from forensic.errors import ForensicError, IndexMismatch, JobError
from forensic.jobs.galleries.examine import Examined, Examiner
from forensic.jobs.galleries.intake import Item, embed_items, note_examined
from forensic.values import Vectors

if TYPE_CHECKING:
    import pyarrow as pa

    from forensic.embedders.embedder import Embedder

MakeEmbedder = Callable[[], "Embedder"]

Answer = tuple[Refusal | None, Examined | None, Vectors | None]
"""Why a photo is not taken in, or the face in it and its vector."""


@dataclass(frozen=True)
class Models:
    """What a process works with, ready to be sent to it.

    Attributes:
        make_embedder: Makes the embedder; picklable.
        make_examiner: Makes the examiner; picklable.
        weights_sha256: Of the embedder that is asked for.
    """

    make_embedder: MakeEmbedder
    make_examiner: Callable[[], Examiner]
    weights_sha256: str

    def packed(self) -> bytes:
        """Return it as bytes; equal bytes share one set of models in a process."""
        return pickle.dumps(self)


def examine_and_embed(rows: pa.Table, *, models: bytes) -> pa.Table:
    """Return the answers for a batch of photos.

    No error leaves it: a batch without an answer is one whose process died.

    Args:
        rows: Columns `number` and `data`, the content of the file.
        models: `Models.packed`.

    Returns:
        Columns `number` and `answer`, for `unpack_answer`.
    """
    import pyarrow as pa

    numbers, files = rows["number"].to_pylist(), rows["data"].to_pylist()
    batch = [Item(n, "", "", data=data) for n, data in zip(numbers, files, strict=True)]
    try:
        examiner, embedder = _load(models)
        note_examined(batch, examiner(files))
        embed_items(embedder, batch)
        answers = [pickle.dumps((i.refusal, i.examined, i.vector)) for i in batch]
    except Exception as error:  # raised again where the import runs
        answers = [pickle.dumps(_sendable(error))] * len(batch)
    return pa.table({"number": rows["number"], "answer": pa.array(answers, pa.large_binary())})


def unpack_answer(packed: bytes) -> Answer:
    """Return what a process answered for one photo.

    Raises:
        ForensicError: What it raised instead, for example that it lacks the embedder's weights.
    """
    answer: Answer | ForensicError = pickle.loads(packed)  # noqa: S301 - by our own processes
    if isinstance(answer, ForensicError):
        raise answer
    return answer


def try_models(models: bytes) -> None:
    """Load the models; for where it is doubtful that a process survives that."""
    _load(models)


@lru_cache(maxsize=1)
def _load(models: bytes) -> tuple[Examiner, Embedder]:
    """Return the models, loaded once in each process, however many batches it gets.

    Raises:
        IndexMismatch: The embedder of that name has other weights here.
    """
    asked: Models = pickle.loads(models)  # noqa: S301 - by our own driver
    embedder = asked.make_embedder()
    if embedder.weights_sha256 != asked.weights_sha256:
        raise IndexMismatch(
            f"A node of the cluster has other weights for {embedder.name}: "
            f"{embedder.weights_sha256[:12]}…, the gallery's are {asked.weights_sha256[:12]}…. "
            "Install the same there."
        )
    return asked.make_examiner(), embedder


def _sendable(error: Exception) -> ForensicError:
    """Return an error that bears the way to the driver, with the place it came from as a note."""
    if not isinstance(error, ForensicError):
        told = f"A process of the Ray cluster failed: {type(error).__name__}: {error}."
        error = JobError(told, reason="worker_failed")
    error.add_note(traceback.format_exc())
    return error
