"""Between the page and the translators: visitors' bytes, answers, caches, missing checkpoints, errors as sentences."""

import base64
import copy
import io
import json
import logging
import re
import shutil
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from PIL import Image, ImageDraw

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints.config import Kind
from i2i_models.networks.network import TranslationNetwork
from ui import payload as reading
from ui import text
from ui.answers import Answers
from ui.batch import Batch
from ui.catalog import AT_ONCE, Catalog
from ui.editor import FREE_COLOURS, HERE, input_spec
from ui.errors import sentences
from ui.model_card import card_html
from ui.tabs import TABS
from ui.uploads import Uploads

ROOT = Path(__file__).parents[1]
NAME, LATENT, STYLED, ONE_WAY, PAINT = "tiny", "tiny-latent", "tiny-styled", "tiny-one-way", "tiny-paint"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with untrained checkpoints of outlines, one for each place where chance may enter; and one of paint."""
    folder = tmp_path_factory.mktemp("checkpoints")
    networks: dict[str, TranslationNetwork] = {
        NAME: i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        LATENT: i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1)),
        STYLED: i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, style_downs=2, mlp_width=8)),
        ONE_WAY: i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1, one_way=True)),
    }
    domains = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}
    for name, network in networks.items():
        checkpoints.save(folder / name, network, checkpoints.Info(name, name.title(), network.method, 32, domains))
    painted = {"A": checkpoints.Domain("flat drawings", "paint"), "B": checkpoints.Domain("pictures")}
    checkpoints.save(folder / PAINT, networks[NAME], checkpoints.Info(PAINT, "Tiny-Paint", "pix2pix", 32, painted))
    (folder / NAME / "README.md").write_text(
        "---\nlicense: mit\n---\n# A card\n\n![samples](samples.png) ![secret](../../etc/passwd) ![far](https://a.b/c.png)\n"
    )
    Image.new("RGB", (8, 8), "red").save(folder / NAME / "samples.png")
    (folder / NAME / "examples").mkdir()
    Image.new("RGB", (32, 32), "white").save(folder / NAME / "examples" / "1.png")
    (folder / NAME / "examples" / "2.png").write_text("no picture")
    (folder / LATENT / "examples" / "B").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(folder / LATENT / "examples" / "B" / "1.png")
    return folder


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Catalog:
    return Catalog(folder)


@pytest.fixture(scope="module")
def answers(catalog: Catalog) -> Answers:
    return Answers(catalog)


@pytest.fixture(scope="module")
def uploads(catalog: Catalog) -> Uploads:
    return Uploads(catalog)


def payload(**changes: Any) -> dict[str, Any]:
    drawing = Image.new("RGB", (32, 32), "white")
    ImageDraw.Draw(drawing).line((4, 4, 28, 28), fill="black", width=2)
    return {
        "checkpoint": NAME,
        "direction": "A2B",
        "seed": None,
        "image": reading.to_data_url(drawing),
        **changes,
    }


def upload(data: bytes, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(data={"checkpoint": NAME, "direction": "A2B", **changes}, files=[("picture.png", data)])


def file_of(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def decoded(url: str) -> Image.Image:
    return i2i.open_image(base64.b64decode(url.partition(",")[2]))


def test_translate_answers_with_a_picture_and_a_time(answers: Answers) -> None:
    answer = answers.translate(payload())
    assert decoded(answer["image"]).size == (32, 32)
    assert answer["ms"] > 0


def test_the_seed_decides_the_dropout(answers: Answers) -> None:
    one, again, two = (answers.translate(payload(seed=seed))["image"] for seed in (1, 1, 2))
    assert one == again != two
    assert answers.translate(payload())["image"] == answers.translate(payload())["image"]


BAD: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "words": "text",
    "unknown checkpoint": payload(checkpoint="nobody"),
    "checkpoint in a list": payload(checkpoint=["list"]),
    "missing direction": payload(direction=None),
    "direction that it has not": payload(direction="B2A"),
    "no image": payload(image=None),
    "no base64": payload(image="data:image/png;base64,!!!"),
    "no picture": payload(image="data:image/png;base64,AAAA"),
    "an address": payload(image="http://example.com/a.png"),
    "long": payload(image="data:image/png;base64," + "A" * (reading.MAX_DRAWING_CHARS + 1)),
    "wide": payload(image=reading.to_data_url(Image.new("RGB", (reading.MAX_DRAWING_SIDE + 1, 2)))),
    "key in a list": payload(image=None, key=["list"]),
    "negative seed": payload(seed=-1),
    "huge seed": payload(seed=2**31),
    "seed yes": payload(seed=True),
    "seed in words": payload(seed="1"),
    "broken seed": payload(seed=1.5),
    "negative temperature": payload(temperature=-0.1),
    "hot": payload(temperature=3.1),
    "temperature NaN": payload(temperature=float("nan")),
    "temperature in words": payload(temperature="warm"),
    "temperature yes": payload(temperature=True),
    "style without styles": payload(style=[0.0] * 8),
    "style in words": payload(checkpoint=STYLED, style="red"),
    "style of words": payload(checkpoint=STYLED, style=["0"] * 8),
    "style too short": payload(checkpoint=STYLED, style=[0.0] * 7),
    "style of nothing": payload(checkpoint=STYLED, style=[]),
    "style too long": payload(checkpoint=STYLED, style=[0.0] * 1000),
    "style NaN": payload(checkpoint=STYLED, style=[float("nan")] * 8),
    "style without bounds": payload(checkpoint=STYLED, style=[float("inf")] + [0.0] * 7),
    "style out of bounds": payload(checkpoint=STYLED, style=[1e9] + [0.0] * 7),
    "interpolation without a code": payload(second={"image": payload()["image"]}, share=0.5),
    "interpolation to nothing": payload(checkpoint=LATENT, second={}, share=0.5),
    "interpolation to a word": payload(checkpoint=LATENT, second="there", share=0.5),
    "interpolation beyond the end": payload(checkpoint=LATENT, second={"image": payload()["image"]}, share=1.5),
    "interpolation without a share": payload(checkpoint=LATENT, second={"image": payload()["image"]}),
    "no way back": payload(checkpoint=ONE_WAY, way_back=True),
    "way back in words": payload(checkpoint=LATENT, way_back="yes"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_question_gets_a_sentence(answers: Answers, bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = sentences(answers.translate)(bad)
    assert set(answer) == {"error"}
    assert answer["error"].endswith((".", "?")) and len(answer["error"]) < 200
    assert not caplog.text, "a visitor's mistake is no error of ours"


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The direction of each call of an encoder."""
    calls: list[str] = []
    encode = i2i.Translator.encode

    def counted(self: i2i.Translator, image: Image.Image, direction: Any = "A2B") -> i2i.Codes:
        calls.append(direction)
        return encode(self, image, direction)

    monkeypatch.setattr(i2i.Translator, "encode", counted)
    return calls


