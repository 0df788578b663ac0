"""The Multimodal tab: every way to a style, what is done with one, and two visitors at it at the same time."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Route, expect

from i2i_models.checkpoints.styles import format_style, parse_style

from .multimodal_tab import DIM, SIZE, MultimodalTab, Open, asked
from .test_pictures import NOT_PICTURES
from .translation_view import PHONE, png

# ---- the pad and the sliders


def test_the_pad_and_its_keys_move_the_style_and_only_decode(multimodal: MultimodalTab) -> None:
    first, picture = multimodal.example(), multimodal.picture()
    questions = asked(multimodal.page)
    multimodal.drag([(0.5, 0.5), (0.6, 0.3), (0.7, 0.2), (0.9, 0.1)])
    text = multimodal.moved_on(first)
    assert multimodal.picture() != picture

    def draws() -> list[dict[str, Any]]:
        return [payload for name, payload in questions if name == "draw"]

    def whole(asked: list[dict[str, Any]]) -> bool:
        return not asked[-1]["draft"]

    multimodal.until(draws, whole, "the last picture of a drag was a draft")
    assert all("image" not in payload and payload["key"] for payload in draws()), "a drag sent the picture"
    box, dot = multimodal.pad.bounding_box(), multimodal.dot.bounding_box()
    assert box and dot
    assert (dot["x"] + dot["width"] / 2 - box["x"]) / box["width"] == pytest.approx(0.9, abs=0.02)
    assert (dot["y"] + dot["height"] / 2 - box["y"]) / box["height"] == pytest.approx(0.1, abs=0.02)
    multimodal.drag([(0.3, 0.7), (0.1, 0.9)], release=False)
    multimodal.moved_on(text)
    multimodal.until(draws, whole, "a hand at rest saw a draft")
    multimodal.page.mouse.up()
    text = multimodal.at_rest()
    multimodal.screenshot("multimodal")

    multimodal.dot.focus()
    multimodal.page.keyboard.press("Home")
    text = multimodal.moved_on(text)
    for _ in range(3):
        multimodal.page.keyboard.press("Shift+ArrowRight")
    multimodal.page.keyboard.press("ArrowUp")
    multimodal.moved_on(text)
    expect(multimodal.dot).to_have_attribute("aria-valuetext", "1.5 across, 0.1 up")
    expect(multimodal.dot).to_be_focused()
    outline = multimodal.dot.evaluate("dot => getComputedStyle(dot).boxShadow")
    assert "5px" in outline, "the focus cannot be seen"


def test_the_newest_position_wins(multimodal: MultimodalTab) -> None:
    multimodal.example()
    held: list[Route] = []
    multimodal.page.route("**/component_server/", lambda route: held.append(route))
    multimodal.drag([(0.2, 0.2), (0.4, 0.4), (0.6, 0.6), (0.8, 0.8)], release=False)
    multimodal.page.wait_for_timeout(200)
    positions = [route for route in held if (route.request.post_data_json or {}).get("fn_name") == "draw"]
    assert len(positions) <= 2, "positions in between were sent instead of waiting for the newest"
    multimodal.page.unroute("**/component_server/")  # lets those that were held go on
    multimodal.page.mouse.up()
    multimodal.page.wait_for_timeout(400)
    text = multimodal.at_rest()
    multimodal.drag([(0.8, 0.8)])
    multimodal.page.wait_for_timeout(400)
    assert np.allclose(parse_style(multimodal.at_rest(), DIM), parse_style(text, DIM), atol=0.05)


def test_a_server_far_away_is_asked_twice_at_a_time(multimodal: MultimodalTab) -> None:
    first = multimodal.example()
    network = multimodal.page.context.new_cdp_session(multimodal.page)
    far = {"offline": False, "latency": 120, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", far)
    multimodal.page.evaluate("""() => {
        const ask = fetch;
        let underWay = 0;
        globalThis.most = 0;
        globalThis.fetch = (...question) => {
            most = Math.max(most, ++underWay);
            return ask(...question).finally(() => underWay--);
        };
    }""")
    multimodal.drag([(0.1 + 0.02 * i, 0.1 + 0.01 * i) for i in range(40)])
    text = multimodal.moved_on(first)
    assert multimodal.page.evaluate("most") == 2
    multimodal.drag([(0.2, 0.2)])
    multimodal.moved_on(text)
    multimodal.drag([(0.88, 0.49)])
    multimodal.page.wait_for_timeout(400)
    assert np.allclose(parse_style(multimodal.at_rest(), DIM), parse_style(text, DIM), atol=0.05), "not the newest"


def test_sliders_and_their_ends(multimodal: MultimodalTab) -> None:
    text = multimodal.example()
    directions = multimodal.part("directions")
    sliders = directions.get_by_role("slider")
    assert [slider.get_attribute("aria-label") for slider in sliders.all()] == ["hair", "skin", "background"]
    expect(directions.get_by_text("background")).to_be_visible()
    ends = multimodal.filled(directions, 2 * sliders.count())
    expect(multimodal.pad.locator(".corner:visible")).to_have_count(4)
    before = ends.nth(2).get_attribute("src")
    sliders.nth(0).fill("3")
    text = multimodal.moved_on(text)
    expect(multimodal.dot).to_have_attribute("aria-valuenow", "3.0")
    expect(ends.nth(2)).not_to_have_attribute("src", before or "")  # ends are those of the present style

    # A drag that ends where it began is over, too: what follows at rest comes.
    sliders.nth(0).evaluate(
        """slider => {
            for (const value of ["1", "2"]) { slider.value = value; slider.dispatchEvent(new Event("input")); }
            slider.dispatchEvent(new PointerEvent("pointerup"));
        }"""
    )
    text = multimodal.moved_on(text)
    shown = ends.nth(4).get_attribute("src")
    expect(multimodal.dot).to_have_attribute("aria-valuenow", "2.0")
    multimodal.drag([(0.1, 0.1)])
    text = multimodal.moved_on(text)
    expect(ends.nth(4)).not_to_have_attribute("src", shown or "")
    assert sliders.nth(0).evaluate("slider => slider.valueAsNumber") == pytest.approx(-2.4, abs=0.1)

    multimodal.root.get_by_text("All numbers of the style").click()
    numbers = multimodal.part("numbers").get_by_role("slider")
    expect(numbers).to_have_count(DIM)
    numbers.nth(7).fill("-2")
    assert parse_style(multimodal.moved_on(text), DIM)[7] == -2
    multimodal.screenshot("multimodal-numbers")


# ---- other ways to a style


def test_random_styles(multimodal: MultimodalTab) -> None:
    text = multimodal.example()
    panel = multimodal.panel("Random styles")
    tiles = panel.locator(".tile")
    multimodal.filled(tiles, 12)
    tiles.nth(3).click()
    third = multimodal.moved_on(text)
    expect(multimodal.part("seed")).to_have_text("seed 3")
    expected = torch.randn(1, DIM, generator=torch.Generator().manual_seed(3))[0]
    assert third == format_style(expected)
    panel.get_by_label("From seed").fill("3")
    panel.get_by_label("From seed").press("Tab")
    expect(tiles.first).to_have_accessible_name("seed 3")
    panel.get_by_role("button", name="Other styles").click()
    expect(tiles.first).to_have_accessible_name("seed 15")
    multimodal.button("Random").click()
    multimodal.moved_on(third)
    expect(multimodal.part("seed")).to_have_text(re.compile(r"seed \d+"))
    multimodal.drag([(0.3, 0.3)])
    expect(multimodal.part("seed")).to_be_empty()  # a style moved by hand is of no seed


def test_the_style_of_a_picture(multimodal: MultimodalTab) -> None:
    text = multimodal.example()
    panel = multimodal.panel("From a picture")
    tiles = panel.locator(".tile")
    expect(tiles).to_have_count(5)
    tiles.nth(2).click()
    text = multimodal.moved_on(text)
    picture = Image.new("RGB", (90, 60), "orange")
    multimodal.part("guide-file").set_input_files({"name": "sun.png", "mimeType": "image/png", "buffer": png(picture)})
    multimodal.moved_on(text)
    expect(tiles).to_have_count(6)
    expect(tiles.first).to_have_accessible_name("sun.png")
    multimodal.screenshot("multimodal-picture")


def test_no_picture_gives_a_sentence_and_nothing_is_lost(multimodal: MultimodalTab) -> None:
    text, picture = multimodal.example(), multimodal.picture()
    multimodal.panel("From a picture")
    for name, data in NOT_PICTURES.items():
        multimodal.part("guide-file").set_input_files({"name": name, "mimeType": "image/png", "buffer": data})
        sentence = multimodal.say()
        assert sentence.endswith(".") and "Error" not in sentence and "our side" not in sentence, (name, sentence)
        assert multimodal.at_rest() == text and multimodal.picture() == picture, name


def test_saved_styles_stay_in_this_browser(multimodal: MultimodalTab, open_multimodal: Open) -> None:
    saved_text, saved_picture = multimodal.example(), multimodal.picture()
    multimodal.button("Keep style").click()
    multimodal.button("Random").click()
    multimodal.moved_on(saved_text)
    panel = multimodal.panel("Kept")
    panel.get_by_label("Name of the style").fill("Sunny")
    panel.get_by_label("Name of the style").press("Tab")
    multimodal.page.reload()
    multimodal.open()
    other = multimodal.example()
    panel = multimodal.panel("Kept")
    panel.get_by_role("button", name="Use the style Sunny").click()
    assert multimodal.moved_on(other) == saved_text and multimodal.picture() == saved_picture
    multimodal.screenshot("multimodal-saved")

    stranger = open_multimodal()
    expect(stranger.panel("Kept").locator(".entry")).to_have_count(0)
    panel.get_by_role("button", name="Remove the style Sunny").click()
    expect(panel.locator(".entry")).to_have_count(0)
    assert multimodal.page.evaluate("localStorage.getItem('i2i-kept-styles')") == "[]"

    # what else the browser may store under the name is left out
    multimodal.page.evaluate("localStorage.setItem('i2i-kept-styles', '[3, {\"name\": 1}, null]')")
    multimodal.page.reload()
    multimodal.open()
    expect(multimodal.panel("Kept").locator(".entry")).to_have_count(0)


def test_copy_and_paste(open_multimodal: Open) -> None:
    multimodal = open_multimodal(permissions=["clipboard-read", "clipboard-write"])
    text, image = multimodal.example(), multimodal.image()
    panel = multimodal.panel("Kept")
    panel.get_by_role("button", name="Copy as text").click()
    assert multimodal.say() == "Copied."
    assert multimodal.page.evaluate("navigator.clipboard.readText()") == text
    multimodal.button("Random").click()
    other = multimodal.moved_on(text)
    field = panel.get_by_label("Paste a style’s text here")
    field.fill(f"  {text}\n")
    field.press("Enter")
    assert multimodal.moved_on(other) == text
    assert abs(multimodal.image() - image).mean() < 2, "the text's four decimals are too few"
    for pasted in ("hello", "munit:v1:", "munit:v1:1,2,3", "munit:v1:" + "nan," * 8, "1e9 0 0 0 0 0 0 0", "<script>"):
        field.fill(pasted)
        panel.get_by_role("button", name="Use it").click()
        sentence = multimodal.say()
        assert sentence.endswith(".") and "Error" not in sentence, (pasted, sentence)
        expect(field).to_have_value(pasted)  # so that it can be mended
        assert multimodal.at_rest() == text


# ---- models, directions, visitors


def test_both_directions_and_models(multimodal: MultimodalTab) -> None:
    forth = multimodal.example()
    drawn = multimodal.fingerprint(".drawing")
    multimodal.page.locator("#multimodal-direction label", has_text="pictures → outlines").click()
    expect(multimodal.root.locator(".editor")).to_have_attribute("data-kind", "picture")
    expect(multimodal.result).to_have_attribute("data-state", "empty")
    multimodal.root.locator('.editor [data-part="file"]').set_input_files(
        {"name": "in.png", "mimeType": "image/png", "buffer": png(Image.new("RGB", (SIZE, SIZE), "teal"))}
    )
    back = multimodal.at_rest()
    assert back != forth
    multimodal.page.locator("#multimodal-direction label", has_text="outlines → pictures").click()
    expect(multimodal.root.locator(".editor")).to_have_attribute("data-kind", "outline")
    multimodal.at_rest()
    assert multimodal.fingerprint(".drawing") == drawn, "the drawing was lost"

    multimodal.page.locator("#multimodal-model label", has_text="Pictures to pictures").click()
    expect(multimodal.root.locator(".editor")).to_have_attribute("data-kind", "picture")
    expect(multimodal.part("seed")).not_to_be_empty()
    multimodal.example(1)
    multimodal.screenshot("multimodal-other-model")


def test_a_picture_forgotten_or_a_server_gone_costs_nothing(multimodal: MultimodalTab) -> None:
    text = multimodal.example()
    forgot = []

    def forget(route: Route) -> None:
        if not forgot and '"key"' in (route.request.post_data or ""):
            forgot.append(route)
            route.fulfill(json={"forgotten": True})
        else:
            route.continue_()

    multimodal.page.route("**/component_server/", forget)
    multimodal.drag([(0.2, 0.8)])
    text = multimodal.moved_on(text)
    assert forgot
    expect(multimodal.toast).to_have_count(0)

    multimodal.page.unroute("**/component_server/")
    multimodal.page.route("**/component_server/", lambda route: route.fulfill(status=502, body="bad gateway"))
    multimodal.drag([(0.9, 0.9)])
    assert "Your drawing is safe" in multimodal.say()
    multimodal.page.unroute("**/component_server/")
    multimodal.drag([(0.8, 0.8)])
    multimodal.moved_on(text)
    assert all("502" in complaint for complaint in multimodal.complaints)
    multimodal.complaints.clear()


def test_two_visitors_dragging_at_once(open_multimodal: Open) -> None:
    one, two, alone = open_multimodal(), open_multimodal(), open_multimodal()
    ones, twos = one.example(0), two.example(1)
    for visitor in (one, two):
        visitor.drag([(0.5, 0.5)], release=False)
    for step in range(12):
        for visitor, way in ((one, 1), (two, -1)):
            box = visitor.pad.bounding_box()
            assert box is not None
            place = 0.5 + way * 0.03 * step
            visitor.page.mouse.move(box["x"] + place * box["width"], box["y"] + (1 - place) * box["height"])
    for visitor in (one, two):
        visitor.page.mouse.up()
    ones, twos = one.moved_on(ones), two.moved_on(twos)
    one.page.wait_for_timeout(500)
    ones, twos = one.at_rest(), two.at_rest()
    assert ones != twos
    # Each sees what somebody who is alone there sees for the same drawing and style.
    for visitor, number, text in ((one, 0, ones), (two, 1, twos)):
        alone.page.reload()
        alone.open()
        old = alone.example(number)
        panel = alone.panel("Kept")
        field = panel.get_by_label("Paste a style’s text here")
        field.fill(text)
        field.press("Enter")
        assert alone.moved_on(old) == text
        assert abs(alone.image() - visitor.image()).mean() < 3
    assert abs(one.image() - two.image()).mean() > 3, "nothing can be told from pictures that are alike"


# ---- looks


def test_nothing_jumps_when_pictures_come_and_panels_open_by_keyboard(multimodal: MultimodalTab) -> None:
    panel = multimodal.root.locator("#multimodal-random")
    places = (multimodal.pad, multimodal.result, multimodal.root.get_by_role("tablist"), panel.locator(".tools"))
    before = [place.bounding_box() for place in places]
    multimodal.example()
    multimodal.filled(panel.locator(".tile"), 12)
    assert [place.bounding_box() for place in places] == before

    multimodal.root.get_by_role("tab", name="Random styles").focus()
    for name in ("From a picture", "Kept", "In between", "Many inputs", "Random styles"):
        multimodal.page.keyboard.press("ArrowRight")
        expect(multimodal.root.get_by_role("tab", name=name)).to_be_focused()
        expect(multimodal.root.get_by_role("tabpanel", name=name)).to_be_visible()


def test_a_phone_in_the_dark(open_multimodal: Open) -> None:
    multimodal = open_multimodal(**PHONE, color_scheme="dark")
    text = multimodal.example()
    background = multimodal.pad.evaluate("pad => getComputedStyle(pad).backgroundColor")
    assert max(int(c) for c in re.findall(r"\d+", background)[:3]) < 64
    assert multimodal.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    multimodal.pad.evaluate("pad => pad.scrollIntoView({ block: 'end' })")
    box, picture = multimodal.pad.bounding_box(), multimodal.root.locator(".result .frame").bounding_box()
    assert box and picture
    assert box["width"] >= 280, "the pad is too small for a thumb"
    assert picture["y"] >= 0 and picture["y"] + picture["height"] <= box["y"], "the picture is out of sight"
    multimodal.page.evaluate("() => scrollTo(0, 99999)")
    stuck = multimodal.root.locator(".result .frame").bounding_box()
    assert stuck and 0 <= stuck["y"] < 100, "the picture does not stay in sight of what is below"
    multimodal.pad.evaluate("pad => pad.scrollIntoView({ block: 'end' })")
    at = multimodal.page.evaluate("() => scrollY")
    multimodal.swipe_down(box)
    multimodal.moved_on(text)
    assert multimodal.page.evaluate("() => scrollY") == at, "dragging on the pad scrolled the page"
    multimodal.filled(multimodal.root.locator("#multimodal-random .tile"), 12)
    multimodal.screenshot("multimodal-phone-dark")
