"""What the Multimodal tab asks the server: pictures in styles, styles of pictures, animations; and bad questions."""

import base64
import io
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from tiny_munit import DIM, a_space, load_tiny

import i2i_models as i2i
from i2i_models.checkpoints import STYLES
from i2i_models.checkpoints.styles import parse_style, save_styles
from ui.answers import Answers
from ui.catalog import Catalog
from ui.multimodal.animation import encoders
from ui.multimodal.answers import StyleAnswers, style_controls
from ui.multimodal.question import FRAMES
from ui.payload import to_data_url


@pytest.fixture
def translator(tmp_path: Path) -> i2i.Translator:
    """An untrained MUNIT of 32 pixels."""
    return load_tiny(tmp_path)


@pytest.fixture
def answers(translator: i2i.Translator) -> StyleAnswers:
    assert translator.folder is not None
    save_styles(translator.folder, {"A": a_space(), "B": a_space()})
    return StyleAnswers(Answers(Catalog(translator.folder.parent)))


def question(**changes: Any) -> dict[str, Any]:
    drawing = Image.fromarray(np.random.default_rng(2).integers(0, 255, (32, 32, 3), dtype=np.uint8))
    return {"checkpoint": "tiny", "direction": "A2B", "image": to_data_url(drawing), **changes}


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")).astype(int)


def nearest(image: np.ndarray, others: list[np.ndarray]) -> int:
    """Which of the others is most like an image; that they were compressed with some loss does not matter."""
    return int(np.argmin([abs(image - other).mean() for other in others]))


def test_a_picture_is_encoded_once(answers: StyleAnswers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = question(style=[0.0] * DIM)
    first = answers.draw(asked)
    monkeypatch.setattr(i2i.Translator, "encode", lambda *_: pytest.fail("encoded again"))
    del asked["image"]
    for style in ([1.0, 0, 0, 0], [0, -1, 2, 0.5]):
        answer = answers.draw({**asked, "key": first["key"], "style": style, "draft": True})
        assert answer["key"] == first["key"] and answer["image"] != first["image"]
        assert parse_style(answer["text"], DIM).tolist() == answer["style"] == style


def test_small_pictures_are_those_of_the_large_ones(answers: StyleAnswers) -> None:
    wanted = torch.randn(3, DIM).tolist()
    small = [pixels(image) for image in answers.draw_each(question(styles=wanted, side=32))["images"]]
    large = [pixels(answers.draw(question(style=style))["image"]) for style in wanted]
    assert [nearest(image, large) for image in small] == [0, 1, 2]
    assert pixels(answers.draw_each(question(styles=wanted, side=16))["images"][0]).shape == (16, 16, 3)


def test_the_way_is_the_same_in_one_place_and_in_steps(answers: StyleAnswers) -> None:
    ends = {"start": [1.0, 0, 0, 0], "end": [0, 2.0, 0, 0]}
    steps = answers.draw_each(question(**ends, count=5, side=32))["styles"]
    assert steps[0] == ends["start"] and np.allclose(steps[4], ends["end"], atol=1e-6)
    assert np.allclose(answers.draw(question(**ends, share=0.25))["style"], steps[1])


def test_a_seed_is_the_style_that_translating_takes_for_it(answers: StyleAnswers) -> None:
    first = answers.sample({"checkpoint": "tiny", "direction": "A2B", "seed": 5, "count": 3})["styles"]
    assert answers.sample({"checkpoint": "tiny", "direction": "A2B", "seed": 6, "count": 1})["styles"] == first[1:2]
    translator = answers.catalog.translators["tiny"]
    image = Image.new("RGB", (32, 32), "orange")
    seeded = translator.translate(image, seed=5)
    assert np.array_equal(seeded, translator.translate(image, style=torch.tensor(first[0])))


def test_examples_come_with_their_styles(answers: StyleAnswers) -> None:
    examples = answers.gallery({"checkpoint": "tiny", "direction": "A2B"})["examples"]
    assert len(examples) == 3
    assert all(len(e["style"]) == DIM and pixels(e["picture"]).shape == (8, 8, 3) for e in examples)


@pytest.mark.parametrize("format", encoders())
def test_animations_go_there_and_back(answers: StyleAnswers, format: str) -> None:
    ends = {"start": [2.0, 0, 0, 0], "end": [0, -2.0, 0, 0]}
    url = answers.animate(question(**ends, format=format))["file"]
    data = base64.b64decode(url.partition(",")[2])
    if format in ("webp", "gif"):
        with Image.open(io.BytesIO(data)) as moving:
            assert moving.format is not None and moving.format.lower() == format
            frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(moving)]
    else:
        import av

        with av.open(io.BytesIO(data)) as file:
            frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    # Equal neighbours may be stored as one longer frame.
    assert 20 < len(frames) <= 2 * FRAMES - 2 and frames[0].shape == (32, 32, 3)
    first = pixels(answers.draw(question(style=ends["start"]))["image"])
    last = pixels(answers.draw(question(style=ends["end"]))["image"])
    middle = len(frames) // 2
    assert [nearest(frames[i], [first, last]) for i in (0, 5, middle - 5, middle, middle + 5)] == [0, 0, 1, 1, 1]
    # The last frame is one step from the first, so that the loop has no seam.
    assert nearest(frames[-1], [frames[0], frames[5]]) == 0


