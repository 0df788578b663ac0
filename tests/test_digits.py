"""Digits that cross between data sets: framing, the folder of the networks, and the view's server function."""

import io
import json
from base64 import b64decode
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

import i2i_models as i2i
from i2i_models.inference.digits import Crossed, DigitCrossing, Networks, save_digits, sheet
from i2i_models.networks.digits import FILLED, SEEN, SIDE, framed
from ui import digits as view
from ui.digits import Crossings, digits_view
from ui.errors import sentences
from ui.payload import to_data_url
from ui.pool import Pool


def drawn(side: int, box: tuple[int, int, int, int]) -> Image.Image:
    """A ring on black."""
    image = Image.new("RGB", (side, side))
    ImageDraw.Draw(image).ellipse(box, outline="white", width=max(2, (box[3] - box[1]) // 9))
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Untrained networks."""
    torch.manual_seed(1)
    networks = Networks(4, 5)
    names = {"A": "MNIST", "B": "USPS"}
    save_digits(tmp_path / "digits", networks.network, networks.readers, (4, 5), names, "# A card\n", {"seed": 1})
    return tmp_path / "digits"


def test_a_digit_of_any_size_and_place_is_framed_alike() -> None:
    sheets = [sheet(drawn(160, (10, 20, 50, 60))), sheet(drawn(500, (100, 100, 460, 460)))]
    for x in map(framed, sheets):
        seen = (x[0, 0] >= SEEN).nonzero()
        first, last = seen.amin(0), seen.amax(0)
        assert all(abs(int(size) + 1 - FILLED) <= 2 for size in last - first)
        assert all(abs(int(middle) - SIDE + 1) <= 1 for middle in first + last)
    assert float((framed(sheets[0]) - framed(sheets[1])).abs().mean()) < 0.05
    assert not framed(sheet(Image.new("L", (160, 160)))).any()


def test_networks_of_digits_are_saved_small_and_what_is_none_is_told(folder: Path) -> None:
    crossing = DigitCrossing.load(folder)
    crossed: Crossed = crossing.cross(drawn(160, (40, 30, 100, 130)), "A")
    assert crossed.digit.size == crossed.translation.size == (SIDE, SIDE) and crossing.domains["B"] == "USPS"
    assert sum(crossed.read) == pytest.approx(1, abs=1e-4) and len(crossed.read_translation) == 10
    back = crossing.cross(drawn(160, (40, 30, 100, 130)), "B")
    assert back.digit.tobytes() == crossed.digit.tobytes()
    with pytest.raises(i2i.DirectionError, match="domains A and B"):
        crossing.cross(crossed.digit, "C")
    config = json.loads((folder / "config.json").read_text())
    for changed, sentence in (
        ({"kind": "pix2pix"}, "not of the kind digits-unit"),
        ({"width": 10**9}, "must lie in 1 … 128"),
        ({"width": 8}, "shape"),
        ({"domains": {"A": "x"}}, "domains must name A and B"),
    ):
        (folder / "config.json").write_text(json.dumps(config | changed))
        with pytest.raises(i2i.CheckpointError, match=sentence):
            DigitCrossing.load(folder)
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(i2i.CheckpointError, match="not readable JSON"):
        DigitCrossing.load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(i2i.CheckpointError, match="train adapt --output"):
        DigitCrossing.load(folder)


def test_the_view_answers_a_drawing_and_nothing_else(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask = sentences(Crossings(DigitCrossing.load(folder), Pool(1)).cross)
    answer = ask({"image": to_data_url(drawn(160, (40, 30, 100, 130))), "domain": "B"})
    for name in ("digit", "translation"):
        picture = Image.open(io.BytesIO(b64decode(answer[name].partition(",")[2])))
        assert picture.size == (view.SHOWN, view.SHOWN)
    assert sum(answer["read"]) == pytest.approx(1, abs=0.01) and answer["ms"] > 0
    for payload in (None, {"image": answer["digit"]}, {"image": "x", "domain": "A"}, {"domain": ["A"], "image": ""}):
        assert "reload the page" in ask(payload)["error"]
    assert "error" in ask({"image": "data:image/png;base64,AAAA", "domain": "A"})
    (folder / "config.json").write_text("{}")
    view.networks.cache_clear()
    digits_view(Pool(1), folder)  # the page goes on without it
    assert "no view of digits" in caplog.text


def test_the_networks_of_the_page_read_what_they_were_trained_on() -> None:
    crossing = DigitCrossing.load(view.FOLDER)
    assert (view.FOLDER / "model.safetensors").stat().st_size < 3_000_000
    ring = drawn(160, (50, 20, 110, 140))
    for domain in "AB":
        crossed = crossing.cross(ring, domain)
        assert (
            crossed.read.index(max(crossed.read)) == 0 == crossed.read_translation.index(max(crossed.read_translation))
        )
