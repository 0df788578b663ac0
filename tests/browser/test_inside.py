"""Look inside, as a visitor does: one switch under the result, in each tab that makes one."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Route, expect

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks.network import TranslationNetwork

from .translation_view import PHONE, SMILE, TranslationView

SIZE = 32
ASKED = "**/component_server/"


def save(folder: Path) -> None:
    """Untrained networks with discriminators that answer something; DiscoGAN without."""
    torch.manual_seed(0)
    networks: list[TranslationNetwork] = [
        i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4, dropout=False)),
        i2i.DiscoGAN(i2i.DiscoGANConfig(base_width=4, depth=4)),
        i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1, discriminator_width=4, discriminator_layers=3)),
        i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, discriminator_width=4, discriminator_layers=2)),
    ]
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("shape")}
    for network in networks:
        discriminators = None
        if network.method != "discogan":
            discriminators = network.discriminators()
            for weights in discriminators.parameters():
                torch.nn.init.normal_(weights, 0, 0.15)
        info = checkpoints.Info(network.method, "outline to shape", network.method, SIZE, domains)
        checkpoints.save(folder / network.method, network, info, discriminators)
        (folder / network.method / "examples").mkdir()
        for i in range(2):
            image = Image.new("RGB", (SIZE, SIZE), "white")
            ImageDraw.Draw(image).ellipse((4 + 6 * i, 4, 24, 28), outline="black")
            image.save(folder / network.method / "examples" / f"{i}.png")


@pytest.fixture(scope="session")
def address(shared_folder: Callable[..., Path], shared_page: Callable[..., str]) -> str:
    return shared_page("inside", shared_folder("inside", save))


@pytest.fixture
def view(open_view: Callable[..., TranslationView], address: str) -> TranslationView:
    return open_view(address)


def questions(view: TranslationView) -> list[str]:
    """The server functions that are asked from now on; an answer to `translate` is noted, too."""
    asked: list[str] = []

    def note(route: Route) -> None:
        name = json.loads(route.request.post_data or "{}")["fn_name"]
        asked.append(name)
        response = route.fetch()
        if name == "translate":
            asked.append("translated")
        route.fulfill(response=response)

    view.page.route(ASKED, note)
    return asked


def part(view: TranslationView, name: str) -> Locator:
    return view.root.locator(f'[data-inside="{name}"]')


def arrived(view: TranslationView) -> None:
    """Wait for the first result, for which the server reads its network."""
    expect(view.result).to_have_attribute("data-state", "done", timeout=60_000)
    view.settled()


def turn(view: TranslationView) -> None:
    view.page.get_by_role("switch", name="Look inside").locator("visible=true").click()


def seen(view: TranslationView, times: int) -> None:
    """Wait until every view has come for the `times`th time."""
    expect(view.root.locator(".inside")).to_have_attribute("data-shown", str(times))


def heat(view: TranslationView) -> np.ndarray:
    return view.pixels('[data-inside="patches"] figure:first-child canvas')


def sources(section: Locator) -> list[str]:
    return section.locator("img").evaluate_all("images => images.map((image) => image.src)")


def test_nothing_is_asked_until_the_switch_is_turned(view: TranslationView) -> None:
    asked = questions(view)
    view.draw(SMILE[:1])
    arrived(view)
    expect(part(view, "views")).to_be_hidden()
    assert "translate" in asked and "look" not in asked
    turn(view)
    seen(view, 1)
    assert asked.count("look") == 5, "the marks, three skips, and all of them"
    before = heat(view), sources(part(view, "cut"))
    assert len(set(before[1])) == 4 and np.ptp(before[0]) > 20
    view.screenshot("inside-paired")

    view.stroke(SMILE[3])
    seen(view, 2)
    after = heat(view), sources(part(view, "cut"))
    assert not np.array_equal(before[0], after[0])
    assert all(old != new for old, new in zip(before[1], after[1], strict=True))

    turn(view)
    asked.clear()
    view.stroke(SMILE[1])
    view.settled()
    view.page.wait_for_timeout(300)
    assert "translate" in asked and "look" not in asked


def test_the_result_never_waits_for_a_view(view: TranslationView) -> None:
    """While a result is awaited no view is asked for, and of those about older drawings none is shown any more."""
    view.draw(SMILE[:1])
    arrived(view)
    turn(view)
    seen(view, 1)
    asked = questions(view)
    view.draw(SMILE[1:])
    seen(view, 2)
    awaited = 0
    for name in asked:
        awaited += {"translate": 1, "translated": -1}.get(name, 0)
        assert name != "look" or not awaited
    assert asked[-5:] == ["look"] * 5


def test_how_strongly_marks_cover_and_colours_stretch_and_where_there_are_none(view: TranslationView) -> None:
    turn(view)
    expect(part(view, "empty")).to_be_visible()
    view.draw(SMILE[:1])
    arrived(view)
    seen(view, 1)
    expect(part(view, "empty")).to_be_hidden()
    expect(part(view, "patches")).to_contain_text("most made here")
    stretched = heat(view)
    view.page.get_by_role("button", name="Stretch the colours").locator("visible=true").click()
    expect(part(view, "patches")).to_contain_text("looks made")
    assert [part(view, end).inner_text() for end in ("low", "high")] == ["0.00", "1.00"]
    assert not np.array_equal(stretched, heat(view))
    strength = part(view, "strength")
    strength.fill("0")
    bare = heat(view).astype(int)
    assert np.ptp(bare, axis=2).max() <= 2, "the picture beneath is grey, so that colours are marks"
    strength.fill("1")
    full = heat(view)
    middle = full[140:370, 140:370].reshape(-1, 3)
    assert len(np.unique(middle, axis=0)) <= 4, "at full strength nothing but the cells is seen"
    label = part(view, "patches").locator("figure canvas").get_attribute("aria-label")
    assert label is not None and "70 by 70" in label
    view.button("Clear").locator("visible=true").click()
    expect(part(view, "empty")).to_be_visible()
    expect(part(view, "patches")).to_be_hidden()


def test_a_model_shows_what_it_has(view: TranslationView) -> None:
    unpaired = view.open_tab("unpaired")
    unpaired.draw(SMILE)
    arrived(unpaired)
    turn(unpaired)
    seen(unpaired, 1)
    expect(part(unpaired, "patches")).to_contain_text("came without a discriminator")
    expect(part(unpaired, "legend")).to_be_hidden()
    expect(part(unpaired, "cut").locator("img")).to_have_count(4)
    expect(part(unpaired, "cut")).to_contain_text("without 16×16")
    expect(part(unpaired, "code")).to_be_hidden()

    unpaired.model("unit", "outline")
    seen(unpaired, 2)
    expect(part(unpaired, "cut")).to_be_hidden()
    expect(part(unpaired, "legend")).to_be_visible()
    expect(part(unpaired, "code").get_by_role("link")).to_have_attribute("href", "https://arxiv.org/abs/1703.00848")
    assert part(unpaired, "code").locator("img").evaluate("image => image.naturalWidth") == SIZE // 4

    # Another style changes the marks and not the content.
    styles = view.open_tab("multimodal")
    styles.root.locator(".first-examples button").first.click()
    arrived(styles)
    turn(styles)
    seen(styles, 1)
    expect(part(styles, "patches").locator("figure")).to_have_count(3)
    marks, code = heat(styles), sources(part(styles, "code"))
    styles.root.locator('[data-part="directions"] input').first.fill("2.5")
    seen(styles, 2)
    assert not np.array_equal(marks, heat(styles))
    assert sources(part(styles, "code")) == code
    styles.screenshot("inside-multimodal")


def test_it_fits_on_a_phone_in_the_dark(open_view: Callable[..., TranslationView], address: str) -> None:
    view = open_view(address, **PHONE, color_scheme="dark")
    view.root.locator(".first-examples button").first.click()
    arrived(view)
    turn(view)
    seen(view, 1)
    widths = view.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    for figure in part(view, "views").locator("figure").locator("visible=true").all():
        box = figure.bounding_box()
        assert box is not None and box["width"] > 60 and box["x"] + box["width"] <= widths[1]
    view.screenshot("inside-phone-dark")
