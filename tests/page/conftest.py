"""Between the page and the translators: untrained checkpoints of every kind, and what the page sends."""

import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageDraw

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks.network import TranslationNetwork
from ui import payload as reading
from ui.answers import Answers
from ui.catalog import Catalog
from ui.uploads import Uploads

NAME, LATENT, STYLED, ONE_WAY, PAINT = "tiny", "tiny-latent", "tiny-styled", "tiny-one-way", "tiny-paint"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with untrained checkpoints of outlines, one for each place where chance may enter; and one of paint."""
    folder = tmp_path_factory.mktemp("checkpoints")
    networks: dict[str, TranslationNetwork] = {
        NAME: i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        LATENT: i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1)),
        STYLED: i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, style_downs=2, mlp_width=8)),
        ONE_WAY: i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1, one_way=True)),
    }
    domains = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}
    for name, network in networks.items():
        checkpoints.save(folder / name, network, checkpoints.Info(name, name.title(), network.method, 32, domains))
    painted = {"A": checkpoints.Domain("flat drawings", "paint"), "B": checkpoints.Domain("pictures")}
    checkpoints.save(folder / PAINT, networks[NAME], checkpoints.Info(PAINT, "Tiny-Paint", "pix2pix", 32, painted))
    (folder / NAME / "README.md").write_text(
        "---\nlicense: mit\n---\n# A card\n\n![samples](samples.png) ![secret](../../etc/passwd) ![far](https://a.b/c.png)\n"
    )
    Image.new("RGB", (8, 8), "red").save(folder / NAME / "samples.png")
    (folder / NAME / "examples").mkdir()
    Image.new("RGB", (32, 32), "white").save(folder / NAME / "examples" / "1.png")
    (folder / NAME / "examples" / "2.png").write_text("no picture")
    (folder / LATENT / "examples" / "B").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(folder / LATENT / "examples" / "B" / "1.png")
    return folder


@pytest.fixture(scope="session")
def catalog(folder: Path) -> Catalog:
    return Catalog(folder)


@pytest.fixture(scope="session")
def answers(catalog: Catalog) -> Answers:
    return Answers(catalog)


@pytest.fixture(scope="session")
def uploads(catalog: Catalog) -> Uploads:
    return Uploads(catalog)


def payload(**changes: Any) -> dict[str, Any]:
    drawing = Image.new("RGB", (32, 32), "white")
    ImageDraw.Draw(drawing).line((4, 4, 28, 28), fill="black", width=2)
    return {
        "checkpoint": NAME,
        "direction": "A2B",
        "seed": None,
        "image": reading.to_data_url(drawing),
        **changes,
    }


def upload(data: bytes, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(data={"checkpoint": NAME, "direction": "A2B", **changes}, files=[("picture.png", data)])


def file_of(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def decoded(url: str) -> Image.Image:
    return i2i.open_image(base64.b64decode(url.partition(",")[2]))
