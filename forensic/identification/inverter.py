"""From a sketch to a machine-made face, or from a photo to a machine-made drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.faces.align import align_face
from forensic.files import sha256_of_bytes
from forensic.generators.registry import SKETCH_TO_PHOTO, LoadedGenerator
from forensic.images.color import gray_to_rgb
from forensic.images.io import write_image
from forensic.images.label import label_machine_made
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks

CROP = "csi-96"
"""The geometry in which the generators of CSI work."""

BATCH_SIZE = 16


@dataclass(frozen=True)
class MachineMadeFace:
    """A face synthesised from a sketch. It shows no one.

    Attributes:
        image: (H, W, 3) uint8 in the generator's own resolution, without a label in its pixels:
            for embedding, not for showing.
        landmarks: Where the sketch's five landmarks lie in it.
        provenance: Generator, its weights' SHA-256, style operator, and the sketch's SHA-256.
        source: (H, W, 3) uint8, the sketch (or photo) as the generator saw it, where kept.
    """

    image: RGB
    landmarks: Landmarks
    provenance: dict[str, Any]
    source: RGB | None = None

    def labelled(self) -> RGB:
        """Return the face with a band below that says it is machine-made, for showing."""
        return label_machine_made(self.image)

    def write(self, path: Path) -> None:
        """Write the labelled face as an image file.

        Raises:
            ImageError: The suffix names no format that can be written.
            OSError: The folder cannot be written.
        """
        write_image(path, self.labelled())


class SketchInverter:
    """Turns sketches into machine-made faces with one trained generator.

    Args:
        generator: As `load_generator` returns it.
        device: Where its network is.

    Attributes:
        weights_sha256: SHA-256 of the generator's weights, by its name.
    """

    def __init__(self, generator: LoadedGenerator, *, device: torch.device) -> None:
        self._generator = generator
        self._device = device
        self.weights_sha256 = {generator.name: generator.weights_sha256}

    def invert(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> list[MachineMadeFace]:
        """Return the machine-made face of each sketch.

        A drawn sketch is cropped and passed through the style operator on which the generator
        was trained, as the paper does with the sketches of CUFS (section 3.2).

        Args:
            sketches: Each (H, W, 3) uint8; sizes may differ.
            landmarks: Five points for each, in its pixels.
            is_simulated: The sketches are already in the generator's style; crop only.

        Raises:
            LandmarksError: Landmarks are not those of an upright face.
            ShapeError: A sketch is not (H, W, 3).
            DtypeError: A sketch is not uint8.
        """
        pairs = list(zip(sketches, landmarks, strict=True))
        made: list[MachineMadeFace] = []
        for first in range(0, len(pairs), BATCH_SIZE):
            made += self._invert_batch(pairs[first : first + BATCH_SIZE], is_simulated)
        return made

    def _invert_batch(
        self, pairs: Sequence[tuple[RGB, Landmarks]], is_simulated: bool
    ) -> list[MachineMadeFace]:
        generator = self._generator
        crops = [align_face(sketch, points, generator.geometry) for sketch, points in pairs]
        seen = [generator.frame.apply(self._draw(crop, is_simulated)) for crop, _ in crops]
        with torch.inference_mode():
            photos = generator.network(images_to_tensor(np.stack(seen)).to(self._device))
        out = []
        for i, photo in enumerate(tensor_to_images(photos)):
            crop, points = crops[i]
            moved = generator.frame.move(points, crop.shape[:2])
            lost = (np.array(seen[i].shape[:2]) - photo.shape[:2]) / 2  # by valid convolutions
            facts = self._provenance(pairs[i][0], is_simulated)
            made = MachineMadeFace(_rgb(photo), moved - lost[::-1], facts, _rgb(seen[i]))
            out.append(made)
        return out

    def _draw(self, crop: RGB, is_simulated: bool) -> NDArray[np.uint8]:
        """Return what the generator was trained to see."""
        if not self._has_operator:
            return crop
        style = SKETCH_STYLES[self._generator.style]
        return crop[:, :, : style.channels] if is_simulated else style(crop)

    @property
    def _has_operator(self) -> bool:
        generator = self._generator
        return generator.direction == SKETCH_TO_PHOTO and generator.style in SKETCH_STYLES

    def _provenance(self, sketch: RGB, is_simulated: bool) -> dict[str, Any]:
        return {
            "generator": self._generator.name,
            "generator_weights_sha256": self._generator.weights_sha256,
            "style": self._generator.style,
            "style_applied": self._has_operator and not is_simulated,
            "direction": self._generator.direction,
            "geometry": self._generator.geometry,
            "frame": asdict(self._generator.frame),
            "sketch_pixels_sha256": sha256_of_bytes(sketch.tobytes()),
        }


def _rgb(image: NDArray[np.uint8]) -> RGB:
    return image if image.shape[2] == 3 else gray_to_rgb(image[:, :, 0])
