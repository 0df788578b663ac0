"""The view of digits, among the results at the page's foot."""

from collections.abc import Callable

from playwright.sync_api import expect

from .translation_view import SCREENS, TranslationView

SEVEN = [(0.3, 0.2), (0.7, 0.2), (0.55, 0.5), (0.45, 0.85)]


@SCREENS
def test_a_drawn_digit_crosses_and_both_readers_say_what_it_is(
    open_view: Callable[..., TranslationView], full_page: str, screen: dict[str, object]
) -> None:
    page = open_view(full_page, **screen).page
    page.locator("#results button").first.click()
    pad = page.locator("#digits .pad")
    pad.scroll_into_view_if_needed()
    expect(page.get_by_text("Draw a digit here")).to_be_visible()

    def draw() -> None:
        box = pad.bounding_box()
        assert box is not None
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()

    draw()
    read, crossed = page.locator("#digits [data-part=read]"), page.locator("#digits [data-part=read-translation]")
    for said in (read, crossed):
        expect(said).to_contain_text("reads 7,")
    translation = page.get_by_alt_text("as in USPS: reads 7")
    expect(translation).to_be_visible()
    page.get_by_role("button", name="USPS → MNIST").click()
    expect(page.get_by_alt_text("as in MNIST: reads")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#digits").get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit here")).to_be_visible()
    expect(read).to_be_empty()
