"""The corpus of pictures that people bring: each row of the table in `i2i_models/images/reading.py`, by its value."""

import contextlib
import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from i2i_models.errors import ImageError
from i2i_models.images import reading
from i2i_models.images.depth import Extremes, common_range
from i2i_models.images.jxl import jxl_size
from i2i_models.images.reading import extremes, is_litter, open_image


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def by_opencv(values: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, values)[1].tobytes()


def tiff(values: np.ndarray) -> bytes:
    return file(Image.fromarray(values), "TIFF")


def signed_tiff(values: np.ndarray) -> bytes:
    """Signed 16 bits, which Pillow reads and does not write."""
    written = bytearray(tiff(values.astype(np.int16).view(np.uint16)))
    tag = (339).to_bytes(2, "little") + (3).to_bytes(2, "little") + (1).to_bytes(4, "little")
    if (at := written.find(tag)) < 0:  # no SampleFormat was written: put it where the software's tag would be
        image = Image.fromarray(values.astype(np.int16).view(np.uint16))
        written = bytearray(file(image, "TIFF", tiffinfo={339: 2}))
        at = written.find(tag)
    written[at + 8 : at + 10] = (2).to_bytes(2, "little")
    return bytes(written)


RAMP = np.linspace(0, 1, 64).reshape(8, 8)
COLOURS = np.repeat(RAMP[..., None], 3, 2)
DEEP = {
    "12 bits in a 16-bit PNG": (file(Image.fromarray((RAMP * 4095).astype(np.uint16))), RAMP),
    "12 bits of each colour": (by_opencv((COLOURS * 4095).astype(np.uint16), ".png"), RAMP),
    "16 bits of each colour, TIFF": (by_opencv((COLOURS * 65535).astype(np.uint16), ".tiff"), RAMP),
    "16 bits": (file(Image.fromarray((RAMP * 65535).astype(np.uint16))), RAMP),
    "signed 16 bits": (signed_tiff(RAMP * 4000 - 1000), RAMP),
    "signed 32 bits": (tiff((RAMP * 4000 - 1000).astype(np.int32)), RAMP),
    "float -1 … 1": (tiff((RAMP * 2 - 1).astype(np.float32)), RAMP),
    "float 0 … 1": (tiff(RAMP.astype(np.float32)), RAMP),
    "float 0 … 255": (tiff((RAMP * 255).astype(np.float32)), RAMP),
    "float in colours": (by_opencv((COLOURS * 2 - 1).astype(np.float32), ".tiff"), RAMP),
    "float that is no number in one place": (tiff(np.where(RAMP == 0, np.nan, RAMP).astype(np.float32)), RAMP),
}  # fmt: skip


@pytest.mark.parametrize(("content", "wanted"), DEEP.values(), ids=DEEP)
def test_all_values_of_a_deep_picture_are_told_apart(content: bytes, wanted: np.ndarray) -> None:
    found = np.asarray(open_image(content))[..., 0]
    assert np.abs(found - wanted * 255).max() <= 1.1
    assert len(np.unique(found)) == 64


def test_a_data_set_has_one_range() -> None:
    dark, bright = (file(Image.fromarray(np.full((4, 4), top, np.uint16))) for top in (900, 3000))
    shared = common_range([extremes(dark), extremes(bright), extremes(file(Image.new("L", (4, 4))))])
    assert shared == (0, 4095)
    greys = [open_image(one, shared).getpixel((0, 0))[0] for one in (dark, bright)]  # type: ignore[index]
    assert greys == [round(900 / 4095 * 255 - 0.5), round(3000 / 4095 * 255 - 0.5)]
    assert common_range([None]) is None
    assert Extremes(-1000, 3000, True).range == (-1000, 3000)
    assert Extremes(-1000.5, 3000, False).range == (-1000.5, 3000)
    assert Extremes(7, 7, False).range == (0, 255)


def test_deep_colours_are_turned_and_keep_their_order_and_alpha() -> None:
    values = np.zeros((4, 6, 4), np.uint16)
    values[..., 2], values[..., 3] = 65535, 65535  # red in OpenCV's order
    values[0, 0] = (65535, 0, 0, 65535)
    turned = by_opencv(values, ".png")
    image = Image.open(io.BytesIO(turned))
    assert image.mode == "RGBA"
    found = open_image(turned)
    assert [found.getpixel(at) for at in ((0, 0), (3, 3))] == [(0, 0, 255), (255, 0, 0)]
    upright = reading.upright(np.arange(6).reshape(2, 3), 6)
    assert upright.tolist() == [[3, 0], [4, 1], [5, 2]]
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
        ours = np.asarray(open_image(file(Image.fromarray(pixels), "PNG", exif=exif)))[..., 0]
        assert ours.tolist() == reading.upright(pixels, orientation).tolist()


def lines(ink: str | tuple[int, ...]) -> bytes:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(image).line((5, 5, 58, 50), fill=ink, width=3)
    return file(image)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [("white", 0), ((245, 245, 220, 255), 0), ("black", 255), ((200, 40, 40, 255), 255), ((255, 210, 60, 255), 255)],
)
def test_lines_on_nothing_can_be_seen(ink: Any, paper: int) -> None:
    found = np.asarray(open_image(lines(ink)))
    assert found[60, 5].tolist() == [paper] * 3
    assert np.abs(found[5, 5].astype(int) - paper).max() > 30


