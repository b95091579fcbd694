"""`forensic dataset contours`: draw the contours of every face of a data set, once."""

from __future__ import annotations

from pathlib import Path

import click

from forensic.runtime import choose_device


def draw_contours(folder: Path, detector: str, *, device: str = "cpu") -> tuple[int, str]:
    """Draw and store the contours of a packed data set; return how many, and by what.

    Args:
        folder: A packed data set.
        detector: `gradient`, or a file of HED or PiDiNet.
        device: Where the detector computes.

    Raises:
        DataFolderError: Not a finished data set.
        HashMismatch: A file was changed since it was written.
        MissingWeights: The detector's file is not there.
        WeightsError: It is neither HED nor PiDiNet.
        DeviceError: The device is not there.
        OSError: The folder cannot be written.
    """
    from forensic.backbones.contours import OPERATOR, detect_contours, load_contours
    from forensic.datasets.calibration import save_contours
    from forensic.datasets.packed import PackedDataset
    from forensic.files import sha256_of_file

    network = load_contours(detector)
    packed = PackedDataset(folder)
    photos = packed.images(packed.records, "photo")
    contours = detect_contours(photos, network, device=choose_device(device))
    digest = "" if detector == OPERATOR else sha256_of_file(Path(detector))
    save_contours(folder, contours, detector=network.name, weights_sha256=digest)
    return len(contours), network.name


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--detector",
    required=True,
    help="File of HED or PiDiNet weights, or `gradient` for an operator without any.",
)
@click.option("--device", default="auto", show_default=True)
def contours(folders: tuple[Path, ...], detector: str, device: str) -> None:
    """Draw the contours of every photo of packed data sets, for the training of Cali-Sketch."""
    for folder in folders:
        count, name = draw_contours(folder, detector, device=device)
        click.echo(f"{folder}: {count} faces, contours by {name}")
