"""axe-core over every tab, on a desktop and on a phone in the dark: no serious and no critical finding."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .translation_view import PHONE, TranslationView

SCREENS = pytest.mark.parametrize(
    ("screen", "scheme"), [({}, "light"), (PHONE, "dark")], ids=["desktop", "phone in the dark"]
)


def findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now, one line each."""
    response = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['impact']} {found['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for found in response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def go_to(view: TranslationView, tab: str) -> TranslationView:
    """Open a tab by its link."""
    view.page.evaluate("tab => { location.hash = `tab=${tab}` }", tab)
    expect(view.page.locator(f"#tab-{tab} .editor")).to_be_visible()
    return TranslationView(view.page, tab, view.complaints)


@SCREENS
def test_no_serious_finding_on_any_tab(
    open_view: Callable[..., TranslationView], full_page: str, screen: dict[str, Any], scheme: str
) -> None:
    view = open_view(full_page, **screen, color_scheme=scheme)
    page = view.page
    found: dict[str, list[str]] = {"paired, empty": findings(page)}
    view.root.locator(".first-examples button").first.click()
    view.settled()
    expect(view.root.locator(".history .thumb")).to_have_count(1)
    for panel in ("batch", "card"):
        page.locator(f"#paired-{panel} > button").click()
    view.set_dropout(True)
    page.wait_for_timeout(400)
    found["paired"] = findings(page)
    view.screenshot(f"axe-{scheme}-{'phone' if screen else 'desktop'}")

    unpaired = go_to(view, "unpaired")
    unpaired.model("shape-unit", "outline")
    unpaired.root.locator(".first-examples button").first.click()
    unpaired.settled()
    for extra in ("way-back", "interpolate"):
        unpaired.root.locator(f'[data-action="{extra}"]').click()
    unpaired.settled()
    found["unpaired"] = findings(page)

    multimodal = go_to(view, "multimodal")
    multimodal.root.locator(".first-examples button").first.click()
    multimodal.settled()
    for panel in ("random", "guide", "saved", "interpolation", "inputs"):
        page.locator(f"#multimodal-tab-{panel}").click()
        page.wait_for_timeout(300)
        found[f"multimodal, {panel}"] = findings(page)

    go_to(view, "compare")
    page.locator(".comparison .first-examples button").first.click()
    page.wait_for_timeout(1500)
    found["compare"] = findings(page)
    assert not {tab: lines for tab, lines in found.items() if lines}

    if not screen:  # a button without a name is a critical finding: this test can fail
        undo = go_to(view, "paired").root.locator("[data-action=undo]")
        undo.evaluate("undo => ['aria-label', 'title'].forEach((name) => undo.removeAttribute(name))")
        assert any("button-name" in line for line in findings(page))
