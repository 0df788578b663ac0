"""The page in a process of its own, for benchmarks that visit it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).parents[1]


class Served(NamedTuple):
    """A page that runs."""

    address: str
    process: "subprocess.Popen[bytes]"

    @property
    def config(self) -> dict[str, Any]:
        """The page's components."""
        return httpx.get(f"{self.address}/config").json()


@contextlib.contextmanager
def served(checkpoints: Path) -> Iterator[Served]:
    """The page over a folder of checkpoints, as soon as its networks are warm; ended with the block.

    Raises:
        SystemExit: it is not there within five minutes.
    """
    port = _free_port()
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "I2I_CHECKPOINTS_DIR": str(checkpoints)}
    environment["I2I_OPENING"] = "off"  # what is measured begins with an empty page
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    page = Served(f"http://127.0.0.1:{port}", process)
    try:
        _wait(page)
        yield page
    finally:
        process.terminate()
        process.wait(30)


def _wait(page: Served) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):  # it is still starting
            if httpx.get(f"{page.address}/healthz").json()["networks"]["warm"]:
                return
        time.sleep(0.5)
    raise SystemExit("The page did not start within five minutes.")


def _free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
