"""From the bytes of photos to vectors: examined in processes, embedded in batches here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from db.queries.photos import AddedPhoto
from forensic.cases.intake import IntakePolicy, Refusal
from forensic.errors import RangeError
from forensic.jobs.galleries.examine import Examined, Examiner, create_face_examiner
from forensic.jobs.galleries.workers import ExaminerPool
from forensic.values import Vectors

if TYPE_CHECKING:
    from forensic.embedders.embedder import Embedder

T = TypeVar("T")
S = TypeVar("S")

MakeExaminer = Callable[[IntakePolicy], Examiner]


@dataclass
class Item:
    """One file on its way through an import; each step fills in what it finds.

    Attributes:
        item_id: Number of the job's item.
        name: Where the source has it.
        subject: The operator's identifier of the person.
        metadata: Sex, birth year and attributes as given.
        data: The file's content.
        sha256: Of the content.
        known: What the gallery says of the file before any work is done.
        refusal: Why it is not taken in.
        examined: The face in it.
        vector: (D,) float32 of unit length.
    """

    item_id: int
    name: str
    subject: str
    metadata: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""
    sha256: str | None = None
    known: AddedPhoto | None = None
    refusal: Refusal | None = None
    examined: Examined | None = None
    vector: Vectors | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it still has to be worked on."""
        return self.refusal is None and self.known is None


class Intake(Protocol):
    """A way to turn files into vectors of one embedder.

    Attributes:
        embedder_name: Which embedder.
        weights_sha256: Of its weights.
        dimension: Length of a vector.
        embedding_s: Seconds spent embedding so far, where that is known.
    """

    embedder_name: str
    weights_sha256: str
    dimension: int
    embedding_s: float

    def run(self, policy: IntakePolicy, batches: Iterable[list[Item]]) -> Iterator[list[Item]]:
        """Yield each batch, in order, with a vector or a refusal for every fresh item."""


class LocalIntake:
    """Examines in processes of this machine, and embeds in this process meanwhile.

    Args:
        embedder: Gives the vectors.
        make_examiner: Makes an examiner for a policy; picklable where there are processes.
        processes: How many examine; 0 for a thread of this process.
        modules: What an examiner needs and takes long to load, see `ExaminerPool`.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        make_examiner: MakeExaminer,
        processes: int = 1,
        modules: Sequence[str] = (),
    ) -> None:
        self.embedder_name, self.weights_sha256 = embedder.name, embedder.weights_sha256
        self.dimension = embedder.dimension
        self.embedding_s = 0.0
        self._embedder, self._make, self._processes = embedder, make_examiner, processes
        self._modules = modules

    @classmethod
    def of_device(cls, embedder: Embedder, *, device: str, processes: int) -> LocalIntake:
        """Return an intake whose processes find faces on `device`."""
        make = partial(create_face_examiner, template=embedder.template, device=device)
        modules = ["forensic.faces.search"]
        return cls(embedder, make_examiner=make, processes=processes, modules=modules)

    def run(self, policy: IntakePolicy, batches: Iterable[list[Item]]) -> Iterator[list[Item]]:
        """Yield each batch, in order; as many as there are processes, and one, are ahead."""
        pool = ExaminerPool(
            partial(self._make, policy), processes=self._processes, modules=self._modules
        )
        try:
            begun = (
                (batch, pool.submit([item.data for item in batch if item.is_fresh]))
                for batch in batches
            )
            for batch, task in ahead(begun, self._processes + 1):
                note_examined(batch, pool.result(task))
                started = time.perf_counter()
                embed_items(self._embedder, batch)
                self.embedding_s += time.perf_counter() - started
                yield batch
        finally:
            pool.close()


def share_cores(cores: int) -> tuple[int, int]:
    """Return how many processes should find faces, and how many threads embed, on a machine.

    A third of the cores embed: finding the face of a small photo takes about as long as FaceNet
    does, larger photos and smaller embedders shift the work to finding. One process more than the
    cores that are left keeps each core busy while another process waits for its next batch.

    Example:
        >>> [share_cores(cores) for cores in (1, 2, 16)]
        [(1, 1), (2, 1), (12, 5)]
    """
    threads = max(1, round(cores / 3))
    return cores - threads + 1, threads


def ahead(begun: Iterable[T], n: int) -> Iterator[T]:
    """Yield what an iterable gives, in order, having asked it for `n` more beforehand."""
    waiting: deque[T] = deque()
    for one in begun:
        waiting.append(one)
        if len(waiting) > n:
            yield waiting.popleft()
    yield from waiting


def note_examined(batch: Sequence[Item], answers: Sequence[Examined | Refusal]) -> None:
    """Write answers beside the fresh items that they belong to."""
    for item, answer in zip([i for i in batch if i.is_fresh], answers, strict=True):
        if isinstance(answer, Refusal):
            item.refusal = answer
        else:
            item.examined = answer


def embed_items(embedder: Embedder, batch: Sequence[Item]) -> None:
    """Give every examined item its vector; one that has none is refused, and only that one."""
    items = [item for item in batch if item.examined is not None]
    for item, vector in zip(items, embed_each(embedder, _faces(items)), strict=True):
        if isinstance(vector, Refusal):
            item.refusal = vector
        else:
            item.vector = vector


def embed_each(embedder: Embedder, faces: Sequence[Any]) -> list[Vectors | Refusal]:
    """Return the vector of each face, or why it has none."""
    if not faces:
        return []
    try:
        return list(embedder.embed(np.stack(faces)))
    except RangeError:
        if len(faces) == 1:
            return [Refusal("no_face", "The embedder sees no direction in the face.")]
        return [answer for face in faces for answer in embed_each(embedder, [face])]


def _faces(items: Sequence[Item]) -> list[Any]:
    return [item.examined.face for item in items if item.examined is not None]
