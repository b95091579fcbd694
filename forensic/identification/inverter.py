"""From a sketch to a machine-made face: crop, style operator, generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forensic.faces.align import align_face
from forensic.files import sha256_of_bytes
from forensic.generators.registry import LoadedGenerator
from forensic.images.io import write_image
from forensic.images.label import label_machine_made
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks

CROP = "csi-96"
"""The geometry in which the generators work."""


@dataclass(frozen=True)
class MachineMadeFace:
    """A face synthesised from a sketch. It shows no one.

    Attributes:
        image: (96, 96, 3) uint8, without a label in its pixels: for embedding, not for showing.
        landmarks: Where the sketch's five landmarks lie in it.
        provenance: Generator, its weights' SHA-256, style operator, and the sketch's SHA-256.
    """

    image: RGB
    landmarks: Landmarks
    provenance: dict[str, Any]

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
        if not sketches:
            return []
        pairs = zip(sketches, landmarks, strict=True)
        crops = [align_face(sketch, points, CROP) for sketch, points in pairs]
        style = SKETCH_STYLES[self._generator.style]
        drawn = [c[:, :, : style.channels] if is_simulated else style(c) for c, _ in crops]
        with torch.inference_mode():
            photos = self._generator.network(images_to_tensor(np.stack(drawn)).to(self._device))
        return [
            MachineMadeFace(photo, points, self._provenance(sketch, is_simulated))
            for photo, (_, points), sketch in zip(
                tensor_to_images(photos), crops, sketches, strict=True
            )
        ]

    def _provenance(self, sketch: RGB, is_simulated: bool) -> dict[str, Any]:
        return {
            "generator": self._generator.name,
            "generator_weights_sha256": self._generator.weights_sha256,
            "style": self._generator.style,
            "style_applied": not is_simulated,
            "geometry": CROP,
            "sketch_pixels_sha256": sha256_of_bytes(sketch.tobytes()),
        }
