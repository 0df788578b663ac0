"""What tests share: tiny data, tiny networks, where things are."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import socket
import tempfile
import time
import zlib
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image, ImageDraw

from i2i_models.images.palettes import read_palette

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT.parent / "shared" / "golden"
PALETTE_FILE = ROOT / "train" / "palettes" / "facades.json"
FACADES = read_palette(PALETTE_FILE).palette
T = TypeVar("T")


os.environ.setdefault("I2I_ENGINE", "torch")
"""Converting a tiny network takes longer than its test; those that are about OpenVINO ask for `graph_cache`."""

os.environ.setdefault("I2I_TRAIN", "off")
"""Most tests of the page count its tabs; those of trainings turn theirs on."""

BEGAN_HERE = "I2I_TESTS_SHARED" not in os.environ
"""Whether this process began the run; its workers inherit what it says."""
if BEGAN_HERE:
    os.environ["I2I_TESTS_SHARED"] = tempfile.mkdtemp(prefix="i2i-tests-")
SHARED = Path(os.environ["I2I_TESTS_SHARED"])
"""A folder that all workers of a run share: pages that run once for all of them, and their checkpoints."""


def pytest_unconfigure() -> None:
    """End the pages that workers shared: the process that began the run does so, after its workers have ended."""
    if not BEGAN_HERE:
        return
    running = [int(file.read_text(encoding="utf-8")) for file in SHARED.glob("*.pid")]
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 30
    while any(map(psutil.pid_exists, running)) and time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.05)
    shutil.rmtree(SHARED, ignore_errors=True)


needs_unix = pytest.mark.skipif(os.name != "posix", reason="needs a Unix: its shell, or its rights to files")

torch.set_num_threads(1)  # tiny networks gain nothing from more, and threads wait for each other on a busy machine


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same chance in every test, whatever ran before; and no training's precision is the next one's."""
    torch.manual_seed(0)
    AcceleratorState._reset_state(reset_partial_state=True)


_ports = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """A port that nobody listens on, below those that the system hands out to connections meanwhile."""
    for number in _ports:
        port = 20_000 + number % 12_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the count has no end")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, run in a thread of its own: a browser opened by another test keeps this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture(scope="module")
def graph_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """OpenVINO where it is the default, with a cache of the module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("I2I_ENGINE", raising=False)
        yield


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve 32 px pairs side by side, outline of a box | the box in colour, in `train/` and four in `test/`."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        (folder / split).mkdir()
        for i in range(count):
            both = Image.new("RGB", (64, 32), "white")
            draw = ImageDraw.Draw(both)
            left, top = (int(v) for v in rng.integers(2, 12, 2))
            box = (left, top, left + 14, top + 14)
            draw.rectangle(box, outline="black")
            draw.rectangle((box[0] + 32, box[1], box[2] + 32, box[3]), fill="red" if left > top else "blue")
            both.save(folder / split / f"{i}.png")
    return folder


@pytest.fixture
def odd_files(tmp_path: Path) -> dict[str, Path]:
    """Files that a person might upload by mistake or on purpose, by what is odd about them."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8))
    names = ("text.png", "page.png", "cut.jpg", "pixel.png", "huge.png", "empty.png")
    files = {name: tmp_path / name for name in names}
    files["text.png"].write_text("this is no image")
    files["page.png"].write_text("<html><script>alert(1)</script></html>")
    picture.save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    files["cut.jpg"].write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(files["pixel.png"])
    # A header that claims 30,000×30,000 pixels and no data behind it: decoding it would be the mistake.
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    data = b"\x00\x00\x10\x00IDAT" + b"\x00" * 40
    check = zlib.crc32(header).to_bytes(4, "big")
    files["huge.png"].write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\r" + header + check + data)
    files["empty.png"].write_bytes(b"")
    return files
