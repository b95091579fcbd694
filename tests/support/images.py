"""Synthetic faces for every test: pictures of phantoms, drawn once per session."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from forensic.images.io import write_image
from forensic.phantoms import create_person, render_photo
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks


@lru_cache(maxsize=256)
def _picture(seed: int, take: int, size_hw: tuple[int, int]) -> tuple[RGB, Landmarks]:
    photo, landmarks = render_photo(create_person(seed), 7919 * seed + take, size_hw)
    photo.flags.writeable = False
    landmarks.flags.writeable = False
    return photo, landmarks


def face_photo(seed: int, *, take: int = 0, size_hw: tuple[int, int] = (250, 200)) -> RGB:
    """Return a picture of phantom `seed`; another `take` is another picture of the same one."""
    return _picture(seed, take, size_hw)[0].copy()


def face_landmarks(seed: int, *, take: int = 0, size_hw: tuple[int, int] = (250, 200)) -> Landmarks:
    """Return the true landmarks of `face_photo` with the same arguments."""
    return _picture(seed, take, size_hw)[1].copy()


def face_sketch(seed: int, *, take: int = 0, style: str = "line") -> RGB:
    """Return a simulated sketch of `face_photo`, three channels."""
    drawn = SKETCH_STYLES[style](face_photo(seed, take=take))
    return drawn if drawn.shape[2] == 3 else drawn.repeat(3, axis=2)


def write_photos(folder: Path, seeds: range, *, take: int = 0) -> list[Path]:
    """Write one PNG per phantom, named `p0007.png` for seed 7."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"p{seed:04d}.png" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        write_image(path, face_photo(seed, take=take))
    return paths


def write_pairs(folder: Path, seeds: range, *, style: str = "line") -> tuple[Path, Path]:
    """Write `photos/` and `sketches/` whose stems match; sketches show another take."""
    photos, sketches = folder / "photos", folder / "sketches"
    sketches.mkdir(parents=True, exist_ok=True)
    for seed, path in zip(seeds, write_photos(photos, seeds), strict=True):
        write_image(sketches / path.name, face_sketch(seed, take=1, style=style))
    return photos, sketches
