"""The Compare tab in a real browser: three untrained methods, two tasks, truths for two of three examples."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

import i2i_models as i2i
from i2i_models import checkpoints

from .translation_view import TranslationView

METHODS = ("pix2pix", "CycleGAN", "MUNIT")


def save(folder: Path) -> None:
    """An untrained network of each method, with examples, and truths for two of them."""
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}
    networks = (
        i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1, discriminator_width=4)),
        i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, mlp_width=8, discriminator_width=4)),
    )
    for network in networks:
        name = f"emoji-{network.method}"
        checkpoints.save(folder / name, network, checkpoints.Info(name, name, network.method, 32, domains))
        (folder / name / "README.md").write_text(f"# The card of {name}\n\nUntrained.\n")
    examples = folder / "emoji-pix2pix" / "examples"
    (examples / "truth").mkdir(parents=True)
    for i, colour in enumerate(("red", "lime", None)):
        drawing = Image.new("RGB", (32, 32), "white")
        ImageDraw.Draw(drawing).ellipse((4 + 2 * i, 4, 28, 28), outline="black", width=2)
        drawing.save(examples / f"{i}.png")
        if colour:
            Image.new("RGB", (32, 32), colour).save(examples / "truth" / f"{i}.png")


@pytest.fixture(scope="module")
def address(shared_folder: Callable[..., Path], shared_page: Callable[..., str]) -> tuple[str, Path]:
    """The address of a page with these checkpoints, and their folder."""
    folder = shared_folder("compared", save)
    return shared_page("compared", folder), folder


@pytest.fixture
def open_compare(
    open_view: Callable[..., TranslationView], address: tuple[str, Path]
) -> Callable[..., TranslationView]:
    """Open the page at its Compare tab."""

    def open_compare(**options: object) -> TranslationView:
        view = open_view(address[0], **options)
        view.page.get_by_role("tab", name="Compare").click()
        view.drawing = view.page.locator(".comparison .drawing")
        view.page.locator(".comparison .editor[data-kind]").wait_for()
        return view

    return open_compare


def tile(page: Page, name: str) -> Locator:
    return page.locator(".tile").filter(has=page.locator(f'.name[title="{name}"]'))


def settle(page: Page, *names: str) -> None:
    """Wait until every method shows its answer to the drawing as it is now."""
    for name in names or METHODS:
        expect(tile(page, name)).to_have_attribute("data-state", "done")
        expect(tile(page, name)).not_to_have_attribute("aria-busy", "true")


def shown(page: Page, name: str) -> np.ndarray:
    """What a tile's canvas shows, `(512, 512, 3)`."""
    url = tile(page, name).locator("canvas").evaluate("canvas => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")).astype(int)


def example(page: Page, number: int) -> None:
    page.locator(".comparison .examples").get_by_role("button", name=f"Example {number}").click()


def test_an_example_of_the_empty_comparison_fills_it_with_what_translators_answer(
    open_compare: Callable[..., TranslationView], address: tuple[str, Path]
) -> None:
    view = open_compare()
    page = view.page
    examples = page.locator(".comparison .first-examples .thumb:visible")
    expect(examples).to_have_count(3)
    expect(page.get_by_role("button", name="Download as one picture")).to_be_disabled()
    # On the page and not in the window, which a click may scroll.
    place = "e => { const b = e.getBoundingClientRect(); return [b.top + scrollY, b.left, b.width, b.height]; }"
    before = page.locator(".comparison .below").evaluate(place)
    view.screenshot("compare-empty")
    examples.first.click()
    settle(page)
    expect(page.locator(".welcome")).to_be_hidden()
    for name in METHODS:
        expect(tile(page, name).locator(".time")).to_contain_text(" ms")
    assert page.locator(".comparison .below").evaluate(place) == before, "nothing moved when the results came"
    assert shown(page, "pix2pix").std() > 0
    view.screenshot("compare-done")

    drawing = Image.open(address[1] / "emoji-pix2pix" / "examples" / "0.png")
    results = {
        name: i2i.load(address[1] / f"emoji-{name.lower()}").translate(drawing).resize((512, 512)) for name in METHODS
    }
    for name in METHODS:  # not equal: WebP and the browser's smoothing lie between; but nearest to its own
        here = shown(page, name)
        apart = {other: np.abs(here - np.asarray(result)).mean() for other, result in results.items()}
        assert min(apart, key=apart.__getitem__) == name, apart


