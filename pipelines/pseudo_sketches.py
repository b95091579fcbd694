"""Pseudo-sketches: drawings of photos by networks that learnt from an artist's pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensic.errors import InputError
from forensic.runtime import choose_device
from forensic.values import RGB, Landmarks

if TYPE_CHECKING:
    import torch

    from forensic.identification.inverter import SketchInverter


class PseudoSketcher:
    """Draws faces by photo-to-sketch generators, such as the bundled `fcn-sr`.

    Args:
        names: Generators, as for `load_generator`. Each drawing bears the name of its generator.
        geometry: Of the drawings, a name in `TEMPLATES`.
        device: Where the networks compute.

    Raises:
        UnknownNameError: No such generator.
        MissingWeights: Its weights are not there; the message says what brings them.
        WeightsError: Its weights are damaged.
        InputError: A generator does not draw photos.
        DeviceError: The device is not there.

    Source:
        Zhang, Lin, Wu, Ding, Zhang, ICMR 2015, for FCN and the term.
    """

    def __init__(self, names: Sequence[str], *, geometry: str, device: str) -> None:
        self._geometry, where = geometry, choose_device(device)
        self._inverters = {name: _load(name, where) for name in names}
        self.weights_sha256 = {
            name: digest
            for inverter in self._inverters.values()
            for name, digest in inverter.weights_sha256.items()
        }

    def draw(
        self, photos: Sequence[RGB], landmarks: Sequence[Landmarks]
    ) -> Iterator[dict[str, NDArray[np.uint8]]]:
        """Yield the (H, W, 1) drawings of each photo by name, aligned.

        A network sees the photo in its own geometry, so that what lies around the face in the
        drawing was drawn too.

        Args:
            photos: Each (H, W, 3) uint8.
            landmarks: Five points for each, in its pixels.

        Raises:
            LandmarksError: Landmarks are not those of an upright face.
        """
        from forensic.faces.align import align_face

        made = {n: inverter.invert(photos, landmarks) for n, inverter in self._inverters.items()}
        for row in range(len(photos)):
            drawn = {name: faces[row] for name, faces in made.items()}
            yield {
                name: align_face(face.image, face.landmarks, self._geometry)[0][:, :, :1]
                for name, face in drawn.items()
            }


def _load(name: str, device: torch.device) -> SketchInverter:
    from forensic.generators.registry import PHOTO_TO_SKETCH, load_generator
    from forensic.identification.inverter import SketchInverter

    generator = load_generator(name, device)
    if generator.direction != PHOTO_TO_SKETCH:
        raise InputError(f"{name} goes from {generator.direction}; only photos can be drawn.")
    return SketchInverter(generator, device=device)
