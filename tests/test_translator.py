"""PIL in, PIL out."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i_models as i2i
from i2i_models.checkpoints import Domain, Info
from i2i_models.errors import DirectionError


def make(kind_a: str = "outline") -> i2i.Translator:
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=5)).eval().requires_grad_(False)
    domains = {"A": Domain("outline", kind_a), "B": Domain("emoji")}  # type: ignore[arg-type]
    return i2i.Translator(network, Info("tiny", "Tiny", "pix2pix", 32, domains))


@pytest.fixture(scope="module")
def translator() -> i2i.Translator:
    return make()


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (33, 100), (7, 5), (200, 3)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1"])
def test_any_size_and_mode_comes_back_in_its_size(translator: i2i.Translator, size: tuple[int, int], mode: str) -> None:
    result = translator.translate(noise(*size, mode))
    assert (result.mode, result.size) == ("RGB", size)


def test_the_network_sees_the_image_undistorted_with_its_border_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = make()
    seen = []
    monkeypatch.setattr(translator.network, "encode", lambda x, direction: seen.append(x) or x)
    image = Image.new("RGB", (64, 32), "red")
    image.paste("blue", (0, 24, 64, 32))
    translator.encode(image)
    (x,) = seen
    assert x.shape == (1, 3, 32, 32)
    red, blue = x[0, 0] > 0.9, x[0, 2] > 0.9
    assert red[:19].all()
    assert blue[21:].all()


def test_labels_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = make("labels")
    seen = []
    monkeypatch.setattr(translator.network, "encode", lambda x, direction: seen.append(x) or x)
    translator.encode(noise(50, 50).quantize(3).convert("RGB"))
    assert len(torch.unique(seen[0].flatten(2)[0], dim=1).T) <= 3


def test_decode_of_encode_is_translate(translator: i2i.Translator) -> None:
    image = noise(40, 30)
    codes = translator.encode(image)
    assert translator.decode(codes).tobytes() == translator.translate(image).tobytes()
    assert translator.decode(codes, seed=1).tobytes() == translator.translate(image, seed=1).tobytes()
    assert translator.decode(codes, seed=1).tobytes() != translator.decode(codes, seed=2).tobytes()
    assert translator.decode(codes, seed=1).tobytes() != translator.decode(codes).tobytes()


def test_a_direction_it_does_not_have(translator: i2i.Translator) -> None:
    with pytest.raises(DirectionError, match="not 'B2A'"):
        translator.translate(noise(32, 32), "B2A")


def test_threads_do_not_disturb_each_other(translator: i2i.Translator) -> None:
    images = [noise(32, 32).rotate(10 * i) for i in range(8)]
    serial = [translator.translate(image, seed=i).tobytes() for i, image in enumerate(images)]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda i: translator.translate(images[i], seed=i).tobytes(), range(8)))
    assert parallel == serial


def test_an_outline_is_black_on_white_where_the_picture_changes() -> None:
    picture = Image.new("RGB", (90, 60), "white")
    picture.paste("red", (20, 15, 70, 45))
    result = i2i.outline(picture)
    assert (result.mode, result.size) == ("RGB", (90, 60))
    dark = np.asarray(result)[:, :, 0] < 128
    assert dark[14:17, 30:60].any(0).all()
    assert not dark[25:35, 30:60].any()
    assert not dark[:10].any()


def test_card_and_examples_are_those_of_the_folder(tmp_path: Path, translator: i2i.Translator) -> None:
    (tmp_path / "examples").mkdir()
    noise(8, 8).save(tmp_path / "examples" / "b.png")
    noise(8, 8).save(tmp_path / "examples" / "a.png")
    (tmp_path / "README.md").write_text("# Card")
    here = i2i.Translator(translator.network, translator.info, tmp_path)
    assert here.card == "# Card"
    assert [path.name for path in here.examples] == ["a.png", "b.png"]
    assert (translator.card, translator.examples) == ("", [])
