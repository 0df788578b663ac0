"""The Multimodal tab: the way between two styles, its film, and one style on many inputs."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from playwright.sync_api import Route, expect

from i2i_models.checkpoints.styles import interpolate, parse_style

from .multimodal_tab import DIM, SIZE, MultimodalTab
from .translation_view import png


def test_in_between(multimodal: MultimodalTab) -> None:
    start = multimodal.example()
    panel = multimodal.panel("In between")
    tiles = panel.locator(".tile")
    multimodal.filled(tiles, 7)
    panel.get_by_label("To which style").select_option("A random style")
    end = multimodal.moved_on(start)
    multimodal.filled(tiles, 7)
    panel.get_by_label("Between the two styles").fill("0.5")
    middle = multimodal.moved_on(end)
    a, b, m = (parse_style(text, DIM) for text in (start, end, middle))
    assert torch.allclose(interpolate(a, b, torch.tensor([0.5]))[0], m, atol=1e-3)
    panel.get_by_label("Steps").select_option("5")
    expect(tiles).to_have_count(5)
    multimodal.filled(tiles, 5)
    tiles.first.click()
    assert multimodal.moved_on(middle) == start
    multimodal.screenshot("multimodal-between")


def test_download_the_way(multimodal: MultimodalTab) -> None:
    av = pytest.importorskip("av")
    multimodal.example()
    panel = multimodal.panel("In between")
    multimodal.filled(panel.locator(".tile"), 7)
    for format in ("WebP", "GIF", "MP4"):
        button = panel.get_by_role("button", name=f"Download {format}")
        with multimodal.page.expect_download() as info:
            button.click()
        assert info.value.suggested_filename == f"m1.{format.lower()}"
        data = io.BytesIO(Path(info.value.path()).read_bytes())
        if format == "MP4":
            with av.open(data) as file:
                frames = [frame.width for frame in file.decode(video=0)]
            assert frames == [SIZE] * 46
        else:
            with Image.open(data) as image:
                assert image.format == format.upper() and image.size == (SIZE, SIZE) and image.n_frames > 20
        expect(button).to_be_enabled()


def test_one_style_on_many_inputs(multimodal: MultimodalTab) -> None:
    text = multimodal.example()
    panel = multimodal.panel("Many inputs")
    panel.get_by_role("button", name="All examples").click()
    pairs = panel.locator(".pair")
    expect(pairs).to_have_count(3)
    contact_sheet = panel.get_by_role("button", name="Download sheet")
    expect(contact_sheet).to_be_enabled()
    good = png(Image.new("RGB", (40, 30), "white"))
    files = [("a.png", good), ("b.png", b"no picture"), ("c.png", png(Image.new("RGB", (64, 64), "red")))]
    multimodal.part("input-files").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    expect(pairs).to_have_count(5)
    assert "not an image" in multimodal.say()
    expect(multimodal.part("progress")).to_be_hidden()

    def results() -> list[str]:
        return panel.locator(".pair canvas[role=img]").evaluate_all("all => all.map(c => c.toDataURL())")

    before = results()
    assert len(set(before)) >= 4, "the results of different inputs are the same"
    multimodal.button("Typical").click()
    multimodal.moved_on(text)
    expect(multimodal.part("progress")).to_be_hidden()
    other = lambda shown: all(new != old for new, old in zip(shown, before, strict=True))  # noqa: E731
    multimodal.until(results, other, "another style left the results as they were")
    expect(multimodal.part("progress")).to_be_hidden()
    with multimodal.page.expect_download() as info:
        contact_sheet.click()
    with Image.open(info.value.path()) as image:
        assert image.size == (4 + 4 * (2 * SIZE + 4), 4 + 2 * (SIZE + 4))
    multimodal.screenshot("multimodal-many")


def test_many_inputs_can_be_cancelled(multimodal: MultimodalTab) -> None:
    multimodal.example()
    panel = multimodal.panel("Many inputs")
    held: list[Route] = []
    drawing = png(Image.new("RGB", (40, 30), "white"))

    def hold(route: Route) -> None:
        if "open_picture" in (route.request.post_data_buffer or b"").decode("latin-1"):
            held.append(route)
        else:
            route.continue_()

    multimodal.page.route("**/component_server/", hold)
    multimodal.part("input-files").set_input_files(
        [{"name": f"{i}.png", "mimeType": "image/png", "buffer": drawing} for i in range(6)]
    )
    expect(multimodal.part("progress")).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    expect(multimodal.part("progress")).to_be_hidden()
    multimodal.page.unroute("**/component_server/")
    multimodal.page.wait_for_timeout(300)
    expect(panel.locator(".pair")).to_have_count(0)
    multimodal.button("Random").click()  # the rest of the page is as usable as before
    multimodal.at_rest()
