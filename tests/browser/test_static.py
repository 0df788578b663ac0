"""The page without a server: from a plain file server, the network cut off, it draws what the server draws."""

import base64
import functools
import http.server
import io
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image, ImageDraw, ImageOps
from playwright.sync_api import Browser, Page, Route, expect

import i2i_models as i2i
from i2i_models.checkpoints.styles import parse_style
from i2i_models.errors import HubError
from train.publish.space import space
from train.publish.static import MOST_BYTES, RUNTIME_BYTES, SHARED_LAYERS, default_models, make_static

from .conftest import CHECKPOINTS, ROOT
from .multimodal_tab import save_munit
from .translation_view import PHONE, SMILE, TranslationView

pytest.importorskip("onnxruntime")

MODELS = ("shape-munit", "wall-unit", "shape-pix2pix")
MOST, MEAN = 8, 1.0
"""How far a picture of the browser's may be from the server's: of 255, in any pixel and on average."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """`python -m http.server` without its log."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def serve() -> Iterator[Any]:
    """Serve a folder as plain files; its address."""
    running = []

    def start(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def folder(full_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with three untrained networks, made as the command makes it."""
    there = tmp_path_factory.mktemp("static") / "page"
    make_static(ROOT, [str(full_folder / name) for name in MODELS], there)
    return there


class Visit:
    """The page in a browser that reaches its file server and nothing else."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.context = browser.new_context(reduced_motion="reduce", **options)
        self.page, self.address = self.context.new_page(), address
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.context.route("**/*", self.cut_off)

    def cut_off(self, route: Route) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            return route.continue_()
        self.elsewhere.append(route.request.url)
        route.abort()

    def open(self, link: str = "") -> Page:
        self.page.goto(f"{self.address}/{link}")
        return self.page

    def end(self) -> None:
        self.context.close()
        assert not self.elsewhere and not self.errors, (self.elsewhere, self.errors)


@pytest.fixture
def visit(browser: Browser, folder: Path, serve: Any) -> Iterator[Visit]:
    visit = Visit(browser, serve(folder))
    yield visit
    visit.end()


def choose(page: Page, name: str, view: str) -> TranslationView:
    page.locator(f'#models label:has(input[value="{name}"])').click()
    shown = TranslationView(page, view)
    expect(shown.editor).to_be_visible()
    return shown


def rest(view: TranslationView) -> None:
    """Wait for the picture of the input as it is now."""
    expect(view.result).to_have_attribute("data-state", "done", timeout=60_000)
    view.page.wait_for_timeout(300)
    expect(view.result).not_to_have_attribute("aria-busy", "true", timeout=60_000)


def draw(view: TranslationView) -> None:
    """Clear the paper and draw a face on it."""
    view.root.locator('[data-action="clear"]').first.click()
    expect(view.result).to_have_attribute("data-state", "empty")
    box = view.drawing.bounding_box()
    assert box is not None
    mouse = view.page.mouse
    for stroke in SMILE:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point)
        mouse.up()
    rest(view)


def the_input(view: TranslationView, size: int) -> Image.Image:
    """What the network was given: the last entry of the visit's history has it."""
    view.root.locator(".history .thumb").first.wait_for()
    key = f"i2i-history-{view.tab}"
    url = view.page.evaluate(f"JSON.parse(sessionStorage.getItem('{key}'))[0].input")
    return decoded(url, size)


def the_result(view: TranslationView, size: int) -> np.ndarray:
    key = f"i2i-history-{view.tab}"
    return np.asarray(decoded(view.page.evaluate(f"JSON.parse(sessionStorage.getItem('{key}'))[0].result"), size))


def decoded(url: str, size: int) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    assert image.size == (size, size)
    return image


def assert_same(view: TranslationView, wanted: Image.Image) -> None:
    away = np.abs(the_result(view, wanted.width).astype(int) - np.asarray(wanted).astype(int))
    assert away.max() <= MOST and away.mean() <= MEAN, (away.max(), away.mean())


OUTLINE_JS = """
async ([text, width, height]) => {
    const { outline, looksDrawn } = await import("/browser/outlines.js");
    const data = Uint8ClampedArray.from(atob(text), (sign) => sign.charCodeAt(0));
    const drawn = outline({ data, width, height });
    let found = "";
    for (let i = 0; i < drawn.data.length; i += 8192) found += String.fromCharCode(...drawn.data.subarray(i, i + 8192));
    return [btoa(found), looksDrawn({ data, width, height })];
}
"""


def photo() -> Image.Image:
    """Things in colour before a noisy slope of light."""
    noise = np.random.default_rng(0).normal(0, 6, (150, 200, 3))
    slope = np.linspace(90, 200, 200)[None, :, None]
    image = Image.fromarray((slope + noise).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 110, 120), fill=(200, 60, 40))
    draw.polygon([(120, 130), (190, 130), (150, 40)], fill=(40, 90, 190))
    return image


