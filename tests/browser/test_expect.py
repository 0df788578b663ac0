"""What people expect of a page: links, the visit's history, keys, their own language."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from .test_batch import open_batch, pictures
from .translation_view import PHONE, SCREENS, SMILE, TranslationView

CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
LABELS_TASK = "labels ↔ photo"


def is_chosen(page: Page, control: str, value: str) -> None:
    """Wait until a choice of the page's stands at a value."""
    expect(page.locator(f"#{control} input:checked")).to_have_value(value)


def has_results(view: TranslationView, count: int) -> None:
    """Wait until the history has so many results."""
    expect(view.root.locator(".history .thumb")).to_have_count(count)


# ---- links


def test_a_link_reopens_tab_model_direction_and_chance(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    first = open_view(full_page, **CLIPBOARD).open_tab("unpaired")
    first.page.locator("#unpaired-task label").filter(has_text=LABELS_TASK).click()
    first.model("wall-unit", "labels")
    first.page.locator("#unpaired-direction label").filter(has_text="photo → labels").click()
    expect(first.editor).to_have_attribute("data-kind", "picture")
    first.page.locator("#unpaired-temperature input[type=number]").fill("1.5")
    first.page.locator("#unpaired-seed input").fill("7")
    first.page.locator("#unpaired-seed input").blur()
    picture = first.choose_example()
    first.button("Copy a link to these settings").click()
    expect(first.toast).to_contain_text("the drawing stays here")
    link = first.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{full_page}/#tab=unpaired&model=wall-unit&direction=B2A&seed=7&temperature=1.5"

    second = TranslationView(open_view(link).page, "unpaired")
    expect(second.editor).to_have_attribute("data-kind", "picture")
    expect(second.page.locator("#unpaired-seed input")).to_have_value("7")
    expect(second.page.locator("#unpaired-temperature input[type=number]")).to_have_value("1.5")
    is_chosen(second.page, "unpaired-task", LABELS_TASK)
    is_chosen(second.page, "unpaired-model", "wall-unit")
    is_chosen(second.page, "unpaired-direction", "B2A")
    expect(second.toast).to_have_count(0)
    second.choose_example()
    second.becomes(picture)


def test_a_link_and_the_history_carry_a_style(open_view: Callable[..., TranslationView], full_page: str) -> None:
    first = open_view(full_page, **CLIPBOARD).open_tab("multimodal")
    first.model("wall-munit", "labels")
    picture = first.choose_example()
    expect(first.result).to_have_attribute("data-style", re.compile("."))
    first.button("Copy a link to these settings").click()
    link = first.page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"model=wall-munit&direction=A2B&style=(-?[\d.]+,){7}-?[\d.]+$", link), link

    second = TranslationView(open_view(link).page, "multimodal")
    expect(second.editor).to_have_attribute("data-kind", "labels")
    second.choose_example()
    second.page.get_by_text("All numbers of the style").click()
    numbers = [float(n) for n in link.rpartition("style=")[2].split(",")]
    shown = """numbers => [...document.querySelectorAll('#multimodal-view [data-part="numbers"] input')]
        .every((input, i) => Math.abs(input.value - numbers[i]) < 0.011)"""
    second.page.wait_for_function(shown, arg=numbers)
    assert picture  # three decimals of the style may turn a pixel, so the style itself is compared
    is_chosen(second.page, "multimodal-model", "wall-munit")

    has_results(first, 1)
    first.root.locator('[data-action="random"]').click()
    other = first.changed(picture)
    has_results(first, 2)
    first.root.locator(".history .thumb").last.click()
    first.becomes(picture)
    first.root.locator(".history .thumb").first.click()
    first.becomes(other)


