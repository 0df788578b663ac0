"""Drawings that JavaScript packages make: install the packages once, then run `render.mjs` on a list of jobs."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from i2i_models.errors import DataError

HERE = Path(__file__).parent


def node_folder() -> Path:
    """The folder with `node_modules`, made by npm from `package.json` on the first call, in the user's cache.

    Raises:
        DataError: Node.js is missing, or npm failed.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise DataError(
            "Node.js draws these pictures and is missing: install it from https://nodejs.org or by apt install npm, "
            "or take a ready folder by --from DIR."
        )
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "i2i_models" / "prepare"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text(encoding="utf-8")
    installed = folder / "installed.json"
    shutil.copyfile(HERE / "render.mjs", folder / "render.mjs")
    if not installed.exists() or installed.read_text(encoding="utf-8") != wanted:
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        print(f"Installing npm packages in {folder} …", flush=True)
        npm = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
        )
        if npm.returncode:
            raise DataError(
                f"npm could not install the packages ({_last_line(npm.stderr)}): check the network and run this again."
            )
        installed.write_text(wanted, encoding="utf-8")  # last, so that an interrupted installation is repeated
    return folder


def draw(jobs: Iterable[dict[str, Any]], side: int) -> Iterator[np.ndarray]:
    """Draw each job of `render.mjs`, in order: uint8 `(side, side, 4)`, RGBA.

    Raises:
        DataError: Node.js or a package is missing, or the drawing stopped.
    """
    folder = node_folder()
    with tempfile.TemporaryFile("w+b") as lines, tempfile.TemporaryFile("w+b") as complaints:
        count = 0
        for job in jobs:
            lines.write(json.dumps(job).encode() + b"\n")
            count += 1
        lines.seek(0)
        with subprocess.Popen(
            ["node", "render.mjs", str(side)], cwd=folder, stdin=lines, stdout=subprocess.PIPE, stderr=complaints
        ) as node:
            assert node.stdout is not None
            try:
                for _ in range(count):
                    yield _picture(node.stdout, side, complaints)
            finally:
                node.terminate()


def _picture(stream: IO[bytes], side: int, complaints: IO[bytes]) -> np.ndarray:
    pixels = stream.read(4 * side * side)
    if len(pixels) < 4 * side * side:
        complaints.seek(0)
        raise DataError(f"Drawing by Node.js stopped: {_last_line(complaints.read().decode(errors='replace'))}.")
    return np.frombuffer(pixels, np.uint8).reshape(side, side, 4)


def _last_line(text: str) -> str:
    """The line that says what went wrong: the first that speaks of an error, or the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"]
    return next((line for line in lines if "error" in line.lower()), lines[-1]).rstrip(".")
