"""Untrusted files become RGB images or one clear sentence."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from i2i_models.errors import ImageError
from i2i_models.images.reading import open_image
from i2i_models.images.tensors import from_bytes, layout_on, to_bytes, to_image, to_tensor


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("text.png", "not an image"),
        ("page.png", "not an image"),
        ("cut.jpg", "damaged"),
        ("pixel.png", "1×1"),
        ("huge.png", "too large"),
        ("empty.png", "not an image"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_name(odd_files: dict[str, Path], name: str, says: str) -> None:
    with pytest.raises(ImageError, match=says) as error:
        open_image(odd_files[name])
    assert name in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(ImageError):
        open_image(odd_files[name].read_bytes())


def test_a_large_image_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    large = _saved(Image.new("1", (10_000, 5_000)), "PNG")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="10000×5000"):
        open_image(large)


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        open_image(tmp_path / "no.png")
    with pytest.raises(ImageError, match="cannot be opened"):
        open_image(tmp_path)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_every_mode_becomes_rgb() -> None:
    red = Image.new("RGB", (20, 10), (200, 30, 40))
    for image, kind in ((red.convert("CMYK"), "JPEG"), (red.quantize(4), "PNG"), (red.convert("RGBA"), "WEBP")):
        result = open_image(_saved(image, kind))
        assert result.mode == "RGB"
        assert result.size == (20, 10)
        assert np.abs(np.asarray(result, int) - (200, 30, 40)).max() <= 8


def test_transparency_lies_on_white() -> None:
    assert open_image(_saved(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG")).getpixel((1, 1)) == (255, 255, 255)
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([10, 20, 30])
    assert open_image(_saved(palette, "PNG", transparency=0)).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.full((4, 4), 32768, np.uint16))
    assert open_image(_saved(grey, "PNG")).getpixel((0, 0)) == (127, 127, 127)


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(_saved(Image.new("RGB", (30, 10)), "JPEG", exif=exif)).size == (10, 30)


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    result = open_image(_saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert result.getpixel((0, 0)) == (255, 0, 0)


def test_bytes_and_tensors_go_back_and_forth() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(from_bytes(values)), values)
    assert from_bytes(values)[[0, 255]].tolist() == [-1.0, 1.0]
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8))
    assert to_tensor(image).shape == (1, 3, 5, 7)
    assert np.array_equal(np.asarray(to_image(to_tensor(image))), np.asarray(image))


def test_maps_on_mps_are_not_channels_last() -> None:
    layouts = {device: layout_on(device) for device in ("cpu", "cuda:1", "mps")}
    assert layouts == {"cpu": torch.channels_last, "cuda:1": torch.channels_last, "mps": torch.contiguous_format}
