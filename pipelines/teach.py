"""`forensic dataset teach`: write what a teacher network says of every photo of a data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from forensic.errors import DataFolderError
from forensic.runtime import choose_device, provenance
from forensic.values import Vectors
from forensic.weights.store import choose_weights_folder

if TYPE_CHECKING:
    from forensic.datasets.packed import Record
    from forensic.embedders.embedder import Embedder

SAME_PERSON = 0.5
"""Cosine of two photos above which they may show one person."""

BATCH = 16
"""Photos a pass; small enough for the activations to stay in a CPU's cache."""


def teach_dataset(
    folder: Path, embedder: Embedder, *, on_faces: Callable[[int], object] = int
) -> list[tuple[str, str]]:
    """Embed every photo of a packed data set and store the vectors beside it.

    Args:
        folder: A packed data set in the embedder's geometry.
        embedder: The teacher. For a target that does not depend on which way a face is turned,
            it should add the mirror image itself.
        on_faces: Told the number of faces done since it was last called.

    Returns:
        Held-out photos that look like a training photo, see `find_lookalikes`.

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
    vectors = np.concatenate(rows)
    teacher = {"embedder": embedder.name, "weights_sha256": embedder.weights_sha256}
    save_targets(folder, vectors, {**teacher, "provenance": provenance()})
    return find_lookalikes(packed.records, vectors)


def find_lookalikes(records: Sequence[Record], vectors: Vectors) -> list[tuple[str, str]]:
    """Return held-out photos that may show a person of the training split under another name.

    A set that names photos and not people splits one person over both sides, and figures on its
    held-out part then say nothing about new people.

    Args:
        records: Faces of a data set.
        vectors: (N, D) unit rows, one for each record.

    Returns:
        Keys of the held-out photo and of the most similar training photo, for each held-out
        photo with a cosine above `SAME_PERSON` to one of the training split.
    """
    held_out = [i for i, record in enumerate(records) if record.split != "train"]
    training = [i for i, record in enumerate(records) if record.split == "train"]
    if not held_out or not training:
        return []
    cosines = vectors[held_out] @ vectors[training].T
    return [
        (records[i].key, records[training[int(row.argmax())]].key)
        for i, row in zip(held_out, cosines, strict=True)
        if row.max() > SAME_PERSON
    ]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--embedder", "name", required=True, help="Name, model.toml or kind:path.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Folder of fetched weights.  [default: that of `forensic weights`]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=int, help="CPU threads; default: all cores.")
def teach(folder: Path, name: str, weights: Path | None, device: str, threads: int | None) -> None:
    """Store what an embedder says of every photo in FOLDER, for distillation."""
    import torch
    from rich.progress import Progress

    from forensic.embedders.registry import create_embedder

    if threads:
        torch.set_num_threads(threads)
    fetched = weights or choose_weights_folder(os.environ)
    embedder = create_embedder(name, device=choose_device(device), weights=fetched)
    with Progress() as progress:
        bar = progress.add_task("Faces", total=None)
        doubtful = teach_dataset(folder, embedder, on_faces=lambda n: progress.advance(bar, n))
    click.echo(f"Vectors of {embedder.name} written to {folder}")
    if doubtful:
        examples = "; ".join(f"{held} like {seen}" for held, seen in doubtful[:3])
        click.echo(
            f"{len(doubtful)} held-out photos may show a person of the training split under "
            f"another name: {examples}. Figures on them are not figures on new people."
        )
