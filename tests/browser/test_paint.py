"""Painting in free colours: each tool, the bucket without seams, colours, pictures, a sheet of one colour."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import expect

import i2i_models as i2i
from i2i_models import checkpoints

from .test_accessibility import findings
from .translation_view import PHONE, Point, TranslationView, png

BLUE, RED, YELLOW, WHITE = (0, 166, 237), (248, 49, 47), (252, 213, 63), (255, 255, 255)
RING: list[Point] = [(0.5 + 0.3 * float(np.cos(t)), 0.5 + 0.3 * float(np.sin(t))) for t in np.linspace(0, 6.6, 50)]


def save(folder: Path) -> None:
    """One untrained network, to which one paints, and an example."""
    torch.manual_seed(0)
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    domains = {"A": checkpoints.Domain("flat drawing", "paint"), "B": checkpoints.Domain("3D render")}
    checkpoints.save(folder / "toy", network, checkpoints.Info("toy", "Flat to 3D", network.method, 64, domains))
    (folder / "toy" / "examples").mkdir()
    example = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(example).ellipse((10, 10, 54, 54), fill="orange")
    example.save(folder / "toy" / "examples" / "1.png")


@pytest.fixture(scope="session")
def paint_page(shared_folder: Callable[..., Path], shared_page: Callable[..., str]) -> str:
    """The address of a page with that network alone."""
    return shared_page("paint", shared_folder("paint", save))


@pytest.fixture
def paint(open_view: Callable[..., TranslationView], paint_page: str) -> TranslationView:
    view = open_view(paint_page)
    expect(view.editor).to_have_attribute("data-kind", "paint")
    return view


def press(view: TranslationView, u: float, v: float) -> None:
    view.stroke([(u, v)])


def colour_at(view: TranslationView, u: float, v: float) -> tuple[int, ...]:
    pixels = view.pixels(".drawing")
    return tuple(int(c) for c in pixels[int(v * len(pixels)), int(u * len(pixels))])


def sent(view: TranslationView) -> np.ndarray:
    """The drawing as the server gets it, at the network's size."""
    view.button("Undo (Ctrl+Z)").click()
    view.settled()
    with view.page.expect_request(lambda request: "data:image/png" in (request.post_data or "")) as asked:
        view.button("Redo (Ctrl+Shift+Z)").click()
    found = re.search('data:image/png;base64,([^"]+)', asked.value.post_data or "")
    assert found
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))


def test_each_tool_paints(paint: TranslationView) -> None:
    blank = paint.fingerprint(".drawing")
    assert (paint.pixels(".drawing") == 255).all()
    paint.stroke([(0.1, 0.1), (0.4, 0.1)])
    assert colour_at(paint, 0.25, 0.1) == BLUE, "one begins with a colour that can be seen"
    paint.button("Red").click()
    paint.button("Rectangle").click()
    paint.stroke([(0.1, 0.3), (0.4, 0.6)])
    assert colour_at(paint, 0.12, 0.32) == colour_at(paint, 0.38, 0.58) == RED
    paint.button("Ellipse").click()
    paint.stroke([(0.5, 0.3), (0.9, 0.6)])
    assert colour_at(paint, 0.7, 0.45) == RED and colour_at(paint, 0.52, 0.32) == WHITE
    paint.button("Yellow").click()
    paint.button("Fill").click()
    press(paint, 0.7, 0.45)
    assert colour_at(paint, 0.7, 0.45) == YELLOW and colour_at(paint, 0.25, 0.45) == RED
    before = paint.settled()
    paint.button("Eraser").click()
    paint.stroke([(0.2, 0.45), (0.3, 0.45)])
    assert colour_at(paint, 0.25, 0.45) == WHITE
    paint.changed(before)

    painted = paint.fingerprint(".drawing")
    for _ in range(5):
        paint.page.keyboard.press("Control+z")
    assert paint.fingerprint(".drawing") == blank
    expect(paint.result).to_have_attribute("data-state", "empty")
    for _ in range(5):
        paint.page.keyboard.press("Control+Shift+Z")
    assert paint.fingerprint(".drawing") == painted
    paint.settled()
    paint.button("Clear").click()
    assert paint.fingerprint(".drawing") == blank

    # A sheet of one colour is empty.
    placeholder = paint.page.get_by_text("Paint something in flat colours")
    expect(placeholder).to_be_visible()
    for colour in ("White", "Blue"):
        paint.button(colour).click()
        paint.button("Rectangle").click()
        paint.stroke([(-0.01, -0.01), (1.01, 1.01)])
        expect(placeholder).to_be_visible()
        expect(paint.result).to_have_attribute("data-state", "empty")
    paint.button("Yellow").click()
    paint.stroke([(0.2, 0.2), (0.6, 0.6)])
    expect(placeholder).to_be_hidden()
    paint.settled()
    expect(paint.toast).to_have_count(0)