def rgba(image: Image.Image) -> str:
    return base64.b64encode(image.convert("RGBA").tobytes()).decode()


def test_a_drawing_becomes_the_servers_picture_without_a_server(visit: Visit, full_folder: Path) -> None:
    page = visit.open()
    styles = TranslationView(page, "styles")
    rest(styles)  # an example is there by itself
    draw(styles)
    munit = i2i.load(full_folder / "shape-munit")
    image = the_input(styles, munit.info.size)
    style = parse_style(styles.result.get_attribute("data-style") or "", munit.capabilities.style_dim)
    assert np.asarray(image).min() < 60 and np.asarray(image).mean() > 150  # a few dark strokes
    assert_same(styles, munit.translate(image, "A2B", style))
    before = styles.result.get_attribute("data-style")
    page.locator("#styles-view .dot").press("ArrowRight")
    expect(styles.result).not_to_have_attribute("data-style", before or "")
    tiles = page.locator("#styles-view .dozen .tile img:visible")
    expect(tiles).to_have_count(12, timeout=60_000)

    draws = choose(page, "wall-unit", "draw")
    page.locator('#directions label:has(input[value="B2A"])').click()
    draws.root.locator('[data-action="way-back"]').click()
    draws.root.locator(".first-examples button, .examples button").first.click()
    rest(draws)
    expect(draws.root.locator('[data-part="distance"]')).to_contain_text("%")
    draws.root.locator(".history .thumb").first.wait_for()
    unit = i2i.load(full_folder / "wall-unit")
    assert_same(draws, unit.translate(the_input(draws, unit.info.size), "B2A"))


@pytest.mark.slow
def test_chance_is_the_servers(visit: Visit, full_folder: Path) -> None:
    page = visit.open()
    view = choose(page, "shape-pix2pix", "draw")
    rest(view)
    page.locator("#chance input[type=checkbox]").check()
    page.locator("#chance input[type=number]").fill("7")
    page.locator("#chance input[type=number]").press("Enter")
    rest(view)
    draw(view)
    network = i2i.load(full_folder / "shape-pix2pix")
    image = the_input(view, network.info.size)
    wanted = network.translate(image, "A2B", seed=7)
    assert np.abs(np.asarray(wanted).astype(int) - np.asarray(network.translate(image, "A2B")).astype(int)).max() > 0
    assert_same(view, wanted)


def test_files_styles_and_links_work_without_a_server(visit: Visit, tmp_path: Path) -> None:
    page = visit.open("#tab=styles&model=shape-munit&direction=B2A&style=" + ",".join(["0.5"] * 8))
    view = TranslationView(page, "styles")
    rest(view)
    assert "B2A" in str(page.locator("#directions input:checked").get_attribute("value"))
    assert (view.result.get_attribute("data-style") or "").startswith("munit:v1:0.5,0.5")
    picture = tmp_path / "picture.png"
    photo().save(picture)
    view.root.locator('[data-part="file"]').set_input_files(picture)
    rest(view)
    view.root.get_by_role("tab", name="From a picture").click()
    old = view.result.get_attribute("data-style") or ""
    view.root.locator('[data-part="guide-file"]').set_input_files(picture)
    expect(view.result).not_to_have_attribute("data-style", old)
    page.locator('#directions label:has(input[value="A2B"])').click()
    view.root.locator('[data-part="file"]').set_input_files(picture)
    rest(view)
    expect(view.root.get_by_role("button", name="Make an outline of it")).to_have_attribute("aria-pressed", "true")
    for shape in ((200, 150), (128, 128), (300, 411)):  # made larger, and smaller, for edges to be sought
        image = photo().resize(shape)
        outlined, is_drawn = page.evaluate(OUTLINE_JS, [rgba(image), *shape])
        pixels = np.frombuffer(base64.b64decode(outlined), np.uint8).reshape(shape[1], shape[0], 4)[..., :3]
        assert np.array_equal(pixels, np.asarray(i2i.outline(image))) and not is_drawn, shape
    before = view.root.locator(".history .thumb").count()
    view.root.get_by_role("button", name="Use as it is").click()
    expect(view.root.locator(".history .thumb")).to_have_count(before + 1)
    sketch = i2i.outline(photo())
    for drawing in (sketch, ImageOps.invert(sketch)):  # dark on light, and chalk
        drawing.save(picture)
        view.root.locator('[data-part="file"]').set_input_files(picture)
        rest(view)
        expect(view.root.get_by_role("button", name="Use as it is")).to_have_attribute("aria-pressed", "true")
        assert np.asarray(the_input(view, 32)).mean() > 128
    (tmp_path / "text.png").write_text("no picture")
    view.root.locator('[data-part="file"]').set_input_files(tmp_path / "text.png")
    expect(view.toast).to_contain_text("not a picture")


