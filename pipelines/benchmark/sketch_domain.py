"""Matching among drawings: gallery photos become pseudo-sketches, and a sketch looks for its own.

The paper ranks by the summed squared difference of pixels. Searches here rank by inner products of
unit vectors. Both agree after lifting: with r the rows of pixels, moved to -1..1 and divided by the
root of their number, so that |r| is at most 1, a photo's row becomes

    (r, |r|², sqrt(2 - |r|² - |r|⁴)) / sqrt 2

and a sketch's row (s, -1/2, 0) divided by its length. Their product is, for one sketch, a rising
function of -|s - r|².
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.embedders.embedder import Embedder, check_faces
from forensic.errors import InputError
from forensic.faces.align import align_face
from forensic.generators.registry import PHOTO_TO_SKETCH, LoadedGenerator, load_generator
from forensic.identification.inverter import MachineMadeFace, SketchInverter
from forensic.identification.probes import Probes
from forensic.images.color import rgb_to_gray
from forensic.images.frame import centre_crop
from forensic.values import RGB, Landmarks, Vectors

FCN_SKETCH = "fcn-sketch"
GRAY = "gray"
SIZE_HW = (188, 143)
"""What is compared: the paper's drawings after valid convolutions."""

GEOMETRY = "cufs-250"
PIXELS = SIZE_HW[0] * SIZE_HW[1]


class SketchDomainMatcher:
    """Turns gallery photos into drawings, and drawings into rows that compare by squared error.

    Args:
        generator: A network from photo to sketch; None takes the photo's gray levels instead, the
            paper's baseline.
        device: Where it computes.

    Raises:
        InputError: The generator does not draw, or not in the geometry of CUFS.

    Source:
        Zhang et al. 2015, section 4.2 and Table 1.
    """

    template = GEOMETRY
    dimension = PIXELS + 2

    def __init__(self, generator: LoadedGenerator | None, *, device: torch.device) -> None:
        if generator and (generator.direction, generator.geometry) != (PHOTO_TO_SKETCH, GEOMETRY):
            raise InputError(
                f"{generator.name} goes from {generator.direction} in geometry "
                f"{generator.geometry}; fcn-sketch needs {PHOTO_TO_SKETCH} in {GEOMETRY}."
            )
        self._inverter = SketchInverter(generator, device=device) if generator else None
        own = generator.name if generator else "gray levels"
        self.name = f"{own}, summed squared error among drawings"
        empty = hashlib.sha256().hexdigest()
        self.weights_sha256 = generator.weights_sha256 if generator else empty

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows of gallery photos (B, 250, 200, 3) uint8.

        Raises:
            ShapeError: The photos have another size.
            DtypeError: The photos are not uint8.
        """
        check_faces(faces, self.template)
        return lift_gallery(to_rows([self.draw(face) for face in faces]))

    def draw(self, photo: RGB) -> RGB:
        """Return the drawing of one photo in the geometry of CUFS, 188×143 or larger."""
        if self._inverter is None:
            return photo
        from forensic.faces.landmarks import ALIGNED

        return self._inverter.invert([photo], [ALIGNED["cufs"].landmarks])[0].image


class SketchDomainMethod:
    """Searches with the sketch itself among drawings made of the gallery's photos."""

    def __init__(self, matcher: SketchDomainMatcher, *, name: str = FCN_SKETCH) -> None:
        self.name = name
        self.embedder: Embedder = matcher
        self.weights_sha256 = {name: matcher.weights_sha256}

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,  # noqa: ARG002 - a sketch is compared as it is
    ) -> Probes:
        """Return the rows of sketches; no face is made.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
        """
        crops = [
            align_face(sketch, points, GEOMETRY)[0]
            for sketch, points in zip(sketches, landmarks, strict=True)
        ]
        faces: tuple[MachineMadeFace | None, ...] = (None,) * len(crops)
        return Probes(lift_probes(to_rows(crops)), faces)


def to_rows(pictures: Sequence[RGB]) -> NDArray[np.float64]:
    """Return the gray centres of pictures as (B, 26884) rows of length at most 1."""
    rows = [rgb_to_gray(centre_crop(picture, SIZE_HW)).ravel() for picture in pictures]
    flat = np.array(rows, dtype=np.float64).reshape(len(pictures), PIXELS)
    return np.asarray((flat / 127.5 - 1) / np.sqrt(PIXELS))


def lift_gallery(rows: NDArray[np.float64]) -> Vectors:
    """Return (B, D + 2) unit rows for a gallery of rows (B, D) of length at most 1."""
    square = (rows**2).sum(axis=1, keepdims=True)
    slack = np.sqrt(np.maximum(2 - square - square**2, 0))
    return np.asarray(np.hstack([rows, square, slack]) / np.sqrt(2), dtype=np.float32)


def lift_probes(rows: NDArray[np.float64]) -> Vectors:
    """Return (B, D + 2) unit rows for probes; see the module for what their products mean."""
    n = len(rows)
    lifted = np.hstack([rows, np.full((n, 1), -0.5), np.zeros((n, 1))])
    lengths = np.linalg.norm(lifted, axis=1, keepdims=True)
    return np.asarray(lifted / lengths, dtype=np.float32)


def create_sketch_domain(name: str, *, device: torch.device) -> SketchDomainMatcher:
    """Return the matcher of `fcn:NAME`, a trained generator or its file, or of `gray`.

    Raises:
        UnknownNameError: No such generator.
        WeightsError: Its weights are missing or damaged.
        InputError: It does not draw.
    """
    if name == GRAY:
        return SketchDomainMatcher(None, device=device)
    loaded = load_generator(name.removeprefix("fcn:"), device)
    return SketchDomainMatcher(loaded, device=device)


def is_sketch_domain(name: str) -> bool:
    """Answer whether an embedder's name means matching among drawings."""
    return name == GRAY or name.startswith("fcn:")
