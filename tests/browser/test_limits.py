"""What a visitor sees of the bounds that a public page has."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Request, expect

from .translation_view import PATIENCE, SMILE, TranslationView

FLOOD_JS = """
// Questions in this visitor's name, more than the quickest hand has, until `floods` is set to false.
([url, body]) => {
    globalThis.floods = true;
    const options = { method: "POST", body, headers: { "Content-Type": "application/json" } };
    const ask = async () => { while (floods) await fetch(url, options); };
    for (let i = 0; i < 60; i++) ask();
}
"""


def test_who_asks_too_often_is_told_so_and_goes_on(
    open_view: Callable[..., TranslationView], full_folder: Path, start_page: Callable[..., tuple[str, list[str]]]
) -> None:
    view = open_view(start_page(full_folder)[0])  # one of its own: who else comes from this address is bounded, too
    asked: list[Any] = []

    def note(request: Request) -> None:
        if request.url.endswith("/component_server/"):
            asked.append([request.url, request.post_data])

    view.page.on("request", note)
    view.draw(SMILE[:1])
    before = view.settled()
    view.page.evaluate(FLOOD_JS, asked[-1])
    told = view.root.get_by_text("You ask more often than the server can answer. Please wait a moment.")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        view.draw(SMILE[1:2])
        view.page.wait_for_timeout(300)
        if told.is_visible():
            break
    expect(told).to_be_visible()
    view.page.evaluate("floods = false")
    view.page.wait_for_timeout(3000)
    view.draw(SMILE[2:])
    view.changed(before)
    expect(told).to_be_hidden()
