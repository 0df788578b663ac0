"""Questions of visitors. A payload is read once, here, into a frozen question; no later step looks at the payload."""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import i2i_models as i2i
from i2i_models.checkpoints.styles import check_style
from i2i_models.directions import Direction, opposite, source
from i2i_models.images.outlines import as_kind
from ui import text
from ui.catalog import Catalog
from ui.errors import BadRequest
from ui.payload import open_picture, read_image, read_mapping, read_seed, read_share, read_switch, read_temperature

LONGEST = 12
"""How many times as long as wide a picture may be: each such length is a square's work, in one turn at a network."""


@dataclasses.dataclass(frozen=True)
class Input:
    """A picture for a network to encode, or the key of one that it encoded before."""

    translator: i2i.Translator
    direction: Direction
    key: str
    """A hash of the picture's own bytes: only who has a picture, or was told its key, finds what is cached of it."""
    image: Image.Image | None = None
    """None where a browser names the picture by its key alone."""

    def by_key(self) -> "Input":
        """The same without the picture itself; its codes are cached under this."""
        return dataclasses.replace(self, image=None)


@dataclasses.dataclass(frozen=True)
class Question:
    """One result that a visitor asks for."""

    input: Input
    second: Input | None = None
    """Decode codes on the way from the input to this one …"""
    share: float = 0.0
    """… as far along the way as this, 0 … 1."""
    style: tuple[float, ...] | None = None
    seed: int | None = None
    """None for no chance."""
    temperature: float = 1.0
    draft: bool = False
    """Coarser and quicker, since the next result is to replace it at once."""
    way_back: bool = False
    """Also translate the result back."""

    def by_key(self) -> "Question":
        """The same without the pictures themselves; the answer is cached under this."""
        second = self.second and self.second.by_key()
        return dataclasses.replace(self, input=self.input.by_key(), second=second)

    @property
    def keys(self) -> dict[str, str]:
        """The keys by which a browser names the pictures from now on."""
        return {"key": self.input.key} | ({"second_key": self.second.key} if self.second else {})

    @property
    def decoding(self) -> dict[str, Any]:
        """`style` `(style_dim,)`, `seed` and `temperature`, as `Translator.decode` and `Translator.draw` take them."""
        style = None if self.style is None else torch.tensor(self.style)
        return {"style": style, "seed": self.seed, "temperature": self.temperature}


@dataclasses.dataclass(frozen=True)
class Upload:
    """A visitor's file for one direction of a checkpoint."""

    translator: i2i.Translator
    direction: Direction
    image: Image.Image


def read_question(catalog: Catalog, payload: Any) -> Question:
    """Read what the drawing editor sends.

    Args:
        payload: `checkpoint`, `direction` and `image` (data URL) or `key` (of an earlier answer); and further, all
            optional: `style` (list of numbers), `seed` (None: no chance), `temperature` (0 … 3), `second` ({`image`
            or `key`}) with `share` (0 … 1), `way_back`.

    Raises:
        I2IError: a field is not of its kind, or the checkpoint cannot do what it asks for.
    """
    payload = read_mapping(payload)
    translator, direction = read_model(catalog, payload)
    style, second = payload.get("style"), payload.get("second")
    if second is not None and not translator.capabilities.mixes_codes:
        raise BadRequest(text.SERVER["no_interpolation"])
    way_back = read_switch(payload.get("way_back"))
    if way_back and opposite(direction) not in translator.directions:
        raise BadRequest(text.SERVER["no_way_back"])
    return Question(
        input=read_input(translator, direction, payload),
        second=None if second is None else read_input(translator, direction, read_mapping(second)),
        share=0.0 if second is None else read_share(payload.get("share")),
        style=None if style is None else read_style(translator, style),
        seed=read_seed(payload.get("seed")),
        temperature=read_temperature(payload.get("temperature")),
        way_back=way_back,
    )


def read_model(catalog: Catalog, payload: Any) -> tuple[i2i.Translator, Direction]:
    """The translator and direction that a payload names as `checkpoint` and `direction`.

    Raises:
        BadRequest: there is no such checkpoint, or it does not have that direction.
    """
    payload = read_mapping(payload)
    translator = catalog.named(payload.get("checkpoint"))
    direction = payload.get("direction")
    if direction not in translator.directions:
        raise BadRequest(text.SERVER["bad_direction"].format(title=translator.info.title))
    return translator, direction


def read_input(translator: i2i.Translator, direction: Direction, payload: Mapping[str, Any]) -> Input:
    """The picture that a payload has as `image` or names as `key`.

    A key that comes with an image is not believed: nobody can plant a picture under another one's key.

    Raises:
        BadRequest: neither is there. Further as `read_image`.
    """
    url, key = payload.get("image"), payload.get("key")
    if url is not None:
        image = check_length(read_image(url))
        return Input(translator, direction, hashlib.blake2b(url.encode(), digest_size=16).hexdigest(), image)
    if not isinstance(key, str):
        raise BadRequest(text.SERVER["bad_request"])
    return Input(translator, direction, key)


def read_style(translator: i2i.Translator, value: Any) -> tuple[float, ...]:
    """A style for a translator.

    Raises:
        BadRequest: the translator has no styles. StyleError: the value is no style of it.
    """
    if not translator.capabilities.style_dim:
        raise BadRequest(text.SERVER["no_style"])
    return tuple(check_style(value, translator.capabilities.style_dim).tolist())


def read_upload(catalog: Catalog, payload: Any) -> Upload:
    """A visitor's file, sent as multipart so that the server's limit on file sizes holds.

    Raises:
        BadRequest: there is no file; further as `read_model`. ImageError: the file is no image.
    """
    files = getattr(payload, "files", None)
    if not files:
        raise BadRequest(text.SERVER["bad_request"])
    translator, direction = read_model(catalog, getattr(payload, "data", None))
    return Upload(translator, direction, open_for(translator, direction, files[0][1]))


def check_length(image: Image.Image) -> Image.Image:
    """A picture that is to be translated.

    Raises:
        BadRequest: it is so long that it would keep others waiting.
    """
    if max(image.size) > LONGEST * min(image.size):
        raise BadRequest(text.SERVER["too_long"].format(limit=LONGEST))
    return image


def open_for(translator: i2i.Translator, direction: Direction, file: Path | bytes) -> Image.Image:
    """A visitor's file as the input of a translator: in its data's range of values, a drawing dark on light.

    Raises:
        ImageError: the file is no image.
    """
    domain = translator.info.domains[source(direction)]
    return as_kind(open_picture(file, value_range=domain.range), domain.kind)
