"""The Multimodal tab: the way between two styles, its film, and one style on many inputs."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from playwright.sync_api import Route, expect

from i2i_models.checkpoints.styles import interpolate, parse_style

from .easel import png
from .styles_tab import DIM, SIZE, Studio


def test_in_between(studio: Studio) -> None:
    start = studio.example()
    panel = studio.panel("In between")
    tiles = panel.locator(".tile")
    studio.filled(tiles, 7)
    panel.get_by_label("To which style").select_option("A random style")
    end = studio.moved_on(start)
    studio.filled(tiles, 7)
    panel.get_by_label("Between the two styles").fill("0.5")
    middle = studio.moved_on(end)
    a, b, m = (parse_style(text, DIM) for text in (start, end, middle))
    assert torch.allclose(interpolate(a, b, torch.tensor([0.5]))[0], m, atol=1e-3)
    panel.get_by_label("Steps").select_option("5")
    expect(tiles).to_have_count(5)
    studio.filled(tiles, 5)
    tiles.first.click()
    assert studio.moved_on(middle) == start
    studio.screenshot("multimodal-between")


@pytest.mark.parametrize("format", ["WebP", "GIF", "MP4"])
def test_download_the_way(studio: Studio, format: str) -> None:
    studio.example()
    panel = studio.panel("In between")
    studio.filled(panel.locator(".tile"), 7)
    button = panel.get_by_role("button", name=f"Download {format}")
    if format == "MP4":
        pytest.importorskip("av")
    with studio.page.expect_download() as info:
        button.click()
    assert info.value.suggested_filename == f"m1.{format.lower()}"
    data = Path(info.value.path()).read_bytes()
    if format == "MP4":
        import av

        with av.open(io.BytesIO(data)) as file:
            frames = [frame.width for frame in file.decode(video=0)]
        assert frames == [SIZE] * 46
    else:
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == format.upper() and image.size == (SIZE, SIZE) and image.n_frames > 20
    expect(button).to_be_enabled()


def test_one_style_on_many_inputs(studio: Studio) -> None:
    text = studio.example()
    panel = studio.panel("Many inputs")
    panel.get_by_role("button", name="All examples").click()
    pairs = panel.locator(".pair")
    expect(pairs).to_have_count(3)
    sheet = panel.get_by_role("button", name="Download sheet")
    expect(sheet).to_be_enabled()
    good = png(Image.new("RGB", (40, 30), "white"))
    files = [("a.png", good), ("b.png", b"no picture"), ("c.png", png(Image.new("RGB", (64, 64), "red")))]
    studio.part("many-file").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    expect(pairs).to_have_count(5)
    assert "not an image" in studio.say()
    expect(studio.part("progress")).to_be_hidden()

    def results() -> list[str]:
        return panel.locator(".pair canvas[role=img]").evaluate_all("all => all.map(c => c.toDataURL())")

    before = results()
    assert len(set(before)) >= 4, "the results of different inputs are the same"
    studio.button("Typical").click()
    studio.moved_on(text)
    expect(studio.part("progress")).to_be_hidden()
    for _ in range(100):
        if all(new != old for new, old in zip(results(), before, strict=True)):
            break
        studio.page.wait_for_timeout(50)
    else:
        raise AssertionError("another style left the results as they were")
    expect(studio.part("progress")).to_be_hidden()
    with studio.page.expect_download() as info:
        sheet.click()
    with Image.open(info.value.path()) as image:
        assert image.size == (4 + 4 * (2 * SIZE + 4), 4 + 2 * (SIZE + 4))
    studio.screenshot("multimodal-many")


def test_many_inputs_can_be_cancelled(studio: Studio) -> None:
    studio.example()
    panel = studio.panel("Many inputs")
    held: list[Route] = []
    drawing = png(Image.new("RGB", (40, 30), "white"))

    def hold(route: Route) -> None:
        if "open_picture" in (route.request.post_data_buffer or b"").decode("latin-1"):
            held.append(route)
        else:
            route.continue_()

    studio.page.route("**/component_server/", hold)
    studio.part("many-file").set_input_files(
        [{"name": f"{i}.png", "mimeType": "image/png", "buffer": drawing} for i in range(6)]
    )
    expect(studio.part("progress")).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    expect(studio.part("progress")).to_be_hidden()
    studio.page.unroute("**/component_server/")
    studio.page.wait_for_timeout(300)
    expect(panel.locator(".pair")).to_have_count(0)
    studio.button("Random").click()  # the rest of the page is as usable as before
    studio.at_rest()
