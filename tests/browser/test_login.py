"""Logged in, in a real browser: a visitor's own private checkpoints open with the controls that they have."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub.conftest import hub, make  # noqa: F401
from playwright.sync_api import Page, expect

from i2i_models.hub.push import push
from ui import account, page
from ui.service import Service
from ui.theme import CSS, THEME

from .multimodal_tab import MultimodalTab, save_munit
from .translation_view import TranslationView


@pytest.fixture
def address(hub: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: F811
    """The page with log-in, as Gradio mocks it outside of a Space; the account has two private checkpoints."""
    save_munit(tmp_path / "styles", "Mine with styles", ("outline", "picture"), seed=3)
    push(tmp_path / "styles", "owner/styles", private=True)
    push(make(tmp_path / "plain"), "owner/plain", private=True)
    save_munit(tmp_path / "served" / "shown", "For all", ("outline", "picture"), seed=4)
    monkeypatch.setattr(account, "is_offered", lambda: True)
    monkeypatch.setenv("I2I_OPENING", "off")
    built, catalog = page.build(tmp_path / "served")
    options = Service(built, catalog).launch_options
    _, url, _ = built.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, theme=THEME, css=CSS, **options
    )
    yield url.rstrip("/")
    built.close()


def open_own(page: Page, name: str) -> None:
    """Open a checkpoint of the account in the tab in sight."""
    page.locator("#own-choice input").fill(name)
    page.locator("#own-choice input").press("Enter")
    page.locator("#own-open").click()
    expect(page.locator("#own-said")).to_contain_text("is open below, for you alone")


def test_ones_own_model_with_styles_opens_with_its_editor_and_panels(
    address: str, open_view: Callable[..., TranslationView], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = open_view(address)
    page = view.page
    page.get_by_role("tab", name="Yours").click()
    with page.expect_navigation(url=f"{address}/"):
        assert not view.complaints
        page.locator("#login").click()
    view.complaints.clear()  # leaving the page breaks off what it was asking
    shared = MultimodalTab(view)
    shared.open()
    listed, find = threading.Event(), account.own_checkpoints
    monkeypatch.setattr(account, "own_checkpoints", lambda *who: listed.wait(30) and find(*who))
    page.get_by_role("tab", name="Yours").click()
    page.locator("#own-choice input").fill("owner/plain")  # faster than the list
    listed.set()
    expect(page.locator("#own-said")).to_contain_text("2 found")
    expect(page.locator("#own-choice input")).to_have_value("owner/plain")
    page.locator("#own-open").click()
    expect(page.locator("#own-said")).to_contain_text("is open below, for you alone")
    expect(page.locator("#own-view .editor[data-kind]")).to_be_visible()
    open_own(page, "owner/styles")  # in the place of the other one
    own = MultimodalTab(view, "own")
    expect(own.part("seed")).not_to_be_empty()
    first = own.example()
    own.filled(page.locator("#own-random .tile"), 12)
    own.drag([(0.5, 0.5), (0.9, 0.2)])
    own.moved_on(first)
    own.filled(own.panel("From a picture").locator(".tile"), 5)
    own.screenshot("own-styles")

    own.button("Keep style").click()
    shared.open()
    shared.example()
    shared.button("Keep style").click()
    saved = json.loads(page.evaluate("localStorage['i2i-kept-styles']"))
    assert [item["checkpoint"] for item in saved] == ["owner/styles", "shown"], "one lost the other's"
    ids = page.locator("[id]").evaluate_all("found => found.map((node) => node.id)")
    assert not {i for i in ids if ids.count(i) > 1 and i.startswith(("own", "multimodal"))}

    page.get_by_role("tab", name="Yours").click()
    own.button("Copy a link to these settings").click()
    expect(page).to_have_url(re.compile("#tab=own&model=owner/styles&direction=A2B&style="))
    link, shown = page.url, own.result.get_attribute("data-style") or ""
    page.goto("about:blank")
    page.goto(link)  # another visit: the tab is open, the model named, and opened by a click
    expect(page.locator("#own-choice input")).to_have_value("owner/styles")
    page.locator("#own-open").click()
    again, before = ([float(n) for n in said.rpartition(":")[2].split(",")] for said in (own.example(), shown))
    assert again == pytest.approx(before, abs=0.0006)
    own.filled(own.panel("Kept").locator(".tile"), 1)