def test_the_bucket_leaves_no_seam(paint: TranslationView) -> None:
    """Between blue and the yellow that replaces white, no pixel has anything of the white between them any more.

    Nor has one between an example's soft edge and what is around it.
    """
    paint.stroke(RING)
    paint.button("Yellow").click()
    paint.button("Fill").click()
    press(paint, 0.5, 0.5)
    press(paint, 0.02, 0.02)
    mixtures(paint.pixels(".drawing"), BLUE, YELLOW)
    mixtures(sent(paint), BLUE, YELLOW)
    paint.button("Red").click()
    press(paint, *RING[0])
    for pixels in (paint.pixels(".drawing"), sent(paint)):
        mixtures(pixels, RED, YELLOW)
        assert 0.003 < ((pixels != RED) & (pixels != YELLOW)).any(-1).mean() < 0.3, "edges stay smooth"

    paint.button("Clear").click()
    paint.choose_example()
    paint.button("Red").click()
    paint.button("Fill").click()
    press(paint, 0.02, 0.02)
    mixtures(paint.pixels(".drawing"), RED, (255, 165, 0))
    filled = paint.fingerprint(".drawing")
    press(paint, 0.02, 0.02)
    paint.page.keyboard.press("Control+z")
    assert paint.fingerprint(".drawing") != filled, "filling with the same colour was an operation"


def mixtures(pixels: np.ndarray, one: tuple[int, ...], other: tuple[int, ...]) -> None:
    """Every pixel lies between two colours."""
    start, way = np.array(one, float), np.array(other, float) - one
    share = ((pixels - start) @ way / (way @ way)).clip(0, 1)
    astray = np.abs(pixels - start - share[..., None] * way).max(-1)
    assert astray.max() <= 24, f"{(astray > 24).sum()} pixels have another colour"
    assert 0.1 < share.mean() < 0.95


def test_colours_are_picked(paint: TranslationView) -> None:
    chosen = paint.editor.locator('[data-part="any-colour"]')
    chosen.fill("#123456")
    expect(paint.editor.locator('.swatches [aria-pressed="true"]')).to_have_count(0)
    paint.stroke([(0.1, 0.1), (0.4, 0.1)])
    assert colour_at(paint, 0.25, 0.1) == (0x12, 0x34, 0x56)
    paint.page.keyboard.press("Control+z")
    assert colour_at(paint, 0.25, 0.1) == WHITE
    paint.page.keyboard.press("Control+Shift+Z")
    paint.button("Red").click()
    paint.button("Rectangle").click()
    paint.stroke([(0.5, 0.5), (0.9, 0.9)])
    paint.button("Pick a colour").click()
    press(paint, 0.25, 0.1)
    expect(chosen).to_have_value("#123456")
    expect(paint.button("Rectangle")).to_have_attribute("aria-pressed", "true")
    paint.page.keyboard.down("Alt")
    press(paint, 0.7, 0.7)
    paint.page.keyboard.up("Alt")
    expect(paint.button("Red")).to_have_attribute("aria-pressed", "true")
    expect(paint.button("Undo (Ctrl+Z)")).to_be_enabled()
    paint.button("Eraser").click()
    paint.button("Yellow").click()
    paint.stroke([(0.1, 0.8), (0.3, 0.8)])
    assert colour_at(paint, 0.2, 0.8) == YELLOW, "who chooses a colour wants to paint"


def test_a_picture_in_flat_colours_and_as_it_is(paint: TranslationView) -> None:
    shades = Image.linear_gradient("L").resize((300, 300))
    photo = Image.merge("RGB", (shades, shades.rotate(180), Image.new("L", (300, 300), 90)))
    paint.choose_file("photo.png", png(photo))
    flat = paint.settled()
    expect(paint.button("Make flat colours of it")).to_have_attribute("aria-pressed", "true")
    expect(paint.button("Make an outline of it")).to_be_hidden()
    paint.button("Fill").click()
    press(paint, 0.5, 0.05)
    assert colour_at(paint, 0.5, 0.05) == BLUE
    filled = paint.changed(flat)
    paint.button("Use as it is").click()
    paint.changed(filled)
    assert colour_at(paint, 0.5, 0.05) == BLUE, "what was filled stays filled on the other variant"
    assert len(np.unique(paint.pixels(".drawing")[:, 256], axis=0)) > 100, "the photo is there"


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_the_narrowest_phone(
    open_view: Callable[..., TranslationView], paint_page: str, language: str, scheme: str
) -> None:
    phone = {**PHONE, "viewport": {"width": 360, "height": 740}}
    view = open_view(paint_page, **phone, color_scheme=scheme, locale=language)
    assert view.page.evaluate("() => document.documentElement.scrollWidth") == 360
    boxes = [box.bounding_box() for box in view.editor.locator(".palette button, .any-colour").all()]
    assert len(boxes) == 14 and len({box["y"] for box in boxes if box}) == 2, "two rows of seven"
    assert all(box and box["width"] >= 36 and box["height"] >= 36 and box["x"] + box["width"] <= 360 for box in boxes)
    assert not findings(view.page)
    view.editor.locator('[data-tool="ellipse"]').tap()
    view.stroke([(0.2, 0.2), (0.8, 0.8)])
    view.settled()
    view.screenshot(f"paint-phone-{scheme}-{language}")
