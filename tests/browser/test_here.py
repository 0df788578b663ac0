"""Networks in the visitor's own browser: they draw what the server draws, ask it nothing, and give way to it."""

import base64
import gzip
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, Route, Worker, expect

import i2i_models as i2i
from i2i_models.directions import source, target
from ui.browser.files import RUNTIME

from .conftest import CHECKPOINTS
from .multimodal_tab import MultimodalTab
from .translation_view import SMILE, TranslationView

pytest.importorskip("onnxruntime")

MOST, MEAN = 8, 1.0
"""How far a picture of the browser's may be from the server's: of 255, in any pixel and on average."""
OPEN_JS = """
async ([scripts, base, runtime, options]) => {
    const { openNetwork } = await import(new URL(scripts + "network.js", location).href);
    globalThis.network = await openNetwork({ base, runtime, backend: "wasm", threads: 1, ...options });
    const bytes = (text) => Uint8ClampedArray.from(atob(text), (c) => c.charCodeAt(0));
    globalThis.picture = ([text, width, height]) => new ImageData(bytes(text), width, height);
    globalThis.text = ({ data, width, height }) => {
        let found = "";
        for (let i = 0; i < data.length; i += 8192) found += String.fromCharCode(...data.subarray(i, i + 8192));
        return [btoa(found), width, height];
    };
}
"""
TRANSLATE_JS = """
async ([given, direction, options]) => {
    const codes = await network.encode(picture(given), direction);
    const drawn = await network.decode(codes, options);
    network.forget(codes);
    return text(drawn);
}
"""
Start = Callable[..., tuple[str, list[str]]]


ON = {"I2I_BROWSER": "on", "I2I_ENGINE": "torch"}


@pytest.fixture(scope="module")
def here_page(full_folder: Path, start_page: Start) -> str:
    """The address of a page with untrained networks of every method."""
    return start_page(full_folder, **ON)[0]


def browser_props(page: Page) -> dict[str, Any]:
    """What the page tells its components of networks in the browser."""
    find = (
        "c => c.components.map(c => c.props.props?.browser).filter(Boolean).at(-1)"  # of Compare, which has all models
    )
    return page.evaluate(f"fetch('/config').then(r => r.json()).then({find})")


def opened(page: Page, name: str, **options: Any) -> None:
    """Open a checkpoint's network in a page, past the page's own scripts."""
    props = browser_props(page)
    page.evaluate(OPEN_JS, [props["scripts"], props["models"][name], props["runtime"], options])


def own_worker(page: Page) -> Worker:
    """The worker that runs networks; those of the runtime's threads are others."""
    return next(worker for worker in page.workers if worker.url.endswith("/worker.js"))


def rgba(image: Image.Image) -> list[Any]:
    return [base64.b64encode(image.convert("RGBA").tobytes()).decode(), *image.size]


def drawn(page: Page, image: Image.Image, direction: str, **options: Any) -> np.ndarray:
    """What the browser makes of an image, `(H, W, 3)`."""
    found, width, height = page.evaluate(TRANSLATE_JS, [rgba(image), direction, options])
    return np.frombuffer(base64.b64decode(found), np.uint8).reshape(height, width, 4)[..., :3]


def assert_same(found: np.ndarray, wanted: Image.Image, what: object) -> None:
    away = np.abs(found.astype(int) - np.asarray(wanted).astype(int))
    print(what, away.max(), f"{away.mean():.4f}")  # with -s, for the record
    assert away.max() <= MOST and away.mean() <= MEAN, (what, away.max(), away.mean())


