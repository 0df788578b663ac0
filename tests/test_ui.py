"""What stands between the page and the translators: visitors' bytes, missing checkpoints, errors as sentences."""

import base64
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageDraw

import i2i_models as i2i
from i2i_models import checkpoint
from ui import paired, serving, text
from ui.canvas import HERE

ROOT = Path(__file__).parents[1]
NAME = "tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one untrained outline checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoints")
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    domains = {"A": checkpoint.Domain("outlines", "outline"), "B": checkpoint.Domain("pictures")}
    checkpoint.save(folder / NAME, network, checkpoint.Info(NAME, "Tiny", "pix2pix", 32, domains))
    (folder / NAME / "README.md").write_text(
        "---\nlicense: mit\n---\n# A card\n\n![samples](samples.png) ![secret](../../etc/passwd) ![far](https://a.b/c.png)\n"
    )
    Image.new("RGB", (8, 8), "red").save(folder / NAME / "samples.png")
    (folder / NAME / "examples").mkdir()
    Image.new("RGB", (32, 32), "white").save(folder / NAME / "examples" / "1.png")
    (folder / NAME / "examples" / "2.png").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def catalog(folder: Path) -> serving.Catalog:
    return serving.Catalog(folder)


def payload(**changes: Any) -> dict[str, Any]:
    drawing = Image.new("RGB", (32, 32), "white")
    ImageDraw.Draw(drawing).line((4, 4, 28, 28), fill="black", width=2)
    return {
        "checkpoint": NAME,
        "direction": "A2B",
        "seed": None,
        "image": serving.to_data_url(drawing),
        **changes,
    }


def upload(data: bytes, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(data={"checkpoint": NAME, "direction": "A2B", **changes}, files=[("picture.png", data)])


def decoded(url: str) -> Image.Image:
    return i2i.open_image(base64.b64decode(url.partition(",")[2]))


def test_translate_answers_with_a_picture_and_a_time(catalog: serving.Catalog) -> None:
    answer = catalog.translate(payload())
    assert decoded(answer["image"]).size == (32, 32)
    assert answer["ms"] > 0


def test_the_seed_decides_the_dropout(catalog: serving.Catalog) -> None:
    one, again, two = (catalog.translate(payload(seed=seed))["image"] for seed in (1, 1, 2))
    assert one == again != two
    assert catalog.translate(payload())["image"] == catalog.translate(payload())["image"]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "text",
        payload(checkpoint="nobody"),
        payload(checkpoint=["list"]),
        payload(direction="B2A"),
        payload(direction=None),
        payload(image=None),
        payload(image="data:image/png;base64,!!!"),
        payload(image="data:image/png;base64,AAAA"),
        payload(image="http://example.com/a.png"),
        payload(image="data:image/png;base64," + "A" * (serving.MAX_DRAWING_CHARS + 1)),
        payload(image=serving.to_data_url(Image.new("RGB", (serving.MAX_DRAWING_SIDE + 1, 2)))),
        payload(seed=-1),
        payload(seed=2**31),
        payload(seed=True),
        payload(seed="1"),
        payload(seed=1.5),
    ],
    ids=range(18),
)
def test_a_bad_question_gets_a_sentence(catalog: serving.Catalog, bad: Any) -> None:
    answer = serving.sentences(catalog.translate)(bad)
    assert set(answer) == {"error"}
    assert answer["error"].endswith((".", "?")) and len(answer["error"]) < 200


def test_bad_files_get_a_sentence(catalog: serving.Catalog, odd_files: dict[str, Path]) -> None:
    for name, path in odd_files.items():
        answer = serving.sentences(catalog.open_picture)(upload(path.read_bytes()))
        assert set(answer) == {"error"}, name
        assert "Traceback" not in answer["error"] and answer["error"].endswith("."), name


@pytest.mark.parametrize(
    "bad", [None, {}, upload(b"", checkpoint="x"), SimpleNamespace(data={}, files=[])], ids=range(4)
)
def test_an_upload_that_is_none_gets_a_sentence(catalog: serving.Catalog, bad: Any) -> None:
    assert set(serving.sentences(catalog.open_picture)(bad)) == {"error"}


