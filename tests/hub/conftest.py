"""A Hub on this machine for every test here, a tiny checkpoint to push, and no waiting."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import constants, hf_api
from huggingface_hub.utils import _http
from PIL import Image

import i2i_models as i2i
from i2i_models import checkpoints

from .server import TOKEN, Hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The server, with the real client pointed at it, logged in, and a cache of its own."""
    with Hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(hf_api.api, "endpoint", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server
        _http.close_session()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing waits between tries; the seconds that it would have waited."""
    seconds: list[float] = []
    quick = SimpleNamespace(**{**vars(time), "sleep": seconds.append})
    monkeypatch.setattr(_http, "time", quick)
    monkeypatch.setattr("huggingface_hub.file_download.time", quick)
    return seconds


def make(folder: Path, seed: int = 0, width: int = 8) -> Path:
    """A tiny checkpoint with all that one can have."""
    torch.manual_seed(seed)
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=width, depth=4))
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}
    info = checkpoints.Info(folder.name, "Tiny", "pix2pix", 32, domains)
    checkpoints.save(folder, network, info, torch.nn.Conv2d(1, 1, 1))
    card = f'---\nlicense: mit\n---\n# Tiny\n\ni2i.load("checkpoints/{folder.name}")\n'
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "metrics.json").write_text('{"metrics": []}\n')
    (folder / "examples").mkdir(exist_ok=True)
    Image.new("RGB", (32, 32), "white").save(folder / "examples" / "one.png")
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A tiny checkpoint's folder."""
    return make(tmp_path / "tiny")


@pytest.fixture
def drawing() -> Image.Image:
    """Something to translate."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))
