"""The page without a server as the files of a static Space: `python -m train space owner/name --static`."""

import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from i2i_models import checkpoints
from i2i_models.errors import HubError

CHECKPOINTS = (
    "avatar-munit",
    "earth-pix2pix",
    "glasses-cyclegan",
    "glasses-unit",
    "toy3d-pix2pix",
    "emoji-pix2pix",
    "facades-pix2pix",
    "facades-unit",
)
"""Those of checkpoints/ that a static page has unless it is told others, the best first: the first `COUNT` that take,
with `RUNTIME_BYTES`, no more than `MOST_BYTES`."""
COUNT = 3
RUNTIME_BYTES = 7_100_000
"""The runtime, the page and its scripts."""
SHARED_LAYERS = 1.25
"""How many times as large as the weights a checkpoint's graphs are at most: each has the layers that UNIT's networks
share."""
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

Models, each by the licence that its card names: {models}.
"""


def make_static(root: Path, offer: Sequence[str], output: Path) -> dict[str, Path | bytes]:
    """Write the page without a server into a new or empty folder.

    `ui`, which makes it, runs as a process of its own: neither of the two packages imports the other.

    Args:
        root: of the project.
        offer: checkpoint folders or Hub ids; by default of `CHECKPOINTS`, or whatever else is there.

    Returns:
        The files by their path in the folder.

    Raises:
        HubError: there is no checkpoint, or the page cannot be made; what its process says.
    """
    names = [*offer] or default_models(root)
    command = [sys.executable, "-m", "ui.static", *map(_absolute, names), "--output", str(output.resolve())]
    done = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it ended without a word"]
        raise HubError(said[-1].removeprefix("error: "))
    front = yaml.safe_dump(SETTINGS, sort_keys=False, allow_unicode=True)
    cards = sorted(output.glob(f"models/*/{checkpoints.CARD}"))
    carded = {path.parent.name: f"[{path.parent.name}]({path.relative_to(output).as_posix()})" for path in cards}
    models = ", ".join(carded.get(path.name, path.name) for path in sorted((output / "models").iterdir()))
    (output / "README.md").write_text(f"---\n{front}---\n{README.format(models=models)}", encoding="utf-8")
    return {path.relative_to(output).as_posix(): path for path in sorted(output.rglob("*")) if path.is_file()}


def default_models(root: Path) -> list[str]:
    """The checkpoint folders of a page that was told none; raises HubError where there is none."""
    found = {path.name: path for path in checkpoints.find_checkpoints(root / "checkpoints")}
    if not found:
        raise HubError(f"{root / 'checkpoints'} holds no checkpoint: train one, or name some with --offer.")
    order = {name: place for place, name in enumerate(CHECKPOINTS)}
    names = sorted(found, key=lambda name: order.get(name, len(order)))
    sizes = {name: _page_bytes(folder) for name, folder in found.items()}
    for count in range(min(COUNT, len(names)), 1, -1):
        for chosen in itertools.combinations(names, count):
            if RUNTIME_BYTES + sum(sizes[name] for name in chosen) <= MOST_BYTES:
                return [str(found[name]) for name in chosen]
    return [str(found[names[0]])]


def _page_bytes(folder: Path) -> float:
    """About what a checkpoint takes in a page, where weights lie in float16, too."""
    examples = folder.glob(f"{checkpoints.EXAMPLES['A']}/**/*.png")
    weights = (folder / checkpoints.WEIGHTS).stat().st_size
    return weights * SHARED_LAYERS + sum(path.stat().st_size for path in examples)


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name
