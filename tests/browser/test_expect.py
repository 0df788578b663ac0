"""What people expect of a page: links, the visit's history, keys, their own language."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from .easel import SCREENS, SMILE, Easel
from .test_batch import open_batch, pictures

CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
LABELS_TASK = "labels ↔ photo"


def is_chosen(page: Page, control: str, value: str) -> None:
    """Wait until a choice of the page's stands at a value."""
    expect(page.locator(f"#{control} input:checked")).to_have_value(value)


def kept(easel: Easel, count: int) -> None:
    """Wait until the history has so many results."""
    expect(easel.root.locator(".history .thumb")).to_have_count(count)


# ---- links


@SCREENS
def test_a_link_reopens_tab_model_direction_and_chance(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any]
) -> None:
    first = open_easel(full_page, **screen, **CLIPBOARD).open_tab("unpaired")
    first.page.locator("#unpaired-task label").filter(has_text=LABELS_TASK).click()
    first.model("wall-unit", "labels")
    first.page.locator("#unpaired-direction label").filter(has_text="photo → labels").click()
    expect(first.desk).to_have_attribute("data-kind", "picture")
    first.page.locator("#unpaired-temperature input[type=number]").fill("1.5")
    first.page.locator("#unpaired-seed input").fill("7")
    first.page.locator("#unpaired-seed input").blur()
    picture = first.invite()
    first.button("Copy a link to these settings").click()
    expect(first.toast).to_contain_text("the drawing stays here")
    link = first.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{full_page}/#tab=unpaired&model=wall-unit&direction=B2A&seed=7&temperature=1.5"

    second = Easel(open_easel(link, **screen).page, "unpaired")
    expect(second.desk).to_have_attribute("data-kind", "picture")
    expect(second.page.locator("#unpaired-seed input")).to_have_value("7")
    expect(second.page.locator("#unpaired-temperature input[type=number]")).to_have_value("1.5")
    is_chosen(second.page, "unpaired-task", LABELS_TASK)
    is_chosen(second.page, "unpaired-model", "wall-unit")
    is_chosen(second.page, "unpaired-direction", "B2A")
    expect(second.toast).to_have_count(0)
    second.invite()
    second.becomes(picture)


def test_a_link_carries_dropout(open_easel: Callable[..., Easel], full_page: str) -> None:
    easel = open_easel(f"{full_page}/#tab=paired&model=wall-pix2pix&direction=A2B&seed=3&temperature=1")
    expect(easel.desk).to_have_attribute("data-kind", "labels")
    expect(easel.page.get_by_label("Dropout on")).to_be_checked()
    expect(easel.page.get_by_label("Seed", exact=True)).to_have_value("3")


def test_a_link_carries_a_style(open_easel: Callable[..., Easel], full_page: str) -> None:
    first = open_easel(full_page, **CLIPBOARD).open_tab("multimodal")
    first.model("wall-munit", "labels")
    picture = first.invite()
    expect(first.result).to_have_attribute("data-style", re.compile("."))
    first.button("Copy a link to these settings").click()
    link = first.page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"model=wall-munit&direction=A2B&style=(-?[\d.]+,){7}-?[\d.]+$", link), link

    second = Easel(open_easel(link).page, "multimodal")
    expect(second.desk).to_have_attribute("data-kind", "labels")
    second.invite()
    second.page.get_by_text("All numbers of the style").click()
    numbers = [float(n) for n in link.rpartition("style=")[2].split(",")]
    shown = """numbers => [...document.querySelectorAll('#multimodal-easel [data-part="numbers"] input')]
        .every((input, i) => Math.abs(input.value - numbers[i]) < 0.011)"""
    second.page.wait_for_function(shown, arg=numbers)
    assert picture  # three decimals of the style may turn a pixel, so the style itself is compared
    is_chosen(second.page, "multimodal-model", "wall-munit")


