"""Pictures from outside: examples, files, the clipboard, dropping, the camera, and what is no picture at all."""

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from .translation_view import SMILE, TranslationView, png


def photo(mode: str = "RGB") -> Image.Image:
    """An orange on a blue cloth."""
    image = Image.new("RGB", (320, 240), (40, 60, 150))
    ImageDraw.Draw(image).ellipse((90, 50, 230, 190), fill=(250, 140, 20))
    return image.convert(mode)


def huge_header() -> bytes:
    """A PNG that says it is 30,000×30,000 and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


NOT_PICTURES = {
    "text.png": b"just some text",
    "page.png": b"<!doctype html><html><body>Not found</body></html>",
    "cut.jpg": png(photo(), "JPEG")[:1500],
    "dot.png": png(Image.new("RGB", (1, 1))),
    "huge.png": huge_header(),
    "empty.png": b"",
}


def test_a_file_as_outline_and_as_it_is(view: TranslationView) -> None:
    view.choose_file("orange.png", png(photo()))
    outlined = view.settled()
    assert view.button("Make an outline of it").get_attribute("aria-pressed") == "true"
    drawn = view.pixels(".drawing").astype(int)
    assert np.ptp(drawn, axis=-1).max() < 8, "an outline has no colour"
    assert 0 < (drawn < 128).mean() < 0.2

    view.stroke([(0.1, 0.1), (0.3, 0.1)])
    with_stroke = view.changed(outlined)
    view.button("Use as it is").click()
    view.changed(with_stroke)
    drawn = view.pixels(".drawing").astype(int)
    assert np.ptp(drawn, axis=-1).max() > 100, "the picture itself has colour"
    assert (drawn[46:56, 60:150] < 60).all(-1).any(), "the stroke on the picture was lost"
    view.screenshot("picture")


def test_examples_and_drawings_are_used_as_they_are(view: TranslationView) -> None:
    view.page.locator(".first-examples button").nth(1).click()
    first = view.settled()
    view.page.locator(".examples button").nth(2).click()
    view.changed(first)
    assert (view.pixels(".drawing") < 128).any()

    drawing = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(drawing).ellipse((30, 30, 170, 170), outline="black", width=4)
    view.choose_file("drawing.png", png(drawing))
    expect(view.button("Use as it is")).to_have_attribute("aria-pressed", "true")
    view.settled()

    view.facades()  # where labels are painted there is no outline
    view.choose_file("labels.png", png(photo()))
    view.settled()
    expect(view.button("Make an outline of it")).to_be_hidden()


UNUSUAL = {
    "cmyk.jpg": png(photo("CMYK"), "JPEG"),
    "palette.png": png(photo("P")),
    "deep.png": png(Image.fromarray(np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16))),
    "clear.png": png(Image.new("RGBA", (64, 64), (255, 0, 0, 0))),
    "moving.gif": png(photo(), "GIF", save_all=True, append_images=[Image.new("RGB", (320, 240))]),
}


def test_unusual_pictures_are_fine_and_too_large_ones_not_sent(view: TranslationView, tmp_path: Path) -> None:
    for name, data in UNUSUAL.items():
        view.choose_file(name, data)
        view.settled()
        expect(view.toast, name).to_have_count(0)
        view.button("Clear").click()
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(21_000_000)
    view.page.locator('[data-part="file"]').set_input_files(large)
    expect(view.toast).to_contain_text("at most 20 MB")


def test_bad_files_give_a_sentence_and_keep_the_drawing(view: TranslationView) -> None:
    view.draw(SMILE)
    face, result = view.fingerprint(".drawing"), view.settled()
    for name, data in NOT_PICTURES.items():
        view.choose_file(name, data)
        expect(view.toast).to_be_visible()
        sentence = view.toast.locator("span").inner_text()
        assert sentence.endswith(".") and "Traceback" not in sentence and "Error" not in sentence, (name, sentence)
        view.button("Close this message").click()
        expect(view.toast).to_have_count(0)
        assert view.fingerprint(".drawing") == face, name
    assert view.settled() == result
    view.choose_file("text.png", b"just some text")
    expect(view.toast).to_be_visible()
    view.screenshot("toast")


TRANSFER = """async ([type, url]) => {
    const blob = await (await fetch(url)).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([blob], "picture.png", { type: "image/png" }));
    const event = type === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector(type === "paste" ? "body" : ".drawing").dispatchEvent(event);
}"""


def test_paste_and_drop(view: TranslationView) -> None:
    for way in ("paste", "drop"):
        view.page.evaluate(TRANSFER, [way, view.page.locator(".first-examples img").first.get_attribute("src")])
        view.settled()
        assert (view.pixels(".drawing") < 128).any(), way
        view.button("Clear").click()
        expect(view.result).to_have_attribute("data-state", "empty")


def test_the_camera_and_its_live_mode(view: TranslationView) -> None:
    view.button("Camera").click()
    expect(view.page.locator("video.camera")).to_be_visible()
    view.screenshot("camera")
    expect(view.page.locator("video.camera")).to_have_class(re.compile("mirrored"))
    view.button("Mirror").click()
    expect(view.page.locator("video.camera")).not_to_have_class(re.compile("mirrored"))
    view.button("Take the picture").click()
    view.settled()
    expect(view.page.locator("video.camera")).to_be_hidden()

    view.button("Clear").click()
    view.draw(SMILE[:1])
    first = view.settled()
    view.button("Camera").click()
    view.button("Live").click()
    second = view.changed(first)
    expect(view.button("Live")).to_have_attribute("aria-pressed", "true")
    view.changed(second)  # the camera's picture moves
    view.button("Take the picture").click()
    expect(view.page.locator("video.camera")).to_be_hidden()
    view.settled()
    view.button("Undo (Ctrl+Z)").click()
    view.becomes(first)


def test_a_server_that_is_gone_costs_no_drawing(view: TranslationView) -> None:
    view.page.route("**/component_server/", lambda route: route.fulfill(status=502, body="bad gateway"))
    view.draw(SMILE[:1])
    expect(view.toast).to_contain_text("Your drawing is safe")
    assert (view.pixels(".drawing") < 128).any()
    view.page.unroute("**/component_server/")
    view.draw(SMILE[1:])
    view.settled()
    # Chromium itself reports each failed request; that is not the page's doing.
    assert all("502" in complaint for complaint in view.complaints)
    view.complaints.clear()


def test_a_page_without_models_says_how_to_get_one(
    open_view: Callable[..., TranslationView], start_page: Callable[..., tuple[str, list[str]]], tmp_path: Path
) -> None:
    damaged = tmp_path / "broken"
    damaged.mkdir()
    (damaged / "config.json").write_text("{")
    address, log = start_page(tmp_path)
    view = open_view(address)
    expect(view.page.get_by_text("No model here yet")).to_be_visible()
    expect(view.page.get_by_text("make checkpoints")).to_be_visible()
    assert any("left out broken" in line for line in log)
    view.page.wait_for_timeout(500)
    assert view.page.locator("#head .toasts").inner_text() == ""  # at once: a toast would go by itself
