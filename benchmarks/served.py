"""The page in a process of its own, for benchmarks that visit it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[1]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
"""With which Chromium runs without a screen, as root, and asks nobody."""
START, TELL = 300.0, 10.0
"""Seconds for a page to get one network further; between two lines on how far it is."""


class Served(NamedTuple):
    """A page that runs."""

    address: str
    process: "subprocess.Popen[bytes]"

    @property
    def config(self) -> dict[str, Any]:
        """The page's components."""
        return httpx.get(f"{self.address}/config").json()


@contextlib.contextmanager
def served(
    checkpoints: Path,
    python: tuple[str, ...] = ("app.py",),
    environment: Mapping[str, str] | None = None,
    preexec_fn: Callable[[], None] | None = None,
    port: int | None = None,
) -> Iterator[Served]:
    """The page over a folder of checkpoints, as soon as its networks are warm; ended with the block.

    Args:
        python: the arguments of Python.
        environment: what differs from the present one.
        preexec_fn: called in the new process before anything else.
        port: a free one if None.

    Raises:
        SystemExit: it ended, or for five minutes no further network was there.
    """
    port = port or _free_port()
    own = {"PORT": str(port), "HOST": "127.0.0.1", "I2I_CHECKPOINTS_DIR": str(checkpoints)}
    # What is measured begins with an empty page, and is the server's work if not said otherwise.
    own |= {"I2I_OPENING": "off", "I2I_BROWSER": "off"}
    process = subprocess.Popen(
        [sys.executable, *python],
        cwd=ROOT,
        env={**os.environ, **own, **(environment or {})},
        stdout=subprocess.DEVNULL,
        preexec_fn=preexec_fn,
    )
    page = Served(f"http://127.0.0.1:{port}", process)
    try:
        _wait(page)
        yield page
    finally:
        process.terminate()
        process.wait(60)


def _wait(page: Served) -> None:
    """Wait until the page's networks are warm, however many there are, and say from time to time how far they are."""
    start = moved = told = time.monotonic()
    loaded = total = 0
    while page.process.poll() is None:
        with contextlib.suppress(httpx.TransportError):  # it is still starting, or has no handle left just now
            networks = httpx.get(f"{page.address}/healthz").json()["networks"]
            if networks["warm"]:
                return
            if (networks["loaded"], networks["total"]) != (loaded, total):
                loaded, total, moved = networks["loaded"], networks["total"], time.monotonic()
        now = time.monotonic()
        if now - told > TELL:
            print(f"  waiting for the page: {now - start:.0f} s, {loaded} of {total} networks loaded", flush=True)
            told = now
        if now - moved > START:
            raise SystemExit(f"The page did not start: for five minutes {loaded} of {total} networks were loaded.")
        time.sleep(0.5)
    raise SystemExit(f"The page did not start: it ended with {page.process.returncode}.")


def chromium(playwright: "Playwright", *more: str) -> "Browser":
    """The Chromium of this machine, or Playwright's own; `more` are further flags."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return playwright.chromium.launch(executable_path=found, args=[*FLAGS, *more])


def _free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
