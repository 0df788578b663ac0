"""Microsoft's Fluent emoji (MIT): the flat drawing and the 3D render of the same thing in the same place."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from .node import draw, node_folder
from .renderings import Split, new_folder, place, read_renderings

KINDS = ("flat", "3d")
SIDE = 256
INNER = 232
"""Pixels of the SIDE that the picture takes; a white margin is left around."""
MIN_OVERLAP = 0.85
"""Intersection over union of the silhouettes; with less the drawings show different things or places."""
SKIN_TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
TEST_EVERY = 10


def fluent(
    out: tyro.conf.Positional[Path],
    source: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:
    """Make flat drawings and 3D renders of the same emoji, 256×256 on white: flat and 3d.

    Only emoji without a skin tone whose silhouettes overlap by 0.85. Every tenth in order of name is for tests.

    Args:
        out: the folder to make.
        source: a ready folder with the two renderings, instead of drawing them.
    """
    with new_folder(out) as unfinished:
        if source is None:
            draw_emoji(unfinished)
        else:
            for kind, pictures in read_renderings(source, KINDS, SIDE).items():
                for path in pictures.values():
                    place(path, unfinished / kind / path.name)
        names = sorted(path.stem for path in (unfinished / "flat").iterdir())
        train = [name for i, name in enumerate(names) if i % TEST_EVERY]
        Split(train, train, names[::TEST_EVERY]).write(unfinished)
    print(f"{len(names):,} pairs in {out}.")


def draw_emoji(out: Path) -> None:
    """Write the pairs that overlap as OUT/flat/CODE.webp (lossless) and OUT/3d/CODE.webp."""
    renders = {plain_code(path.stem): path for path in sorted(_package("@lobehub/fluent-emoji-3d/assets").glob("*"))}
    drawings = {
        code: svg
        for code, svg in flat_drawings(_package("@iconify-json/fluent-emoji-flat")).items()
        if code in renders and not SKIN_TONES & set(code.split("-"))
    }
    for kind in KINDS:
        (out / kind).mkdir()
    drawn = draw(({"svg": svg} for svg in drawings.values()), SIDE)
    for code, pixels in tqdm(zip(drawings, drawn, strict=True), total=len(drawings), unit="pair"):
        flat = Image.fromarray(pixels)
        with Image.open(renders[code]) as image:
            render = image.convert("RGBA").resize((SIDE, SIDE))
        if overlap(flat, render) >= MIN_OVERLAP:
            _on_white(flat).save(out / "flat" / f"{code}.webp", lossless=True)
            _on_white(render).save(out / "3d" / f"{code}.webp", quality=95)


def flat_drawings(package: Path) -> dict[str, str]:
    """The SVG of each emoji in an Iconify package: code → SVG."""
    icons = json.loads((package / "icons.json").read_text(encoding="utf-8"))["icons"]
    names = json.loads((package / "chars.json").read_text(encoding="utf-8"))
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    return {plain_code(code): f"{head}{icons[name]['body']}</svg>" for code, name in names.items() if name in icons}


def plain_code(code: str) -> str:
    """The code points of an emoji, such as 1f3f3-200d-1f308, without the selector fe0f, which not all sources write."""
    return "-".join(point for point in code.split("-") if point != "fe0f")


def overlap(a: Image.Image, b: Image.Image) -> float:
    """Intersection over union of the silhouettes of two RGBA pictures."""
    inside_a, inside_b = (np.asarray(image.getchannel("A")) > 128 for image in (a, b))
    return float((inside_a & inside_b).sum() / max(1, (inside_a | inside_b).sum()))


def _on_white(picture: Image.Image) -> Image.Image:
    sheet = Image.new("RGBA", (SIDE, SIDE), "white")
    margin = (SIDE - INNER) // 2
    sheet.alpha_composite(picture.resize((INNER, INNER), Image.Resampling.LANCZOS), (margin, margin))
    return sheet.convert("RGB")


def _package(path: str) -> Path:
    return node_folder() / "node_modules" / path
