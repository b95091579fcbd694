"""Methods whose probes are photos: each is first turned into a sketch by a style operator."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch

from forensic.embedders.embedder import Embedder
from forensic.errors import InputError
from forensic.faces.align import align_face
from forensic.identification.inverter import CROP
from forensic.identification.methods import METHODS, DirectMethod, create_method
from forensic.identification.probes import Method, Probes
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks
from forensic.weights.bundle import read_bundle_metadata
from forensic.weights.store import find_weights

RAW = "raw-"


Drawn = list[tuple[RGB, Landmarks]]


class Desk:
    """Draws the photos of a batch once for all methods that ask for it, one after the other.

    Each thread has its own batch on the desk. It is known again by being the very same list.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    def draw(self, style: str, photos: Sequence[RGB], landmarks: Sequence[Landmarks]) -> Drawn:
        """Return the (96, 96, 3) sketches of photos and where their landmarks lie.

        Raises:
            LandmarksError: The landmarks are not those of an upright face.
        """
        if getattr(self._local, "photos", None) is not photos:
            pairs = zip(photos, landmarks, strict=True)
            self._local.crops = [align_face(photo, five, CROP) for photo, five in pairs]
            self._local.photos, self._local.drawn = photos, {}
        drawn: dict[str, Drawn] = self._local.drawn
        if style not in drawn:
            drawn[style] = [(_as_rgb(style, crop), five) for crop, five in self._local.crops]
        return drawn[style]


class SimulatedMethod:
    """Sketches the CSI crop of a photo, as the paper does, and hands it to another method.

    Args:
        style: A name of `SKETCH_STYLES`.
        inner: Turns the sketch into a vector.
        name: What results call it.
        desk: Where the sketches are drawn, shared with other methods of the same photos.

    Raises:
        UnknownNameError: No such style.
    """

    def __init__(self, *, style: str, inner: Method, name: str, desk: Desk | None = None) -> None:
        self.name = name
        self.style = style
        SKETCH_STYLES[style]  # refuses what it does not know
        self.embedder: Embedder = inner.embedder
        self.weights_sha256 = inner.weights_sha256
        self._inner, self._desk = inner, desk or Desk()

    def draw(self, photo: RGB, landmarks: Landmarks) -> tuple[RGB, Landmarks]:
        """Return the (96, 96, 3) sketch of a photo and where its landmarks lie.

        Raises:
            LandmarksError: The landmarks are not those of an upright face.
        """
        (drawn,) = self._desk.draw(self.style, [photo], [landmarks])
        return drawn

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
        drawn = self._desk.draw(self.style, sketches, landmarks)
        images, points = [image for image, _ in drawn], [five for _, five in drawn]
        return self._inner.probe(images, points, is_simulated=True)


def create_simulated(
    name: str, *, embedder: Embedder, device: torch.device, desk: Desk | None = None
) -> SimulatedMethod:
    """Return the method called `raw-STYLE`, or a generator's name for its inverted sketches.

    Args:
        name: See above.
        embedder: Embeds the sketch or its inversion.
        device: Where the generator computes.
        desk: Shared with other methods of the same photos.

    Raises:
        UnknownNameError: No such style or generator.
        InputError: The generator works in another geometry than CSI.
        WeightsError: The generator's weights are missing or damaged.
    """
    if name.startswith(RAW):
        style = name.removeprefix(RAW)
        return SimulatedMethod(
            style=style, inner=DirectMethod(embedder=embedder), name=name, desk=desk
        )
    if METHODS[name] is None:
        return create_simulated(RAW + name, embedder=embedder, device=device, desk=desk)
    inner = create_method(name, embedder=embedder, device=device)
    facts = read_bundle_metadata(find_weights(name))
    if (geometry := facts.get("geometry", CROP)) != CROP:
        raise InputError(
            f"{name} works in geometry {geometry}, wider than the {CROP} crop that is sketched "
            "here. `forensic benchmark pairs` measures it on drawings."
        )
    return SimulatedMethod(style=facts["style"], inner=inner, name=name, desk=desk)


def _as_rgb(style: str, crop: RGB) -> RGB:
    sketch = SKETCH_STYLES[style](crop)
    return np.repeat(sketch, 3 // sketch.shape[2], axis=2)
