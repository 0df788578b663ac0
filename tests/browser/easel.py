"""The page in a visitor's words: draw, read the result, wait for the next one."""

import base64
import hashlib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

ARTIFACTS = Path(__file__).parent / "artifacts"
Point = tuple[float, float]

SMILE: list[list[Point]] = [
    [(0.5 + 0.4 * math.cos(t / 12 * math.pi), 0.5 + 0.4 * math.sin(t / 12 * math.pi)) for t in range(25)],
    [(0.36, 0.36), (0.36, 0.43)],
    [(0.64, 0.36), (0.64, 0.43)],
    [(0.5 + 0.22 * math.cos(t / 8 * math.pi), 0.55 + 0.2 * math.sin(t / 8 * math.pi)) for t in range(9)],
]


class Easel:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.paper = page.locator(".paper")
        self.result = page.locator(".out")
        self.toast = page.locator(".toast")

    def ready(self) -> None:
        """Wait until the page takes strokes (or says that it has no model)."""
        self.page.locator(".easel[data-kind], :text('No model here yet')").first.wait_for()

    def model(self, name: str, kind: str) -> None:
        """Choose a model by its folder's name and wait for paper of its kind."""
        self.page.locator("#paired-model label").filter(has=self.page.locator(f'input[value="{name}"]')).click()
        expect(self.page.locator(".easel")).to_have_attribute("data-kind", kind)

    def facades(self) -> None:
        """Choose the model that paints from labels."""
        self.model("facades-pix2pix", "labels")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def stroke(self, points: list[Point], release: bool = True) -> None:
        """One stroke of the mouse; points in fractions of the paper."""
        box = self.paper.bounding_box()
        assert box is not None
        at = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in points]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for point in at[1:]:
            self.page.mouse.move(*point)
        if release:
            self.page.mouse.up()

    def draw(self, strokes: list[list[Point]]) -> None:
        for points in strokes:
            self.stroke(points)

    def settled(self) -> str:
        """Wait until the result shows the drawing as it is now; a fingerprint of the result's pixels."""
        expect(self.result).to_have_attribute("data-state", "done")
        expect(self.result).not_to_have_attribute("aria-busy", "true")
        return self.fingerprint(".after")

    def changed(self, old: str) -> str:
        """Wait until the result is another one than `old`; its fingerprint."""
        for _ in range(200):
            if (new := self.settled()) != old:
                return new
            self.page.wait_for_timeout(50)
        raise AssertionError("the result stayed the same for ten seconds")

    def pixels(self, canvas: str = ".after") -> np.ndarray:
        """What a canvas shows, `(H, W, 3)` uint8."""
        url = self.page.locator(canvas).evaluate("canvas => canvas.toDataURL('image/png')")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))

    def fingerprint(self, canvas: str) -> str:
        return hashlib.sha256(self.pixels(canvas).tobytes()).hexdigest()

    def choose_file(self, name: str, data: bytes, mime: str = "image/png") -> None:
        self.page.locator('[data-part="file"]').set_input_files({"name": name, "mimeType": mime, "buffer": data})

    def set_dropout(self, on: bool) -> None:
        self.page.get_by_label("Dropout on").set_checked(on)
        seed = self.page.get_by_label("Seed", exact=True)
        expect(seed).to_be_visible() if on else expect(seed).to_be_hidden()

    def screenshot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def png(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """An image's file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