WRONG_LINKS = [
    # with the first the page is opened; the others are put into its address, one after the other
    ("model=no-such-model&direction=A2B", "names a model that is not here (no-such-model)", "outline"),
    ("model=", "names a model that is not here ()", "outline"),
    ("model=__proto__&direction=%3Cb%3E", "names a model that is not here (__proto__)", "outline"),
    ("model=" + "x" * 5000, "names a model that is not here (xxx", "outline"),
    ("model=wall-pix2pix&direction=B2A", "does not translate in the link’s direction", "labels"),
    ("model=wall-pix2pix&seed=-5", "seed is no whole number from 0 to 2147483647", "labels"),
    ("model=wall-pix2pix&seed=1.5", "seed is no whole number", "labels"),
    ("model=wall-pix2pix&seed=", "seed is no whole number", "labels"),
    ("model=wall-pix2pix&seed=1&temperature=99", "temperature is no number from 0 to 3", "labels"),
]


def try_links(view: TranslationView, links: list[tuple[str, str, str]]) -> None:
    """Put links into the page's address; each gives a short sentence and an editor of its kind."""
    for link, sentence, kind in links:
        view.page.evaluate("link => { location.hash = link }", f"tab={view.tab}&{link}")
        expect(view.toast, link).to_contain_text(sentence)
        assert len(view.toast.inner_text()) < 300
        expect(view.editor).to_have_attribute("data-kind", kind)
        view.button("Close this message").locator("visible=true").click()
        expect(view.toast).to_have_count(0)
    view.choose_example()


def test_wrong_links_give_a_sentence_and_the_default(open_view: Callable[..., TranslationView], full_page: str) -> None:
    view = open_view(f"{full_page}/#tab=paired&{WRONG_LINKS[0][0]}")
    try_links(view, WRONG_LINKS)
    styles = ["1,2,3", "a,b,c,d,e,f,g,h", "0,0,0,0,0,0,0,1e9"]
    links = [
        (f"model=wall-munit&direction=A2B&style={style}", "style does not fit this model", "labels") for style in styles
    ]
    page = open_view(f"{full_page}/#tab=multimodal&{links[0][0]}").page
    try_links(TranslationView(page, "multimodal"), links)