@pytest.mark.slow
def test_a_damaged_weight_file_is_a_sentence(browser: Browser, folder: Path, serve: Any, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "page")
    graph = tmp_path / "page" / "models" / "shape-munit" / "decoder-A2B.onnx"
    graph.write_bytes(graph.read_bytes()[:-100])
    visit = Visit(browser, serve(tmp_path / "page"))
    page = visit.open()
    expect(page.locator(".toast").first).to_contain_text("damaged", timeout=60_000)
    visit.context.close()


@pytest.mark.slow
def test_it_fits_a_phone(browser: Browser, folder: Path, serve: Any) -> None:
    visit = Visit(browser, serve(folder), color_scheme="dark", **PHONE)
    page = visit.open()
    rest(TranslationView(page, "styles"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 22, 22)"
    visit.end()


def test_the_folder_is_a_static_space(folder: Path, tmp_path: Path) -> None:
    front = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    assert (front["sdk"], front["app_file"]) == ("static", "index.html")
    assert {"index.html", "page.js", "page.css", "LICENSE", "browser", "runtime", "models"} <= {
        path.name for path in folder.iterdir()
    }
    with pytest.raises(HubError, match="is not empty"):
        make_static(ROOT, ["x"], folder)
    with pytest.raises(HubError, match="add --static"):
        space("owner/name", output=tmp_path / "out")
    with pytest.raises(HubError, match="no hardware"):
        space("owner/name", static=True, hardware="t4-small")
    with pytest.raises(HubError, match="holds no checkpoint"):
        make_static(tmp_path, [], tmp_path / "out")


@pytest.mark.slow
def test_three_shipped_checkpoints_take_40_megabytes(browser: Browser, serve: Any, tmp_path: Path) -> None:
    space("owner/name", static=True, output=tmp_path / "page")
    assert sum(path.stat().st_size for path in (tmp_path / "page").rglob("*") if path.is_file()) <= 40_000_000
    assert len(list((tmp_path / "page" / "models").iterdir())) == 3
    visit = Visit(browser, serve(tmp_path / "page"))
    page = visit.open()
    view = TranslationView(page, "styles")
    rest(view)
    draw(view)
    munit = i2i.load(CHECKPOINTS / "avatar-munit")
    style = parse_style(view.result.get_attribute("data-style") or "", munit.capabilities.style_dim)
    with torch.inference_mode():
        assert_same(view, munit.translate(the_input(view, munit.info.size), "A2B", style))
    visit.end()


def test_the_best_three_that_are_small_enough_are_chosen(tmp_path: Path) -> None:
    names = ("zebra", "glasses-unit", "avatar-munit", "emoji-pix2pix", "facades-unit")
    for name in names:
        save_munit(tmp_path / "checkpoints" / name, name, ("outline", "picture"), 1)
    chosen = [Path(path).name for path in default_models(tmp_path)]
    assert chosen == ["avatar-munit", "glasses-unit", "emoji-pix2pix"]
    weights = tmp_path / "checkpoints" / "emoji-pix2pix" / "model.safetensors"
    with open(weights, "ab") as file:
        file.truncate(int((MOST_BYTES - RUNTIME_BYTES) / SHARED_LAYERS))  # alone it would do
    assert [Path(path).name for path in default_models(tmp_path)][-1] == "facades-unit"
    for name in names[1:]:
        shutil.rmtree(tmp_path / "checkpoints" / name)
    assert [Path(path).name for path in default_models(tmp_path)] == ["zebra"]
