"""The page as programs reach it: its endpoints, the same as MCP tools, two untrained checkpoints."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import free_port
from gradio_client import Client
from PIL import Image, ImageDraw
from tiny_checkpoints import save_checkpoints

from ui import page
from ui.service import Service

ENDPOINTS = {"checkpoints", "translate", "cycle", "encode_style", "sample_styles", "outline"}
ENDPOINTS |= {"interpolate", "interpolation_strip"}
META = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two tiny checkpoints."""
    return save_checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[str]:
    """The whole page with MCP, its guard and its headers, as app.py starts it."""
    pytest.importorskip("mcp")
    blocks, catalog = page.build(folder)
    _, address, _ = blocks.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        mcp_server=True,
        **Service(blocks, catalog).launch_options,
    )
    yield address.rstrip("/")
    blocks.close()


@pytest.fixture(scope="session")
def client(server: str) -> Client:
    return Client(server, verbose=False)


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A line drawing that is neither square nor of the network's size."""
    image = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(image).ellipse((10, 5, 45, 35), outline="black", width=3)
    image.save(tmp_path / "drawing.png")
    return tmp_path / "drawing.png"


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
