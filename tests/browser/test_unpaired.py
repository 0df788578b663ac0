"""The Unpaired tab: methods and directions, the way back, chance in the latent code, interpolation, turning round."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import Route, expect

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks.network import TranslationNetwork

from .translation_view import PHONE, SMILE, TranslationView, png

SIZE = 32
ASKED = "**/component_server/"


def save(folder: Path) -> None:
    """Untrained networks of every unpaired method that gives one result, on two tasks, with examples both ways."""
    torch.manual_seed(0)
    networks: list[TranslationNetwork] = [
        i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1)),
        i2i.DiscoGAN(i2i.DiscoGANConfig(base_width=4, depth=4)),
        i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1)),
    ]
    tasks = {
        "shape": {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("shape")},
        "wall": {
            "A": checkpoints.Domain("labels", "labels", {"facade": (0, 48, 255), "window": (0, 128, 255)}),
            "B": checkpoints.Domain("photo"),
        },
    }
    for task, domains in tasks.items():
        for network in networks:
            name = f"{task}-{network.method}"
            title = f"{domains['A'].name} ↔ {domains['B'].name}"
            checkpoints.save(folder / name, network, checkpoints.Info(name, title, network.method, SIZE, domains))
            for domain, place in checkpoints.EXAMPLES.items():
                (folder / name / place).mkdir(parents=True)
                for i in range(3):
                    example(domain, i).save(folder / name / place / f"{i}.png")


def example(domain: str, i: int) -> Image.Image:
    """A circle or box: its outline in A, filled in B."""
    image = Image.new("RGB", (SIZE, SIZE), "white")
    draw = ImageDraw.Draw(image)
    shape = draw.rectangle if i % 2 else draw.ellipse
    shape((4 + 2 * i, 4, 24, 28), outline="black", fill="orange" if domain == "B" else None)
    return image


@pytest.fixture(scope="session")
def address(shared_folder: Callable[..., Path], shared_page: Callable[..., str]) -> str:
    return shared_page("unpaired", shared_folder("unpaired", save))


@pytest.fixture
def unpaired(open_view: Callable[..., TranslationView], address: str) -> TranslationView:
    return open_view(address).open_tab("unpaired")


def questions(view: TranslationView) -> list[dict[str, Any]]:
    """The payloads of all further questions for a picture, as they are asked."""
    asked: list[dict[str, Any]] = []

    def note(route: Route) -> None:
        if "json" in route.request.headers["content-type"]:  # a file comes as a form
            body = json.loads(route.request.post_data or "{}")
            if body["fn_name"] == "translate":
                asked.append(body["data"])
        route.continue_()

    view.page.route(ASKED, note)
    return asked


def direction(view: TranslationView, name: str) -> None:
    view.page.locator("#unpaired-direction label").filter(has_text=name).click()


def test_task_method_and_direction(unpaired: TranslationView) -> None:
    page = unpaired.page
    expect(unpaired.editor).to_have_attribute("data-kind", "outline")
    cyclegan = unpaired.choose_example()
    unpaired.model("shape-discogan", "outline")
    discogan = unpaired.changed(cyclegan)  # of the same drawing

    direction(unpaired, "shape → outline")
    expect(unpaired.editor).to_have_attribute("data-kind", "picture")
    expect(unpaired.result).to_have_attribute("data-state", "empty")
    expect(page.get_by_text("Drop or choose a picture")).to_be_visible()
    unpaired.choose_example(2)
    assert (unpaired.pixels(".drawing").reshape(-1, 3) == (255, 165, 0)).all(-1).any(), "an example of the other domain"

    page.locator("#unpaired-task label").filter(has_text="labels").click()
    expect(page.locator("#unpaired-model input:checked")).to_have_value("wall-cyclegan")
    expect(page.locator("#unpaired-direction")).to_contain_text("labels → photo")
    direction(unpaired, "labels → photo")
    expect(unpaired.editor).to_have_attribute("data-kind", "labels")
    unpaired.stroke([(0.2, 0.2), (0.5, 0.5)])
    unpaired.settled()
    page.locator("#unpaired-task label").filter(has_text="outline").click()
    unpaired.model("shape-discogan", "outline")
    unpaired.becomes(discogan)


def test_the_way_back_is_computed_only_when_asked_for(unpaired: TranslationView) -> None:
    asked = questions(unpaired)
    unpaired.choose_example()
    expect(unpaired.root.locator(".way-back")).to_be_hidden()
    assert not asked[-1]["way_back"]
    unpaired.button("Way back").click()
    expect(unpaired.root.locator('[data-part="distance"]')).to_contain_text("% away")
    unpaired.settled()
    assert asked[-1]["way_back"] and "image" not in asked[-1], "the drawing was sent twice"

    drawn, back = (unpaired.pixels(name).astype(int) for name in (".before", ".returned"))
    assert np.ptp(back) > 20
    unpaired.button("Difference").click()
    expect(unpaired.root.locator(".difference")).to_be_visible()
    assert np.abs(unpaired.pixels(".difference") - np.abs(drawn - back)).max() <= 6, "more than rounding"
    said = unpaired.root.locator('[data-part="distance"]').inner_text()
    assert float(said.split()[0]) == pytest.approx(np.abs(drawn - back).mean() / 2.55, abs=0.3)
    unpaired.screenshot("unpaired-back")
    unpaired.button("Way back").click()
    expect(unpaired.root.locator(".way-back")).to_be_hidden()


def test_turning_round_makes_the_result_the_input(unpaired: TranslationView) -> None:
    expect(unpaired.button("Turn round: the result becomes the input")).to_be_disabled()
    unpaired.draw(SMILE)
    unpaired.settled()
    result = unpaired.pixels(".after").astype(int)
    unpaired.button("Turn round: the result becomes the input").click()
    expect(unpaired.editor).to_have_attribute("data-kind", "picture")
    expect(unpaired.page.get_by_label("shape → outline")).to_be_checked()
    unpaired.settled()
    assert np.abs(unpaired.pixels(".drawing").astype(int) - result).mean() < 8
    direction(unpaired, "outline → shape")
    expect(unpaired.editor).to_have_attribute("data-kind", "outline")
    assert (unpaired.pixels(".drawing") < 128).any(), "the drawing is still there"


def test_the_temperature_is_for_latent_noise_alone(unpaired: TranslationView) -> None:
    page = unpaired.page
    slider, seed = page.get_by_role("slider", name="Temperature"), page.locator("#unpaired-seed input")
    expect(slider).to_be_hidden()
    expect(page.locator("#unpaired-dropout")).to_be_hidden()
    cyclegan = unpaired.choose_example()
    unpaired.model("shape-unit", "outline")
    expect(slider).to_be_visible()
    plain = unpaired.changed(cyclegan)
    asked = questions(unpaired)
    slider.fill("1.5")
    zero = unpaired.changed(plain)
    assert (asked[-1]["seed"], asked[-1]["temperature"]) == (0, 1.5)
    seed.fill("7")
    seed.press("Tab")
    seven = unpaired.changed(zero)
    assert all("key" in question and "image" not in question for question in asked), "a slider sends no drawing"
    unpaired.screenshot("unpaired-temperature")
    slider.fill("0")
    assert unpaired.changed(seven) == plain
    assert asked[-1]["seed"] is None
    unpaired.model("shape-cyclegan", "outline")
    expect(slider).to_be_hidden()


def test_interpolation_from_one_input_to_another(unpaired: TranslationView) -> None:
    expect(unpaired.button("Walk")).to_be_hidden()
    unpaired.model("shape-unit", "outline")
    end = unpaired.choose_example(1)
    unpaired.root.locator(".examples button").nth(0).click()
    start = unpaired.changed(end)
    unpaired.button("Walk").click()
    share = unpaired.page.get_by_role("slider", name="Place between the two inputs")
    expect(share).to_be_disabled()
    unpaired.root.locator(".end-choices .thumb").nth(1).click()
    expect(share).to_be_enabled()
    assert unpaired.settled() == start
    asked = questions(unpaired)
    share.fill("0.5")
    middle = unpaired.changed(start)
    unpaired.screenshot("unpaired-interpolation")
    share.fill("1")
    assert unpaired.changed(middle) == end
    assert all("key" in q and "key" in q["second"] and "image" not in q for q in asked), "each end is sent once"
    unpaired.root.locator('[data-part="end-file"]').set_input_files(
        {"name": "end.png", "mimeType": "image/png", "buffer": png(example("A", 2))}
    )
    other = unpaired.changed(end)
    share.fill("0")
    assert unpaired.changed(other) == start
    unpaired.button("This drawing").click()
    share.fill("1")
    assert unpaired.settled() == start, "both ends are the same drawing"
    unpaired.button("Walk").click()
    expect(share).to_be_hidden()


def test_a_drawing_that_the_server_forgot_is_sent_again(unpaired: TranslationView) -> None:
    unpaired.model("shape-unit", "outline")
    plain = unpaired.choose_example()
    asked: list[dict[str, Any]] = []

    def forget(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}")["data"])
        if "key" in asked[-1]:
            route.fulfill(json={"forgotten": True})
        else:
            route.continue_()

    unpaired.page.route(ASKED, forget)
    unpaired.page.get_by_role("slider", name="Temperature").fill("2")
    unpaired.changed(plain)
    assert ["key" in question for question in asked[:2]] == [True, False]
    expect(unpaired.toast).to_have_count(0)


def test_keys_go_to_the_tab_in_sight(unpaired: TranslationView) -> None:
    """Two editors are on the page; undo is for the one that is visible, and the other keeps its drawing."""
    compare = unpaired.page.locator(".editor")
    unpaired.draw(SMILE[:2])
    two = unpaired.fingerprint(".drawing")
    unpaired.page.get_by_role("tab", name="Compare").click()
    expect(compare).to_have_count(2)
    unpaired.page.keyboard.press("Control+z")
    unpaired.page.locator("#tab-unpaired-button").click()
    assert unpaired.fingerprint(".drawing") == two
    unpaired.page.keyboard.press("Control+z")
    assert unpaired.fingerprint(".drawing") != two


def test_the_first_tab_with_a_model_is_open_and_those_without_invite(
    open_view: Callable[..., TranslationView], address: str
) -> None:
    view = open_view(address)
    expect(view.page.locator("#unpaired-view .editor")).to_be_visible()
    view.page.locator("#tab-paired-button").click()
    expect(view.page.get_by_text("Pairs of pictures teach the most")).to_be_visible()
    expect(view.page.get_by_text("python -m train pix2pix")).to_be_visible()
    view.screenshot("paired-without-models")


def test_a_phone_in_the_dark(open_view: Callable[..., TranslationView], address: str) -> None:
    view = open_view(address, **PHONE, color_scheme="dark").open_tab("unpaired")
    widths = "() => [document.documentElement.scrollWidth, innerWidth]"
    view.model("shape-unit", "outline")
    view.root.locator(".first-examples button").first.tap()
    view.settled()
    view.button("Walk").tap()
    view.button("Way back").tap()
    expect(view.root.locator('[data-part="distance"]')).to_contain_text("% away")
    assert view.page.evaluate(widths) == [390, 390]
    view.screenshot("unpaired-phone-dark")


def test_nothing_moves_while_results_come_and_what_is_shown_is_downloaded(unpaired: TranslationView) -> None:
    def places() -> list[Any]:
        return [unpaired.root.locator(name).bounding_box() for name in (".drawing", ".result .frame", ".examples")]

    before = places()
    unpaired.draw(SMILE[:1])
    unpaired.settled()
    assert places() == before
    with unpaired.page.expect_download() as info:
        unpaired.button("Download PNG").click()
    image = Image.open(io.BytesIO(Path(info.value.path()).read_bytes())).convert("RGB")
    assert np.array_equal(np.asarray(image), unpaired.pixels(".after"))
