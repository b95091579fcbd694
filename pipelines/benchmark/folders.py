"""Which sketch belongs to which photo, and which other photos fill the gallery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from forensic.errors import DataFolderError, LandmarksError
from forensic.faces.landmarks import load_landmarks_by_file
from forensic.files import sha256_of_file
from forensic.images.io import list_images
from forensic.values import Landmarks

SHOWN = 5  # how many names of a long list an error quotes
PREFIXES = {
    "sketch": "",
    "photo": "photos/",
    "non-mated": "non-mated/",
    "calibration-photo": "calibration/photos/",
    "calibration-sketch": "calibration/sketches/",
}
"""What stands before an image's name in a file of landmarks, by role."""


@dataclass(frozen=True)
class ImageFile:
    """One image of the benchmark.

    Attributes:
        path: Where it lies; never written into a report.
        name: Path inside its folder, with forward slashes: what reports call it.
        sha256: Hash of its content.
        is_drawing: Somebody drew it, so that it is mended as `forensic identify` does before
            anything looks at it. Photos, and whatever an operator makes of them, never are.
    """

    path: Path
    name: str
    sha256: str
    is_drawing: bool = False

    @property
    def id(self) -> str:
        """The name without suffix: what a probe is called."""
        return self.name.rpartition(".")[0]

    @property
    def stem(self) -> str:
        """The last part of `id`: who is shown, as far as names tell."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True)
class Pair:
    """One probe: a sketch, and the photo of the same person.

    Attributes:
        probe_id: Path of the sketch inside its folder without suffix; unique.
        sketch: The probe.
        photo: Its mate in the gallery.
        person: Who is shown, where one person may have several probes; else empty.
    """

    probe_id: str
    sketch: ImageFile
    photo: ImageFile
    person: str = ""


@dataclass(frozen=True)
class PairsData:
    """The images of a benchmark.

    Attributes:
        pairs: Sketches and their mates, sorted by probe.
        distractors: Photos of other people.
        duplicates: Names of distractors left out.
        nonmated: Sketches of people who are not in the gallery.
        calibration: Sketches and photos of people used for nothing but calibration.
        given: Landmarks by role and by name of the image, from the user.
    """

    pairs: list[Pair]
    distractors: list[ImageFile] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    nonmated: list[ImageFile] = field(default_factory=list)
    calibration: list[Pair] = field(default_factory=list)
    given: Mapping[str, Mapping[str, Landmarks]] = field(default_factory=dict)

    def roles(self) -> dict[str, list[ImageFile]]:
        """Return all images by what they are for, as failures name it; no role is empty.

        `distractor` is always there, even when there is none.
        """
        extra = {
            "non-mated": self.nonmated,
            "calibration-sketch": [pair.sketch for pair in self.calibration],
            "calibration-photo": [pair.photo for pair in self.calibration],
        }
        return {
            "sketch": [pair.sketch for pair in self.pairs],
            "photo": [pair.photo for pair in self.pairs],
            "distractor": self.distractors,
        } | {role: images for role, images in extra.items() if images}


def read_data(
    photos: Path,
    sketches: Path,
    *,
    distractors: Sequence[Path] = (),
    landmarks: Path | None = None,
    nonmated: Path | None = None,
    calibration: tuple[Path, Path] | None = None,
    are_drawings: bool = True,
) -> PairsData:
    """Find out who belongs to whom, and read the landmarks that the user gives.

    Args:
        photos: Folder of mates.
        sketches: Folder of probes.
        distractors: Folders of other people's photos.
        landmarks: JSON file; a key is the name of a sketch, or of another image after its
            role's prefix in `PREFIXES`.
        nonmated: Folder of sketches of people who are not in the gallery.
        calibration: Folders of photos and of sketches of yet other people.
        are_drawings: The sketches are drawings; False for photos in their place.

    Raises:
        DataFolderError: A folder cannot be used, or names do not match.
        LandmarksError: The file cannot be used, or names an image that is not there.
    """
    pairs = pair_folders(photos, sketches, are_drawings=are_drawings)
    others, duplicates = list_distractors(distractors, pairs)
    drawn = partial(image_file, is_drawing=are_drawings)
    data = PairsData(
        pairs=pairs,
        distractors=others,
        duplicates=duplicates,
        nonmated=[drawn(path, nonmated) for path in list_images(nonmated)] if nonmated else [],
        calibration=pair_folders(*calibration, are_drawings=are_drawings) if calibration else [],
    )
    return replace(data, given=_given_landmarks(data, landmarks)) if landmarks else data


def pair_folders(photos: Path, sketches: Path, *, are_drawings: bool = True) -> list[Pair]:
    """Match the files of two folders and their sub-folders by name, whatever their suffix.

    Two files belong together when their paths without suffix are equal; a file left over is
    matched by its bare stem where that is unique among those left over on both sides.

    Args:
        photos: Folder of photos.
        sketches: Folder of their partners.
        are_drawings: The partners are drawings, see `ImageFile`.

    Returns:
        Pairs sorted by probe.

    Raises:
        DataFolderError: A folder is missing, empty or unreadable, a name is ambiguous, or a
            file has no partner.
    """
    sides = {"photos": _by_key(photos), "sketches": _by_key(sketches)}
    pictures, drawings = sides["photos"], sides["sketches"]
    matched = {key: (drawings[key], pictures[key]) for key in drawings if key in pictures}
    left_drawings = _by_stem(drawings.keys() - matched.keys(), sketches)
    left_pictures = _by_stem(pictures.keys() - matched.keys(), photos)
    _refuse_unmatched(left_drawings, left_pictures, sketches, photos)
    for stem, key in left_drawings.items():
        matched[key] = (drawings[key], pictures[left_pictures[stem]])
    drawn = partial(image_file, is_drawing=are_drawings)
    return [
        Pair(key, drawn(sketch, sketches), image_file(photo, photos))
        for key, (sketch, photo) in sorted(matched.items())
    ]


def list_distractors(
    folders: Sequence[Path], pairs: Sequence[Pair]
) -> tuple[list[ImageFile], list[str]]:
    """Return the photos of other people, and the names of those left out as duplicates.

    A file whose content equals a mate's photo, or an earlier distractor, is left out: it would
    be a second copy of the right answer, counted as a wrong one.

    Raises:
        DataFolderError: A folder is missing, empty or unreadable.
    """
    seen = {pair.photo.sha256 for pair in pairs}
    kept: list[ImageFile] = []
    duplicates: list[str] = []
    for position, folder in enumerate(folders, start=1):
        for path in list_images(folder):
            image = image_file(path, folder, prefix=f"{position}:{folder.name}/")
            if image.sha256 in seen:
                duplicates.append(image.name)
            else:
                seen.add(image.sha256)
                kept.append(image)
    return kept, duplicates


def quote(names: Iterable[str]) -> str:
    """Return the first few of many names, sorted, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + more


