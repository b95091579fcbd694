"""Methods whose probes are photos: each is first turned into a sketch by a style operator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from forensic.embedders.embedder import Embedder
from forensic.faces.align import align_face
from forensic.identification.inverter import CROP
from forensic.identification.methods import METHODS, DirectMethod, Method, Probes, create_method
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks
from forensic.weights.bundle import read_bundle_metadata
from forensic.weights.store import find_weights

RAW = "raw-"


class SimulatedMethod:
    """Sketches the CSI crop of a photo, as the paper does, and hands it to another method.

    Args:
        style: A name of `SKETCH_STYLES`.
        inner: Turns the sketch into a vector.
        name: What results call it.
    """

    def __init__(self, *, style: str, inner: Method, name: str) -> None:
        self.name = name
        self.style = style
        self.embedder: Embedder = inner.embedder
        self.weights_sha256 = inner.weights_sha256
        self._operator, self._inner = SKETCH_STYLES[style], inner

    def draw(self, photo: RGB, landmarks: Landmarks) -> tuple[RGB, Landmarks]:
        """Return the (96, 96, 3) sketch of a photo and where its landmarks lie.

        Raises:
            LandmarksError: The landmarks are not those of an upright face.
        """
        crop, points = align_face(photo, landmarks, CROP)
        sketch = self._operator(crop)
        return np.repeat(sketch, 3 // sketch.shape[2], axis=2), points

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,  # noqa: ARG002 - what comes in here is always a photo
    ) -> Probes:
        """Return the vectors of the sketches of these photos.

        Raises:
            InputError: A photo or its landmarks cannot be used.
        """
        drawn = [self.draw(*pair) for pair in zip(sketches, landmarks, strict=True)]
        images, points = [image for image, _ in drawn], [five for _, five in drawn]
        return self._inner.probe(images, points, is_simulated=True)


def create_simulated(name: str, *, embedder: Embedder, device: torch.device) -> SimulatedMethod:
    """Return the method called `raw-STYLE`, or a generator's name for its inverted sketches.

    Raises:
        UnknownNameError: No such style or generator.
        WeightsError: The generator's weights are missing or damaged.
    """
    if name.startswith(RAW):
        style = name.removeprefix(RAW)
        return SimulatedMethod(style=style, inner=DirectMethod(embedder=embedder), name=name)
    if METHODS[name] is None:
        return create_simulated(RAW + name, embedder=embedder, device=device)
    inner = create_method(name, embedder=embedder, device=device)
    style = read_bundle_metadata(find_weights(name))["style"]
    return SimulatedMethod(style=style, inner=inner, name=name)
