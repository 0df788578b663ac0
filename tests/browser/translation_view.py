"""The page in a visitor's words: draw, read the result, wait for the next one."""

import base64
import hashlib
import io
import math
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, expect

ARTIFACTS = Path(__file__).parent / "artifacts"
PATIENCE = 60
"""Seconds within which what is waited for has to come: the machine may be slow, and busy with other tests."""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCREENS = pytest.mark.parametrize("screen", [{}, PHONE], ids=["desktop", "phone"])
Point = tuple[float, float]
T = TypeVar("T")

SMILE: list[list[Point]] = [
    [(0.5 + 0.4 * math.cos(t / 12 * math.pi), 0.5 + 0.4 * math.sin(t / 12 * math.pi)) for t in range(25)],
    [(0.36, 0.36), (0.36, 0.43)],
    [(0.64, 0.36), (0.64, 0.43)],
    [(0.5 + 0.22 * math.cos(t / 8 * math.pi), 0.55 + 0.2 * math.sin(t / 8 * math.pi)) for t in range(9)],
]


class TranslationView:
    """One open page, seen through one of its tabs."""

    def __init__(self, page: Page, tab: str = "paired", complaints: list[str] | None = None) -> None:
        self.page, self.tab = page, tab
        self.complaints = [] if complaints is None else complaints
        self.root = page.locator(f"#{tab}-view")
        self.editor = self.root.locator(".editor")
        self.drawing = self.root.locator(".drawing")
        self.result = self.root.locator(".result")
        self.toast = self.root.locator(".toast")

    def open_tab(self, name: str) -> "TranslationView":
        """Go to another tab; the page seen through it."""
        self.page.locator(f"#tab-{name}-button").click()
        view = TranslationView(self.page, name, self.complaints)
        expect(view.editor).to_be_visible()
        return view

    def ready(self) -> None:
        """Wait until the page takes strokes (or says that it has no model)."""
        self.page.locator(".editor[data-kind]:visible, :text('No model here yet'), .inviting:visible").first.wait_for()

    def model(self, name: str, kind: str) -> None:
        """Choose a model by its folder's name and wait until the editor, of this kind, is for it."""
        label = self.page.locator(f"#{self.tab}-model label")
        label.filter(has=self.page.locator(f'input[value="{name}"]')).click()
        # The one before may be of the same kind: strokes would be its.
        expect(self.editor).to_have_attribute("data-model", re.compile(f"^{re.escape(name)} "))
        expect(self.editor).to_have_attribute("data-kind", kind)

    def choose_example(self, n: int = 0) -> str:
        """Choose one of the examples in the empty result; the fingerprint of the result for it."""
        self.root.locator(".first-examples button").nth(n).click()
        return self.settled()

    def facades(self) -> None:
        """Choose the model that paints from labels."""
        self.model("facades-pix2pix", "labels")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def stroke(self, points: list[Point], release: bool = True) -> None:
        """One stroke of the mouse; points in fractions of the drawing."""
        box = self.drawing.bounding_box()
        assert box is not None
        at = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in points]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for point in at[1:]:
            self.page.mouse.move(*point)
        if release:
            self.page.mouse.up()

    def swipe_down(self, box: FloatRect) -> None:
        """A finger goes down the middle of a place on the page."""
        touch = self.page.context.new_cdp_session(self.page)

        def finger(kind: str, *heights: float) -> None:
            spots = [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + v * box["height"]} for v in heights]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

        finger("touchStart", 0.2)
        for step in range(1, 7):
            finger("touchMove", 0.2 + step * 0.1)
        finger("touchEnd")

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
        return self.until(self.settled, lambda new: new != old, "the result stayed the same")

    def becomes(self, wanted: str) -> None:
        """Wait until the result is this one again."""
        self.until(self.settled, lambda new: new == wanted, "that result did not come")

    def drawn(self, wanted: str) -> None:
        """Wait until the drawing is this one."""
        self.until(lambda: self.fingerprint(".drawing"), lambda new: new == wanted, "that drawing did not come")

    def until(self, look: Callable[[], T], is_right: Callable[[T], bool], else_: str) -> T:
        """Look again and again until it is right; what was seen then."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if is_right(seen := look()):
                return seen
            self.page.wait_for_timeout(50)
        says = self.page.locator(".toast").all_inner_texts()
        raise AssertionError(f"{else_} for {PATIENCE} seconds; the page says {says}")

    def pixels(self, canvas: str = ".after") -> np.ndarray:
        """What a canvas shows, `(H, W, 3)` uint8."""
        url = self.root.locator(canvas).evaluate("canvas => canvas.toDataURL('image/png')")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))

    def fingerprint(self, canvas: str) -> str:
        return hashlib.sha256(self.pixels(canvas).tobytes()).hexdigest()

    def choose_file(self, name: str, data: bytes, mime: str = "image/png") -> None:
        self.root.locator('[data-part="file"]').set_input_files({"name": name, "mimeType": mime, "buffer": data})

    def set_dropout(self, on: bool) -> None:
        self.page.get_by_label("Dropout on").set_checked(on)
        seed = self.page.get_by_label("Seed", exact=True)
        expect(seed).to_be_visible() if on else expect(seed).to_be_hidden()

    def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page for whoever wants to look, which takes seconds: only with SCREENSHOTS=1."""
        if not os.environ.get("SCREENSHOTS"):
            return
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def png(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """An image's file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
