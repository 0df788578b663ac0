"""Visitors' files: bad ones, photos and drawings, examples, batches."""

import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageDraw

from ui.batch import Batch
from ui.catalog import Catalog
from ui.errors import sentences
from ui.uploads import Uploads

from .conftest import LATENT, NAME, PAINT, decoded, file_of, upload


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


def test_examples_are_of_the_direction_asked_for(uploads: Uploads) -> None:
    one = uploads.examples({"checkpoint": NAME, "direction": "A2B"})["examples"]
    assert len(one) == 1 and decoded(one[0]).size == (32, 32), "the example that is no picture is left out"
    assert uploads.examples({"checkpoint": LATENT, "direction": "A2B"}) == {"examples": []}
    other = uploads.examples({"checkpoint": LATENT, "direction": "B2A"})["examples"]
    assert [decoded(url).getpixel((0, 0)) for url in other] == [pytest.approx((255, 0, 0), abs=3)]
    assert set(sentences(uploads.examples)({"checkpoint": "nobody"})) == {"error"}


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
