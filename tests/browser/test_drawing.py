"""Drawing: the result follows, undo and redo, the facade's rectangles, a phone, two visitors."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .translation_view import PHONE, SMILE, TranslationView

WINDOW, FACADE = (0, 128, 255), (0, 48, 255)


def test_an_empty_page_invites_and_the_result_follows_the_stroke(view: TranslationView) -> None:
    expect(view.page.get_by_text("Draw an outline here")).to_be_visible()
    expect(view.result).to_have_attribute("data-state", "empty")
    assert view.page.locator(".first-examples button:visible").count() >= 3
    expect(view.button("Download PNG")).to_be_disabled()
    view.screenshot("empty")

    view.stroke(SMILE[0][:12], release=False)
    during = view.settled()
    view.page.mouse.up()
    view.draw(SMILE[1:])
    assert view.settled() != during
    expect(view.page.locator('[data-part="time"]')).to_contain_text("ms")
    view.screenshot("drawn")

    view.page.get_by_role("button", name="About this model").click()
    card = view.page.locator("#paired-card .prose, #paired-card .md").first
    expect(card).to_contain_text("emoji", ignore_case=True)
    expect(card).not_to_contain_text("license:")
    view.screenshot("card")


def test_an_old_answer_never_replaces_a_newer_one_nor_comes_to_a_cleared_drawing(view: TranslationView) -> None:
    """The first answer is held back until strokes later than its question have been answered or queued."""
    held = []
    asked = []

    def handle(route) -> None:  # type: ignore[no-untyped-def]
        asked.append(route.request.post_data)
        if len(asked) == 1:
            held.append(route)
        else:
            route.continue_()

    view.page.route("**/component_server/", handle)
    view.draw(SMILE)
    view.page.wait_for_function("() => document.querySelector('.result').ariaBusy === 'true'")
    assert len(asked) == 1, "more than one question was under way"
    held[0].continue_()
    shown = view.settled()
    assert len(asked) <= 3, "strokes made in the meantime were all sent instead of the newest alone"
    view.page.unroute("**/component_server/")
    view.button("Undo (Ctrl+Z)").click()
    view.button("Redo (Ctrl+Shift+Z)").click()
    assert view.settled() == shown, "the last result shown was not that of the last stroke"

    view.button("Clear").click()
    expect(view.result).to_have_attribute("data-state", "empty")
    held.clear()
    view.page.route("**/component_server/", lambda route: held.append(route))
    view.draw(SMILE[:1])
    view.page.wait_for_function("() => document.querySelector('.result').ariaBusy === 'true'")
    view.button("Clear").click()
    held[0].continue_()
    expect(view.result).not_to_have_attribute("aria-busy", "true")
    expect(view.result).to_have_attribute("data-state", "empty")


def test_undo_redo_clear_and_the_eraser(view: TranslationView) -> None:
    blank = view.fingerprint(".drawing")
    view.draw(SMILE[:1])
    circle, circle_result = view.fingerprint(".drawing"), view.settled()
    view.draw(SMILE[1:])
    face = view.fingerprint(".drawing")

    for _ in SMILE[1:]:
        view.page.keyboard.press("Control+z")
    assert view.fingerprint(".drawing") == circle
    assert view.settled() == circle_result
    for _ in SMILE[1:]:
        view.page.keyboard.press("Control+Shift+Z")
    assert view.fingerprint(".drawing") == face

    view.button("Clear").click()
    assert view.fingerprint(".drawing") == blank
    expect(view.result).to_have_attribute("data-state", "empty")
    view.button("Undo (Ctrl+Z)").click()
    assert view.fingerprint(".drawing") == face
    view.settled()

    view.stroke([(0.2, 0.5), (0.8, 0.5)])
    ink = (view.pixels(".drawing") < 128).sum()
    view.button("Eraser").click()
    view.stroke([(0.5, 0.3), (0.5, 0.7)])
    assert 0 < (view.pixels(".drawing") < 128).sum() < ink


def test_seed_and_dropout(view: TranslationView) -> None:
    view.draw(SMILE)
    plain = view.settled()
    view.set_dropout(True)
    seed = view.page.get_by_label("Seed", exact=True)
    zero = view.changed(plain)
    seed.fill("7")
    seed.press("Tab")
    seven = view.changed(zero)
    seed.fill("0")
    seed.press("Tab")
    assert view.changed(seven) == zero
    view.button("Another seed").click()
    view.changed(zero)
    view.set_dropout(False)
    view.becomes(plain)


def test_facades_from_rectangles(view: TranslationView) -> None:
    view.facades()
    view.stroke([(0.2, 0.2), (0.3, 0.3), (0.4, 0.5)])
    one = view.settled()
    view.button("door").click()
    view.stroke([(0.6, 0.7), (0.8, 1.0)])
    view.changed(one)
    view.button("Brush").click()
    view.button("cornice").click()
    view.stroke([(0.05, 0.06), (0.5, 0.11), (0.95, 0.06)])
    view.settled()
    drawn = view.pixels(".drawing")
    colours = {tuple(int(c) for c in colour) for colour in np.unique(drawn.reshape(-1, 3), axis=0)}
    assert colours == {FACADE, WINDOW, (0, 207, 255), (32, 255, 224)}, "a label map holds the labels' colours alone"
    share = (drawn == WINDOW).all(-1).mean()
    assert share == pytest.approx(0.2 * 0.3, abs=0.01)
    view.screenshot("facades")


def test_coasts_are_rough(view: TranslationView) -> None:
    """A straight stroke of ground has an edge as nature draws it: of the labels' colours alone, and always the same."""
    view.model("earth-pix2pix", "labels")
    view.button("Brush").click()
    view.stroke([(0.2, 0.5), (0.8, 0.5)])
    view.settled()
    drawn, fingerprint = view.pixels(".drawing"), view.fingerprint(".drawing")
    forest = (drawn == (38, 110, 50)).all(-1)
    assert (forest | (drawn == (16, 52, 110)).all(-1)).all()
    heights = forest[:, 40:90].sum(0)
    assert heights.min() > 0 and heights.std() > 0.5
    view.button("Undo (Ctrl+Z)").click()
    view.button("Redo (Ctrl+Shift+Z)").click()
    assert view.fingerprint(".drawing") == fingerprint


