"""The first seconds of a visit: an example is being drawn, a style wanders, and all of it stops at a touch."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .multimodal_tab import MultimodalTab
from .translation_view import TranslationView


@pytest.fixture(scope="module")
def address(full_folder: Path, shared_page: Callable[..., str]) -> str:
    return shared_page("opening", full_folder, I2I_OPENING="on")


def test_an_example_is_drawn_until_the_visitor_touches_it(
    open_view: Callable[..., TranslationView], address: str
) -> None:
    view = open_view(address)
    hint = view.editor.locator(".opening")
    expect(hint).to_be_visible()
    early = view.fingerprint(".drawing")
    expect(view.result).to_have_attribute("data-state", "done")
    assert view.fingerprint(".drawing") != early
    expect(view.button("Undo (Ctrl+Z)")).to_be_enabled()

    view.stroke([(0.4, 0.5), (0.6, 0.5)])
    expect(hint).to_be_hidden()
    drawn = view.settled()
    view.page.wait_for_timeout(500)
    assert view.settled() == drawn
    view.button("Undo (Ctrl+Z)").click()
    example = view.changed(drawn)
    view.button("Undo (Ctrl+Z)").click()
    expect(view.result).to_have_attribute("data-state", "empty")
    assert view.choose_example(0) == example
    expect(view.root.locator(".history img").first).to_be_visible()

    compare = view.open_tab("compare")
    expect(compare.root.locator('.tile[data-state="done"]').first).to_be_visible()
    tab = MultimodalTab(view)
    tab.open()
    tab.filled(tab.panel("Random styles").locator(".tiles"), 12)
    tab.page.mouse.click(2, 2)
    expect(tab.editor.locator(".opening")).to_be_hidden()


def test_a_style_wanders_until_the_visitor_touches_the_page(
    open_view: Callable[..., TranslationView], address: str
) -> None:
    tab = MultimodalTab(open_view(address + "/#tab=multimodal"))
    expect(tab.root.locator(".history img")).to_have_count(0)
    expect(tab.result).to_have_attribute("data-state", "done")
    tab.filled(tab.root.locator("#multimodal-random .tiles"), 12)
    for _ in range(3):
        expect(tab.result).not_to_have_attribute("data-style", tab.result.get_attribute("data-style") or "")
    tab.page.keyboard.press("Shift")
    expect(tab.editor.locator(".opening")).to_be_hidden()
    tab.page.wait_for_timeout(400)
    resting = tab.at_rest()
    tab.page.wait_for_timeout(400)
    assert tab.at_rest() == resting


def test_with_less_motion_the_first_example_is_there_at_once(
    open_view: Callable[..., TranslationView], address: str
) -> None:
    view = open_view(address, reduced_motion="reduce")
    result = view.settled()
    drawing = view.fingerprint(".drawing")
    view.page.wait_for_timeout(300)
    assert (view.fingerprint(".drawing"), view.settled()) == (drawing, result)
    view.page.keyboard.press("Delete")
    expect(view.result).to_have_attribute("data-state", "empty")
    assert view.choose_example(0) == result
