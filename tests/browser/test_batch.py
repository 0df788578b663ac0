"""Several pictures at once: progress, cancelling, bad ones among them, a reload in the middle."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import expect

from .easel import SCREENS, SMILE, Easel, png


def pictures(count: int, side: int = 64) -> list[dict[str, Any]]:
    """Files of a gradient each, turned; small to send, whatever their side."""
    gradient = Image.linear_gradient("L").resize((side, side))
    return [
        {"name": f"picture {i}.png", "mimeType": "image/png", "buffer": png(gradient.rotate(11 * i))}
        for i in range(count)
    ]


def open_batch(easel: Easel, files: list[dict[str, Any]]) -> None:
    easel.page.locator(f"#{easel.tab}-batch > button").click()
    easel.page.locator(f"#{easel.tab}-batch-files input[type=file]").set_input_files(files)
    expect(easel.page.locator(f"#{easel.tab}-batch-start")).to_be_enabled()


@SCREENS
def test_several_pictures_with_bad_ones_among_them(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any]
) -> None:
    easel = open_easel(full_page, **screen, accept_downloads=True)
    bad = [
        {"name": "text.png", "mimeType": "image/png", "buffer": b"this is no image"},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"<b>neither</b>"},
    ]
    expect(easel.page.locator("#paired-batch-start")).to_be_hidden()
    open_batch(easel, [*pictures(3), *bad])
    easel.page.locator("#paired-batch-start").click()
    note = easel.page.locator("#paired-batch-note")
    expect(note).to_contain_text("3 of 5 pictures translated")
    expect(note).to_contain_text("2 could not be used")
    expect(note).to_contain_text("text.png: text.png is not an image")
    expect(note).to_contain_text("notes.txt")
    expect(easel.page.locator("#paired-batch-gallery img").first).to_be_visible()
    easel.screenshot(f"batch-{'phone' if screen else 'desktop'}")
    with easel.page.expect_download() as download:
        easel.page.locator("#paired-batch-zip").click()
    with zipfile.ZipFile(download.value.path()) as file:
        names = file.namelist()
        settings = json.loads(file.read("settings.json"))
        sizes = {Image.open(io.BytesIO(file.read(name))).size for name in names if name.endswith(".png")}
    assert names == ["01-picture 0.png", "02-picture 1.png", "03-picture 2.png", "settings.json"]
    assert sizes == {(64, 64)}
    assert settings["checkpoint"] == "shape-pix2pix"
    assert [entry["file"] for entry in settings["files"] if "skipped" in entry] == ["text.png", "notes.txt"]
    assert easel.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_batch_follows_the_tabs_settings_and_can_be_cancelled(
    open_easel: Callable[..., Easel], full_page: str
) -> None:
    easel = open_easel(full_page).open_tab("unpaired")
    easel.page.locator("#unpaired-direction label").filter(has_text="shape → outline").click()
    expect(easel.desk).to_have_attribute("data-kind", "picture")
    open_batch(easel, pictures(30, 1600))
    easel.page.locator("#unpaired-batch-start").click()
    bar = easel.page.locator("#unpaired-batch-bar progress")
    expect(bar).to_be_visible()
    easel.page.wait_for_function("document.querySelector('#unpaired-batch-bar progress')?.value >= 2")
    expect(easel.page.locator("#unpaired-batch-bar")).to_contain_text("of 30")
    easel.screenshot("batch-under-way")
    easel.page.locator("#unpaired-batch-cancel").click()
    note = easel.page.locator("#unpaired-batch-note")
    expect(note).to_contain_text(re.compile(r"Cancelled\. \d+ of 30 pictures translated"))
    done = int(re.search(r"(\d+) of 30", note.inner_text())[1])  # type: ignore[index]
    assert 2 <= done < 30
    expect(bar).to_be_hidden()
    easel.page.wait_for_timeout(1500)
    expect(note).to_contain_text(f"{done} of 30")  # it is over indeed
    with easel.page.expect_download() as download:
        easel.page.locator("#unpaired-batch-zip").click()
    with zipfile.ZipFile(download.value.path()) as file:
        assert len(file.namelist()) == done + 1
        assert json.loads(file.read("settings.json"))["direction"] == "B2A"
    # and the next one can begin
    expect(easel.page.locator("#unpaired-batch-start")).to_be_enabled()


def test_a_reload_in_the_middle_of_a_batch_leaves_a_usable_page(
    open_easel: Callable[..., Easel], full_page: str
) -> None:
    easel = open_easel(full_page)
    open_batch(easel, pictures(30, 1600))
    easel.page.locator("#paired-batch-start").click()
    easel.page.wait_for_function("document.querySelector('#paired-batch-bar progress')?.value >= 1")
    easel.page.reload()
    easel.ready()
    easel.complaints.clear()  # Gradio itself logs that the reload ended its stream
    easel.draw(SMILE)
    easel.settled()
    open_batch(easel, pictures(2))
    easel.page.locator("#paired-batch-start").click()
    expect(easel.page.locator("#paired-batch-note")).to_contain_text("2 of 2 pictures translated")
