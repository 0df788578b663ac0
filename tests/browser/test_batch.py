"""Several pictures at once: progress, cancelling, bad ones among them, a reload in the middle."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import expect

from .translation_view import PHONE, SMILE, TranslationView, png


def pictures(count: int, side: int = 64) -> list[dict[str, Any]]:
    """Files of a gradient each, turned; small to send, whatever their side."""
    gradient = Image.linear_gradient("L").resize((side, side))
    return [
        {"name": f"picture {i}.png", "mimeType": "image/png", "buffer": png(gradient.rotate(11 * i))}
        for i in range(count)
    ]


def open_batch(view: TranslationView, files: list[dict[str, Any]]) -> None:
    view.page.locator(f"#{view.tab}-batch > button").click()
    view.page.locator(f"#{view.tab}-batch-files input[type=file]").set_input_files(files)
    expect(view.page.locator(f"#{view.tab}-batch-start")).to_be_enabled()


def test_several_pictures_with_bad_ones_among_them(open_view: Callable[..., TranslationView], full_page: str) -> None:
    view = open_view(full_page, **PHONE, accept_downloads=True)
    bad = [
        {"name": "text.png", "mimeType": "image/png", "buffer": b"this is no image"},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"<b>neither</b>"},
    ]
    expect(view.page.locator("#paired-batch-start")).to_be_hidden()
    open_batch(view, [*pictures(3), *bad])
    view.page.locator("#paired-batch-start").click()
    note = view.page.locator("#paired-batch-note")
    expect(note).to_contain_text("3 of 5 pictures translated")
    expect(note).to_contain_text("2 could not be used")
    expect(note).to_contain_text("text.png: text.png is not an image")
    expect(note).to_contain_text("notes.txt")
    expect(view.page.locator("#paired-batch-gallery img").first).to_be_visible()
    view.screenshot("batch-phone")
    with view.page.expect_download() as download:
        view.page.locator("#paired-batch-zip").click()
    with zipfile.ZipFile(download.value.path()) as file:
        names = file.namelist()
        settings = json.loads(file.read("settings.json"))
        sizes = {Image.open(io.BytesIO(file.read(name))).size for name in names if name.endswith(".png")}
    assert names == ["01-picture 0.png", "02-picture 1.png", "03-picture 2.png", "settings.json"]
    assert sizes == {(64, 64)}
    assert settings["checkpoint"] == "shape-pix2pix"
    assert [entry["file"] for entry in settings["files"] if "skipped" in entry] == ["text.png", "notes.txt"]
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_batch_follows_the_tabs_settings_and_can_be_cancelled(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    view = open_view(full_page).open_tab("unpaired")
    view.page.locator("#unpaired-direction label").filter(has_text="shape → outline").click()
    expect(view.editor).to_have_attribute("data-kind", "picture")
    open_batch(view, pictures(30, 1600))
    view.page.locator("#unpaired-batch-start").click()
    bar = view.page.locator("#unpaired-batch-bar progress")
    expect(bar).to_be_visible()
    view.page.wait_for_function("document.querySelector('#unpaired-batch-bar progress')?.value >= 2")
    expect(view.page.locator("#unpaired-batch-bar")).to_contain_text("of 30")
    view.screenshot("batch-under-way")
    view.page.locator("#unpaired-batch-cancel").click()
    note = view.page.locator("#unpaired-batch-note")
    expect(note).to_contain_text(re.compile(r"Cancelled\. \d+ of 30 pictures translated"))
    done = int(re.search(r"(\d+) of 30", note.inner_text())[1])  # type: ignore[index]
    assert 2 <= done < 30
    expect(bar).to_be_hidden()
    view.page.wait_for_timeout(1500)
    expect(note).to_contain_text(f"{done} of 30")  # it is over indeed
    with view.page.expect_download() as download:
        view.page.locator("#unpaired-batch-zip").click()
    with zipfile.ZipFile(download.value.path()) as file:
        assert len(file.namelist()) == done + 1
        assert json.loads(file.read("settings.json"))["direction"] == "B2A"
    # and the next one can begin
    expect(view.page.locator("#unpaired-batch-start")).to_be_enabled()


def test_a_reload_in_the_middle_of_a_batch_leaves_a_usable_page(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    view = open_view(full_page)
    open_batch(view, pictures(30, 1600))
    view.page.locator("#paired-batch-start").click()
    view.page.wait_for_function("document.querySelector('#paired-batch-bar progress')?.value >= 1")
    view.page.reload()
    view.ready()
    view.complaints.clear()  # Gradio itself logs that the reload ended its stream
    view.draw(SMILE)
    view.settled()
    open_batch(view, pictures(2))
    view.page.locator("#paired-batch-start").click()
    expect(view.page.locator("#paired-batch-note")).to_contain_text("2 of 2 pictures translated")
