"""Whatever bytes and values come in: an answer or one of our errors, never another exception."""

import base64
import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_checkpoints import STYLED, save_checkpoints

import i2i_models as i2i
from i2i_models.checkpoints.styles import LIMIT, parse_style
from ui import payload
from ui.catalog import Catalog
from ui.errors import BadRequest
from ui.multimodal.question import read_draw
from ui.question import read_question

from .conftest import drawing

# Other examples each time, where CI would have the same for ever; what fails says how to have it again.
FUZZ = settings(
    max_examples=80,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inside: st.lists(inside, max_size=10) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


KINDS = (
    ("PNG", "RGBA"),
    ("PNG", "P"),
    ("JPEG", "CMYK"),
    ("WEBP", "RGBA"),
    ("GIF", "P"),
    ("BMP", "1"),
    ("TIFF", "I;16"),
)
HEADS = (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"\xff\xd8\xff")


def _files() -> list[bytes]:
    image = Image.effect_mandelbrot((17, 13), (-3, -2.5, 2, 2.5), 20)
    files = []
    for format, mode in KINDS:
        buffer = io.BytesIO()
        (image.convert("I") if mode == "I;16" else image).convert(mode).save(buffer, format)
        files.append(buffer.getvalue())
    return files


FILES = _files()


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """An image's file with bytes changed, left out or added."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from((0, 1, 4)))
        data[at : at + length] = draw(st.binary(max_size=4))
    return bytes(data)


def opens(data: bytes) -> None:
    """Open a file, which may be refused."""
    try:
        image = i2i.open_image(data)
    except i2i.ImageError as error:
        assert str(error).endswith(".")
    else:
        assert image.mode == "RGB" and min(image.size) >= 2


def test_the_files_are_images_before_they_are_damaged() -> None:
    for data in FILES:
        assert i2i.open_image(data).size == (17, 13)


@FUZZ
@given(damaged_files())
def test_damaged_images(data: bytes) -> None:
    opens(data)


@FUZZ
@given(
    st.sampled_from((b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"\xff\xd8\xff")),
    st.binary(),
)
def test_bytes_that_begin_as_an_image(head: bytes, rest: bytes) -> None:
    opens(head + rest)


@FUZZ
@given(ANYTHING | st.binary().map(lambda data: "data:image/png;base64," + base64.b64encode(data).decode()) | st.text())
def test_any_image_of_a_payload(value: object) -> None:
    try:
        payload.read_image(value)
    except i2i.I2IError as error:
        assert str(error)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("fuzzed")
    save_checkpoints(folder)
    return Catalog(folder)


FIELDS = ("image", "key", "style", "seed", "temperature", "second", "share", "way_back", "draft", "start", "end")


@FUZZ
@given(
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4),
    st.lists(st.floats() | st.integers(), max_size=600) | st.lists(st.floats(-20, 20), min_size=8, max_size=8),
)
def test_any_question(catalog: Catalog, fields: dict[str, object], style: list[float]) -> None:
    right = {"checkpoint": STYLED, "direction": "A2B", "image": drawing(), "style": style}
    for read in (read_question, read_draw):
        try:
            question = read(catalog, {**right, **fields})
        except i2i.I2IError as error:
            assert str(error)
            continue
        assert question.by_key().input.image is None and hash(question.by_key())
        assert question.style is None or (len(question.style) == 8 and max(map(abs, question.style)) <= LIMIT)


@FUZZ
@given(ANYTHING)
def test_any_number_of_a_payload(value: object) -> None:
    for read, low, high in (
        (payload.read_seed, 0, payload.MAX_SEED),
        (payload.read_temperature, 0, payload.MAX_TEMPERATURE),
        (payload.read_share, 0, 1),
    ):
        try:
            number = read(value)
        except BadRequest:
            continue
        assert number is None or (math.isfinite(number) and low <= number <= high)


@FUZZ
@given(st.text() | st.lists(st.floats() | st.integers(), max_size=9).map(str), st.integers(1, 8))
def test_any_text_for_a_style(text: str, dim: int) -> None:
    try:
        style = parse_style(text, dim)
    except i2i.I2IError as error:
        assert str(error)
    else:
        assert style.shape == (dim,) and bool(style.isfinite().all())