def wide_profile() -> bytes:
    """An ICC profile of other primaries than sRGB's: sRGB's own with red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile = bytearray(bytes(profile).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be")))
    count = int.from_bytes(profile[128:132], "big")
    tags = {bytes(profile[p : p + 4]): p for p in range(132, 132 + 12 * count, 12)}
    red, green = (tags[name] for name in (b"rXYZ", b"gXYZ"))
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def test_a_profile_and_a_gamma_are_applied() -> None:
    image = Image.new("RGB", (8, 8), (250, 20, 20))
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        red, green, _ = open_image(file(image, kind, icc_profile=wide_profile())).getpixel((4, 4))  # type: ignore[misc]
        assert red < 60 < 200 < green, kind
    for broken in (b"x" * 400, b""):
        assert open_image(file(image, "PNG", icc_profile=broken)).getpixel((4, 4)) == (250, 20, 20)
    linear = PngImagePlugin.PngInfo()
    linear.add(b"gAMA", (100_000).to_bytes(4, "big"))
    bright = open_image(file(Image.new("RGB", (8, 8), (55, 55, 55)), pnginfo=linear)).getpixel((0, 0))
    assert bright == (round(255 * (55 / 255) ** (1 / 2.2)),) * 3
    usual = PngImagePlugin.PngInfo()
    usual.add(b"gAMA", (45_455).to_bytes(4, "big"))
    assert open_image(file(Image.new("RGB", (8, 8), (55, 55, 55)), pnginfo=usual)).getpixel((0, 0)) == (55, 55, 55)


def test_the_inverted_colours_of_adobe_are_turned_right() -> None:
    red = Image.new("RGB", (16, 16), (220, 30, 30))
    written = file(red.convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in written
    assert np.abs(np.asarray(open_image(written), int) - (220, 30, 30)).max() < 12


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "JXL"])
def test_what_phones_write_is_read(kind: str) -> None:
    pytest.importorskip({"AVIF": "PIL._avif", "HEIF": "pillow_heif", "JXL": "pillow_jxl"}[kind])
    found = open_image(file(Image.new("RGB", (64, 48), (200, 60, 40)), kind, quality=90))
    assert found.size == (64, 48)
    assert np.abs(np.asarray(found, int) - (200, 60, 40)).max() < 12


def test_what_nothing_here_decodes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FORMATS", ["PNG", "JPEG"])
    heads = {
        "pillow-heif": b"\0\0\0\x18ftypheic" + b"\0" * 40,
        "pillow-jxl-plugin": b"\xff\x0a" + b"\0" * 40,
    }
    for package, head in heads.items():
        with pytest.raises(ImageError, match=f"pip install {package}"):
            open_image(head)
    with pytest.raises(ImageError, match="empty"):
        open_image(b"")


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "JXL", "WEBP", "PNG", "JPEG", "TIFF", "GIF"])
def test_half_copied_files_of_every_format_are_a_sentence(kind: str) -> None:
    pytest.importorskip({"HEIF": "pillow_heif", "JXL": "pillow_jxl"}.get(kind, "PIL"))
    whole = file(Image.effect_noise((64, 48), 50).convert("RGB"), kind)
    for size in (2, 12, 40, len(whole) // 3, len(whole) // 2, len(whole) - 20):
        for rest in (b"", bytes(len(whole) - size), b"\xff" * (len(whole) - size)):
            with contextlib.suppress(ImageError):  # anything else is the fault
                assert open_image(whole[:size] + rest).mode == "RGB"


def test_the_size_of_a_jpeg_xl_is_judged_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    jxl = pytest.importorskip("pillow_jxl.JpegXLImagePlugin")
    sizes = [(64, 48), (48, 64), (8, 8), (256, 256), (257, 129), (600, 500), (1920, 1080), (3000, 7), (7, 9000)]
    contents = {size: file(Image.new("RGB", size), "JXL") for size in sizes}
    boxed = file(Image.new("RGB", (70, 50)), "JXL", use_container=True)
    assert boxed[:2] != contents[64, 48][:2]
    assert {size: jxl_size(content) for size, content in contents.items()} == {size: size for size in sizes}
    assert jxl_size(boxed) == (70, 50) and jxl_size(boxed[:30]) is jxl_size(b"x" * 40) is None
    monkeypatch.setattr(jxl.JXLImageFile, "_open", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="1920×1080"):
        open_image(contents[1920, 1080], max_pixels=1_000_000)


@pytest.mark.parametrize(("head", "kind"), [(b"v/1\x01", "OpenEXR"), (b"%PDF-1", "PDF"), (b"8BPS", "a Photoshop file")])
def test_other_pictures_are_named(head: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match=f"is {kind}, which is not an image that can be read here"):
        open_image(head + bytes(40))


def test_what_systems_leave_is_no_picture() -> None:
    litter = ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/1.png", ".hidden/1.png")
    assert all(map(is_litter, litter))
    assert not any(map(is_litter, ("1.png", "./1.png", "../a/1.PNG", "a b/ü.jpg")))


def test_own_files_may_be_larger() -> None:
    large = file(Image.new("1", (8000, 7500)))  # 60 megapixels
    with pytest.raises(ImageError, match="at most 40 megapixels"):
        open_image(large)
    assert extremes(large, reading.OWN_MAX_PIXELS) is None
    assert open_image(large, max_pixels=reading.OWN_MAX_PIXELS).size == (8000, 7500)
