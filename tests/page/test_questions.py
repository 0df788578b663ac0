"""Questions for pictures: bad ones, keys and caches, chance, walks, ways back."""

import logging
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import i2i_models as i2i
from ui import payload as reading
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import sentences

from .conftest import LATENT, ONE_WAY, STYLED, decoded, payload


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