BAD_QUESTIONS = {
    "no style": ("draw", {}),
    "text for numbers": ("draw", {"style": "1,2,3,4"}),
    "too short": ("draw", {"style": [1.0]}),
    "not a number": ("draw", {"style": [math.nan] * DIM}),
    "a share beyond the end": ("draw", {"start": [0.0] * DIM, "end": [1.0] * DIM, "share": 2}),
    "no end": ("draw", {"start": [0.0] * DIM, "share": 0.5}),
    "too many": ("draw_each", {"styles": [[0.0] * DIM] * 99, "side": 32}),
    "none": ("draw_each", {"styles": [], "side": 32}),
    "a huge side": ("draw_each", {"styles": [[0.0] * DIM], "side": 10**6}),
    "a million steps": ("draw_each", {"start": [0.0] * DIM, "end": [1.0] * DIM, "count": 10**6, "side": 32}),
    "a negative seed": ("sample", {"seed": -1, "count": 1}),
    "a million samples": ("sample", {"seed": 1, "count": 10**6}),
    "pasted number": ("paste", {"text": 12}),
    "pasted book": ("paste", {"text": "1," * 100_000}),
    "pasted prose": ("paste", {"text": "not a style"}),
    "no file": ("read_guide", {}),
    "unknown format": ("animate", {"start": [0.0] * DIM, "end": [1.0] * DIM, "format": "exe"}),
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_bad_questions_get_a_sentence(answers: StyleAnswers, name: str) -> None:
    function, changes = BAD_QUESTIONS[name]
    named = {f.__name__: f for f in answers.functions}
    error = named[function](question(**changes))["error"]
    assert error.endswith(".") and "our side" not in error, error
    assert "error" in named[function](None)


def test_a_guide_of_the_wrong_kind_gets_a_sentence(answers: StyleAnswers, odd_files: dict[str, Path]) -> None:
    read = next(f for f in answers.functions if f.__name__ == "read_guide")

    def send(data: bytes) -> dict[str, Any]:
        return read(SimpleNamespace(files=[("file", data)], data={"checkpoint": "tiny", "direction": "A2B"}))

    for name, path in odd_files.items():
        error = send(path.read_bytes())["error"]
        assert error.endswith(".") and "our side" not in error, (name, error)
    good = io.BytesIO()
    Image.new("RGB", (50, 40), "teal").save(good, "PNG")
    answer = send(good.getvalue())
    assert len(answer["style"]) == DIM and pixels(answer["picture"]).shape == (40, 50, 3)


def test_a_checkpoint_with_damaged_styles_is_served_with_the_prior(
    translator: i2i.Translator, caplog: pytest.LogCaptureFixture
) -> None:
    assert translator.folder is not None
    (translator.folder / STYLES).write_text("broken")
    controls = style_controls(translator, "A2B")
    assert controls["mean"] == [0.0] * DIM and controls["deviations"] == [1.0] * DIM
    assert STYLES in caplog.text
