"""A real Chromium and a page started as a visitor's would be: `python app.py` on a free port."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import SHARED, free_port
from filelock import FileLock
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks.network import TranslationNetwork

from .multimodal_tab import MultimodalTab, Open, save_munit
from .translation_view import ARTIFACTS, PATIENCE, TranslationView

ROOT = Path(__file__).parents[2]
CHECKPOINTS = Path(os.environ.get("I2I_CHECKPOINTS_DIR") or ROOT / "checkpoints")
NEEDED = ("emoji-pix2pix", "facades-pix2pix")
FAILED = pytest.StashKey[bool]()
START = 200
"""Seconds within which a page has to start."""
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]

expect.set_options(timeout=1000 * PATIENCE)


def launch(port: int, checkpoints: Path, out: Any, **more: str) -> subprocess.Popen[str]:
    """Start `python app.py` on a port of this machine, its log to `out`."""
    where = {"PORT": str(port), "HOST": "127.0.0.1", "I2I_CHECKPOINTS_DIR": str(checkpoints)}
    # What happens by itself, tests of the rest need not wait for.
    where |= {"I2I_OPENING": "off", "I2I_BROWSER": "off"}
    environment = {**os.environ, **where, **more}
    return subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture(scope="session")
def start_page() -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """Start a page of this worker's own and wait until it prints its address; returns that and the growing log."""
    running = []

    def start(checkpoints: Path, **more: str) -> tuple[str, list[str]]:
        port = free_port()
        process = launch(port, checkpoints, subprocess.PIPE, **more)
        running.append(process)
        lines: list[str] = []
        ready = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if "http://127.0.0.1" in line:
                    ready.set()
            ready.set()  # it ended

        threading.Thread(target=read, daemon=True).start()
        assert ready.wait(START) and process.poll() is None, "the page did not start:\n" + "".join(lines)
        return f"http://127.0.0.1:{port}", lines

    yield start
    for process in running:
        process.terminate()
    for process in running:  # they end side by side
        process.wait(30)


Make = Callable[[Path], object]
"""Makes the checkpoints of a page in an empty folder."""


@pytest.fixture(scope="session")
def shared_folder() -> Callable[[str, Make], Path]:
    """A folder of checkpoints for all workers: who asks first has it made."""

    def shared(name: str, make: Make) -> Path:
        folder = SHARED / name
        with FileLock(SHARED / f"{name}.lock"):
            if not folder.is_dir():
                unfinished = SHARED / f"{name}.unfinished"
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return shared


@pytest.fixture(scope="session")
def shared_page() -> Callable[..., str]:
    """The address of a page for all workers: who asks first starts it, and it ends with the run."""

    def shared(name: str, checkpoints: Path, **more: str) -> str:
        told, log = SHARED / f"{name}.address", SHARED / f"{name}.log"
        with FileLock(SHARED / f"{name}.page.lock"):
            if not told.is_file():
                port = free_port()
                with log.open("w", encoding="utf-8") as out:
                    process = launch(port, checkpoints, out, **more)
                (SHARED / f"{name}.pid").write_text(str(process.pid), encoding="utf-8")
                until = time.monotonic() + START
                while "http://127.0.0.1" not in (said := log.read_text(encoding="utf-8")):
                    if process.poll() is not None or time.monotonic() > until:
                        process.kill()
                        raise AssertionError("the page did not start:\n" + said)
                    time.sleep(0.05)
                told.write_text(f"http://127.0.0.1:{port}", encoding="utf-8")
        return told.read_text(encoding="utf-8")

    return shared


@pytest.fixture(scope="session")
def server(shared_page: Callable[..., str]) -> str:
    """The address of a page that serves the shipped checkpoints."""
    missing = [name for name in NEEDED if not (CHECKPOINTS / name / "config.json").is_file()]
    if missing:
        pytest.skip(f"{CHECKPOINTS} has no {' and no '.join(missing)}: make checkpoints trains them")
    return shared_page("shipped", CHECKPOINTS)