def test_a_key_spares_the_encoder(folder: Path, encoded: list[str]) -> None:
    answers = Answers(Catalog(folder))
    first = answers.translate(payload(checkpoint=STYLED, style=[0.0] * 8))
    by_key = payload(checkpoint=STYLED, image=None, key=first["key"], style=[2.0] * 8)
    other = answers.translate(by_key)
    assert other["key"] == first["key"] and other["image"] != first["image"]
    assert answers.translate({**by_key, "style": [0.0] * 8})["image"] == first["image"]
    assert answers.translate(payload(checkpoint=STYLED))["key"] == first["key"], "known by its content"
    assert len(encoded) == 1
    for cache in (answers._codes, answers._answers):
        assert all(question.by_key() == question for question in cache._values), "no picture is kept beside its codes"


def test_a_forgotten_key_is_asked_for_again(folder: Path) -> None:
    answers = Answers(Catalog(folder))
    key = answers.translate(payload())["key"]
    for unknown in (
        payload(image=None, key="0" * 32),
        payload(image=None, key=key, checkpoint=LATENT),
        payload(checkpoint=LATENT, second={"key": "0" * 32}, share=0.5),
    ):
        assert sentences(answers.translate)(unknown) == {"forgotten": True}
    again = answers.translate(payload(key="0" * 32))
    assert again["key"] == key, "an image that comes with an unknown key is kept under its own"
    other = reading.to_data_url(Image.new("RGB", (32, 32), "gray"))
    assert answers.translate(payload(image=other, key=key))["key"] != key, "nor is one taken for another"