@pytest.mark.parametrize(
    ("link", "sentence", "kind"),
    [
        ("tab=paired&model=no-such-model&direction=A2B", "names a model that is not here (no-such-model)", "outline"),
        ("tab=paired&model=", "names a model that is not here ()", "outline"),
        ("tab=paired&model=wall-pix2pix&direction=B2A", "does not translate in the link’s direction", "labels"),
        ("tab=paired&model=wall-pix2pix&seed=-5", "seed is no whole number from 0 to 2147483647", "labels"),
        ("tab=paired&model=wall-pix2pix&seed=1.5", "seed is no whole number", "labels"),
        ("tab=paired&model=wall-pix2pix&seed=", "seed is no whole number", "labels"),
        ("tab=paired&model=wall-pix2pix&seed=1&temperature=99", "temperature is no number from 0 to 3", "labels"),
        ("tab=paired&model=__proto__&direction=%3Cb%3E", "names a model that is not here (__proto__)", "outline"),
        ("tab=paired&model=" + "x" * 5000, "names a model that is not here (xxx", "outline"),
    ],
)
def test_a_wrong_link_gives_a_sentence_and_the_default(
    open_easel: Callable[..., Easel], full_page: str, link: str, sentence: str, kind: str
) -> None:
    easel = open_easel(f"{full_page}/#{link}")
    expect(easel.toast).to_contain_text(sentence)
    expect(easel.desk).to_have_attribute("data-kind", kind)
    assert len(easel.toast.inner_text()) < 300
    easel.invite()


@pytest.mark.parametrize("style", ["1,2,3", "a,b,c,d,e,f,g,h", "0,0,0,0,0,0,0,1e9"])
def test_a_style_that_does_not_fit_gives_a_sentence(
    open_easel: Callable[..., Easel], full_page: str, style: str
) -> None:
    page = open_easel(f"{full_page}/#tab=multimodal&model=wall-munit&direction=A2B&style={style}").page
    easel = Easel(page, "multimodal")
    expect(easel.toast).to_contain_text("style does not fit this model")
    expect(easel.desk).to_have_attribute("data-kind", "labels")
    easel.invite()


def test_a_link_with_an_unknown_tab_and_a_link_put_into_an_open_page(
    open_easel: Callable[..., Easel], full_page: str
) -> None:
    easel = open_easel(f"{full_page}/#tab=nowhere")
    expect(easel.page.locator("#head [data-part=toasts]")).to_contain_text("names a tab that is not here")
    expect(easel.desk).to_be_visible()
    easel.page.evaluate("location.hash = 'tab=unpaired&model=wall-unit&direction=A2B'")
    other = Easel(easel.page, "unpaired")
    expect(other.desk).to_have_attribute("data-kind", "labels")
    is_chosen(easel.page, "unpaired-task", LABELS_TASK)


# ---- history


@SCREENS
def test_history_keeps_results_and_brings_them_back(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any]
) -> None:
    easel = open_easel(full_page, **screen)
    expect(easel.root.locator(".history")).to_contain_text("Your results gather here")
    circle = easel.invite()
    drawn = easel.fingerprint(".paper")
    kept(easel, 1)
    easel.model("wall-pix2pix", "labels")
    easel.set_dropout(True)
    easel.page.get_by_label("Seed", exact=True).fill("5")
    easel.page.get_by_label("Seed", exact=True).blur()
    wall = easel.invite(1)
    kept(easel, 2)
    easel.screenshot(f"history-{'phone' if screen else 'desktop'}")

    easel.page.reload()
    easel.ready()
    expect(easel.result).to_have_attribute("data-state", "empty")
    kept(easel, 2)
    easel.root.locator(".history .thumb").first.click()  # the newest
    expect(easel.desk).to_have_attribute("data-kind", "labels")
    expect(easel.page.get_by_label("Dropout on")).to_be_checked()
    expect(easel.page.get_by_label("Seed", exact=True)).to_have_value("5")
    easel.becomes(wall)
    easel.root.locator(".history .thumb").last.click()
    expect(easel.desk).to_have_attribute("data-kind", "outline")
    easel.becomes(circle)
    assert easel.fingerprint(".paper") == drawn
    expect(easel.page.get_by_label("Dropout on")).not_to_be_checked()
    easel.page.wait_for_timeout(1800)
    kept(easel, 2)  # what is brought back is not a new result


