"""What every sketch style promises."""

import numpy as np
import pytest

from forensic.errors import UnknownNameError
from forensic.sketches.registry import SKETCH_STYLES
from tests.support.images import face_photo


@pytest.mark.parametrize("name", SKETCH_STYLES)
def test_style_is_deterministic_and_gives_what_it_declares(name: str) -> None:
    photo = face_photo(1, size_hw=(48, 40))
    before = photo.copy()
    style = SKETCH_STYLES[name]
    sketch = style(photo)
    assert sketch.shape == (48, 40, style.channels)
    assert sketch.dtype == np.uint8
    np.testing.assert_array_equal(style(photo), sketch)
    np.testing.assert_array_equal(photo, before)  # the photo is not drawn upon
    assert sketch.std() > 1


@pytest.mark.parametrize("name", SKETCH_STYLES)
def test_name_says_how_many_channels(name: str) -> None:
    assert SKETCH_STYLES[name].channels == (3 if name.endswith("color") else 1)


def test_unknown_style() -> None:
    with pytest.raises(UnknownNameError, match="pencil-color"):
        SKETCH_STYLES["pencil-colour"]
