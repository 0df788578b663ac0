"""What the styles component asks the server. A picture is encoded once; from then on its key and a style are enough.

Nothing is kept for a visitor; each function answers from its payload and the codes that `Catalog` remembers by content.
"""

import base64
import logging
from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

import i2i_models as i2i
from i2i_models.network import Direction
from i2i_models.styles import LIMIT, StyleSpace, check_style, format_style, interpolate, load_styles, parse_style
from ui import text, zero
from ui.editor import ServerFunction
from ui.multimodal.animation import encoders
from ui.payload import BadRequest, read_mapping, read_seed, read_share, read_switch, to_data_url, to_live_url
from ui.serving import Answer, Catalog, Stopwatch, sentences

log = logging.getLogger(__name__)

MAX_AT_ONCE = 12
"""Styles in one question; all are decoded in one pass, which memory and other visitors' patience bound."""
MAX_THUMBNAIL = 256
MAX_TEXT = 4000
"""Characters of a pasted style; the longest real one is a tenth of it."""
FRAMES = 24
"""Frames of an animation from one style to the other; the way back has the same without both ends."""
DRAFT_QUALITY, FINAL_QUALITY, THUMBNAIL_QUALITY = 75, 92, 85


class StyleAnswers:
    """The server functions of the component, over a catalogue of checkpoints."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.encoders = encoders()

    @property
    def functions(self) -> list[ServerFunction]:
        """All of them; an error comes back as `{"error": sentence}`."""
        named = (self.draw, self.draw_each, self.sample, self.paste, self.read_guide, self.gallery, self.animate)
        return [sentences(function) for function in named]

    def draw(self, payload: Any) -> Answer:
        """One picture in one style.

        Args:
            payload: `checkpoint`, `direction`, `image` or `key`; `style`, or the styles `start` and `end` and the
                `share` of the way from one to the other; and `draft`: coarser and quicker, for pictures that the
                next ones replace at once.

        Returns:
            `image` (data URL), `key`, `ms`, the `style` and the same as `text`.
        """
        payload = read_mapping(payload)
        watch = Stopwatch()
        translator, codes, key = self.catalog.codes(payload, watch)
        style = _one_style(translator, payload)
        draft = read_switch(payload.get("draft"))
        with self.catalog.turn(watch):
            result = translator.decode(codes, style, draft=draft)
        return {
            "image": to_live_url(result, DRAFT_QUALITY if draft else FINAL_QUALITY),
            "key": key,
            "ms": watch.shown,
            "style": style.tolist(),
            "text": format_style(style),
        }

    def draw_each(self, payload: Any) -> Answer:
        """One picture in several styles, small.

        Args:
            payload: as for `draw`, with `styles`, or `start`, `end` and the `count` of even steps between them;
                and `side`, the pictures' side in pixels.

        Returns:
            `images` (data URLs), `styles` and `key`.
        """
        payload = read_mapping(payload)
        side = _whole(payload.get("side"), 16, MAX_THUMBNAIL)
        translator, codes, key = self.catalog.codes(payload)
        styles = _many_styles(translator, payload)
        with self.catalog.turn():
            results = translator.decode_each(codes, styles)
        for result in results:
            result.thumbnail((side, side))
        images = [to_live_url(r, THUMBNAIL_QUALITY) for r in results]
        return {"images": images, "styles": styles.tolist(), "key": key}

    def sample(self, payload: Any) -> Answer:
        """Random styles of the prior, of the seeds from `seed` on: `count` `styles`.

        A seed's style is the one that `Translator.translate` takes for the same seed.
        """
        payload = read_mapping(payload)
        seed, count = read_seed(payload.get("seed")) or 0, _whole(payload.get("count"), 1, MAX_AT_ONCE)
        translator, _ = self.catalog.find(payload)
        draw = translator.network.sample_styles
        return {"styles": [draw(1, torch.Generator().manual_seed(seed + i))[0].tolist() for i in range(count)]}

    def paste(self, payload: Any) -> Answer:
        """A style that somebody pasted: `text` → `style`."""
        payload = read_mapping(payload)
        translator, _ = self.catalog.find(payload)
        pasted = payload.get("text")
        if not isinstance(pasted, str) or len(pasted) > MAX_TEXT:
            raise BadRequest(text.MULTIMODAL_SERVER["no_text"])
        return {"style": parse_style(pasted, translator.abilities.style_dim).tolist()}

    def read_guide(self, payload: Any) -> Answer:
        """The style of a visitor's file (multipart): `style`, and the `picture` (data URL) that it was read off."""
        files = getattr(payload, "files", None)
        if not files:
            raise BadRequest(text.SERVER["bad_request"])
        translator, direction = self.catalog.find(read_mapping(getattr(payload, "data", None)))
        image = i2i.open_image(files[0][1])
        with self.catalog.turn():
            style = translator.encode_style(image, direction[2])
        image.thumbnail((MAX_THUMBNAIL, MAX_THUMBNAIL))
        return {
            "style": style.clamp(-LIMIT, LIMIT).tolist(),
            "picture": to_data_url(image, "WEBP", quality=FINAL_QUALITY),
        }

    def gallery(self, payload: Any) -> Answer:
        """Example pictures of the target domain: `examples`, each a `style` and the `picture` (data URL) it is of."""
        translator, direction = self.catalog.find(read_mapping(payload))
        space = spaces_of(translator)[direction[2]]
        examples = zip(space.styles.tolist(), space.pictures, strict=True)
        return {"examples": [{"style": style, "picture": _to_url(picture)} for style, picture in examples]}

    def animate(self, payload: Any) -> Answer:
        """The way from one style to another and back, of one picture.

        Args:
            payload: `checkpoint`, `direction`, `image` or `key`, the styles `start` and `end`, and `format`, one of
                `encoders`.

        Returns:
            `file` (data URL) and `key`.
        """
        payload = read_mapping(payload)
        encoder = self.encoders.get(str(payload.get("format")))
        if encoder is None:
            raise BadRequest(text.SERVER["bad_request"])
        translator, codes, key = self.catalog.codes(payload)
        way = interpolate(*_ends(translator, payload), torch.linspace(0, 1, FRAMES))
        frames = zero.decode_each(self.catalog, translator, codes, way)
        encode, mime = encoder
        data = base64.b64encode(encode(frames + frames[-2:0:-1])).decode()
        return {"file": f"data:{mime};base64,{data}", "key": key}


