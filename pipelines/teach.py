"""`forensic dataset teach`: write what a teacher network says of every photo of a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from forensic.errors import DataFolderError
from forensic.runtime import choose_device, provenance

if TYPE_CHECKING:
    from forensic.embedders.embedder import Embedder

BATCH = 16
"""Photos a pass; small enough for the activations to stay in a CPU's cache."""


def teach_dataset(
    folder: Path, embedder: Embedder, *, on_faces: Callable[[int], object] = int
) -> int:
    """Embed every photo of a packed data set and store the vectors beside it.

    Args:
        folder: A packed data set in the embedder's geometry.
        embedder: The teacher. For a target that does not depend on which way a face is turned,
            it should add the mirror image itself.
        on_faces: Told the number of faces done since it was last called.

    Returns:
        How many faces were embedded.

    Raises:
        DataFolderError: No finished data set, or one in another geometry.
        HashMismatch: A file was changed since it was written.
        RangeError: The teacher gave no direction for a face.
        OSError: The folder cannot be written.
    """
    from forensic.datasets.packed import PackedDataset
    from forensic.datasets.taught import save_targets

    packed = PackedDataset(folder)
    geometry = packed.manifest["geometry"]
    if geometry != embedder.template:
        raise DataFolderError(
            f"{folder} holds faces in geometry {geometry!r}, but {embedder.name} wants "
            f"{embedder.template!r}. Build one with --geometry {embedder.template}."
        )
    rows = []
    for first in range(0, len(packed.records), BATCH):
        records = packed.records[first : first + BATCH]
        rows.append(embedder.embed(packed.images(records, "photo")))
        on_faces(len(records))
    teacher = {"embedder": embedder.name, "weights_sha256": embedder.weights_sha256}
    save_targets(folder, np.concatenate(rows), {**teacher, "provenance": provenance()})
    return len(packed.records)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--embedder", "name", required=True, help="Name, model.toml or kind:path.")
@click.option("--weights", type=click.Path(path_type=Path), help="Folder of fetched weights.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=int, help="CPU threads; default: all cores.")
def teach(folder: Path, name: str, weights: Path | None, device: str, threads: int | None) -> None:
    """Store what an embedder says of every photo in FOLDER, for distillation."""
    import torch
    from rich.progress import Progress

    from forensic.embedders.registry import create_embedder

    if threads:
        torch.set_num_threads(threads)
    embedder = create_embedder(name, device=choose_device(device), weights=weights)
    with Progress() as progress:
        bar = progress.add_task("Faces", total=None)
        n = teach_dataset(folder, embedder, on_faces=lambda n: progress.advance(bar, n))
    click.echo(f"{n} vectors of {embedder.name} written to {folder}")