def test_the_newest_drawing_wins_and_clearing_empties_all(open_compare: Callable[..., TranslationView]) -> None:
    view = open_compare()
    page = view.page
    view.stroke([(0.2, 0.2), (0.8, 0.8)])
    settle(page)
    one = shown(page, "CycleGAN")
    view.stroke([(0.8, 0.2), (0.2, 0.8), (0.2, 0.3)])
    settle(page)
    view.until(lambda: shown(page, "CycleGAN"), lambda new: bool(np.abs(new - one).max()), "the result stayed the same")
    settle(page)
    view.button("Clear").click()
    for name in METHODS:
        expect(tile(page, name)).to_have_attribute("data-state", "empty")
    expect(page.locator(".welcome")).to_be_visible()


def test_the_truth_shows_where_it_is_known(open_compare: Callable[..., TranslationView]) -> None:
    view = open_compare()
    page = view.page
    truth = tile(page, "Truth")
    example(page, 1)
    expect(truth).to_have_attribute("data-state", "done")
    red = shown(page, "Truth")[20:-20, 20:-20].mean((0, 1))
    assert red[0] > 200 > 60 > red[1]
    example(page, 2)
    settle(page)
    lime = lambda: shown(page, "Truth")[20:-20, 20:-20].mean((0, 1))  # noqa: E731
    view.until(lime, lambda mean: mean[1] > 200 > 60 > mean[0], "the other example's truth did not come")
    expect(truth).to_have_attribute("data-state", "done")
    example(page, 3)
    expect(truth).to_have_attribute("data-state", "empty")
    example(page, 1)
    expect(truth).to_have_attribute("data-state", "done")
    view.stroke([(0.1, 0.1), (0.5, 0.1)])
    expect(truth).to_have_attribute("data-state", "empty")
    view.button("Undo (Ctrl+Z)").click()
    expect(truth).to_have_attribute("data-state", "done")


def test_a_style_is_rolled_for_one_tile_alone_and_cards_open(
    open_compare: Callable[..., TranslationView],
) -> None:
    page = open_compare().page
    example(page, 1)
    settle(page)
    expect(tile(page, "MUNIT").locator(".time")).to_contain_text("mean style")
    mean, other = shown(page, "MUNIT"), shown(page, "CycleGAN")
    page.get_by_role("button", name="Another style of MUNIT").click()
    expect(tile(page, "MUNIT").locator(".time")).not_to_contain_text("mean style")
    settle(page)
    assert np.abs(shown(page, "MUNIT") - mean).max() > 0
    assert np.array_equal(shown(page, "CycleGAN"), other)
    assert tile(page, "CycleGAN").get_attribute("data-shown") == "1"
    expect(page.get_by_role("button", name="Another style of", exact=False)).to_have_count(1)

    page.get_by_role("button", name="About CycleGAN").click()
    expect(page.get_by_role("heading", name="The card of emoji-cyclegan")).to_be_visible()
    page.get_by_role("button", name="About MUNIT").click()
    expect(page.get_by_role("heading", name="The card of emoji-munit")).to_be_visible()


def test_the_comparison_is_one_picture_to_download(
    open_compare: Callable[..., TranslationView], tmp_path: Path
) -> None:
    page = open_compare().page
    example(page, 1)
    settle(page)
    expect(tile(page, "Truth")).to_have_attribute("data-state", "done")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as one picture").click()
    download.value.save_as(tmp_path / "all.png")
    assert download.value.suggested_filename == "outline-emoji.png"
    picture = Image.open(tmp_path / "all.png").convert("RGB")
    assert picture.size == (20 + 3 * 340, 52 + 2 * 364 + 20), "input, three methods and the truth, in two rows"
    truth = np.asarray(picture)[52 + 364 + 30 : 52 + 364 + 290, 20 + 340 + 30 : 20 + 340 + 290].mean((0, 1))
    assert truth[0] > 200 > 60 > truth[1]
    names = np.asarray(picture)[52 + 320 + 8 : 52 + 320 + 36, 20:330]
    assert names.min() < 80, "there is a name under each picture"

    # the other direction has its own methods
    page.locator("#compare-task label").filter(has_text="emoji → outline").click()
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.locator(".comparison .editor")).to_have_attribute("data-kind", "picture")
    page.locator("#compare-task label").filter(has_text="outline → emoji").click()
    settle(page)  # the drawing is still there, and is answered again