def test_a_key_of_one_direction_is_none_of_the_other(folder: Path) -> None:
    answers = Answers(Catalog(folder))
    key = answers.translate(payload(checkpoint=LATENT))["key"]
    back = payload(checkpoint=LATENT, direction="B2A", image=None, key=key)
    assert sentences(answers.translate)(back) == {"forgotten": True}


def test_the_temperature_scales_the_latent_noise(answers: Answers) -> None:
    def image(**changes: Any) -> str:
        return str(answers.translate(payload(checkpoint=LATENT, **changes))["image"])

    assert image(seed=1, temperature=0) == image()
    assert image(seed=1, temperature=1) == image(seed=1) != image(seed=1, temperature=2)
    assert image(seed=1) != image(seed=2)


def test_interpolation_goes_from_one_input_to_the_other(folder: Path, encoded: list[str]) -> None:
    answers = Answers(Catalog(folder))
    end = reading.to_data_url(Image.new("RGB", (32, 32), "gray"))

    def interpolated(share: float, second: dict[str, str]) -> dict[str, Any]:
        return answers.translate(payload(checkpoint=LATENT, second=second, share=share))

    first = interpolated(0, {"image": end})
    assert first["image"] == answers.translate(payload(checkpoint=LATENT))["image"]
    key = {"key": first["second_key"]}
    last = interpolated(1, key)
    assert last["image"] == answers.translate(payload(checkpoint=LATENT, image=end))["image"]
    assert interpolated(0.5, key)["image"] not in (first["image"], last["image"])
    assert len(encoded) == 2, "each end is encoded once"


def test_the_way_back_translates_what_is_shown(answers: Answers) -> None:
    translator = answers.catalog.translators[LATENT]
    answer = answers.translate(payload(checkpoint=LATENT, way_back=True))
    there = translator.translate(decoded(payload()["image"]))
    assert answer["back"] == reading.to_live_url(translator.translate(there, "B2A"))
    assert "back" not in answers.translate(payload(checkpoint=LATENT))


def test_each_checkpoint_belongs_to_one_tab_and_to_compare(catalog: Catalog) -> None:
    *families, compare = [[t.info.name for t in tab.models(catalog)] for tab in TABS]
    assert families == [[NAME, PAINT], [LATENT, ONE_WAY], [STYLED]]
    assert compare == list(catalog.translators)


def test_bad_files_get_a_sentence(uploads: Uploads, odd_files: dict[str, Path]) -> None:
    for name, path in odd_files.items():
        answer = sentences(uploads.open_picture)(upload(path.read_bytes()))
        assert set(answer) == {"error"}, name
        assert "Traceback" not in answer["error"] and answer["error"].endswith("."), name


@pytest.mark.parametrize(
    "bad", [None, {}, upload(b"", checkpoint="x"), SimpleNamespace(data={}, files=[])], ids=range(4)
)
def test_an_upload_that_is_none_gets_a_sentence(uploads: Uploads, bad: Any) -> None:
    assert set(sentences(uploads.open_picture)(bad)) == {"error"}


def test_an_unexpected_error_is_logged_under_the_number_that_the_visitor_sees(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(payload: Any) -> dict[str, Any]:
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR):
        sentence = sentences(broken)({})["error"]
    number = sentence.rstrip(".").rsplit(" ", 1)[1]
    assert "secret" not in sentence
    assert number in caplog.text and "secret detail" in caplog.text


