"""Tiny checkpoints, and pages started as anybody would start them."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest
from conftest import ROOT, free_port
from PIL import Image, ImageDraw
from tiny_checkpoints import save_checkpoints


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two tiny checkpoints."""
    return save_checkpoints(tmp_path_factory.mktemp("checkpoints"))


def drawing(seed: int = 0) -> Image.Image:
    """A line drawing, another for every seed."""
    image = Image.new("RGB", (40, 32), "white")
    points = np.random.default_rng(seed).integers(0, 32, 8).tolist()
    ImageDraw.Draw(image).line(points, fill="black", width=2)
    return image


class Started(NamedTuple):
    """A page in a process of its own."""

    process: subprocess.Popen
    url: str
    log: Path

    def answers(self, seconds: float = 120) -> "Started":
        """Itself, once `/healthz` says that it serves."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start `python SCRIPT …` of the project on a free port, with `changes` to the environment; ended with the test."""
    started: list[Started] = []

    def start(*command: str, **changes: str) -> Started:
        port, log = free_port(), tmp_path / f"page{len(started)}.log"
        environment = {**os.environ, "PORT": str(port), "I2I_CHECKPOINTS_DIR": str(folder), **changes}
        environment |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        with open(log, "w") as out:
            process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=out, stderr=out)
        started.append(Started(process, f"http://127.0.0.1:{port}", log))
        return started[-1]

    yield start
    for one in started:
        one.process.terminate()
    for one in started:
        try:
            one.process.wait(20)
        except subprocess.TimeoutExpired:
            one.process.kill()


def pixels(image: Image.Image | bytes) -> np.ndarray:
    """A picture, or a file of one, as whole numbers that may be subtracted."""
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    return np.asarray(opened.convert("RGB")).astype(int)
