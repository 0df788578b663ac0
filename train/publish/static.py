"""The page without a server as the files of a static Space: `python -m train space owner/name --static`."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from i2i_models import checkpoints
from i2i_models.errors import HubError

CHECKPOINTS = ("emoji-munit", "facades-unit", "emoji-cyclegan")
"""Those of checkpoints/ that a static page has unless it is told others: of each kind one, 31 MB in all."""
MOST_BYTES = 40_000_000
"""Beyond, whoever makes the page is told what a visitor may have to load."""
SETTINGS: dict[str, Any] = {
    "title": "Image to image",
    "emoji": "✏️",
    "colorFrom": "indigo",
    "colorTo": "gray",
    "sdk": "static",
    "app_file": "index.html",
    "pinned": False,
    "license": "mit",
    # Where the Space is opened by its own address, networks may use several threads.
    "custom_headers": {
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "cross-origin",
    },
}
"""The front matter of the README, which is how the Hub knows a static Space."""
README = """
Draw, and a picture follows your pen. The networks run in the visitor's own browser, with ONNX Runtime Web; nothing that
is drawn leaves it. The same folder works from any host of plain files: `python -m http.server` in it, for one.

Models: {models}.
"""


def make_static(root: Path, offer: Sequence[str], output: Path) -> dict[str, Path | bytes]:
    """Write the page without a server into a new or empty folder.

    `ui`, which makes it, runs as a process of its own: neither of the two packages imports the other.

    Args:
        root: of the project.
        offer: checkpoint folders or Hub ids; by default `CHECKPOINTS`, or whatever three are there.

    Returns:
        The files by their path in the folder.

    Raises:
        HubError: there is no checkpoint, or the page cannot be made; what its process says.
    """
    names = [*offer] or _default(root)
    command = [sys.executable, "-m", "ui.static", *map(_absolute, names), "--output", str(output.resolve())]
    done = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it ended without a word"]
        raise HubError(said[-1].removeprefix("error: "))
    front = yaml.safe_dump(SETTINGS, sort_keys=False, allow_unicode=True)
    models = ", ".join(Path(name).name for name in names)
    (output / "README.md").write_text(f"---\n{front}---\n{README.format(models=models)}", encoding="utf-8")
    return {path.relative_to(output).as_posix(): path for path in sorted(output.rglob("*")) if path.is_file()}


def _default(root: Path) -> list[str]:
    found = {path.name: path for path in checkpoints.find_checkpoints(root / "checkpoints")}
    chosen = [found[name] for name in CHECKPOINTS if name in found] or list(found.values())[:3]
    if not chosen:
        raise HubError(f"{root / 'checkpoints'} holds no checkpoint: train one, or name some with --offer.")
    return list(map(str, chosen))


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name