def test_a_photo_begins_as_outline_and_a_line_drawing_as_it_is(uploads: Uploads, tmp_path: Path) -> None:
    photo = Image.new("RGB", (900, 600), "navy")
    ImageDraw.Draw(photo).ellipse((200, 100, 600, 500), fill="orange")
    photo.save(tmp_path / "photo.png")
    answer = uploads.open_picture(upload((tmp_path / "photo.png").read_bytes()))
    assert answer["variant"] == "outline"
    assert decoded(answer["pictures"]["as_is"]).size == decoded(answer["pictures"]["outline"]).size == (512, 341)

    drawing = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(drawing).ellipse((20, 20, 80, 80), outline="black", width=3)
    drawing.save(tmp_path / "drawing.png")
    assert uploads.open_picture(upload((tmp_path / "drawing.png").read_bytes()))["variant"] == "as_is"


def test_a_photo_begins_in_flat_colours_and_a_logo_as_it_is(uploads: Uploads) -> None:
    shades = Image.linear_gradient("L").resize((900, 600))
    photo = Image.merge("RGB", (shades, shades.rotate(180), Image.new("L", (900, 600), 90)))
    answer = uploads.open_picture(upload(file_of(photo, "PNG"), checkpoint=PAINT))
    assert answer["variant"] == "flat" and set(answer["pictures"]) == {"as_is", "flat"}
    flat = decoded(answer["pictures"]["flat"])
    assert flat.size == (512, 341)
    assert len(flat.getcolors(512 * 341)) < len(photo.resize((512, 341)).getcolors(512 * 341)) / 4

    logo = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(logo).ellipse((10, 10, 90, 90), fill="navy")
    ImageDraw.Draw(logo).rectangle((40, 40, 60, 60), fill="orange")
    plain = [file_of(Image.new("RGB", (50, 50), colour), "PNG") for colour in ("white", "red")]
    for file in (file_of(logo, "PNG"), file_of(logo, "JPEG"), *plain):
        assert uploads.open_picture(upload(file, checkpoint=PAINT))["variant"] == "as_is"


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


def test_examples_are_of_the_direction_asked_for(uploads: Uploads) -> None:
    one = uploads.examples({"checkpoint": NAME, "direction": "A2B"})["examples"]
    assert len(one) == 1 and decoded(one[0]).size == (32, 32), "the example that is no picture is left out"
    assert uploads.examples({"checkpoint": LATENT, "direction": "A2B"}) == {"examples": []}
    other = uploads.examples({"checkpoint": LATENT, "direction": "B2A"})["examples"]
    assert [decoded(url).getpixel((0, 0)) for url in other] == [pytest.approx((255, 0, 0), abs=3)]
    assert set(sentences(uploads.examples)({"checkpoint": "nobody"})) == {"error"}


def test_every_text_that_the_translation_view_names_exists() -> None:
    """A forgotten text would show as an empty label."""
    html = "".join((HERE / name).read_text() for name in ("translation.html", "editor.html"))
    script = "".join(path.read_text() for path in HERE.glob("*.js"))
    named = set(re.findall(r"\{\{texts\.(\w+)\}\}", html)) | set(re.findall(r"\btexts\.(\w+)", script))
    assert named <= {*text.EDITOR, *text.HISTORY}
    built = {f"placeholder_{kind}" for kind in get_args(Kind)} | {f"colour_{name}" for name in FREE_COLOURS}
    assert built <= set(text.EDITOR) <= named | built, "texts that nobody shows"


def test_a_cancelled_batch_is_told_and_packed_as_it_was(catalog: Catalog, pairs: Path) -> None:
    one, two = sorted((pairs / "test").iterdir())[:2]
    batch = Batch(catalog, {"checkpoint": LATENT, "direction": "A2B", "seed": None, "temperature": 1})
    batch.add(str(one))
    cancelled = batch.so_far()
    batch.add(str(two))  # it was under way when the visitor cancelled
    assert "1 of 2" in cancelled.summary(2) and "2 of 2" in batch.summary(2)
    archive = cancelled.archive()
    assert archive is not None
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == [f"01-{one.stem}.png", "settings.json"]
