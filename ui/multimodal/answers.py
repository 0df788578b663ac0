"""Server functions of the styles component. A picture is encoded once; from then on its key and a style are enough."""

import base64
import logging
from typing import Any

import torch
from PIL import Image
from torch import Tensor

import i2i_models as i2i
from i2i_models.checkpoints.styles import LIMIT, StyleSpace, format_style, load_styles, parse_style, sample_styles
from i2i_models.directions import Direction, target
from ui import text, zero
from ui.answers import Answers
from ui.errors import Answer, BadRequest, sentences
from ui.multimodal.animation import encoders
from ui.multimodal.question import MAX_AT_ONCE, MAX_THUMBNAIL, read_animation, read_draw, read_thumbnails
from ui.payload import read_mapping, read_seed, read_whole, to_data_url, to_live_url
from ui.question import read_model, read_upload

log = logging.getLogger(__name__)

MAX_TEXT = 4000
"""Characters of a pasted style; the longest real one is a tenth of it."""
PICTURE_QUALITY, THUMBNAIL_QUALITY = 92, 85


class StyleAnswers:
    """The server functions of the component. It keeps nothing itself; codes and results are cached by `Answers`."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.catalog = answers, answers.catalog
        self.encoders = encoders()

    @property
    def functions(self) -> list[Any]:
        """All of them; an error comes back as `{"error": sentence}`."""
        named = (self.draw, self.draw_each, self.sample, self.paste, self.read_guide, self.gallery, self.animate)
        return [sentences(function) for function in named]

    def draw(self, payload: Any) -> Answer:
        """One result in one style; the payload is that of `read_draw`.

        Returns:
            `image` (data URL), `key`, `ms`, the `style` and the same as `text`.
        """
        question = read_draw(self.catalog, payload)
        style = question.decoding["style"]
        return {**self.answers.answer(question), "style": style.tolist(), "text": format_style(style)}

    def draw_each(self, payload: Any) -> Answer:
        """One input in several styles, small; the payload is that of `read_thumbnails`.

        Returns:
            `images` (data URLs), `styles` and `key`.
        """
        question = read_thumbnails(self.catalog, payload)
        codes = self.answers.encode(question.input)
        with self.catalog.pool.slot():
            results = question.input.translator.decode_each(codes, question.styles)
        for result in results:
            result.thumbnail((question.side, question.side))
        images = [to_live_url(result, THUMBNAIL_QUALITY) for result in results]
        return {"images": images, "styles": question.styles.tolist(), "key": question.input.key}

    def animate(self, payload: Any) -> Answer:
        """The way from one style to another and back; the payload is that of `read_animation`.

        Returns:
            `file` (data URL) and `key`.
        """
        question = read_animation(self.catalog, payload, self.encoders)
        codes = self.answers.encode(question.input)
        frames = zero.decode_each(self.catalog.pool, question.input.translator, codes, question.styles)
        encode, mime = self.encoders[question.format]
        data = base64.b64encode(encode(frames + frames[-2:0:-1])).decode()
        return {"file": f"data:{mime};base64,{data}", "key": question.input.key}

    def sample(self, payload: Any) -> Answer:
        """Random styles of the prior, of the seeds from `seed` on: `count` `styles`.

        A seed's style is the one that `Translator.translate` takes for the same seed.
        """
        payload = read_mapping(payload)
        translator, _ = read_model(self.catalog, payload)
        seed, count = read_seed(payload.get("seed")) or 0, read_whole(payload.get("count"), 1, MAX_AT_ONCE)
        dim = translator.capabilities.style_dim
        return {"styles": [_seeded_style(dim, seed + i) for i in range(count)]}

    def paste(self, payload: Any) -> Answer:
        """A style that somebody pasted: `text` → `style`."""
        payload = read_mapping(payload)
        translator, _ = read_model(self.catalog, payload)
        pasted = payload.get("text")
        if not isinstance(pasted, str) or len(pasted) > MAX_TEXT:
            raise BadRequest(text.MULTIMODAL_SERVER["no_text"])
        return {"style": parse_style(pasted, translator.capabilities.style_dim).tolist()}

    def read_guide(self, payload: Any) -> Answer:
        """The style of a visitor's file; the payload is that of `read_upload`.

        Returns:
            `style`, and the `picture` (data URL) that it was read from.
        """
        upload = read_upload(self.catalog, payload)
        with self.catalog.pool.slot():
            style = upload.translator.encode_style(upload.image, target(upload.direction))
        upload.image.thumbnail((MAX_THUMBNAIL, MAX_THUMBNAIL))
        return {
            "style": style.clamp(-LIMIT, LIMIT).tolist(),
            "picture": to_data_url(upload.image, "WEBP", quality=PICTURE_QUALITY),
        }

    def gallery(self, payload: Any) -> Answer:
        """Example pictures of the target domain: `examples`, each a `style` and the `picture` (data URL) it is of."""
        translator, direction = read_model(self.catalog, payload)
        space = spaces_of(translator)[target(direction)]
        examples = zip(space.styles.tolist(), space.pictures, strict=True)
        return {"examples": [{"style": style, "picture": _to_url(picture)} for style, picture in examples]}


def _seeded_style(dim: int, seed: int) -> list[float]:
    return sample_styles(1, dim, torch.Generator().manual_seed(seed))[0].tolist()


def style_controls(translator: i2i.Translator, direction: Direction) -> dict[str, Any]:
    """Where the target domain's styles lie, as plain values: its `name`, and the `StyleSpace`'s without examples."""
    space = spaces_of(translator)[target(direction)]
    return {
        "name": translator.info.domains[target(direction)].name,
        "mean": space.mean.tolist(),
        "directions": space.directions.tolist(),
        "deviations": space.deviations.tolist(),
        "names": list(space.names),
    }


def spaces_of(translator: i2i.Translator) -> dict[str, StyleSpace]:
    """The translator's style spaces by domain.

    A checkpoint whose file about them is damaged is served with the prior, and a logged line.
    """
    try:
        return translator.styles
    except i2i.CheckpointError as error:
        log.warning("styles of %s: %s", translator.info.name, error)
        return load_styles(None, translator.capabilities.style_dim)


def _to_url(picture: Tensor) -> str:
    return to_data_url(Image.fromarray(picture.permute(1, 2, 0).numpy()), "WEBP", quality=PICTURE_QUALITY)