def style_controls(translator: i2i.Translator, direction: Direction) -> dict[str, Any]:
    """Where the target domain's styles lie, as plain values: its `name`, `mean`, `directions`, `deviations`.

    A checkpoint whose file about it is damaged is served all the same, with the prior.
    """
    space = spaces_of(translator)[direction[2]]
    return {
        "name": translator.info.domains[direction[2]].name,
        "mean": space.mean.tolist(),
        "directions": space.directions.tolist(),
        "deviations": space.deviations.tolist(),
    }


def spaces_of(translator: i2i.Translator) -> dict[str, StyleSpace]:
    """The translator's style spaces; where its file about them is damaged the prior, and a logged line."""
    try:
        return translator.styles
    except i2i.CheckpointError as error:
        log.warning("styles of %s: %s", translator.info.name, error)
        return load_styles(None, translator.abilities.style_dim)


def _to_url(picture: Tensor) -> str:
    return to_data_url(Image.fromarray(picture.permute(1, 2, 0).numpy()), "WEBP", quality=FINAL_QUALITY)


def _style(translator: i2i.Translator, values: Any) -> Tensor:
    return check_style(values, translator.abilities.style_dim)


def _ends(translator: i2i.Translator, payload: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    return _style(translator, payload.get("start")), _style(translator, payload.get("end"))


def _one_style(translator: i2i.Translator, payload: Mapping[str, Any]) -> Tensor:
    """`style`, or the one `share` of the way from `start` to `end`: `(style_dim,)`."""
    if "share" not in payload:
        return _style(translator, payload.get("style"))
    return interpolate(*_ends(translator, payload), torch.tensor([read_share(payload["share"])]))[0]


def _many_styles(translator: i2i.Translator, payload: Mapping[str, Any]) -> Tensor:
    """`styles`, or `count` of them evenly on the way from `start` to `end`: `(K, style_dim)`."""
    if "count" in payload:
        count = _whole(payload["count"], 2, MAX_AT_ONCE)
        return interpolate(*_ends(translator, payload), torch.linspace(0, 1, count))
    wanted = payload.get("styles")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_AT_ONCE:
        raise BadRequest(text.SERVER["bad_request"])
    return torch.stack([_style(translator, style) for style in wanted])


def _whole(value: Any, low: int, high: int) -> int:
    """A whole number from low to high."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(text.SERVER["bad_request"])
    return value