def test_an_unexpected_error_is_logged_under_the_number_that_the_visitor_sees(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(payload: Any) -> dict[str, Any]:
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR):
        sentence = serving.sentences(broken)({})["error"]
    number = sentence.rstrip(".").rsplit(" ", 1)[1]
    assert "secret" not in sentence
    assert number in caplog.text and "secret detail" in caplog.text


def test_a_photo_begins_as_outline_and_a_line_drawing_as_it_is(catalog: serving.Catalog, tmp_path: Path) -> None:
    photo = Image.new("RGB", (900, 600), "navy")
    ImageDraw.Draw(photo).ellipse((200, 100, 600, 500), fill="orange")
    photo.save(tmp_path / "photo.png")
    answer = catalog.open_picture(upload((tmp_path / "photo.png").read_bytes()))
    assert answer["variant"] == "outline"
    assert decoded(answer["pictures"]["as_is"]).size == decoded(answer["pictures"]["outline"]).size == (512, 341)

    drawing = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(drawing).ellipse((20, 20, 80, 80), outline="black", width=3)
    drawing.save(tmp_path / "drawing.png")
    assert catalog.open_picture(upload((tmp_path / "drawing.png").read_bytes()))["variant"] == "as_is"


def test_networks_run_at_most_two_at_a_time(catalog: serving.Catalog) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Slow:
        def translate(self, image: Image.Image, direction: str, seed: int | None) -> Image.Image:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return image

    image = Image.new("RGB", (2, 2))
    threads = [threading.Thread(target=catalog.run, args=(Slow(), image, "A2B", None)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == serving.AT_ONCE


def test_a_damaged_checkpoint_is_left_out_with_a_logged_line(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).symlink_to(folder / NAME)
    for name, config in {"torn": "{", "foreign": json.dumps({"format": 1}), "unknown": "[]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
    with caplog.at_level(logging.WARNING):
        found = serving.Catalog(tmp_path)
    assert list(found.translators) == [NAME]
    assert all(f"left out {name}" in caplog.text for name in ("torn", "foreign", "unknown"))


def test_no_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    assert serving.Catalog(tmp_path / "nowhere").paired() == []


def test_warming_up_translates_with_every_checkpoint(
    catalog: serving.Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        catalog.warm().join(60)
    assert not caplog.text


def test_the_card_shows_its_own_pictures_and_no_other_file(catalog: serving.Catalog) -> None:
    card = serving.card_markdown(catalog.translators[NAME])
    assert card.startswith("# A card") and "license" not in card
    assert "![samples](data:image/webp;base64," in card
    assert "passwd" not in card and " secret " in card
    assert "![far](https://a.b/c.png)" in card


def test_a_sheet_describes_what_is_drawn_on(catalog: serving.Catalog) -> None:
    sheet = paired.sheet(catalog.translators[NAME], "A2B")
    assert (sheet["kind"], sheet["size"], sheet["paper"], sheet["pen"]) == ("outline", 32, "#ffffff", "#000000")
    assert len(sheet["examples"]) == 1, "the example that is no picture is left out"


def test_every_text_that_the_easel_names_exists() -> None:
    """A forgotten text would show as an empty label."""
    html = (HERE / "canvas.html").read_text()
    script = (HERE / "canvas.js").read_text()
    named = set(re.findall(r"\{\{texts\.(\w+)\}\}", html)) | set(re.findall(r"texts\.(\w+)", script))
    assert named <= set(text.CANVAS)
    built = {"ghost_outline", "ghost_labels", "ghost_picture"}
    assert set(text.CANVAS) <= named | built, "texts that nobody shows"


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = start(PORT=str(port), HOST="127.0.0.1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f"127.0.0.1:{port} cannot be used" in done.stderr


@pytest.mark.parametrize("environment", [{"PORT": "many"}, {"PORT": "70000"}, {"HOST": "no.such.host.invalid"}])
def test_a_bad_address_is_one_sentence_and_exit_code_2(environment: dict[str, str]) -> None:
    done = start(**environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