def test_a_link_reopens_the_task_and_its_styles(
    open_compare: Callable[..., TranslationView], open_view: Callable[..., TranslationView], address: tuple[str, Path]
) -> None:
    page = open_compare(permissions=["clipboard-read", "clipboard-write"]).page
    page.locator("#compare-task label").filter(has_text="emoji → outline").click()
    expect(page.locator(".tile")).to_have_count(2)
    copy = page.locator(".comparison").get_by_role("button", name="Copy a link to these settings")
    copy.click()
    task = f"{address[0]}/#tab=compare&model=emoji-cyclegan&direction=B2A"
    assert page.evaluate("navigator.clipboard.readText()") == task
    place_picture(page)
    page.get_by_role("button", name="Another style of MUNIT").click()
    expect(tile(page, "MUNIT").locator(".time")).to_contain_text("· style ")
    copy.click()
    expect(page.locator(".comparison .toast")).to_contain_text("the drawing stays here")
    link = page.evaluate("navigator.clipboard.readText()")
    style = tile(page, "MUNIT").locator(".time").inner_text().rpartition(" · ")[2]
    assert link == f"{task}&seeds=emoji-munit:{style.removeprefix('style ')}"

    other = open_view(link).page
    expect(other.locator(".tile")).to_have_count(2)
    expect(other.locator("#compare-task input:checked")).to_have_value("emoji (picture) to outline (outline)")
    expect(other.locator(".comparison .toast")).to_have_count(0)
    place_picture(other)
    expect(tile(other, "MUNIT").locator(".time")).to_contain_text(style)
    settle(page, "MUNIT")
    assert np.array_equal(shown(other, "MUNIT"), shown(page, "MUNIT"))
    other.evaluate("link => { location.href = link }", task)
    expect(tile(other, "MUNIT").locator(".time")).to_contain_text("mean style")


def place_picture(page: Page) -> None:
    """Place a picture in the editor and wait for the answers of the two methods that take one."""
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "orange").save(buffer, "PNG")
    file = {"name": "orange.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    page.locator('.comparison [data-part="file"]').set_input_files(file)
    settle(page, "CycleGAN", "MUNIT")


WRONG_LINKS = {
    "model=emoji-munit&seeds=emoji-munit:-1": "seeds do not fit",  # at which the page is opened; the rest comes later
    "model=nobody": "names a model that is not here (nobody)",
    "model=emoji-pix2pix&direction=B2A": "does not translate in the link’s direction",
    "model=emoji-munit&seeds=emoji-munit:1.5": "seeds do not fit",
    "model=emoji-munit&seeds=emoji-munit:2147483648": "seeds do not fit",
    "model=emoji-munit&seeds=emoji-munit:1,__proto__:2": "seeds do not fit",
    "model=emoji-munit&seeds=7": "seeds do not fit",
    "model=emoji-munit&seeds=": "seeds do not fit",
}


def test_wrong_links_give_a_sentence_and_a_comparison(
    open_view: Callable[..., TranslationView], address: tuple[str, Path]
) -> None:
    page = open_view(f"{address[0]}/#tab=compare&{next(iter(WRONG_LINKS))}").page
    toast = page.locator(".comparison .toast")
    for link, sentence in WRONG_LINKS.items():
        page.evaluate("link => { location.hash = `tab=compare&${link}` }", link)
        expect(toast, link).to_contain_text(sentence)
        toast.get_by_role("button").click()
        expect(toast).to_have_count(0)
    example(page, 1)
    settle(page)
    expect(tile(page, "MUNIT").locator(".time")).to_contain_text("mean style")


def test_a_link_gives_seeds_to_methods_with_styles_alone(
    open_view: Callable[..., TranslationView], address: tuple[str, Path]
) -> None:
    """No other tile says that chance was at work in it."""
    page = open_view(f"{address[0]}/#tab=compare&model=emoji-pix2pix&seeds=emoji-pix2pix:7").page
    example(page, 1)
    settle(page)
    drawing = Image.open(address[1] / "emoji-pix2pix" / "examples" / "0.png")
    plain = i2i.load(address[1] / "emoji-pix2pix").translate(drawing).resize((512, 512))
    seeded = i2i.load(address[1] / "emoji-pix2pix").translate(drawing, seed=7).resize((512, 512))
    here = shown(page, "pix2pix")
    assert np.abs(here - np.asarray(plain)).mean() < np.abs(here - np.asarray(seeded)).mean()


def test_a_server_that_is_gone_is_told_once(open_compare: Callable[..., TranslationView]) -> None:
    view = open_compare()
    page = view.page
    page.route("**/component_server/**", lambda route: route.abort())
    view.stroke([(0.2, 0.2), (0.8, 0.8)])
    expect(page.locator(".comparison .toast")).to_have_count(1)
    expect(page.locator(".comparison .toast")).to_contain_text("does not answer")
    for name in METHODS:
        expect(tile(page, name)).to_have_attribute("data-state", "empty")
    page.unroute("**/component_server/**")
    view.stroke([(0.2, 0.8), (0.8, 0.2)])
    settle(page)
    view.complaints[:] = [c for c in view.complaints if "ERR_FAILED" not in c]


def test_on_a_phone_nothing_is_wider_than_the_screen(open_compare: Callable[..., TranslationView]) -> None:
    view = open_compare(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    page = view.page
    page.locator(".comparison .first-examples .thumb:visible").nth(1).tap()
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    view.screenshot("compare-phone-dark")