def _by_key(folder: Path) -> dict[str, Path]:
    """Return the images of a folder by their inner path without suffix."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in list_images(folder):
        found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    double = [key for key, paths in found.items() if len(paths) > 1]
    if double:
        raise DataFolderError(
            f"{folder} holds {len(double)} names more than once with different suffixes: "
            f"{quote(double)}. Keep one file of each."
        )
    return {key: paths[0] for key, paths in found.items()}


def _by_stem(keys: Iterable[str], folder: Path) -> dict[str, str]:
    """Return keys by their last part.

    Raises:
        DataFolderError: Two keys share it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[key.rpartition("/")[2]].append(key)
    double = {stem: group for stem, group in found.items() if len(group) > 1}
    if double:
        examples = (" = ".join(sorted(group)) for group in double.values())
        raise DataFolderError(
            f"{folder} holds {len(double)} stems in several sub-folders, so that partners are "
            f"ambiguous: {quote(examples)}. Give both folders the same sub-folders."
        )
    return {stem: group[0] for stem, group in found.items()}


def _refuse_unmatched(
    drawings: dict[str, str], pictures: dict[str, str], sketches: Path, photos: Path
) -> None:
    lonely = [
        f"{len(keys)} in {folder} without a partner: {quote(keys)}"
        for keys, folder in (
            ([key for stem, key in drawings.items() if stem not in pictures], sketches),
            ([key for stem, key in pictures.items() if stem not in drawings], photos),
        )
        if keys
    ]
    if lonely:
        raise DataFolderError(
            f"Sketches and photos do not match by name: {'; '.join(lonely)}. Each sketch needs a "
            "photo of the same stem; photos without a sketch belong in a --distractors folder."
        )


def image_file(
    path: Path, folder: Path, *, prefix: str = "", is_drawing: bool = False
) -> ImageFile:
    """Return a file by its path inside a folder, with the hash of its content.

    Raises:
        DataFolderError: The file cannot be read.
    """
    try:
        digest = sha256_of_file(path)
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from error
    return ImageFile(path, prefix + path.relative_to(folder).as_posix(), digest, is_drawing)


def _given_landmarks(data: PairsData, path: Path) -> dict[str, dict[str, Landmarks]]:
    places = {
        prefix + image.name: (role, image.name)
        for role, images in data.roles().items()
        if (prefix := PREFIXES.get(role)) is not None
        for image in images
    } | {pair.probe_id: ("sketch", pair.sketch.name) for pair in data.pairs}
    given: dict[str, dict[str, Landmarks]] = {role: {} for role in PREFIXES}
    unknown = []
    for key, points in load_landmarks_by_file(path).items():
        if key in places:
            role, name = places[key]
            given[role][name] = points
        else:
            unknown.append(key)
    if unknown:
        raise LandmarksError(
            f"{path} names {len(unknown)} images that are not there: {quote(unknown)}. A key is "
            "the path of a sketch inside --sketches, or photos/ and the path of a photo."
        )
    return given
