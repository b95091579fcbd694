"""What a long import takes of memory, and stand-ins for its networks that make it short.

The stand-ins decode each photo, cut its middle out and project that; everything else of an import
is the real thing: processes, batches, records, file store, index.
"""

from __future__ import annotations

import io
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from forensic.jobs.galleries.examine import Examined, load_photo

if TYPE_CHECKING:
    from forensic.cases.intake import IntakePolicy, Refusal
    from forensic.jobs.galleries.pace import Progress

_SIDE_PX = 160
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Memory:
    """Resident memory of an import: its process and those that find faces, in MiB.

    Attributes:
        start_mib: When a tenth of the photos had ended, and everything was loaded.
        middle_mib: When half of them had.
        end_mib: After the last one.
        peak_mib: The most after any batch, and after the index was published.
    """

    start_mib: float
    middle_mib: float
    end_mib: float
    peak_mib: float


class MemoryWatch:
    """Notes the memory in use after each batch of an import of `n` photos."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._samples: list[tuple[int, float]] = []

    def __call__(self, progress: Progress) -> None:
        """Take a sample; what an import's `on_progress` asks for."""
        self._samples.append((progress.done, resident_mib()))

    def memory(self) -> Memory:
        """Take a last sample, and return what was seen."""
        self._samples.append((self._n, resident_mib()))
        peak = max(mib for _, mib in self._samples)
        return Memory(self._at(0.1), self._at(0.5), self._at(1.0), peak)

    def _at(self, share: float) -> float:
        return next(mib for done, mib in self._samples if done >= share * self._n)


def resident_mib() -> float:
    """Return the resident memory of this process and of its worker processes, in MiB."""
    page = os.sysconf("SC_PAGE_SIZE")
    ids = [os.getpid(), *(p.pid for p in multiprocessing.active_children() if p.pid)]
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in ids]
    return round(sum(pages) * page / _MEBIBYTE, 1)


class StandInEmbedder:
    """Projects a face's pixels; costs next to nothing, and knows no person."""

    name = "stand-in"
    dimension = 512
    template = "facenet-160"
    weights_sha256 = "0" * 64

    def __init__(self) -> None:
        shape = (_SIDE_PX // 8) ** 2 * 3, self.dimension
        self._projection = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def embed(self, faces: Any) -> Any:
        """Return (B, 512) unit rows for (B, 160, 160, 3) uint8."""
        from forensic.embedders.embedder import unit_rows

        small = faces[:, ::8, ::8].reshape(len(faces), -1)
        return unit_rows(small.astype(np.float32) @ self._projection)


class StandInExaminer:
    """Decodes a photo and takes its middle for the face."""

    def __call__(self, files: Sequence[bytes]) -> list[Examined | Refusal]:
        """Return the middle of each photo."""
        return [self._middle(data) for data in files]

    def _middle(self, data: bytes) -> Examined:
        image, size_px = load_photo(data, at_least_px=_SIDE_PX)
        top, left = ((side - _SIDE_PX) // 2 for side in image.shape[:2])
        face = image[top : top + _SIDE_PX, left : left + _SIDE_PX].copy()
        return Examined(face, size_px, [[0.0, 0.0]] * 5, {"detector": "stand-in"})


def make_stand_in_examiner(policy: IntakePolicy) -> StandInExaminer:
    """Return an examiner that finds a face in everything."""
    del policy
    return StandInExaminer()


def draw_photos(folder: Path, n: int, *, side_px: int = 250) -> list[Path]:
    """Write `n` JPEG files of noise, no two with the same bytes, a thousand to a folder."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(16):
        coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        file = io.BytesIO()
        coarse.resize((side_px, side_px)).save(file, "JPEG")
        drawn.append(file.getvalue())
    paths = [folder / f"{number // 1000:04d}" / f"{number:07d}.jpg" for number in range(n)]
    for number, path in enumerate(paths):
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        # Decoders stop at the end of the picture; what follows makes the file one of its own.
        path.write_bytes(drawn[number % len(drawn)] + number.to_bytes(8, "big"))
    return paths
