"""`forensic benchmark verify`: the ten-fold pairs protocol of LFW, view 2."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.cli.progress import show_progress
from forensic.embedders.embedder import Embedder
from forensic.errors import DataFolderError, NoFaceError
from forensic.files import sha256_of_bytes, sha256_of_file, write_json
from forensic.images.io import SUFFIXES
from forensic.reports.tables import interval, percent
from forensic.runtime import provenance
from forensic.stats.binomial import clopper_pearson
from forensic.stats.verification import acceptance_at, fold_accuracy
from forensic.weights.store import choose_weights_folder
from pipelines.benchmark.cache import Cache, default_cache_folder
from pipelines.benchmark.embedding import Embedded, embed_located
from pipelines.benchmark.enrolment import GALLERY, gallery_way
from pipelines.benchmark.experiment import embedder_record
from pipelines.benchmark.folders import ImageFile, quote
from pipelines.benchmark.locating import locate_faces
from pipelines.benchmark.output import REPORT, whole_folder
from pipelines.benchmark.stored import look_up
from pipelines.benchmark.system import System, create_system

FALSE_RATES = (0.1, 0.01, 0.001)


@dataclass(frozen=True)
class LabelledPairs:
    """The pairs of a protocol.

    Attributes:
        first: Name of the first image of each pair, e.g. `Ann_Lee/Ann_Lee_0001`.
        second: Name of the second image.
        is_same: (n,) whether both show one person.
        folds: (n,) fold of each pair, from 0.
    """

    first: list[str]
    second: list[str]
    is_same: NDArray[np.bool_]
    folds: NDArray[np.intp]


def read_pairs(path: Path) -> LabelledPairs:
    """Read LFW's `pairs.txt`: a line `folds pairs`, then each fold's matched and mismatched.

    Raises:
        DataFolderError: The file cannot be read or is not in that form; the message names the
            line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}.") from error
    head = lines[0].split() if lines else []
    if len(head) != 2 or not all(word.isdigit() for word in head):
        raise DataFolderError(
            f"{path}, line 1: expected the numbers of folds and of pairs, as in LFW's pairs.txt. "
            "Lists of the development view have no folds and cannot be used here."
        )
    n_folds, n_pairs = map(int, head)
    if len(lines) < 1 + 2 * n_folds * n_pairs:
        raise DataFolderError(f"{path} ends after {len(lines)} lines; it is not complete.")
    first, second = [], []
    for number, line in enumerate(lines[1 : 1 + 2 * n_folds * n_pairs], start=2):
        one, other = _pair_of(line.split("\t"), f"{path}, line {number}")
        first.append(one)
        second.append(other)
    blocks = np.arange(len(first)) // n_pairs
    return LabelledPairs(first, second, is_same=blocks % 2 == 0, folds=blocks // 2)


def find_images(folder: Path, names: set[str]) -> dict[str, ImageFile]:
    """Return the files of named images, whatever their suffix.

    Raises:
        DataFolderError: The folder or some of the images are missing.
    """
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder. Check the path.")
    found = {}
    for name in sorted(names):
        paths = [path for s in SUFFIXES if (path := folder / f"{name}{s}").is_file()]
        if paths:
            found[name] = ImageFile(paths[0], name, sha256_of_file(paths[0]))
    missing = names - found.keys()
    if missing:
        raise DataFolderError(
            f"{folder} lacks {len(missing)} of {len(names)} images of the list: {quote(missing)}. "
            "It must hold one folder for each person, as LFW does."
        )
    return found


@dataclass(frozen=True)
class Faces:
    """The images of a list as vectors.

    Attributes:
        names: Of the images.
        embedded: One row per image.
        failures: Why an image has no vector, by name.
        origin: What the report says of where the vectors come from.
    """

    names: list[str]
    embedded: Embedded
    failures: dict[str, str]
    origin: dict[str, str]


def embed_images(images: Mapping[str, ImageFile], system: System, *, cache_folder: Path) -> Faces:
    """Return the vectors of image files.

    Raises:
        NoFaceError: No image can be used.
        DataFolderError: The cache cannot be used.
    """
    names = list(images)
    with Cache(cache_folder) as cache:
        with show_progress("Finding faces", len(names)) as tell:
            located = locate_faces(
                [images[name] for name in names],
                finder=system.photo_finder,
                cache=cache,
                given={},
                on_done=tell,
            )
        if not any(item.found for item in located):
            raise NoFaceError(f"None of {len(names)} images can be used: {located[0].reason}")
        with show_progress("Embedding", len(names)) as tell:
            embedded = embed_located(
                located,
                [gallery_way(system)],
                dimension=system.embedder.dimension,
                cache=cache,
                on_done=tell,
            )[GALLERY]
    failures = {item.image.name: item.reason or "" for item in located if not item.found}
    contents = sorted(image.sha256 for image in images.values())
    origin = {"photos_sha256": sha256_of_bytes("\n".join(contents).encode())}
    return Faces(names, embedded, failures, origin)


def stored_images(folder: Path, names: set[str], embedder: Embedder) -> Faces:
    """Return the vectors of images from a stored index; it must have been made by the embedder.

    Raises:
        DataFolderError: There is no index, or it holds none of the images.
        CorruptIndex: It is damaged.
        IndexMismatch: Another embedder made it.
    """
    listed = sorted(names)
    embedded, sha256 = look_up(folder, embedder, listed)
    missing = [name for name, is_in in zip(listed, embedded.enrolled, strict=True) if not is_in]
    reasons = dict.fromkeys(missing, "It is not in the index.")
    return Faces(listed, embedded, reasons, {"stored_index_sha256": sha256})


def verify_pairs(pairs: LabelledPairs, faces: Faces, embedder: Embedder) -> dict[str, Any]:
    """Compare the two faces of each pair, and return the figures."""
    row_of = {name: row for row, name in enumerate(faces.names)}
    rows = [np.array([row_of[name] for name in side]) for side in (pairs.first, pairs.second)]
    one, other = (faces.embedded.vectors[side].astype(np.float64) for side in rows)
    similarities = (one * other).sum(axis=1)
    enrolled = faces.embedded.enrolled
    similarities[~(enrolled[rows[0]] & enrolled[rows[1]])] = np.nan
    result = fold_accuracy(similarities, pairs.is_same, pairs.folds)
    return {
        "benchmark": "verify",
        "format": 1,
        "pairs": result.pairs,
        "images": len(faces.names),
        "embedder": embedder_record(embedder).model_dump(),
        "accuracy": {
            "mean": result.mean,
            "sd_over_folds": result.standard_deviation,
            "correct": result.correct,
            "ci95": clopper_pearson(result.correct, result.pairs),
            "by_fold": result.accuracies.tolist(),
            "thresholds": result.thresholds.tolist(),
        },
        "acceptance_at_false_rate": {
            str(rate): acceptance_at(similarities, pairs.is_same, rate) for rate in FALSE_RATES
        },
        "pairs_not_compared": int(np.isnan(similarities).sum()),
        "failures": [{"name": name, "reason": why} for name, why in faces.failures.items()],
    }


def benchmark_verify(
    lfw: Path,
    pairs_file: Path | None,
    *,
    embedder: str,
    device: str,
    gallery_index: Path | None = None,
    out: Path,
    cache: Path | None,
    environment: Mapping[str, str],
) -> str:
    """Run the protocol, write `report.json`, and return what to tell the user.

    Raises:
        ForensicError: Anything that the user can mend; nothing is left in `out` then.
    """
    started = time.time()
    with whole_folder(out) as unfinished:
        listed = pairs_file or lfw / "pairs.txt"
        pairs = read_pairs(listed)
        names = {*pairs.first, *pairs.second}
        images = {} if gallery_index else find_images(lfw, names)
        system = create_system(
            embedder=embedder,
            methods=(),
            device=device,
            weights=choose_weights_folder(environment),
            allow_many=True,
        )
        faces = (
            stored_images(gallery_index, names, system.embedder)
            if gallery_index
            else embed_images(
                images, system, cache_folder=cache or default_cache_folder(environment)
            )
        )
        report = verify_pairs(pairs, faces, system.embedder)
        command = ["forensic", "benchmark", "verify", "--lfw", str(lfw), "--pairs", str(listed)]
        command += ["--gallery-index", str(gallery_index)] if gallery_index else []
        report["provenance"] = {
            **provenance([*command, "--embedder", embedder, "--device", device]),
            "device": system.device,
            "pairs_sha256": sha256_of_file(listed),
            **faces.origin,
            "times": {
                "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
                "seconds": round(time.time() - started, 1),
            },
        }
        write_json(unfinished / REPORT, report)
    return f"{_summary(report)}\n{out / REPORT}"


def _summary(report: Mapping[str, Any]) -> str:
    accuracy = report["accuracy"]
    return (
        f"{report['pairs']} pairs, embedder {report['embedder']['name']}: accuracy "
        f"{percent(accuracy['mean'])} ± {100 * accuracy['sd_over_folds']:.2f} (SD over folds), "
        f"95 % interval {interval(accuracy['ci95'])}; accepted at 0.1 % false acceptances: "
        f"{percent(report['acceptance_at_false_rate']['0.001'])}; "
        f"{report['pairs_not_compared']} pairs without a face, counted as wrong."
    )


def _pair_of(words: list[str], where: str) -> tuple[str, str]:
    """Return the two image names of a line: person and two numbers, or two of person, number."""
    try:
        if len(words) == 3:
            return _name(words[0], words[1]), _name(words[0], words[2])
        if len(words) == 4:
            return _name(words[0], words[1]), _name(words[2], words[3])
    except ValueError:
        pass
    raise DataFolderError(f"{where}: expected a matched or mismatched pair, found {words!r}.")


def _name(person: str, number: str) -> str:
    if "/" in person or person in ("", ".", ".."):
        raise ValueError(person)
    return f"{person}/{person}_{int(number):04d}"