def test_a_link_with_an_unknown_tab_and_links_put_into_an_open_page(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    view = open_view(f"{full_page}/#tab=nowhere")
    expect(view.page.locator("#head [data-part=toasts]")).to_contain_text("names a tab that is not here")
    expect(view.editor).to_be_visible()
    view.page.evaluate("location.hash = 'tab=unpaired&model=wall-unit&direction=A2B'")
    other = TranslationView(view.page, "unpaired")
    expect(other.editor).to_have_attribute("data-kind", "labels")
    is_chosen(view.page, "unpaired-task", LABELS_TASK)
    view.page.evaluate("location.hash = 'tab=paired&model=wall-pix2pix&direction=A2B&seed=3&temperature=1'")
    expect(view.editor).to_have_attribute("data-kind", "labels")
    expect(view.page.get_by_label("Dropout on")).to_be_checked()
    expect(view.page.locator("#paired-seed input")).to_have_value("3")


# ---- history


def test_history_keeps_results_and_brings_them_back(open_view: Callable[..., TranslationView], full_page: str) -> None:
    view = open_view(full_page, **PHONE)
    expect(view.root.locator(".history")).to_contain_text("Your results gather here")
    circle = view.choose_example()
    drawn = view.fingerprint(".drawing")
    has_results(view, 1)
    view.model("wall-pix2pix", "labels")
    view.set_dropout(True)
    view.page.get_by_label("Seed", exact=True).fill("5")
    view.page.get_by_label("Seed", exact=True).blur()
    wall = view.choose_example(1)
    has_results(view, 2)
    view.screenshot("history-phone")

    view.page.reload()
    view.ready()
    expect(view.result).to_have_attribute("data-state", "empty")
    has_results(view, 2)
    view.root.locator(".history .thumb").first.click()  # the newest
    expect(view.editor).to_have_attribute("data-kind", "labels")
    expect(view.page.get_by_label("Dropout on")).to_be_checked()
    expect(view.page.get_by_label("Seed", exact=True)).to_have_value("5")
    view.becomes(wall)
    view.root.locator(".history .thumb").last.click()
    expect(view.editor).to_have_attribute("data-kind", "outline")
    view.becomes(circle)
    assert view.fingerprint(".drawing") == drawn
    expect(view.page.get_by_label("Dropout on")).not_to_be_checked()
    view.page.wait_for_timeout(1800)
    has_results(view, 2)  # what is brought back is not a new result


def test_history_is_bounded_and_nobody_elses(open_view: Callable[..., TranslationView], full_page: str) -> None:
    view = open_view(full_page)
    view.choose_example()
    has_results(view, 1)
    # Forty results of 100,000 characters each, as a long visit would leave them, and some that are none.
    view.page.evaluate(
        """() => {
            const [first] = JSON.parse(sessionStorage.getItem("i2i-history-paired"));
            const many = Array.from({ length: 40 }, (_, i) => ({ ...first, settings: { ...first.settings, seed: i },
                result: first.result + " ".repeat(100000) }));
            const none = [null, 5, { input: "javascript:alert(1)", result: "x", settings: {} }];
            sessionStorage.setItem("i2i-history-paired", JSON.stringify([...none, ...many]));
        }"""
    )
    view.page.reload()
    view.ready()
    has_results(view, 24)
    view.choose_example(1)
    view.page.wait_for_function("JSON.parse(sessionStorage.getItem('i2i-history-paired')).length < 20")
    assert view.page.evaluate("sessionStorage.getItem('i2i-history-paired').length") < 1_700_000
    other = open_view(full_page)
    has_results(other, 0)
    view.button("Forget these results").click()
    has_results(view, 0)
    assert view.page.evaluate("sessionStorage.getItem('i2i-history-paired')") == "[]"


def test_all_results_as_a_zip(open_view: Callable[..., TranslationView], full_page: str) -> None:
    view = open_view(full_page, accept_downloads=True)
    expect(view.button("Download all")).to_be_disabled()
    view.choose_example()
    has_results(view, 1)
    shown = view.pixels(".after")
    view.set_dropout(True)
    has_results(view, 2)
    view.page.get_by_label("Seed", exact=True).fill("5")
    view.page.get_by_label("Seed", exact=True).blur()
    has_results(view, 3)
    with view.page.expect_download() as download:
        view.button("Download all").click()
    assert download.value.suggested_filename == "results.zip"
    with zipfile.ZipFile(download.value.path()) as file:
        assert file.testzip() is None
        settings = json.loads(file.read("settings.json"))
        assert file.namelist() == [f"0{i}-{kind}.png" for i in (1, 2, 3) for kind in ("input", "result")] + [
            "settings.json"
        ]
        result = Image.open(io.BytesIO(file.read("01-result.png"))).convert("RGB")
        drawing = Image.open(io.BytesIO(file.read("01-input.png"))).convert("RGB")
    assert [entry["seed"] for entry in settings] == [None, 0, 5]
    assert {entry["checkpoint"] for entry in settings} == {"shape-pix2pix"}
    assert settings[0]["input"] == "01-input.png"
    assert drawing.size == (32, 32)
    enlarged = np.asarray(result.resize((512, 512), Image.Resampling.BICUBIC)).astype(float)
    assert np.abs(enlarged - shown).mean() < 6


# ---- keys


def test_keys_for_all_told_in_titles_and_none_out_of_text_fields(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    view = open_view(full_page)
    for name, key in [("Undo (Ctrl+Z)", "Ctrl+Z"), ("Redo (Ctrl+Shift+Z)", "Ctrl+Shift+Z"), ("Clear", "Delete")]:
        assert key in (view.root.get_by_role("button", name=name, exact=True).get_attribute("title") or "")
    assert "Alt+N" in (view.root.locator(".examples").get_attribute("title") or "")

    keys = view.page.keyboard
    empty = view.fingerprint(".drawing")
    keys.press("Alt+n")
    expect(view.result).to_have_attribute("data-state", "done")
    first, result = view.fingerprint(".drawing"), view.settled()
    keys.press("Alt+n")
    view.changed(result)
    second = view.fingerprint(".drawing")
    assert second != first
    keys.press("Control+z")
    view.drawn(first)
    keys.press("Control+Shift+z")
    view.drawn(second)
    keys.press("Delete")
    expect(view.result).to_have_attribute("data-state", "empty")
    assert view.fingerprint(".drawing") == empty
    keys.press("Control+z")
    expect(view.result).to_have_attribute("data-state", "done")

    view.set_dropout(True)
    seed = view.page.get_by_label("Seed", exact=True)
    seed.fill("12")
    drawn = view.fingerprint(".drawing")
    seed.press("Home")
    seed.press("Delete")
    seed.press("Alt+n")
    seed.press("Control+z")
    view.page.wait_for_timeout(200)
    assert view.fingerprint(".drawing") == drawn, "keys in a field are the field's"
    expect(view.result).to_have_attribute("data-state", "done")


# ---- languages


def test_the_page_speaks_chinese_to_a_chinese_browser_and_english_to_another(
    open_view: Callable[..., TranslationView], full_page: str
) -> None:
    view = open_view(full_page, locale="zh-CN")
    english = open_view(full_page, locale="en-GB")
    page = view.page
    expect(page.get_by_role("heading", name="图像到图像")).to_be_visible()
    assert page.title() == "图像到图像"
    assert page.locator("html").get_attribute("lang") == "zh"
    for tab in ("画完就成图 · 成对", "来回翻译 · 不成对", "一图多样 · 多模态", "比较"):
        expect(page.get_by_role("tab", name=tab, exact=True)).to_be_attached()
    expect(view.editor).to_contain_text("在这里画线稿")  # from JavaScript
    expect(english.editor).to_contain_text("Draw an outline here")
    expect(view.button("撤销（Ctrl+Z）")).to_be_visible()  # from the template
    expect(page.get_by_label("启用 Dropout")).to_be_visible()  # one of Gradio's own components
    view.choose_file("text.png", b"this is no image")
    expect(view.toast).to_contain_text("这个文件不是可以使用的图片")  # from the server
    view.screenshot("chinese")
    view.choose_example()
    expect(view.root.locator('[data-part="time"]')).to_contain_text("毫秒")
    open_batch(view, pictures(1))
    page.locator("#paired-batch-start").click()
    expect(page.locator("#paired-batch-note")).to_contain_text("已转换 1 张图片中的 1 张")  # through the queue
    page.locator("#tab-multimodal-button").click()
    expect(page.locator("#multimodal-view").get_by_role("tab", name="随机风格")).to_be_visible()
    view.screenshot("chinese-multimodal")
    visible = page.locator("body").inner_text()
    assert not re.search(r"\b(Download|Style|Random|Seed|Examples|Results)\b", visible), visible


# ---- nothing jumps

WATCH_SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            // `hadRecentInput` excuses what follows a click within half a second; here nothing is excused.
            const what = entry.sources.map((s) => s.node?.className || s.node?.nodeName);
            window.shifts.push({ value: entry.value, what });
        }
    }).observe({ type: "layout-shift" });
}"""


@SCREENS
def test_nothing_jumps_for_a_stroke_a_model_or_the_history(
    open_view: Callable[..., TranslationView], full_page: str, screen: dict[str, Any]
) -> None:
    view = open_view(full_page, **screen)
    page = view.page
    page.wait_for_timeout(500)
    page.evaluate(WATCH_SHIFTS)
    view.draw(SMILE)
    view.settled()
    has_results(view, 1)
    assert page.evaluate("shifts") == [], "a stroke and its result"
    top = view.drawing.bounding_box()
    # What a label map needs besides (its palette) may push what is below it, never the drawing and the result.
    view.model("wall-pix2pix", "labels")
    page.wait_for_timeout(800)
    assert view.drawing.bounding_box() == top
    view.model("shape-pix2pix", "outline")
    view.settled()
    page.wait_for_timeout(800)
    assert view.drawing.bounding_box() == top
    moved = [s for s in page.evaluate("shifts") if any("frame" in str(name) for name in s["what"])]
    if not screen:
        assert not moved, "on a desktop, drawing and result stay where they are"
    assert sum(s["value"] for s in page.evaluate("shifts")) < 0.25

    before = page.evaluate("shifts.length")
    page.evaluate("scrollTo(0, 0); document.querySelector('#head').style.marginTop = '200px'")
    page.wait_for_function("before => shifts.length > before", arg=before)  # the watch notices a jump when there is one