def save_full(folder: Path) -> None:
    """Untrained networks for every tab, on two tasks, with examples both ways."""
    torch.manual_seed(0)
    networks: list[TranslationNetwork] = [
        i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1)),
        i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1)),
        i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, style_downs=2, mlp_width=8)),
    ]
    palette = {"facade": (0, 48, 255), "window": (0, 128, 255)}
    tasks = {
        "shape": {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("shape")},
        "wall": {"A": checkpoints.Domain("labels", "labels", palette), "B": checkpoints.Domain("photo")},
    }
    for (task, domains), network in itertools.product(tasks.items(), networks):
        name = f"{task}-{network.method}"
        title = f"{domains['A'].name} ↔ {domains['B'].name}"
        checkpoints.save(folder / name, network, checkpoints.Info(name, title, network.method, 32, domains))
        (folder / name / "README.md").write_text(f"# {name}\n\nA card with a [link](https://example.org).\n")
        for (domain, place), i in itertools.product(checkpoints.EXAMPLES.items(), range(3)):
            (folder / name / place).mkdir(parents=True, exist_ok=True)
            image = Image.new("RGB", (32, 32), "white")
            draw = ImageDraw.Draw(image)
            shape = draw.rectangle if i % 2 else draw.ellipse
            shape((4 + 2 * i, 4, 24, 28), outline="black", fill="orange" if domain == "B" else None)
            image.save(folder / name / place / f"{i}.png")


@pytest.fixture(scope="session")
def full_folder(shared_folder: Callable[[str, Make], Path]) -> Path:
    """The folder of `save_full`."""
    return shared_folder("full", save_full)


@pytest.fixture(scope="session")
def full_page(full_folder: Path, shared_page: Callable[..., str]) -> str:
    """The address of a page with the models of `full_folder`."""
    return shared_page("full", full_folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_view(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., TranslationView]]:
    """Open the page in a context of its own; afterwards no console error and no request elsewhere may have come."""
    views: list[TranslationView] = []

    def watch(page: Page, address: str, complaints: list[str]) -> None:
        page.on("console", lambda m: complaints.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:")) else complaints.append(f"asked {r.url}"),
        )

    def open_page(address: str, **options: object) -> TranslationView:
        settings = {"viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(1000 * PATIENCE)
        view = TranslationView(context.new_page())
        views.append(view)
        watch(view.page, address.partition("/#")[0], view.complaints)
        view.page.goto(address)
        view.ready()
        return view

    yield open_page
    complaints = [complaint for view in views for complaint in view.complaints]
    for number, view in enumerate(views):
        if complaints or request.node.stash.get(FAILED, False):
            name = re.sub(r"[^\w.-]+", "-", request.node.name)
            ARTIFACTS.mkdir(exist_ok=True)
            view.page.screenshot(path=ARTIFACTS / f"{name}-{number}.png", full_page=True)
        view.page.context.close()
    assert not complaints


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note of a test whether it failed, for the picture of its pages that is made afterwards."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def view(open_view: Callable[..., TranslationView], server: str) -> TranslationView:
    """The page with the shipped checkpoints on a desktop, where one draws outlines."""
    view = open_view(server)
    view.model("emoji-pix2pix", "outline")
    return view


def save_styles_models(folder: Path) -> None:
    """Two untrained MUNITs, and a pix2pix in front of them."""
    save_munit(folder / "m1", "Lines to pictures", ("outline", "picture"), 1)
    save_munit(folder / "m2", "Pictures to pictures", ("picture", "picture"), 2)
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    domains = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}
    checkpoints.save(folder / "p", network, checkpoints.Info("p", "Plain", "pix2pix", 32, domains))


@pytest.fixture(scope="session")
def styles_server(shared_folder: Callable[[str, Make], Path], shared_page: Callable[..., str]) -> str:
    """The address of a page with the models of `save_styles_models`, in the engine that a visitor's page has."""
    folder = shared_folder("styles", save_styles_models)
    return shared_page("styles", folder, I2I_ENGINE="auto", XDG_CACHE_HOME=str(SHARED / "cache"))


@pytest.fixture
def open_multimodal(open_view: Callable[..., TranslationView], styles_server: str) -> Iterator[Open]:
    """Open the tab in a context of its own."""

    def open_page(**options: Any) -> MultimodalTab:
        multimodal = MultimodalTab(open_view(styles_server, **options))
        multimodal.open()
        return multimodal

    yield open_page


@pytest.fixture
def multimodal(open_multimodal: Open) -> MultimodalTab:
    return open_multimodal()
