"""Questions of the styles component, each read once from its payload as those of ui/question.py."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

import i2i_models as i2i
from i2i_models.checkpoints.styles import interpolate
from ui import text
from ui.catalog import Catalog
from ui.errors import BadRequest
from ui.payload import read_mapping, read_share, read_switch, read_whole
from ui.question import Input, Question, read_input, read_model, read_style

MAX_AT_ONCE = 12
"""Styles in one question. All are decoded in one pass, which memory and other visitors' patience bound."""
MAX_THUMBNAIL = 256
FRAMES = 24
"""Frames of an animation from one style to the other; the way back has the same without both ends."""


@dataclasses.dataclass(frozen=True, eq=False)
class StylesQuestion:
    """One input in several styles."""

    input: Input
    styles: Tensor
    """`(K, style_dim)`."""


@dataclasses.dataclass(frozen=True, eq=False)
class AnimationQuestion(StylesQuestion):
    """One input in styles that follow each other, as a file."""

    format: str


@dataclasses.dataclass(frozen=True, eq=False)
class ThumbnailsQuestion(StylesQuestion):
    """One input in several styles, small."""

    side: int
    """Pixels, 16 … `MAX_THUMBNAIL`."""


def read_draw(catalog: Catalog, payload: Any) -> Question:
    """One result in one style.

    Args:
        payload: `checkpoint`, `direction`, `image` or `key`; `style`, or the styles `start` and `end` and the `share`
            of the way from one to the other; and `draft`.

    Raises:
        I2IError: a field is not of its kind, or the checkpoint has no styles.
    """
    payload = read_mapping(payload)
    translator, direction = read_model(catalog, payload)
    if "share" in payload:
        share = torch.tensor([read_share(payload["share"])])
        (style,) = interpolate(*_read_ends(translator, payload), share).tolist()
    else:
        style = read_style(translator, payload.get("style"))
    return Question(
        input=read_input(translator, direction, payload),
        style=tuple(style),
        draft=read_switch(payload.get("draft")),
    )


def read_thumbnails(catalog: Catalog, payload: Any) -> ThumbnailsQuestion:
    """One input in several styles, small.

    Args:
        payload: as for `read_draw`, with `styles`, or `start`, `end` and the `count` of even steps between them;
            and `side`, the pictures' side in pixels.

    Raises:
        I2IError: as `read_draw`.
    """
    payload = read_mapping(payload)
    translator, direction = read_model(catalog, payload)
    side = read_whole(payload.get("side"), 16, MAX_THUMBNAIL)
    return ThumbnailsQuestion(read_input(translator, direction, payload), _read_styles(translator, payload), side)


def read_animation(catalog: Catalog, payload: Any, formats: Collection[str]) -> AnimationQuestion:
    """One input in the styles on the way from one style to another, `FRAMES` of them.

    Args:
        payload: as for `read_draw`, with `start`, `end` and `format`.
        formats: those that there are.

    Raises:
        I2IError: as `read_draw`.
    """
    payload = read_mapping(payload)
    translator, direction = read_model(catalog, payload)
    format = payload.get("format")
    if not isinstance(format, str) or format not in formats:
        raise BadRequest(text.SERVER["bad_request"])
    styles = interpolate(*_read_ends(translator, payload), torch.linspace(0, 1, FRAMES))
    return AnimationQuestion(read_input(translator, direction, payload), styles, format)


def _read_styles(translator: i2i.Translator, payload: Mapping[str, Any]) -> Tensor:
    """`styles`, or `count` of them evenly on the way from `start` to `end`: `(K, style_dim)`."""
    if "count" in payload:
        count = read_whole(payload["count"], 2, MAX_AT_ONCE)
        return interpolate(*_read_ends(translator, payload), torch.linspace(0, 1, count))
    wanted = payload.get("styles")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_AT_ONCE:
        raise BadRequest(text.SERVER["bad_request"])
    return torch.tensor([read_style(translator, style) for style in wanted])


def _read_ends(translator: i2i.Translator, payload: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    start, end = (torch.tensor(read_style(translator, payload.get(name))) for name in ("start", "end"))
    return start, end
