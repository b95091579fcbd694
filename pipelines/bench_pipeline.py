"""`forensic bench pipeline`: faces enrolled per second, beside a plain facenet-pytorch loop.

Both sides decode the same files and use the same networks: MTCNN's and an InceptionResnetV1 with
the same weights. The plain side is the loop of facenet-pytorch's own examples, one image at a
time; ours is the path by which galleries are built.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import click

from forensic.errors import MissingWeights

WARM_UP = 8
"""Images that each side sees before its first timed pass."""


@dataclass(frozen=True)
class Side:
    """What one side achieved.

    Attributes:
        name: `ours` or `plain`.
        images_per_s: Median over the repeats; higher is better.
        iqr_images_per_s: First and third quartile over the repeats.
        faces: Images in which it found and embedded a face.
    """

    name: str
    images_per_s: float
    iqr_images_per_s: tuple[float, float]
    faces: int


@dataclass(frozen=True)
class Comparison:
    """Both sides, and under which conditions they were measured."""

    ours: Side
    plain: Side
    ratio: float
    images: int
    repeats: int
    weights: str
    threads: int
    device: str


@click.command()
@click.option(
    "--photos", type=click.Path(path_type=Path), required=True, help="Folder of photos of faces."
)
@click.option(
    "--n", "n_images", type=click.IntRange(1), default=200, show_default=True, help="Photos to use."
)
@click.option(
    "--repeats", type=click.IntRange(2), default=5, show_default=True, help="Timed passes per side."
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_pipeline(photos: Path, n_images: int, repeats: int, device: str, as_json: bool) -> None:
    """Measure decoding, detection, alignment and embedding of PHOTOS, in images per second."""
    from forensic.images.io import list_images
    from forensic.runtime import choose_device, provenance

    paths = list(islice(list_images(photos), n_images))
    result = compare(paths, repeats=repeats, device=str(choose_device(device)))
    if as_json:
        click.echo(json.dumps({**asdict(result), "provenance": provenance()}, indent=2))
        return
    for side in (result.ours, result.plain):
        low, high = side.iqr_images_per_s
        click.echo(
            f"{side.name:6}{side.images_per_s:8.1f} images/s  (quartiles {low:.1f} to {high:.1f}), "
            f"{side.faces} of {result.images} faces"
        )
    click.echo(
        f"ratio {result.ratio:.2f}; {result.repeats} repeats, {result.threads} threads, "
        f"{result.device}; {result.weights}"
    )


def compare(paths: Sequence[Path], *, repeats: int, device: str) -> Comparison:
    """Return the speed of both sides on the same files, passes taken in turn.

    Args:
        paths: Photos.
        repeats: Timed passes of each side, at least 2.
        device: Where the networks compute.

    Raises:
        InputError: A photo cannot be used by the plain side.
    """
    import torch

    with tempfile.TemporaryDirectory() as folder:
        weights, about = weights_file(Path(folder))
        sides = {"ours": _ours(weights, device), "plain": plain_loop(weights, device)}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        faces: dict[str, int] = {}
        for run in sides.values():
            run(paths[:WARM_UP])
        for _ in range(repeats):
            for name, run in sides.items():
                started = time.perf_counter()
                faces[name] = run(paths)
                seconds[name].append(time.perf_counter() - started)
    ours, plain = (_side(n, seconds[n], len(paths), faces[n]) for n in ("ours", "plain"))
    return Comparison(
        ours=ours,
        plain=plain,
        ratio=ours.images_per_s / plain.images_per_s,
        images=len(paths),
        repeats=repeats,
        weights=about,
        threads=torch.get_num_threads(),
        device=device,
    )


def _side(name: str, seconds: Sequence[float], n_images: int, faces: int) -> Side:
    rates = [n_images / s for s in seconds]
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive")
    return Side(name, middle, (low, high), faces)


def _ours(weights: Path, device: str) -> Callable[[Sequence[Path]], int]:
    """Return a function that enrols photos as galleries are built and counts the faces."""
    import torch

    from forensic.embedders.facenet import FaceNetEmbedder
    from forensic.faces.detect import FaceDetector
    from forensic.identification.enrol import FaceEnroller, Photo

    enroller = FaceEnroller(
        embedder=FaceNetEmbedder(weights_path=weights, device=torch.device(device)),
        detector=FaceDetector(device),
        allow_many=True,
    )
    return lambda paths: len(enroller.enrol(Photo(p, str(p), str(p)) for p in paths).photos)


def plain_loop(weights: Path, device: str) -> Callable[[Sequence[Path]], int]:
    """Return the loop of facenet-pytorch's examples: one image at a time, its own settings."""
    import torch
    from facenet_pytorch import MTCNN, InceptionResnetV1
    from PIL import Image

    from forensic.embedders.facenet import load_facenet_state

    finder = MTCNN(device=device)
    network = InceptionResnetV1(pretrained=None)
    load_facenet_state(network, weights)
    network.eval().to(device)

    def run(paths: Sequence[Path]) -> int:
        faces = 0
        with torch.no_grad():
            for path in paths:
                with Image.open(path) as picture:
                    face = finder(picture.convert("RGB"))
                if face is not None:
                    network(face[None].to(device)).cpu()
                    faces += 1
        return faces

    return run


def weights_file(folder: Path) -> tuple[Path, str]:
    """Return weights for both sides: the released ones if present, else random ones."""
    import torch
    from facenet_pytorch import InceptionResnetV1

    from forensic.weights.store import choose_weights_folder, find_weights

    try:
        path = find_weights("facenet-vggface2", folder=choose_weights_folder(os.environ))
    except MissingWeights:
        path = folder / "random.pt"
        torch.manual_seed(0)
        torch.save(InceptionResnetV1(pretrained=None).state_dict(), path)
        return path, "random InceptionResnetV1 weights on both sides (same cost as trained ones)"
    return path, "facenet-vggface2 weights on both sides"