def test_history_in_the_multimodal_tab_has_the_style(open_easel: Callable[..., Easel], full_page: str) -> None:
    easel = open_easel(full_page).open_tab("multimodal")
    first = easel.invite()
    kept(easel, 1)
    easel.root.locator('[data-act="random"]').click()
    second = easel.changed(first)
    kept(easel, 2)
    easel.root.locator(".history .thumb").last.click()
    easel.becomes(first)
    easel.root.locator(".history .thumb").first.click()
    easel.becomes(second)


def test_history_is_bounded_and_nobody_elses(open_easel: Callable[..., Easel], full_page: str) -> None:
    easel = open_easel(full_page)
    easel.invite()
    kept(easel, 1)
    # Forty results of 100,000 characters each, as a long visit would leave them, and some that are none.
    easel.page.evaluate(
        """() => {
            const [first] = JSON.parse(sessionStorage.getItem("i2i-history-paired"));
            const many = Array.from({ length: 40 }, (_, i) => ({ ...first, settings: { ...first.settings, seed: i },
                result: first.result + " ".repeat(100000) }));
            const none = [null, 5, { input: "javascript:alert(1)", result: "x", settings: {} }];
            sessionStorage.setItem("i2i-history-paired", JSON.stringify([...none, ...many]));
        }"""
    )
    easel.page.reload()
    easel.ready()
    kept(easel, 24)
    easel.invite(1)
    easel.page.wait_for_function("JSON.parse(sessionStorage.getItem('i2i-history-paired')).length < 20")
    assert easel.page.evaluate("sessionStorage.getItem('i2i-history-paired').length") < 1_700_000
    other = open_easel(full_page)
    kept(other, 0)
    easel.button("Forget these results").click()
    kept(easel, 0)
    assert easel.page.evaluate("sessionStorage.getItem('i2i-history-paired')") == "[]"


@SCREENS
def test_all_results_as_a_zip(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any], tmp_path: Path
) -> None:
    easel = open_easel(full_page, **screen, accept_downloads=True)
    expect(easel.button("Download all")).to_be_disabled()
    easel.invite()
    kept(easel, 1)
    shown = easel.pixels(".after")
    easel.set_dropout(True)
    kept(easel, 2)
    easel.page.get_by_label("Seed", exact=True).fill("5")
    easel.page.get_by_label("Seed", exact=True).blur()
    kept(easel, 3)
    with easel.page.expect_download() as download:
        easel.button("Download all").click()
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


def test_keys_for_all_and_none_out_of_text_fields(open_easel: Callable[..., Easel], full_page: str) -> None:
    easel = open_easel(full_page)
    keys = easel.page.keyboard
    empty = easel.fingerprint(".paper")
    keys.press("Alt+n")
    expect(easel.result).to_have_attribute("data-state", "done")
    first, result = easel.fingerprint(".paper"), easel.settled()
    keys.press("Alt+n")
    easel.changed(result)
    assert easel.fingerprint(".paper") != first
    keys.press("Control+z")
    easel.page.wait_for_timeout(100)
    assert easel.fingerprint(".paper") == first
    keys.press("Control+Shift+z")
    easel.page.wait_for_timeout(100)
    assert easel.fingerprint(".paper") != first
    keys.press("Delete")
    expect(easel.result).to_have_attribute("data-state", "empty")
    assert easel.fingerprint(".paper") == empty
    keys.press("Control+z")
    expect(easel.result).to_have_attribute("data-state", "done")

    easel.set_dropout(True)
    seed = easel.page.get_by_label("Seed", exact=True)
    seed.fill("12")
    drawn = easel.fingerprint(".paper")
    seed.press("Home")
    seed.press("Delete")
    seed.press("Alt+n")
    seed.press("Control+z")
    easel.page.wait_for_timeout(200)
    assert easel.fingerprint(".paper") == drawn, "keys in a field are the field's"
    expect(easel.result).to_have_attribute("data-state", "done")


