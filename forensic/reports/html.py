"""Pages that stand alone: styles and images are inside, nothing is fetched, no script runs."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from forensic.images.io import encode_image
from forensic.reports import tables
from forensic.values import RGB


def render_page(template: str, **context: Any) -> str:
    """Return a page from one of the templates; a name that the context lacks is an error.

    Raises:
        jinja2.TemplateError: The template is not there or does not fit the context.
    """
    return _environment().get_template(template).render(**context)


def data_uri(data: bytes, media_type: str) -> str:
    """Return bytes as a URI to be put into a page."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def picture_uri(image: RGB, *, height_px: int = 200) -> str:
    """Return a picture, made no larger than `height_px`, as a JPEG inside a URI.

    Raises:
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    height, width, _ = image.shape
    if height > height_px:
        size = max(1, round(width * height_px / height)), height_px
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    return data_uri(encode_image(image, format="JPEG", quality=88), "image/jpeg")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("forensic.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=tables.percent,
        interval=tables.interval,
        p_value=tables.p_value,
        count=tables.count,
        moment=tables.moment,
        points=tables.points,
        ratio=tables.ratio,
        decimal=tables.decimal,
        similarity=tables.similarity,
    )
    return environment
