"""The Multimodal tab in a visitor's words, and untrained models to try it with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints.styles import StyleSpace, principal, save_styles

from .translation_view import TranslationView

SIZE, DIM = 64, 8


def save_munit(folder: Path, title: str, kinds: tuple[str, str], seed: int) -> None:
    """An untrained MUNIT whose styles show: the AdaIN parameters that its MLP makes are scaled up."""
    torch.manual_seed(seed)
    network = i2i.MUNIT(
        i2i.MUNITConfig(
            base_width=8,
            style_dim=DIM,
            blocks=1,
            mlp_width=32,
            discriminator_width=4,
            discriminator_layers=1,
            discriminator_scales=1,
        )
    )
    with torch.no_grad():
        for decoder in network.decoders.values():
            decoder.mlp[-1].weight.mul_(3)  # type: ignore[union-attr, index]
    domains = {key: checkpoints.Domain(f"{kind}s", kind) for key, kind in zip("AB", kinds, strict=True)}  # type: ignore[arg-type]
    checkpoints.save(folder, network, checkpoints.Info(folder.name, title, "munit", SIZE, domains))
    translator = i2i.load(folder)
    spaces = {}
    for domain in "AB":
        pictures = [Image.new("RGB", (SIZE, SIZE), (seed * 40 % 255, 60 * i % 255, 255 - 50 * i)) for i in range(5)]
        found = torch.stack([translator.encode_style(picture, domain) for picture in pictures])
        known = principal(torch.randn(60, DIM) * torch.linspace(1.5, 0.3, DIM))
        stacked = torch.stack([torch.from_numpy(np.array(p)).permute(2, 0, 1) for p in pictures])
        names = ("hair", "skin", "background", *([""] * (DIM - 3))) if domain == "B" else ()
        spaces[domain] = StyleSpace(*known, found, stacked, names)
    save_styles(folder, spaces)
    (folder / "examples").mkdir()
    for i in range(3):
        drawing = Image.new("RGB", (SIZE, SIZE), "white")
        ImageDraw.Draw(drawing).ellipse((8 + 4 * i, 8, 52, 40 + 6 * i), outline="black", width=2)
        drawing.save(folder / "examples" / f"{i}.png")


class MultimodalTab(TranslationView):
    """The Multimodal tab, or another one with styles."""

    def __init__(self, view: TranslationView, tab: str = "multimodal") -> None:
        super().__init__(view.page, tab, view.complaints)
        self.pad, self.dot = self.root.locator(".pad"), self.root.locator(".dot")

    def open(self) -> None:
        self.page.locator("#tab-multimodal-button").click()
        self.root.locator(".editor[data-kind]").wait_for()
        expect(self.root.locator('[data-part="seed"]')).not_to_be_empty()

    def part(self, name: str) -> Locator:
        return self.root.locator(f'[data-part="{name}"]')

    def panel(self, name: str) -> Locator:
        self.root.get_by_role("tab", name=name).click()
        panel = self.root.get_by_role("tabpanel")
        expect(panel).to_be_visible()
        return panel

    def example(self, number: int = 0) -> str:
        self.root.locator(".first-examples button").nth(number).click()
        return self.at_rest()

    def at_rest(self) -> str:
        """Wait until the picture is that of the style as it is now; the style's text."""
        expect(self.result).to_have_attribute("data-state", "done")
        self.page.wait_for_timeout(60)
        expect(self.result).not_to_have_attribute("aria-busy", "true")
        return self.result.get_attribute("data-style") or ""

    def moved_on(self, old: str) -> str:
        """Wait until the picture is of another style than `old`; its text."""
        expect(self.result).not_to_have_attribute("data-style", old)
        return self.at_rest()

    def picture(self) -> str:
        return self.fingerprint(".after")

    def image(self) -> np.ndarray:
        return self.pixels(".after").astype(int)

    def filled(self, tiles: Locator, count: int) -> Locator:
        """Wait until `count` of the tiles show their pictures; these."""
        pictures = tiles.locator("img:visible")
        expect(pictures).to_have_count(count)
        return pictures

    def drag(self, points: list[tuple[float, float]], release: bool = True) -> None:
        """Drag on the pad; points in fractions of it."""
        self.pad.scroll_into_view_if_needed()
        box = self.pad.bounding_box()
        assert box is not None
        for i, (u, v) in enumerate(points):
            self.page.mouse.move(box["x"] + u * box["width"], box["y"] + v * box["height"])
            if i == 0:
                self.page.mouse.down()
        if release:
            self.page.mouse.up()

    def say(self) -> str:
        """The message on the screen, closed again."""
        expect(self.toast).to_be_visible()
        sentence = self.toast.locator("span").inner_text()
        self.toast.get_by_role("button").click()
        expect(self.toast).to_have_count(0)
        return sentence


def asked(page: Page) -> list[tuple[str, dict[str, Any]]]:
    """What the page asks the server from now on: function and payload."""
    found: list[tuple[str, dict[str, Any]]] = []

    def note(request: Any) -> None:
        if request.url.endswith("/component_server/") and request.post_data and request.post_data.startswith("{"):
            body = json.loads(request.post_data)
            found.append((body["fn_name"], body["data"]))

    page.on("request", note)
    return found


Open = Callable[..., MultimodalTab]
"""Opens the tab in a browser context of its own, which takes Playwright's options."""
