"""axe-core over every tab, light and dark, desktop and phone: no serious and no critical finding."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .easel import SCREENS, Easel

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now, one line each."""
    response = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['impact']} {found['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for found in response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def go_to(easel: Easel, tab: str) -> Easel:
    """Open a tab by its link."""
    easel.page.evaluate("tab => { location.hash = `tab=${tab}` }", tab)
    expect(easel.page.locator(f"#tab-{tab} .desk")).to_be_visible()
    return Easel(easel.page, tab, easel.complaints)


@SCREENS
@SCHEMES
def test_no_serious_finding_on_any_tab(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any], scheme: str
) -> None:
    easel = open_easel(full_page, **screen, color_scheme=scheme)
    page = easel.page
    found: dict[str, list[str]] = {"paired, empty": findings(page)}
    easel.root.locator(".invited button").first.click()
    easel.settled()
    expect(easel.root.locator(".history .thumb")).to_have_count(1)
    for panel in ("batch", "card"):
        page.locator(f"#paired-{panel} > button").click()
    easel.set_dropout(True)
    page.wait_for_timeout(400)
    found["paired"] = findings(page)
    easel.screenshot(f"axe-{scheme}-{'phone' if screen else 'desktop'}")

    unpaired = go_to(easel, "unpaired")
    unpaired.model("shape-unit", "outline")
    unpaired.root.locator(".invited button").first.click()
    unpaired.settled()
    for extra in ("back", "walk"):
        unpaired.root.locator(f'[data-do="{extra}"]').click()
    unpaired.settled()
    found["unpaired"] = findings(page)

    multimodal = go_to(easel, "multimodal")
    multimodal.root.locator(".invited button").first.click()
    multimodal.settled()
    for panel in ("random", "picture", "kept", "between", "many"):
        page.locator(f"#multimodal-tab-{panel}").click()
        page.wait_for_timeout(300)
        found[f"multimodal, {panel}"] = findings(page)

    go_to(easel, "compare")
    page.locator(".board .invited button").first.click()
    page.wait_for_timeout(1500)
    found["compare"] = findings(page)
    assert not {tab: lines for tab, lines in found.items() if lines}


def test_the_run_finds_what_is_wrong(open_easel: Callable[..., Easel], full_page: str) -> None:
    """A button without a name is a critical finding: the test above can fail."""
    page = open_easel(full_page).page
    page.evaluate("document.querySelector('[data-do=undo]').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('[data-do=undo]').removeAttribute('title')")
    assert any("button-name" in line for line in findings(page))
