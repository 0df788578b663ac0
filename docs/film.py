"""The moving picture at the top of the README: `python -m docs.film` draws, slides and paints in a real Chromium.

A face is sketched and its colours slide, then a toy is painted, as far as there are checkpoints for it. Written to
docs/film.webp.
"""

import io
import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, sync_playwright

from benchmarks.served import chromium, served

WIDTH, HEIGHT, FRAME_MS, QUALITY = 800, 400, 100, 60
Point = tuple[float, float]


def arc(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360, points: int = 10) -> list[Point]:
    """Part of an ellipse around (x, y), in fractions of the paper; angles in degrees clockwise from the right."""
    turns = [math.radians(start + (end - start) * i / (points - 1)) for i in range(points)]
    return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns]


FACE = [
    [*arc(0.47, 0.56, 0.33, 0.33, -20, 200, 16), (0.16, 0.5)],
    [*arc(0.82, 0.6, 0.07, 0.075, -110, 120, 7)],
    [(0.15, 0.5), (0.1, 0.36), (0.14, 0.2), (0.3, 0.1), (0.52, 0.07), (0.72, 0.13), (0.84, 0.26), (0.85, 0.42),
     (0.79, 0.53)],
    [(0.16, 0.5), (0.22, 0.4), (0.24, 0.33), (0.36, 0.42), (0.42, 0.34), (0.54, 0.43), (0.62, 0.33), (0.7, 0.42),
     (0.79, 0.53)],
    arc(0.31, 0.57, 0.06, 0.06),
    arc(0.58, 0.57, 0.06, 0.06),
    [(0.3, 0.575), (0.32, 0.575)],
    [(0.57, 0.575), (0.59, 0.575)],
    [(0.24, 0.48), (0.31, 0.46), (0.37, 0.48)],
    [(0.52, 0.48), (0.58, 0.46), (0.65, 0.48)],
    [(0.44, 0.6), (0.41, 0.68), (0.46, 0.69)],
    arc(0.45, 0.73, 0.1, 0.07, 15, 165, 7),
]  # fmt: skip
STYLES = [(0.5 + 0.36 * math.cos(t / 9), 0.5 + 0.36 * math.sin(t / 9)) for t in range(70)]
MUG = [
    ("ellipse", "#f8312f", (0.62, 0.36), (0.92, 0.72)),
    ("ellipse", "#ffffff", (0.7, 0.45), (0.84, 0.63)),
    ("rect", "#f8312f", (0.18, 0.28), (0.74, 0.8)),
    ("ellipse", "#f8312f", (0.18, 0.7), (0.74, 0.9)),
    ("ellipse", "#ff8ab8", (0.18, 0.18), (0.74, 0.38)),
    ("ellipse", "#a56953", (0.23, 0.22), (0.69, 0.35)),
    ("ellipse", "#fcd53f", (0.34, 0.5), (0.58, 0.72)),
]


class Film:
    """Frames of what a page shows from the top of one part on."""

    def __init__(self, page: Page, part: Locator) -> None:
        self.page, self.frames = page, list[Image.Image]()
        box = part.bounding_box()
        assert box is not None
        self.clip = FloatRect(x=box["x"], y=box["y"], width=box["width"], height=box["width"] * HEIGHT / WIDTH)

    def shoot(self, count: int = 1) -> None:
        """Take pictures of how it is now."""
        for _ in range(count):
            picture = Image.open(io.BytesIO(self.page.screenshot(type="jpeg", quality=95, clip=self.clip)))
            self.frames.append(picture.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))

    def drag(self, place: Locator, points: list[Point], every: int = 1) -> None:
        """Move the pressed mouse over points in fractions of a place, a picture at every so many."""
        box = place.bounding_box()
        assert box is not None
        for i, (u, v) in enumerate(points):
            self.page.mouse.move(box["x"] + u * box["width"], box["y"] + v * box["height"], steps=3)
            if i == 0:
                self.page.mouse.down()
            elif i % every == 0:
                self.shoot()
        self.page.mouse.up()


def sketch(film: Film, view: Locator) -> None:
    """Draw a face, then move through its styles."""
    for stroke in FACE:
        film.drag(view.locator(".drawing"), stroke, every=3)
    film.page.wait_for_timeout(800)
    film.shoot(6)
    film.drag(view.locator(".pad"), STYLES)
    film.page.wait_for_timeout(500)
    film.shoot(8)


def paint(film: Film, view: Locator) -> None:
    """Paint a mug of flat shapes."""
    for tool, colour, start, end in MUG:
        view.locator(f'[data-tool="{tool}"]').click()
        view.locator(f'[data-part="swatches"] button[value="{colour}"]').click()
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        film.drag(view.locator(".drawing"), [start, middle, end])
        film.page.wait_for_timeout(200)
        film.shoot(2)
    film.page.wait_for_timeout(600)
    film.shoot(12)


SCENES: tuple[tuple[str, str, Callable[[Film, Locator], None]], ...] = (
    ("multimodal", "avatar-munit", sketch),
    ("paired", "toy3d-pix2pix", paint),
)


def main(checkpoints: Path = Path("checkpoints"), output: Path = Path("docs/film.webp")) -> None:
    """Film all scenes."""
    frames: list[Image.Image] = []
    with served(checkpoints) as site, sync_playwright() as playwright:
        browser = chromium(playwright, "--hide-scrollbars")
        for tab, model, scene in SCENES:
            if not (checkpoints / model).is_dir():
                continue
            page = browser.new_page(viewport={"width": 1240, "height": 900})
            page.goto(f"{site.address}/#tab={tab}&model={model}&direction=A2B")
            view = page.locator(f"#{tab}-view")
            view.locator(".editor[data-kind]").wait_for()
            view.locator(".first-examples img").first.wait_for()  # everything is in its place
            page.wait_for_timeout(1000)
            film = Film(page, view)
            scene(film, view)
            frames += film.frames
            page.close()
        browser.close()
    first, *others = frames
    first.save(output, save_all=True, append_images=others, duration=FRAME_MS, loop=0, quality=QUALITY, method=6)
    print(f"{output}: {len(frames)} frames, {output.stat().st_size / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
