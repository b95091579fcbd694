"""The people of `forensic serve --demo`, who do not exist: their photos, and sketches of some.

Drawn by processes that load this module and nothing of the service, so that they start at once.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

SKETCHES = 4
"""How many of the people are sketched."""


def draw_people(folder: Path, *, people: int) -> io.BytesIO:
    """Draw a photo of each phantom, and sketches of some from another photo.

    Args:
        folder: Where the sketches go, to be uploaded by hand.
        people: How many phantoms.

    Returns:
        A ZIP of the photos, one file per person.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = io.BytesIO()
    context = multiprocessing.get_context("spawn")  # keeps the web process light
    with (
        zipfile.ZipFile(archive, "w") as photos,
        ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool,
    ):
        for number, (photo, sketch) in enumerate(pool.map(_draw, range(people))):
            photos.writestr(f"phantom-{number:03d}.png", photo)
            if sketch is not None:
                (folder / f"phantom-{number:03d}.png").write_bytes(sketch)
    archive.seek(0)
    return archive


def _draw(number: int) -> tuple[bytes, bytes | None]:
    """Return the photo of one phantom, and for the first few a sketch from memory."""
    # Here, because the web is forked from the process that asks, and loads none of this.
    from forensic.images.io import encode_image
    from forensic.phantoms import create_person, render_photo
    from forensic.phantoms.witness import misremember
    from forensic.sketches.registry import SKETCH_STYLES

    person = create_person(number)
    photo, _ = render_photo(person, 2 * number)
    if number >= SKETCHES:
        return encode_image(photo), None
    seen, landmarks = render_photo(person, 2 * number + 1)
    recalled, _ = misremember(seen, landmarks, seed=number)
    drawn = SKETCH_STYLES["pencil-gray"](recalled)
    rgb = drawn if drawn.shape[2] == 3 else drawn.repeat(3, axis=2)
    return encode_image(photo), encode_image(rgb)