def test_each_model_keeps_its_drawing(view: TranslationView) -> None:
    view.draw(SMILE)
    face, result = view.fingerprint(".drawing"), view.settled()
    view.facades()
    expect(view.result).to_have_attribute("data-state", "empty")
    view.model("emoji-pix2pix", "outline")
    assert view.fingerprint(".drawing") == face
    assert view.settled() == result


def test_the_shown_picture_is_downloaded_and_compared(view: TranslationView) -> None:
    view.draw(SMILE)
    view.settled()
    with view.page.expect_download() as info:
        view.button("Download PNG").click()
    download = info.value
    assert download.suggested_filename.endswith(".png")
    data = Path(download.path()).read_bytes()
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image.convert("RGB")), view.pixels(".after"))

    assert np.array_equal(view.pixels(".before"), view.pixels(".drawing"))
    view.page.locator(".wipe").fill("50")
    clip = view.page.locator(".before").evaluate("canvas => getComputedStyle(canvas).clipPath")
    assert "50%" in clip
    view.screenshot("compared")


def test_a_phone_in_the_dark(open_view: Callable[..., TranslationView], server: str) -> None:
    view = open_view(server, **PHONE, color_scheme="dark")
    view.model("emoji-pix2pix", "outline")
    background = view.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(int(c) for c in background[4:-1].split(",")[:3]) < 64
    assert (view.pixels(".drawing") == 255).all(), "the drawing stays white"
    view.page.evaluate("scrollTo(0, 0)")
    widths = "() => [document.documentElement.scrollWidth, innerWidth]"
    assert view.page.evaluate(widths) == [390, 390]
    box = view.drawing.bounding_box()
    assert box is not None and box["width"] > 340

    view.swipe_down(box)
    first = view.settled()
    assert view.page.evaluate("() => scrollY") == 0, "drawing scrolled the page"
    view.page.locator("#paired-model label").filter(has_text="facade").tap()
    expect(view.page.locator(".editor")).to_have_attribute("data-kind", "labels")
    assert view.page.evaluate(widths) == [390, 390]
    view.page.locator(".first-examples button").first.tap()
    view.changed(first)
    view.screenshot("phone-dark")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_tab_is_in_sight_on_the_narrowest_phone(
    open_view: Callable[..., TranslationView], server: str, language: str
) -> None:
    phone = {**PHONE, "viewport": {"width": 360, "height": 740}}
    page = open_view(server, **phone, locale=language).page
    tabs = page.locator('[role="tab"][id^="tab-"]')
    expect(tabs).to_have_count(4)
    boxes = [tab.bounding_box() for tab in tabs.all()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes), boxes
    assert len({box["y"] for box in boxes if box}) <= 2, f"they stand in more than two rows: {boxes}"
    assert tabs.evaluate_all("tabs => tabs.every((tab) => tab.scrollWidth <= tab.clientWidth)"), "a name is cut off"
    tabs.last.tap()
    expect(page.locator("#tab-compare .editor")).to_be_visible()