def test_keys_are_told_in_titles(open_easel: Callable[..., Easel], full_page: str) -> None:
    easel = open_easel(full_page)
    for name, key in [("Undo (Ctrl+Z)", "Ctrl+Z"), ("Redo (Ctrl+Shift+Z)", "Ctrl+Shift+Z"), ("Clear", "Delete")]:
        assert key in (easel.root.get_by_role("button", name=name, exact=True).get_attribute("title") or "")
    assert "Alt+N" in (easel.root.locator(".examples").get_attribute("title") or "")


# ---- languages


@SCREENS
def test_the_page_speaks_chinese_to_a_chinese_browser(
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any]
) -> None:
    easel = open_easel(full_page, **screen, locale="zh-CN")
    page = easel.page
    expect(page.get_by_role("heading", name="图像到图像")).to_be_visible()
    assert page.title() == "图像到图像"
    assert page.locator("html").get_attribute("lang") == "zh"
    for tab in ("成对", "不成对", "多模态", "比较"):
        expect(page.get_by_role("tab", name=tab, exact=True)).to_be_attached()
    expect(easel.desk).to_contain_text("在这里画线稿")  # from JavaScript
    expect(easel.button("撤销（Ctrl+Z）")).to_be_visible()  # from the template
    expect(page.get_by_label("启用 Dropout")).to_be_visible()  # one of Gradio's own components
    easel.choose_file("text.png", b"this is no image")
    expect(easel.toast).to_contain_text("这个文件不是可以使用的图片")  # from the server
    easel.screenshot(f"chinese-{'phone' if screen else 'desktop'}")
    easel.invite()
    expect(easel.root.locator('[data-part="time"]')).to_contain_text("毫秒")
    open_batch(easel, pictures(1))
    page.locator("#paired-batch-start").click()
    expect(page.locator("#paired-batch-note")).to_contain_text("已转换 1 张图片中的 1 张")  # through the queue
    page.get_by_role("tab", name="多模态", exact=True).click()
    expect(page.locator("#multimodal-easel").get_by_role("tab", name="随机风格")).to_be_visible()
    easel.screenshot(f"chinese-multimodal-{'phone' if screen else 'desktop'}")
    visible = page.locator("body").inner_text()
    assert not re.search(r"\b(Download|Style|Random|Seed|Examples|Results)\b", visible), visible


def test_every_visitor_has_a_language_of_their_own(open_easel: Callable[..., Easel], full_page: str) -> None:
    chinese = open_easel(full_page, locale="zh-CN")
    english = open_easel(full_page, locale="en-GB")
    german = open_easel(full_page, locale="de-DE")
    for easel in (english, german):
        expect(easel.desk).to_contain_text("Draw an outline here")
    expect(chinese.desk).to_contain_text("在这里画线稿")


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
    open_easel: Callable[..., Easel], full_page: str, screen: dict[str, Any]
) -> None:
    easel = open_easel(full_page, **screen)
    page = easel.page
    page.wait_for_timeout(500)
    page.evaluate(WATCH_SHIFTS)
    easel.draw(SMILE)
    easel.settled()
    kept(easel, 1)
    assert page.evaluate("shifts") == [], "a stroke and its result"
    top = easel.paper.bounding_box()
    # What a label map needs besides (its palette) may push what is below it, never the paper and the result.
    easel.model("wall-pix2pix", "labels")
    page.wait_for_timeout(800)
    assert easel.paper.bounding_box() == top
    easel.model("shape-pix2pix", "outline")
    easel.settled()
    page.wait_for_timeout(800)
    assert easel.paper.bounding_box() == top
    moved = [s for s in page.evaluate("shifts") if any("sheet" in str(name) for name in s["what"])]
    if not screen:
        assert not moved, "on a desktop, paper and result stay where they are"
    assert sum(s["value"] for s in page.evaluate("shifts")) < 0.25


def test_layout_shifts_are_seen_by_this_watch(open_easel: Callable[..., Easel], full_page: str) -> None:
    """The watch of the test above notices a jump when there is one."""
    page = open_easel(full_page).page
    page.evaluate(WATCH_SHIFTS)
    page.evaluate("document.querySelector('#head').style.marginTop = '200px'")
    page.wait_for_function("shifts.length > 0")
