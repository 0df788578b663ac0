"""A live server with tiny checkpoints, as a visitor reaches it: `python app.py` in a process of its own."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import free_port
from PIL import Image, ImageDraw
from tiny_checkpoints import PAIRED, SIZE, save_checkpoints

from ui.payload import to_data_url

ROOT = Path(__file__).parents[2]


def drawing(shade: int = 0) -> str:
    """A drawing as the page sends it; another one for every shade."""
    image = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(image).line((4, 4, 28, 28), fill=(shade % 256, shade // 256, 0), width=2)
    return to_data_url(image)


@dataclass
class Server:
    """A page in a process of its own."""

    process: subprocess.Popen[str]
    client: httpx.Client
    uploads: Path
    lines: list[str] = field(default_factory=list)
    components: dict[str, int] = field(default_factory=dict)
    shades: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def logged(self, words: str) -> bool:
        """Whether it writes words, which reach us a moment later."""
        until = time.monotonic() + 10
        while words not in self.log and time.monotonic() < until:
            time.sleep(0.05)
        return words in self.log

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return "".join(self.lines)

    def question(self, data: Any = None, function: str = "translate", **changes: Any) -> dict[str, Any]:
        """The body of a component's question; a right one, but for the changes."""
        right = {"checkpoint": PAIRED, "direction": "A2B", "image": drawing()}
        if isinstance(data, dict):
            data = {**right, **data}
        return {
            "data": right if data is None else data,
            "component_id": self.components[function],
            "fn_name": function,
            "session_hash": "visitor",
            **changes,
        }

    def ask(self, body: Any, **options: Any) -> httpx.Response:
        """Post a question."""
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self.client.post("/gradio_api/component_server/", content=json.dumps(body), headers=headers, **options)

    def works(self) -> None:
        """Fail unless the server is well: it says so, no question is left over, and it translates a new drawing.

        One that was asked before would be answered from the cache, even if no turn at the networks came back.
        """
        assert self.process.poll() is None, self.log
        until = time.monotonic() + 10
        while any((health := self.client.get("/healthz").json())["questions"].values()) and time.monotonic() < until:
            time.sleep(0.02)  # the answer came a moment before its place was given back
        assert (health["status"], health["questions"]) == ("ok", {"running": 0, "waiting": 0})
        answer = self.ask(self.question({"image": drawing(next(self.shades))})).json()
        assert answer.get("image", "").startswith("data:image/jpeg"), answer


def start_server(
    folder: Path,
    python: tuple[str, ...] = ("app.py",),
    preexec_fn: Callable[[], None] | None = None,
    **environment: str,
) -> Server:
    """Start the page and wait until it has read its networks.

    Args:
        folder: for its checkpoints, made here, and its temporary files.
        python: the arguments of Python.
        preexec_fn: called in the new process before anything else.
    """
    save_checkpoints(folder / "checkpoints")
    port = free_port()
    uploads = folder / "uploads"
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "I2I_ENGINE": "torch",
        "I2I_CHECKPOINTS_DIR": str(folder / "checkpoints"),
        "GRADIO_TEMP_DIR": str(uploads),
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, *python],
        cwd=ROOT,
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=preexec_fn,
    )
    server = Server(process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60), uploads)
    threading.Thread(target=lambda: server.lines.extend(process.stdout or ()), daemon=True).start()
    for _ in range(1200):
        assert process.poll() is None, server.log
        try:
            networks = server.client.get("/healthz").json()["networks"]
            if networks["loaded"] == networks["total"] == 2:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    for component in server.client.get("/config").json()["components"]:
        for function in component["props"].get("server_fns") or []:
            server.components.setdefault(function, component["id"])
    return server


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the tests."""
    running: list[Server] = []

    def begin(*arguments: Any, **more: Any) -> Server:
        server = start_server(tmp_path_factory.mktemp("server"), *arguments, **more)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.client.close()
        server.process.kill()
        server.process.wait(10)


@pytest.fixture(scope="session")
def server(start: Callable[..., Server]) -> Server:
    """The server that most tests share."""
    return start()
