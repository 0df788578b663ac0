"""Drawing: the result follows, undo and redo, the facade's rectangles, a phone, two visitors."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .easel import PHONE, SMILE, Easel

WINDOW, FACADE = (0, 128, 255), (0, 48, 255)


def test_an_empty_page_waits_and_invites(easel: Easel) -> None:
    expect(easel.page.get_by_text("Draw an outline here")).to_be_visible()
    expect(easel.result).to_have_attribute("data-state", "empty")
    assert easel.page.locator(".invited button:visible").count() >= 3
    expect(easel.button("Download PNG")).to_be_disabled()
    easel.screenshot("empty")


def test_the_result_follows_the_drawing(easel: Easel) -> None:
    easel.draw(SMILE[:1])
    first = easel.settled()
    easel.draw(SMILE[1:])
    assert easel.settled() != first
    expect(easel.page.locator('[data-part="time"]')).to_contain_text("ms")
    easel.screenshot("drawn")


def test_the_result_comes_during_the_stroke(easel: Easel) -> None:
    easel.stroke(SMILE[0][:12], release=False)
    during = easel.settled()
    easel.page.mouse.up()
    easel.draw(SMILE[1:])
    assert easel.settled() != during


def test_an_old_answer_never_replaces_a_newer_one(easel: Easel) -> None:
    """The first answer is held back until strokes later than its question have been answered or queued."""
    held = []
    asked = []

    def handle(route) -> None:  # type: ignore[no-untyped-def]
        asked.append(route.request.post_data)
        if len(asked) == 1:
            held.append(route)
        else:
            route.continue_()

    easel.page.route("**/component_server/", handle)
    easel.draw(SMILE)
    easel.page.wait_for_function("() => document.querySelector('.out').ariaBusy === 'true'")
    assert len(asked) == 1, "more than one question was under way"
    held[0].continue_()
    shown = easel.settled()
    assert len(asked) <= 3, "strokes made in the meantime were all sent instead of the newest alone"
    easel.page.unroute("**/component_server/")
    easel.button("Undo (Ctrl+Z)").click()
    easel.button("Redo (Ctrl+Shift+Z)").click()
    assert easel.settled() == shown, "the last result shown was not that of the last stroke"


def test_an_answer_for_a_cleared_drawing_is_dropped(easel: Easel) -> None:
    held = []
    easel.page.route("**/component_server/", lambda route: held.append(route))
    easel.draw(SMILE[:1])
    easel.page.wait_for_function("() => document.querySelector('.out').ariaBusy === 'true'")
    easel.button("Clear").click()
    held[0].continue_()
    expect(easel.result).not_to_have_attribute("aria-busy", "true")
    expect(easel.result).to_have_attribute("data-state", "empty")


def test_undo_redo_and_clear(easel: Easel) -> None:
    blank = easel.fingerprint(".paper")
    easel.draw(SMILE[:1])
    circle, circle_result = easel.fingerprint(".paper"), easel.settled()
    easel.draw(SMILE[1:])
    face = easel.fingerprint(".paper")

    for _ in SMILE[1:]:
        easel.page.keyboard.press("Control+z")
    assert easel.fingerprint(".paper") == circle
    assert easel.settled() == circle_result
    for _ in SMILE[1:]:
        easel.page.keyboard.press("Control+Shift+Z")
    assert easel.fingerprint(".paper") == face

    easel.button("Clear").click()
    assert easel.fingerprint(".paper") == blank
    expect(easel.result).to_have_attribute("data-state", "empty")
    easel.button("Undo (Ctrl+Z)").click()
    assert easel.fingerprint(".paper") == face
    easel.settled()


def test_the_eraser_erases(easel: Easel) -> None:
    easel.stroke([(0.2, 0.5), (0.8, 0.5)])
    ink = (easel.pixels(".paper") < 128).sum()
    easel.button("Eraser").click()
    easel.stroke([(0.5, 0.3), (0.5, 0.7)])
    assert 0 < (easel.pixels(".paper") < 128).sum() < ink


def test_seed_and_dropout(easel: Easel) -> None:
    easel.draw(SMILE)
    plain = easel.settled()
    easel.set_dropout(True)
    seed = easel.page.get_by_label("Seed", exact=True)
    zero = easel.changed(plain)
    seed.fill("7")
    seed.press("Tab")
    seven = easel.changed(zero)
    seed.fill("0")
    seed.press("Tab")
    assert easel.changed(seven) == zero
    easel.button("Another seed").click()
    easel.changed(zero)
    easel.set_dropout(False)
    easel.becomes(plain)


def test_facades_from_rectangles(easel: Easel) -> None:
    easel.facades()
    easel.stroke([(0.2, 0.2), (0.3, 0.3), (0.4, 0.5)])
    one = easel.settled()
    easel.button("door").click()
    easel.stroke([(0.6, 0.7), (0.8, 1.0)])
    easel.changed(one)
    easel.button("Brush").click()
    easel.button("cornice").click()
    easel.stroke([(0.05, 0.06), (0.5, 0.11), (0.95, 0.06)])
    easel.settled()
    paper = easel.pixels(".paper")
    colours = {tuple(int(c) for c in colour) for colour in np.unique(paper.reshape(-1, 3), axis=0)}
    assert colours == {FACADE, WINDOW, (0, 207, 255), (32, 255, 224)}, "a label map holds the labels' colours alone"
    share = (paper == WINDOW).all(-1).mean()
    assert share == pytest.approx(0.2 * 0.3, abs=0.01)
    easel.screenshot("facades")


def test_each_model_keeps_its_drawing(easel: Easel) -> None:
    easel.draw(SMILE)
    face, result = easel.fingerprint(".paper"), easel.settled()
    easel.facades()
    expect(easel.result).to_have_attribute("data-state", "empty")
    easel.model("emoji-pix2pix", "outline")
    assert easel.fingerprint(".paper") == face
    assert easel.settled() == result


def test_download_is_a_png_of_the_shown_picture(easel: Easel) -> None:
    easel.draw(SMILE)
    easel.settled()
    with easel.page.expect_download() as info:
        easel.button("Download PNG").click()
    download = info.value
    assert download.suggested_filename.endswith(".png")
    data = Path(download.path()).read_bytes()
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image.convert("RGB")), easel.pixels(".after"))


def test_the_slider_compares_drawing_and_result(easel: Easel) -> None:
    easel.draw(SMILE)
    easel.settled()
    assert np.array_equal(easel.pixels(".before"), easel.pixels(".paper"))
    easel.page.locator(".wipe").fill("50")
    clip = easel.page.locator(".before").evaluate("canvas => getComputedStyle(canvas).clipPath")
    assert "50%" in clip
    easel.screenshot("compared")


def test_the_card_opens(easel: Easel) -> None:
    easel.page.get_by_role("button", name="About this model").click()
    card = easel.page.locator("#paired-card .prose, #paired-card .md").first
    expect(card).to_contain_text("emoji", ignore_case=True)
    expect(card).not_to_contain_text("license:")
    easel.screenshot("card")


def test_a_phone(open_easel: Callable[..., Easel], server: str) -> None:
    easel = open_easel(server, **PHONE)
    widths = "() => [document.documentElement.scrollWidth, innerWidth]"
    assert easel.page.evaluate(widths) == [390, 390]
    box = easel.paper.bounding_box()
    assert box is not None and box["width"] > 340

    easel.swipe_down(box)
    first = easel.settled()
    assert easel.page.evaluate("() => scrollY") == 0, "drawing scrolled the page"
    easel.page.locator("#paired-model label").filter(has_text="facade").tap()
    expect(easel.page.locator(".desk")).to_have_attribute("data-kind", "labels")
    assert easel.page.evaluate(widths) == [390, 390]
    easel.page.locator(".invited button").first.tap()
    easel.changed(first)
    easel.screenshot("phone")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_tab_is_in_sight_on_the_narrowest_phone(
    open_easel: Callable[..., Easel], server: str, language: str
) -> None:
    phone = {**PHONE, "viewport": {"width": 360, "height": 740}}
    page = open_easel(server, **phone, locale=language).page
    tabs = page.locator('[role="tab"][id^="tab-"]')
    expect(tabs).to_have_count(4)
    boxes = [tab.bounding_box() for tab in tabs.all()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes), boxes
    assert len({box["y"] for box in boxes if box}) == 1, f"they stand in more than one row: {boxes}"
    assert tabs.evaluate_all("tabs => tabs.every((tab) => tab.scrollWidth <= tab.clientWidth)"), "a name is cut off"
    tabs.last.tap()
    expect(page.locator("#tab-compare .desk")).to_be_visible()


def test_the_dark(open_easel: Callable[..., Easel], server: str) -> None:
    easel = open_easel(server, color_scheme="dark")
    background = easel.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(int(c) for c in background[4:-1].split(",")[:3]) < 64
    assert (easel.pixels(".paper") == 255).all(), "drawing paper stays white"
    easel.draw(SMILE)
    easel.settled()
    easel.screenshot("dark")


def test_two_visitors_do_not_see_each_other(open_easel: Callable[..., Easel], server: str) -> None:
    one, two = open_easel(server), open_easel(server)
    blank = two.fingerprint(".paper")
    one.draw(SMILE)
    ones = one.settled()
    assert two.fingerprint(".paper") == blank
    expect(two.result).to_have_attribute("data-state", "empty")
    two.stroke([(0.1, 0.1), (0.9, 0.9)])
    assert two.settled() != ones
    assert one.settled() == ones
