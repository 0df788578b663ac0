"""The checkpoints that the page has: damaged ones, cards, tabs, what is drawn for each."""

import base64
import copy
import io
import json
import logging
import re
import shutil
import threading
import time
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from i2i_models.checkpoints.config import Kind
from ui import text
from ui.catalog import AT_ONCE, Catalog
from ui.editor import FREE_COLOURS, HERE, input_spec
from ui.model_card import card_html
from ui.tabs import TABS

from .conftest import LATENT, NAME, ONE_WAY, PAINT, STYLED


def test_each_checkpoint_belongs_to_one_tab_and_to_compare(catalog: Catalog) -> None:
    *families, compare = [[t.info.name for t in tab.models(catalog)] for tab in TABS]
    assert families == [[NAME, PAINT], [LATENT, ONE_WAY], [STYLED]]
    assert compare == list(catalog.translators)


def test_networks_run_at_most_two_at_a_time(catalog: Catalog) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def use() -> None:
        nonlocal running, most
        with catalog.pool.slot():
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == AT_ONCE


def test_a_damaged_checkpoint_is_left_out_with_a_logged_line(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).symlink_to(folder / NAME)
    for name, config in {"torn": "{", "foreign": json.dumps({"format": 1}), "unknown": "[]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
    with caplog.at_level(logging.WARNING):
        found = Catalog(tmp_path)
    assert list(found.translators) == [NAME]
    assert all(f"left out {name}" in caplog.text for name in ("torn", "foreign", "unknown"))


def test_no_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    assert not Catalog(tmp_path / "nowhere").translators


def test_warming_up_translates_with_every_checkpoint(catalog: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        catalog.warm().join(60)
    assert not caplog.text


def test_a_checkpoint_whose_weights_are_damaged_is_left_out_while_others_are_gone_through(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (NAME, LATENT):
        shutil.copytree(folder / name, tmp_path / name)
    config = json.loads((tmp_path / NAME / "config.json").read_text())
    config["network"]["base_width"] = 8
    (tmp_path / NAME / "config.json").write_text(json.dumps(config))
    catalog = Catalog(tmp_path)
    seen = iter(catalog.translators)
    next(seen)
    catalog.warm().join(60)
    assert list(seen) == [LATENT], "a request that has begun to go through the checkpoints goes on"
    assert list(catalog.translators) == [LATENT] and f"left out {NAME}" in caplog.text


def test_the_card_shows_its_own_pictures_and_no_other_file(catalog: Catalog) -> None:
    card = card_html(catalog.translators[NAME])
    assert card.startswith("<h1>A card</h1>") and "license" not in card
    assert re.search(r'<img src="data:image/webp;base64,[^"]+" alt="samples"', card)
    assert "passwd" not in card and " secret " in card
    assert card.count("<img") == 1 and '<a href="https://a.b/c.png" rel="noreferrer">far</a>' in card


def test_a_card_of_anybody_is_shown_in_bounds(catalog: Catalog, tmp_path: Path) -> None:
    """Far too long, with markup, no UTF-8, what made a regular expression quadratic, and too many pictures."""
    shown = Image.new("RGB", (2000, 50), "red")
    shown.save(tmp_path / "p.png")
    pictures, script = b"![<b>](p.png) " * 20, b"<script>alert(1)</script>\n\n[x](javascript:alert(1))\n\n"
    code = b"```\na\n\n\nb\n```\n\n"
    (tmp_path / "README.md").write_bytes(script + code + pictures + b"\xff\xfe" + b"![" * 3000 + b"x" * 500_000)
    translator = copy.copy(catalog.translators[NAME])
    translator.folder = tmp_path
    card = card_html(translator)
    assert card.count("<img") == 10 and len(card) < 400_000
    assert "<script" not in card and "javascript:" not in card.replace("(javascript:alert(1))", "")
    assert "a\n&#10;\nb" in card and "\n\n" not in card
    first = re.search(r"base64,([^\"]+)", card)
    assert first and Image.open(io.BytesIO(base64.b64decode(first[1]))).size == (1024, 26)


def test_an_input_spec_describes_what_is_drawn(catalog: Catalog) -> None:
    spec = input_spec(catalog.translators[NAME], "A2B")
    assert (spec["kind"], spec["size"], spec["background"], spec["foreground"]) == ("outline", 32, "#ffffff", "#000000")
    assert spec["examples"] == 2
    paint = input_spec(catalog.translators[PAINT], "A2B")
    assert (paint["kind"], paint["background"]) == ("paint", "#ffffff") and len(paint["palette"]) == 12
    assert paint["foreground"] in paint["palette"].values() and paint["foreground"] != paint["background"]
    assert not spec["interpolates"] and input_spec(catalog.translators[LATENT], "B2A")["interpolates"]


def test_every_text_that_the_translation_view_names_exists() -> None:
    """A forgotten text would show as an empty label."""
    html = "".join((HERE / name).read_text() for name in ("translation.html", "editor.html"))
    script = "".join(path.read_text() for path in HERE.glob("*.js"))
    named = set(re.findall(r"\{\{texts\.(\w+)\}\}", html)) | set(re.findall(r"\btexts\.(\w+)", script))
    assert named <= {*text.EDITOR, *text.HISTORY}
    built = {f"placeholder_{kind}" for kind in get_args(Kind)} | {f"colour_{name}" for name in FREE_COLOURS}
    assert built <= set(text.EDITOR) <= named | built, "texts that nobody shows"
