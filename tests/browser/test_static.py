"""The page without a server: from a plain file server, the network cut off, it draws what the server draws."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

import i2i_models as i2i
from i2i_models.checkpoints.styles import parse_style
from i2i_models.errors import HubError
from train.publish.space import space
from train.publish.static import make_static

from .conftest import CHECKPOINTS, ROOT
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
    import base64
    import io

    image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    assert image.size == (size, size)
    return image


def assert_same(view: TranslationView, wanted: Image.Image) -> None:
    away = np.abs(the_result(view, wanted.width).astype(int) - np.asarray(wanted).astype(int))
    assert away.max() <= MOST and away.mean() <= MEAN, (away.max(), away.mean())


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
    Image.linear_gradient("L").convert("RGB").save(picture)
    view.root.locator('[data-part="file"]').set_input_files(picture)
    rest(view)
    view.root.get_by_role("tab", name="From a picture").click()
    old = view.result.get_attribute("data-style") or ""
    view.root.locator('[data-part="guide-file"]').set_input_files(picture)
    expect(view.result).not_to_have_attribute("data-style", old)
    (tmp_path / "text.png").write_text("no picture")
    view.root.locator('[data-part="file"]').set_input_files(tmp_path / "text.png")
    expect(view.toast).to_contain_text("not a picture")


@pytest.mark.slow
def test_a_damaged_weight_file_is_a_sentence(browser: Browser, folder: Path, serve: Any, tmp_path: Path) -> None:
    import shutil

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
    munit = i2i.load(CHECKPOINTS / "emoji-munit")
    style = parse_style(view.result.get_attribute("data-style") or "", 8)
    with torch.inference_mode():
        assert_same(view, munit.translate(the_input(view, 128), "A2B", style))
    visit.end()