def test_two_visitors_do_not_see_each_other(open_view: Callable[..., TranslationView], server: str) -> None:
    one, two = open_view(server), open_view(server)
    blank = two.fingerprint(".drawing")
    one.draw(SMILE)
    ones = one.settled()
    assert two.fingerprint(".drawing") == blank
    expect(two.result).to_have_attribute("data-state", "empty")
    two.stroke([(0.1, 0.1), (0.9, 0.9)])
    assert two.settled() != ones
    assert one.settled() == ones


POINTERS = """(canvas, events) => {
  const box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  for (const [type, kind, id, u, v, button, pressure] of events)
    canvas.dispatchEvent(new PointerEvent(`pointer${type}`, {
      pointerType: kind, pointerId: id, button, pressure, bubbles: true, cancelable: true,
      clientX: box.left + u * box.width, clientY: box.top + v * box.height,
    }));
}"""
"""Events at once, since what counts for a hand beside a pen is how soon one follows the other."""


def test_the_pen_wins_over_the_palm_and_its_other_end_erases(view: TranslationView) -> None:
    Event = tuple[str, str, int, float, float, int, float]

    def pointer(type: str, kind: str, id: int, u: float, v: float, button: int = 0) -> Event:
        return type, kind, id, u, v, button, 0.5

    def happens(*events: Event) -> None:
        view.drawing.evaluate(POINTERS, [list(event) for event in events])

    def dark(u: float, v: float) -> bool:
        pixels = view.pixels(".drawing")
        side = len(pixels)
        return bool(pixels[int(v * side), int(u * side)].max() < 128)

    def line(kind: str, id: int, v: float, button: int = 0) -> list[Event]:
        return [
            pointer("down", kind, id, 0.2, v, button),
            pointer("move", kind, id, 0.8, v, -1),
            pointer("up", kind, id, 0.8, v, button),
        ]

    palm = line("touch", 1, 0.9)  # came down and slid, and went
    rests = [pointer("down", "touch", 2, 0.8, 0.8), pointer("move", "touch", 2, 0.9, 0.8, -1)]
    happens(*palm, *rests, *line("pen", 3, 0.3))
    assert dark(0.5, 0.3) and not dark(0.5, 0.9) and not dark(0.85, 0.8)
    happens(*line("pen", 3, 0.3), pointer("up", "touch", 2, 0.9, 0.8), *line("touch", 4, 0.6))
    assert not dark(0.5, 0.6), "a touch right after the pen drew"
    view.page.wait_for_timeout(600)
    happens(*line("touch", 5, 0.6))
    assert dark(0.5, 0.6)
    view.page.wait_for_timeout(600)
    happens(*line("pen", 6, 0.3, 5))
    assert not dark(0.5, 0.3) and dark(0.5, 0.6)


def test_a_pens_pressure_sets_the_width_and_a_mouses_does_not(view: TranslationView) -> None:
    def line(kind: str, id: int, v: float, pressures: list[float]) -> None:
        events = [
            ["move" if i else "down", kind, id, 0.1 + 0.8 * i / (len(pressures) - 1), v, 0, pressure]
            for i, pressure in enumerate(pressures)
        ]
        view.drawing.evaluate(POINTERS, [*events, ["up", kind, id, 0.9, v, 0, 0]])

    def thickness(u: float, v: float) -> float:
        column = view.pixels(".drawing")[:, int(u * 512), 0]
        rows = slice(int((v - 0.08) * 512), int((v + 0.08) * 512))
        return float((255 - column[rows].astype(int)).sum() / 255)

    line("mouse", 1, 0.2, [1.0] * 9)
    line("pen", 2, 0.4, [0.5] * 9)  # what a pen says that feels no pressure
    line("pen", 3, 0.6, [i / 8 for i in range(9)])
    chosen = 2.5 / 128 * 512
    assert [thickness(0.5, v) for v in (0.2, 0.4, 0.6)] == pytest.approx([chosen] * 3, abs=1)
    wider = [thickness(u, 0.6) for u in (0.2, 0.35, 0.5, 0.65, 0.8)]
    assert wider == sorted(wider)
    assert wider[0] == pytest.approx(0.51 * chosen, abs=1) and wider[-1] == pytest.approx(1.49 * chosen, abs=1)
    drawn = view.fingerprint(".drawing")
    view.button("Undo (Ctrl+Z)").click()
    assert thickness(0.5, 0.6) == 0
    view.button("Redo (Ctrl+Shift+Z)").click()
    assert view.fingerprint(".drawing") == drawn
    view.screenshot("pressure")
    view.facades()
    view.button("Brush").click()
    line("pen", 4, 0.5, [i / 8 for i in range(9)])
    colours = view.pixels(".drawing").reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) == 2, "a label's edge was blended"
