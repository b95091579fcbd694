import io

import numpy as np
import pytest
from PIL import Image

from forensic.errors import DtypeError, ImageError, ShapeError
from forensic.images.io import decode_image
from forensic.sketches.normalise import normalise_sketch
from forensic.values import RGB
from tests.support.images import face_photo, face_sketch


def drawing() -> RGB:
    """Return a phantom's line sketch: dark lines on white."""
    return face_sketch(3)


def correlation(a: RGB, b: RGB) -> float:
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


def test_clean_drawing_is_left_untouched() -> None:
    found = normalise_sketch(drawing())
    assert found.steps == ()
    assert np.array_equal(found.image, drawing())


def test_white_on_black_is_inverted() -> None:
    found = normalise_sketch(255 - drawing())
    assert found.steps == ("inverted",)
    assert np.array_equal(found.image, drawing())


def test_shaded_portrait_on_white_paper_is_not_inverted() -> None:
    portrait = np.full((200, 160, 3), 250, np.uint8)
    portrait[30:170, 20:140] = 60  # more than half of the page is dark, its border is not
    assert "inverted" not in normalise_sketch(portrait).steps


@pytest.mark.parametrize("axis", [0, 1])
def test_paper_shadow_is_evened_and_the_lines_stay(axis: int) -> None:
    shape = [1, 1, 1]
    shape[axis] = drawing().shape[axis]
    light = np.linspace(0.45, 1.0, drawing().shape[axis]).reshape(shape)
    shaded = (drawing() * light).astype(np.uint8)
    found = normalise_sketch(shaded)
    assert found.steps == ("evened",)
    assert correlation(found.image, drawing()) > 0.9 > correlation(shaded, drawing())
    dark, even = shaded[:2].astype(float), found.image[:2].astype(float)
    assert np.median(even) > 200
    assert np.ptp(even) < 0.6 * max(np.ptp(dark), 255 - dark.min())


def test_light_on_a_picture_without_paper_is_left_to_it() -> None:
    portrait = face_photo(4)  # its background falls off to one side by more than a shadow does
    found = normalise_sketch(portrait)
    assert found.steps == ()
    assert np.array_equal(found.image, portrait)


def test_inverted_and_shaded() -> None:
    light = np.linspace(0.5, 1.0, drawing().shape[1]).reshape(1, -1, 1)
    negative = 255 - (drawing() * light).astype(np.uint8)
    found = normalise_sketch(negative)
    assert found.steps == ("inverted", "evened")
    assert correlation(found.image, drawing()) > 0.85


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_paper_is_refused(level: int) -> None:
    with pytest.raises(ImageError, match=r"scan\.png shows nothing") as caught:
        normalise_sketch(np.full((64, 64, 3), level, np.uint8), name="scan.png")
    assert caught.value.reason == "blank"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_mode_of_a_file_comes_to_the_same_drawing(mode: str) -> None:
    picture = Image.fromarray(drawing()).convert("L")
    if mode == "I;16":
        wide = np.asarray(picture, dtype=np.uint16) * 257
        saved = Image.fromarray(wide)
    else:
        saved = picture.convert("RGB").convert(mode) if mode == "P" else picture.convert(mode)
    buffer = io.BytesIO()
    saved.save(buffer, "PNG")
    found = normalise_sketch(decode_image(buffer.getvalue()))
    assert found.steps == ()
    assert correlation(found.image, drawing()) > {"1": 0.5, "P": 0.9}.get(mode, 0.99)


def test_refused() -> None:
    with pytest.raises(ShapeError):
        normalise_sketch(np.zeros((8, 8), np.uint8))
    with pytest.raises(DtypeError):
        normalise_sketch(np.zeros((8, 8, 3), np.float32))  # type: ignore[arg-type]