def inputs(translator: i2i.Translator, direction: str) -> list[Image.Image]:
    """Examples, and pictures that have to be fitted: small, wide, and so long that a row of squares is one picture."""
    examples = [i2i.open_image(path) for path in translator.examples_of(source(direction))]  # type: ignore[arg-type]
    first, side = examples[0], translator.info.size
    shapes = [(side // 2, side // 3), (side + 37, side - 11), (3 * side + 5, side)]
    return [*examples, *(first.resize(shape, Image.Resampling.NEAREST) for shape in shapes)]


def compare(page: Page, name: str, translator: i2i.Translator) -> None:
    """Every example in every direction, and whatever chance and styles the network has."""
    opened(page, name)
    can = translator.capabilities
    for direction in translator.directions:
        for number, image in enumerate(inputs(translator, direction)):
            wanted = translator.translate(image, direction)
            assert_same(drawn(page, image, direction), wanted, (name, direction, number))
        image = inputs(translator, direction)[0]
        if can.chance != "none":
            wanted = translator.translate(image, direction, seed=7, temperature=0.8)
            assert_same(drawn(page, image, direction, seed=7, temperature=0.8), wanted, (name, direction, "seed"))
        if can.style_dim:
            style = translator.styles[target(direction)].mean
            wanted = translator.translate(image, direction, style)
            assert_same(drawn(page, image, direction, style=style.tolist()), wanted, (name, direction, "style"))
            own = page.evaluate("([p, d]) => network.encodeStyle(picture(p), d)", [rgba(image), source(direction)])
            assert torch.allclose(torch.tensor(own), translator.encode_style(image, source(direction)), atol=2e-2)


@pytest.fixture(scope="module")
def page(browser: Browser, here_page: str) -> Iterator[Page]:
    """A page whose own scripts do nothing."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(here_page)
    yield page
    context.close()


@pytest.mark.parametrize(
    "name", ["shape-munit", *(pytest.param(name, marks=pytest.mark.slow) for name in ("wall-unit", "shape-pix2pix"))]
)
def test_the_browser_draws_what_the_server_draws(page: Page, full_folder: Path, name: str) -> None:
    compare(page, name, i2i.load(full_folder / name))


@pytest.fixture(scope="module")
def shipped_page(start_page: Start) -> str:
    """The address of a page with the shipped checkpoints."""
    return start_page(CHECKPOINTS, **ON)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in i2i.find_checkpoints(CHECKPOINTS)))
def test_every_shipped_checkpoint(browser: Browser, shipped_page: str, name: str) -> None:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(shipped_page)
    compare(page, name, i2i.load(CHECKPOINTS / name))
    page.context.close()


# ---- in the page


class Here:
    """The switch of a tab, and what the page asks the server meanwhile."""

    def __init__(self, view: TranslationView) -> None:
        self.view = view
        self.switch = view.root.locator('[data-part="here"]')
        self.time = view.root.locator('[data-part="time"]')

    def go(self) -> None:
        """Have the browser draw, and wait until it does."""
        self.switch.click()
        self.is_at("here")

    def is_at(self, place: str, timeout: float = 60_000) -> None:
        expect(self.switch).to_have_attribute("data-place", place, timeout=timeout)

    def requests(self) -> list[str]:
        """The addresses that the page asks from now on."""
        found: list[str] = []
        self.view.page.on(
            "request", lambda r: found.append(r.url) if not r.url.startswith(("data:", "blob:")) else None
        )
        return found


WATCH_JS = """
() => {
    const button = [...document.querySelectorAll("[data-part=here]")].find((found) => found.checkVisibility());
    globalThis.said = [];
    new MutationObserver(() => said.push(button.textContent)).observe(button, { childList: true });
}
"""


def loaded(said: list[str], checkpoint: Path) -> None:
    """Loading went up to all that there is: the runtime as it comes over the line, and a direction's two graphs."""
    words = [re.fullmatch(r"Loading: ([\d.]+) of ([\d.]+) MB", word) for word in said]
    shares = [(float(word[1]), float(word[2])) for word in words if word]
    assert shares == sorted(shares) and len(shares) > 3 and shares[-1][0] == shares[-1][1], said
    runtime = json.loads(gzip.decompress(RUNTIME.files["runtime.json"]))["files"]["ort.wasm"]["packed"] / 1e6
    assert runtime < shares[-1][1] < runtime + (checkpoint / "model.safetensors").stat().st_size / 1e6 + 0.3, said


def test_nothing_is_asked_while_the_browser_draws(
    open_view: Callable[..., TranslationView], here_page: str, full_folder: Path
) -> None:
    view = MultimodalTab(open_view(here_page))
    view.open()
    first = view.example()
    here = Here(view)
    expect(here.switch).to_have_text("Runs on the server")
    view.page.evaluate(WATCH_JS)
    here.go()
    loaded(view.page.evaluate("said"), full_folder / "shape-munit")
    asks = here.requests()
    view.drag([(0.2, 0.2), (0.4, 0.6), (0.8, 0.3)])
    moved = view.moved_on(first)
    expect(here.time).to_contain_text("in your browser, WASM")
    tiles = view.panel("Random styles").locator(".tile img:visible")
    expect(tiles).to_have_count(12)
    view.root.get_by_role("button", name="Random", exact=True).first.click()
    view.moved_on(moved)
    view.panel("In between")
    view.filled(view.root.locator(".strip .tile"), 7)
    asked_server = [url for url in asks if "component_server" in url]
    assert not asked_server, asked_server
    view.screenshot("here")
    # Another visit: the choice is remembered, and the weights come out of the browser's cache.
    loads = here.requests()
    view.page.reload()
    again = MultimodalTab(TranslationView(view.page, "paired", view.complaints))
    again.open()
    again.example()
    Here(again).is_at("here")
    assert not [url for url in loads if ".onnx" in url], "the weights were loaded twice"


def test_strokes_way_back_temperature_and_compare(open_view: Callable[..., TranslationView], here_page: str) -> None:
    paired = open_view(here_page)
    Here(paired).go()
    asks = Here(paired).requests()
    paired.draw(SMILE[:2])
    paired.settled()
    expect(Here(paired).time).to_contain_text("in your browser")
    assert not [url for url in asks if "component_server" in url]
    view = paired.open_tab("unpaired")
    view.model("shape-unit", "outline")
    view.choose_example()
    Here(view).is_at("here")
    del asks[:]
    view.button("Way back").click()
    view.page.wait_for_timeout(1000)  # the other direction is loaded, while the server answers
    view.draw(SMILE[1:2])
    view.settled()
    del asks[:]
    before = view.settled()
    view.draw(SMILE[2:3])
    view.changed(before)
    expect(view.root.locator('[data-part="distance"]')).to_contain_text("%")
    view.button("Walk").click()
    view.root.locator('[data-part="end-examples"] button').nth(1).click()
    before = view.settled()
    view.root.locator('.interpolation [data-part="share"]').fill("0.7")
    view.changed(before)
    compare = view.open_tab("compare")
    compare.root.locator(".first-examples button").first.click()
    tiles = compare.root.locator(".tile.method .time")
    expect(tiles.filter(has_text="ms")).to_have_count(4)
    here = tiles.filter(has_text="in your browser")
    for _ in range(40):  # until every method's network is loaded
        compare.draw(SMILE[1:2])
        compare.page.wait_for_timeout(1000)
        if here.count() == 4:
            break
    del asks[:]
    compare.draw(SMILE[1:3])
    compare.page.wait_for_timeout(1000)
    expect(here).to_have_count(4)
    assert not [url for url in asks if "component_server" in url]


def cut_short(route: Route) -> None:
    response = route.fetch()
    route.fulfill(response=response, body=response.body()[:-100])


FAULTS: dict[str, tuple[str, Callable[[Route], None]]] = {
    "wasm blocked": ("**/ort.wasm", lambda route: route.abort()),
    "wasm broken": ("**/ort.mjs", lambda route: route.fulfill(body="not a script (", content_type="text/javascript")),
    "weights cut short": ("**/browser/models/**/*.onnx*", cut_short),
    "weights of another version": (
        "**/browser/models/**/*.onnx*",
        lambda route: route.fulfill(body=route.fetch().body()[::-1], content_type="application/octet-stream"),
    ),
    "no weights": ("**/browser/models/**", lambda route: route.fulfill(status=404, body="{}")),
}
SAID = "This browser could not go on with the network, so the server makes the pictures again."


def test_what_cannot_be_loaded_leaves_the_server_at_work(
    open_view: Callable[..., TranslationView], here_page: str
) -> None:
    """And whoever clicks again has it tried again, which succeeds once nothing is wrong any more."""
    view = open_view(here_page)
    here = Here(view)
    view.draw(SMILE[:1])
    for address, fault in FAULTS.values():
        view.page.route(address, fault)
        here.switch.click()
        expect(view.toast.locator("span")).to_have_text(SAID, timeout=60_000)
        here.is_at("server")
        before = view.settled()
        view.draw(SMILE[1:2])
        view.changed(before)
        expect(here.time).to_contain_text("network")
        view.page.evaluate("document.querySelectorAll('.toast').forEach((toast) => toast.remove())")
        view.button("Clear").click()
        view.draw(SMILE[:1])
        view.page.unroute(address)
    here.go()
    view.complaints[:] = [c for c in view.complaints if "Failed to load resource" not in c and "SyntaxError" not in c]


LATE_FAULTS = (
    "import({ort}).then((m) => (m.InferenceSession.prototype.run = () => {{ throw Error('out of memory'); }}))",
    "postMessage({{ lost: true }})",
)


def test_what_fails_later_costs_no_picture(open_view: Callable[..., TranslationView], here_page: str) -> None:
    view = open_view(here_page)
    view.page.add_init_script("Cache.prototype.put = () => Promise.reject(new DOMException('', 'QuotaExceededError'))")
    view.page.reload()
    view.ready()
    here = Here(view)
    ort = repr(f"{here_page}/{browser_props(view.page)['runtime']}ort.mjs")
    for fault in LATE_FAULTS:
        here.go()  # although the cache is full
        view.draw(SMILE[:1])
        before = view.settled()
        expect(here.time).to_contain_text("in your browser")
        own_worker(view.page).evaluate(fault.format(ort=ort))
        view.draw(SMILE[1:])
        after = view.changed(before)
        here.is_at("server")
        expect(here.time).to_contain_text("network")
        view.button("Undo (Ctrl+Z)").click()
        view.button("Redo (Ctrl+Shift+Z)").click()
        view.becomes(after)
        view.button("Clear").click()


SLOW_JS = """
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, transfer) {
    setTimeout(() => post.call(this, message, transfer), message.name === "decode" ? 1500 : 0);
};
"""


@pytest.mark.slow
@pytest.mark.parametrize("quicker", ["here", "server"])
def test_the_quicker_one_is_chosen_once_the_visitor_rests(
    open_view: Callable[..., TranslationView], here_page: str, quicker: str
) -> None:
    view = open_view(here_page)
    if quicker == "server":
        view.page.add_init_script(SLOW_JS)
        view.page.reload()
        view.ready()
    here = Here(view)
    asks = here.requests()
    delay = 600 if quicker == "here" else 0

    def answer(route: Route) -> None:
        view.page.wait_for_timeout(delay)
        route.continue_()

    view.page.route("**/component_server/", answer)
    for i in range(5):
        view.stroke([(0.2, 0.2 + i / 10), (0.8, 0.2 + i / 10)])
        view.settled()
    view.stroke([(0.5, 0.1), (0.5, 0.5)], release=False)
    view.page.wait_for_timeout(3000)
    assert not [url for url in asks if ".onnx" in url], "something was loaded while the visitor drew"
    view.page.mouse.up()
    decided = "() => Object.values(JSON.parse(localStorage['i2i-here'] ?? '{}').found ?? {})[0]"
    found = view.page.wait_for_function(decided, timeout=60_000).json_value()
    assert found["here"] == (quicker == "here"), found
    here.is_at(quicker)
    view.page.unroute("**/component_server/")


@pytest.mark.slow
def test_a_graphics_processor_draws_the_same_and_may_go(here_page: str, full_folder: Path, browser: Browser) -> None:
    """WebGPU in a processor that plays a graphics processor."""
    flags = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    chromium = browser.browser_type.launch(
        executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=flags
    )
    page = chromium.new_page()
    page.goto(here_page)
    translator = i2i.load(full_folder / "shape-munit")
    opened(page, "shape-munit", backend="webgpu")
    assert page.evaluate("network.backend") == "webgpu"
    image = inputs(translator, "A2B")[0]
    style = translator.styles["B"].mean
    found = drawn(page, image, "A2B", style=style.tolist())
    assert_same(found, translator.translate(image, "A2B", style), "webgpu")
    ort = f"{here_page}/{browser_props(page)['runtime']}ort.mjs"
    own_worker(page).evaluate(f"import({ort!r}).then(async ({{ env }}) => (await env.webgpu.device).destroy())")
    page.wait_for_function("() => !network.isOpen")
    said = page.evaluate("p => network.encode(picture(p), 'A2B').then(() => 0, (error) => error.key)", rgba(image))
    assert said == "lost"
    chromium.close()
