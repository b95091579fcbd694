"""Decode and encode image files within stated limits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from forensic.check import check_rgb
from forensic.errors import DataFolderError, ImageError
from forensic.files import atomic_write
from forensic.values import RGB

MAX_FILE_BYTES = 16 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE_PX = 16
READERS = ("JPEG", "PNG", "WEBP", "TIFF")
FORMATS = (*READERS, "MPO")
"""MPO is what many cameras write into a .jpg: a JPEG with further pictures behind it."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")

LYING = (5, 6, 7, 8)
"""EXIF orientations of a picture that is stored on its side."""

# Pillow's own limit warns before it refuses; `_check_header` refuses every image above ours
# before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


def decode_image(data: bytes, *, name: str = "image", at_least_px: int | None = None) -> RGB:
    """Return the pixels of an encoded JPEG, PNG, WebP or TIFF, upright and in RGB.

    The EXIF orientation is applied. Sixteen-bit gray is scaled to eight bits; transparency is laid
    over white, the colour of paper. Of several pictures in one file the first is taken.

    Args:
        data: The file's content.
        name: What to call the image in messages.
        at_least_px: Decode a JPEG at a half, a quarter or an eighth, which is much faster, as
            long as both its sides keep this many pixels; None decodes it whole.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ImageError: `reason` is `empty`, `too_many_bytes`, `not_an_image`, `format`,
            `too_many_pixels`, `too_small` or `truncated`.
    """
    return decode_sized(data, name=name, at_least_px=at_least_px)[0]


def decode_sized(
    data: bytes, *, name: str = "image", at_least_px: int | None = None
) -> tuple[RGB, tuple[int, int]]:
    """Do `decode_image`, and return with the pixels the width and height that the file holds.

    They differ from those of the pixels where a JPEG is decoded smaller.

    Raises:
        ImageError: See `decode_image`.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes).", reason="empty")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(
            f"{name} has {len(data):,} bytes; at most {MAX_FILE_BYTES:,} are accepted.",
            reason="too_many_bytes",
        )
    try:
        with _opened(data) as picture:
            _check_header(picture, name)
            width, height = picture.size
            if picture.getexif().get(ExifTags.Base.Orientation) in LYING:
                width, height = height, width
            if at_least_px:
                picture.draft(None, (at_least_px, at_least_px))
            return _to_rgb(picture), (width, height)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not an image that can be read; use JPEG, PNG, WebP or TIFF.",
            reason="not_an_image",
        ) from error
    except ImageError:
        raise
    except Exception as error:  # a decoder may raise anything at all on hostile bytes
        raise ImageError(f"{name} is truncated or damaged: {error}.", reason="truncated") from error


def media_type_of(data: bytes) -> str:
    """Return the media type of an image file that can be decoded, by its content."""
    with Image.open(io.BytesIO(data)) as picture:
        return Image.MIME.get(picture.format or "", "application/octet-stream")


def load_image(path: Path, *, at_least_px: int | None = None) -> RGB:
    """Read and decode one image file, see `decode_image`.

    Raises:
        DataFolderError: The file is missing or cannot be read.
        ImageError: Its content cannot be used.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImageError(
                f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are accepted.",
                reason="too_many_bytes",
            )
        data = path.read_bytes()
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from error
    return decode_image(data, name=str(path), at_least_px=at_least_px)


def read_size_hw(path: Path) -> tuple[int, int]:
    """Return the height and width of an image file from its header, before any rotation by EXIF.

    Raises:
        DataFolderError: The file cannot be read.
        ImageError: It is not an image; `reason` is `not_an_image`.
    """
    try:
        with Image.open(path) as picture:
            return picture.height, picture.width
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path} is not an image that can be read.", reason="not_an_image"
        ) from error
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from error


def list_images(folder: Path) -> list[Path]:
    """Return every image file below a folder, by suffix, in sorted order.

    Raises:
        DataFolderError: The folder is missing, unreadable, or holds no image.
    """
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder. Check the path.")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise DataFolderError(f"{folder} holds no image ({', '.join(SUFFIXES)}).")
    return found


def encode_image(image: RGB, *, format: str = "PNG", quality: int = 95) -> bytes:  # noqa: A002
    """Return an image encoded as PNG, JPEG or WebP; PNG is lossless.

    Args:
        image: (H, W, 3) uint8.
        format: `PNG`, `JPEG` or `WEBP`.
        quality: 1 to 100 for the lossy formats; 100 makes WebP lossless.

    Raises:
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    check_rgb(image)
    buffer = io.BytesIO()
    options = {"lossless": True} if format == "WEBP" and quality == 100 else {"quality": quality}
    Image.fromarray(image).save(buffer, format, **({} if format == "PNG" else options))
    return buffer.getvalue()


def write_image(path: Path, image: RGB) -> None:
    """Write an image atomically in the format that the suffix names (PNG, JPEG or WebP).

    Raises:
        ImageError: The suffix is none of these; `reason` is `format`.
        OSError: The folder cannot be written.
    """
    known = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
    if path.suffix.lower() not in known:
        raise ImageError(
            f"{path.name}: cannot write {path.suffix or 'no suffix'!r}; use .png, .jpg or .webp.",
            reason="format",
        )
    with atomic_write(path) as file:
        file.write(encode_image(image, format=known[path.suffix.lower()]))


def _opened(data: bytes) -> Image.Image:
    """Return a picture whose pixels are not read yet; of another format too, to tell which."""
    try:
        return Image.open(io.BytesIO(data), formats=READERS)  # asking all takes a millisecond
    except UnidentifiedImageError:
        return Image.open(io.BytesIO(data))


def _check_header(picture: Image.Image, name: str) -> None:
    if picture.format not in FORMATS:
        raise ImageError(
            f"{name} is {picture.format}; use JPEG, PNG, WebP or TIFF.", reason="format"
        )
    if picture.mode == "F":
        raise ImageError(
            f"{name} has floating-point pixels, whose range is unknown; save it with 8 or 16 bits.",
            reason="format",
        )
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width}×{height} pixels; at most {MAX_PIXELS:,} are accepted.",
            reason="too_many_pixels",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            f"{name} has {width}×{height} pixels; each side needs at least {MIN_SIDE_PX}.",
            reason="too_small",
        )


def _to_rgb(picture: Image.Image) -> RGB:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        values = np.asarray(upright, dtype=np.float64)
        # 16-bit scans use the full range; small values are 8-bit data in a wide container.
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        gray = np.clip(values * (255.0 / top), 0, 255).round().astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2)
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(paper, rgba).convert("RGB"))
    return np.asarray(upright.convert("RGB"))
