"""Files as users hand them in: every accepted kind, and every way in which one can be bad."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensic.errors import DataFolderError, DtypeError, ImageError, ShapeError
from forensic.images.io import (
    MAX_FILE_BYTES,
    decode_image,
    decode_sized,
    encode_image,
    list_images,
    load_image,
    write_image,
)

ORIENTATION = 0x0112


def picture(height: int = 24, width: int = 16) -> np.ndarray:
    """Return a picture whose four corners have different colours, so that turning it shows."""
    image = np.full((height, width, 3), 128, dtype=np.uint8)
    h, w = height // 2, width // 2
    image[:h, :w], image[:h, w:] = (255, 0, 0), (0, 255, 0)
    image[h:, :w], image[h:, w:] = (0, 0, 255), (255, 255, 255)
    return image


def encode(image: Any, format: str, **options: Any) -> bytes:  # noqa: A002
    buffer = io.BytesIO()
    pillow = image if isinstance(image, Image.Image) else Image.fromarray(image)
    pillow.save(buffer, format, **options)
    return buffer.getvalue()


def reason_for(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(data, name="upload.jpg")
    assert str(caught.value).startswith("upload.jpg")
    return caught.value.reason


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_lossless_formats_come_back_exactly(format: str, options: dict[str, Any]) -> None:  # noqa: A002
    np.testing.assert_array_equal(decode_image(encode(picture(), format, **options)), picture())


@pytest.mark.parametrize(
    ("format", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("MPO", {"save_all": True})],
)
def test_lossy_formats_come_back_nearly(format: str, options: dict[str, Any]) -> None:  # noqa: A002
    smooth = np.linspace(0, 255, 32).astype(np.uint8)[:, None, None].repeat(24, 1).repeat(3, 2)
    if format == "MPO":  # what cameras call .jpg: a second picture follows the first
        options = {**options, "append_images": [Image.fromarray(255 - smooth)]}
    found = decode_image(encode(smooth, format, quality=95, **options))
    assert np.abs(found.astype(int) - smooth).max() <= 6


# Stored pictures that a viewer turns into the same upright one: EXIF 2.3, table 4.6.4, tag 0x0112.
STORED = {
    1: lambda i: i,
    2: lambda i: i[:, ::-1],
    3: lambda i: i[::-1, ::-1],
    4: lambda i: i[::-1],
    5: lambda i: i.transpose(1, 0, 2),
    6: lambda i: np.rot90(i, 1),
    7: lambda i: i[::-1, ::-1].transpose(1, 0, 2),
    8: lambda i: np.rot90(i, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, format: str) -> None:  # noqa: A002
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED[orientation](picture(48, 32)))
    options = (
        {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "JPEG" else {}
    )
    found = decode_image(encode(stored, format, exif=exif, **options))
    assert found.shape == (48, 32, 3)
    middles = found[12::24, 8::16].astype(int)  # the middles of the four quarters
    assert np.abs(middles - picture(48, 32)[12::24, 8::16]).max() <= 3


def test_one_bit_png() -> None:
    bits = picture()[:, :, 0] > 200
    found = decode_image(encode(Image.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(found, bits[:, :, None].repeat(3, 2) * np.uint8(255))


def test_gray_and_palette_png() -> None:
    gray = picture()[:, :, 0]
    np.testing.assert_array_equal(decode_image(encode(gray, "PNG")), gray[:, :, None].repeat(3, 2))
    palette = Image.fromarray(picture()).quantize(8)
    np.testing.assert_array_equal(
        decode_image(encode(palette, "PNG")), np.asarray(palette.convert("RGB"))
    )


def test_transparency_shows_white_paper() -> None:
    rgba = np.dstack([picture(), np.full((24, 16), 255, np.uint8)])
    rgba[:12, :, 3], rgba[0, 0] = 0, (255, 0, 0, 128)
    found = decode_image(encode(rgba, "PNG"))
    assert (found[1:12] == 255).all()
    np.testing.assert_array_equal(found[12:], picture()[12:])
    np.testing.assert_allclose(found[0, 0], (255, 127, 127), atol=1)


def test_transparent_palette_entry_shows_white_paper() -> None:
    palette = Image.fromarray(np.zeros((16, 16), np.uint8), "P")
    palette.putpalette([10, 20, 30])
    assert (decode_image(encode(palette, "PNG")) == (10, 20, 30)).all()
    assert (decode_image(encode(palette, "PNG", transparency=0)) == 255).all()


def test_sixteen_bits_are_scaled_over_the_full_range() -> None:
    deep = np.linspace(0, 65535, 16 * 16).round().astype(np.uint16).reshape(16, 16)
    for format in ("PNG", "TIFF"):  # noqa: A001
        found = decode_image(encode(deep, format))[:, :, 0]
        np.testing.assert_array_equal(found, np.round(deep / 257))


def test_eight_bit_values_in_sixteen_stay() -> None:
    shallow = np.arange(256, dtype=np.uint16).reshape(16, 16)
    np.testing.assert_array_equal(decode_image(encode(shallow, "PNG"))[:, :, 0], shallow)


def test_cmyk_jpeg_becomes_rgb() -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(decode_image(encode(cmyk, "JPEG")).astype(int) - (254, 0, 0)).max() < 5


def test_first_page_of_a_tiff() -> None:
    pages = [Image.new("L", (16, 16), level) for level in (10, 200)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert (decode_image(data) == 10).all()


# --- what is refused --------------------------------------------------------------------------


def test_empty_text_and_too_many_bytes() -> None:
    assert reason_for(b"") == "empty"
    assert reason_for(b"Dear Sirs, please find enclosed") == "not_an_image"
    assert reason_for(b"\xff" * (MAX_FILE_BYTES + 1)) == "too_many_bytes"


@pytest.mark.parametrize("format", ["GIF", "BMP", "PPM"])
def test_other_formats_are_named(format: str) -> None:  # noqa: A002
    assert reason_for(encode(picture(), format)) == "format"


def test_floating_point_tiff_is_not_guessed_at() -> None:
    assert reason_for(encode(np.random.rand(16, 16).astype(np.float32), "TIFF")) == "format"


@pytest.mark.parametrize("size_hw", [(15, 100), (100, 15), (1, 1)])
def test_too_small(size_hw: tuple[int, int]) -> None:
    assert reason_for(encode(np.zeros((*size_hw, 3), np.uint8), "PNG")) == "too_small"


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG of 67 bytes whose header claims a size: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum_

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("size", [(8001, 5000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_size_is_refused_by_the_header_before_any_pixel(size: tuple[int, int]) -> None:
    assert reason_for(png_claiming(*size)) == "too_many_pixels"


def test_forty_megapixels_are_the_last_that_pass_the_header() -> None:
    assert reason_for(png_claiming(8000, 5000)) == "truncated"  # passed the header, has no pixels


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_truncation_at_any_byte_is_an_error_of_ours(format: str) -> None:  # noqa: A002
    data = encode(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8), format)
    for length in range(1, len(data) - 2, max(1, len(data) // 60)):
        try:
            decode_image(data[:length])
        except ImageError as error:
            assert error.reason in {"truncated", "not_an_image"}  # noqa: PT017
        else:
            # Formats with trailing metadata are whole before their last byte.
            assert length > 0.9 * len(data) or format == "TIFF", length


def test_damaged_exif_is_an_error_of_ours_or_ignored() -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010E] = 6, "caption"
    whole = encode(picture(), "JPEG", exif=exif)
    draw = np.random.default_rng(1)
    outcomes = set()
    for _ in range(300):
        bad = bytearray(whole)
        bad[int(draw.integers(30, 90))] = int(draw.integers(256))
        try:
            outcomes.add(decode_image(bytes(bad)).shape)
        except ImageError as error:
            outcomes.add(error.reason)
    assert outcomes <= {(24, 16, 3), (16, 24, 3), "truncated", "not_an_image", "too_small"}


def test_damaged_orientation_that_pillow_cannot_write_back() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encode(picture(), "JPEG", exif=exif)
    entry = struct.pack(">HHI", ORIENTATION, 3, 1)
    assert entry in data or struct.pack("<HHI", ORIENTATION, 3, 1) in data
    for kind in range(13):  # every declared type of the entry, sensible or not
        for byte_order in "><":
            found = struct.pack(f"{byte_order}HHI", ORIENTATION, 3, 1)
            bad = data.replace(found, struct.pack(f"{byte_order}HHI", ORIENTATION, kind, 1))
            try:
                assert decode_image(bad).shape in {(24, 16, 3), (16, 24, 3)}
            except ImageError as error:
                assert error.reason == "truncated"  # noqa: PT017


# --- files and folders ------------------------------------------------------------------------


def test_load_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match=r"no\.png"):
        load_image(tmp_path / "no.png")
    with pytest.raises(DataFolderError, match="directory"):
        load_image(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"text")
    with pytest.raises(ImageError, match=r"bad\.png"):
        load_image(tmp_path / "bad.png")


def test_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ImageError, match="16,777,217 bytes") as caught:
        load_image(tmp_path / "huge.png")
    assert caught.value.reason == "too_many_bytes"


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg", "A.JPEG"])
def test_write_then_load(tmp_path: Path, name: str) -> None:
    flat = np.full((16, 20, 3), (200, 100, 50), np.uint8)
    write_image(tmp_path / "deep" / name, flat)
    assert np.abs(load_image(tmp_path / "deep" / name).astype(int) - flat).max() <= 3


def test_write_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"use \.png") as caught:
        write_image(tmp_path / "a.gif", picture())
    assert caught.value.reason == "format"
    assert list(tmp_path.iterdir()) == []


def test_encode_webp_at_100_is_lossless_and_below_is_not() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(
        decode_image(encode_image(noise, format="WEBP", quality=100)), noise
    )
    lossy = decode_image(encode_image(noise, format="WEBP", quality=90))
    assert not np.array_equal(lossy, noise)


def test_encode_refuses_floats_and_gray() -> None:
    with pytest.raises(DtypeError):
        encode_image(picture().astype(np.float32))  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        encode_image(picture()[:, :, 0])


@pytest.mark.parametrize(
    ("at_least_px", "size_hw"),
    [(None, (240, 320)), (121, (240, 320)), (120, (120, 160)), (31, (60, 80)), (1, (30, 40))],
)
def test_a_large_jpeg_is_decoded_no_smaller_than_needed(
    at_least_px: int | None, size_hw: tuple[int, int]
) -> None:
    flat = np.full((240, 320, 3), (200, 100, 50), np.uint8)
    image = decode_image(encode_image(flat, format="JPEG"), at_least_px=at_least_px)
    assert image.shape[:2] == size_hw
    assert np.abs(image.astype(int) - (200, 100, 50)).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_told_is_that_of_the_whole_upright_picture(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encode(np.zeros((240, 320, 3), np.uint8), "JPEG", exif=exif)
    image, size_px = decode_sized(data, at_least_px=60)
    assert size_px == ((320, 240) if orientation < 5 else (240, 320))
    assert image.shape[1::-1] == (size_px[0] // 4, size_px[1] // 4)


def test_other_formats_are_decoded_whole() -> None:
    flat = np.full((240, 320, 3), 7, np.uint8)
    assert decode_image(encode_image(flat), at_least_px=30).shape == (240, 320, 3)


def test_list_images_sorts_filters_and_refuses_nothing(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "b/1.png", "a.webp", "note.txt", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [p.relative_to(tmp_path).as_posix() for p in list_images(tmp_path)]
    assert found == ["a.webp", "b/1.png", "b/2.JPG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFolderError, match="holds no image"):
        list_images(tmp_path / "empty")
    with pytest.raises(DataFolderError, match="not a folder"):
        list_images(tmp_path / "absent")
