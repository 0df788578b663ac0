"""For programs: named endpoints, which are MCP tools as well. Their docstrings are their documentation.

Called through `gradio_client`, plain HTTP (`/gradio_api/call/NAME`) or any MCP client (`/gradio_api/mcp/`).
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
import torch
from gradio import processing_utils
from gradio.utils import get_upload_folder, is_in_or_equal
from gradio_client.utils import is_file_obj, traverse
from PIL import Image

import i2i_models as i2i
from i2i_models.checkpoints.styles import check_style, interpolate, sample_styles
from i2i_models.directions import Direction, DomainKey, opposite, source
from ui import text
from ui.catalog import AT_ONCE, Catalog
from ui.errors import BadRequest, sentences
from ui.payload import open_picture, read_seed, read_temperature
from ui.question import check_length, open_for
from ui.uploads import shrink

MAX_SIDE = 2048
"""Pixels; larger pictures are made smaller first: the networks look at 128 or 256 of them."""
MAX_FRAME_SIDE = 512
"""The same where one question is answered by many pictures."""
MAX_STYLES = MAX_STEPS = 64
KEPT_SECONDS = 3600
"""How long uploads and results stay on the server."""
UPLOADED = "/gradio_api/file="
"""What an address of a file on this server has before the file's path."""


class Page(gr.Blocks):
    """Blocks whose events read files that were uploaded to this server, and nothing else.

    Gradio itself would fetch whatever public address stands in place of a file, of any size, and answer a
    path of the server's own disk with an error without words.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(delete_cache=(KEPT_SECONDS // 6, KEPT_SECONDS), **options)

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """As Gradio's, after the files among the inputs were checked.

        Raises:
            gr.Error: an input is a file that was not uploaded.
        """
        inputs = traverse(inputs, uploaded_file, is_file_obj)
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)


def uploaded_file(data: dict[str, Any]) -> dict[str, Any]:
    """What a client says of a file, reduced to what may be believed.

    An address of a file on this server becomes its path; no address is ever fetched.

    Raises:
        gr.Error: an address elsewhere, or a path outside of the folder of uploads.
    """
    path = data["path"]
    if urlsplit(path).scheme.lower() in ("http", "https"):
        path = unquote(urlsplit(path).path.partition(UPLOADED)[2])
        if not path:
            raise gr.Error(text.API["no_addresses"], print_exception=False)
    if "\0" in path or not is_in_or_equal(path, get_upload_folder()):
        raise gr.Error(text.API["not_uploaded"], print_exception=False)
    return {"path": path, "orig_name": str(data.get("orig_name") or ""), "meta": {"_type": "gradio.FileData"}}


def add_api(catalog: Catalog) -> None:
    """Add the endpoints to the current `gr.Blocks`, which must be a `Page`."""
    api = Api(catalog)
    for at_once in (api.checkpoints, api.sample_styles):
        gr.api(_answering(at_once), queue=False)
    # All that keep a core busy share one limit, so that they queue instead of slowing each other down.
    # Each has one result: Gradio's MCP server shows a picture only where it is the whole result.
    busy = (api.translate, api.cycle, api.encode_style, api.interpolate, api.interpolation_strip, api.outline)
    for queued in busy:
        gr.api(_answering(queued), concurrency_limit=AT_ONCE, concurrency_id="networks")


class Api:
    """The endpoints. Pictures come in as what Gradio says of an uploaded file and go out as files in its cache."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def checkpoints(self) -> list[dict[str, Any]]:
        """List the models (checkpoints) that translate images here.

        Returns:
            For each: name (which the other endpoints take), title, method
            size (the network's side in pixels), directions
            domains (A and B: name, kind and, for label maps, the palette of label colours as RGB)
            paired (learned from pairs), chance (what a seed decides: none, dropout, latent or style)
            style_numbers (length of a style code, 0 where there are none)
        """
        return [_described(translator) for translator in self.catalog.translators.values()]

    def translate(
        self,
        image: gr.FileData,
        checkpoint: str,
        direction: Direction = "A2B",
        seed: int | None = None,
        temperature: float = 1.0,
        style: list[float] | None = None,
    ) -> gr.FileData:
        """Translate an image from one domain of a checkpoint to the other, such as an outline to an emoji.

        Args:
            image: PNG, JPEG, WebP or GIF: an uploaded file or a data URL, data:image/png;base64,iVBORw0KGgo…; addresses
                elsewhere (https:) are not fetched: download the file and send its bytes.
            checkpoint: a name that `checkpoints` lists.
            direction: A2B or B2A, one of the checkpoint's directions.
            seed: a whole number that decides what is left to chance (dropout, latent noise, style); null for no chance.
            temperature: 0 to 3, scales latent noise and random styles.
            style: a style code for checkpoints that have styles, from `encode_style` or `sample_styles`; null for none.

        Returns:
            The translation: PNG, of the image's size (at most 2048 pixels a side).
        """
        translator, codes = self._encoded(image, checkpoint, direction)
        return _file(self._decoded(translator, codes, seed, temperature, style))

    def cycle(
        self,
        image: gr.FileData,
        checkpoint: str,
        direction: Direction = "A2B",
        seed: int | None = None,
        temperature: float = 1.0,
        style: list[float] | None = None,
    ) -> gr.FileData:
        """Translate an image and the result back again, with a checkpoint that has both directions.

        Args:
            image: PNG, JPEG, WebP or GIF: an uploaded file or a data URL; addresses elsewhere are not fetched.
            checkpoint: a name that `checkpoints` lists, with both directions.
            direction: A2B or B2A, the way there.
            seed: a whole number that decides what is left to chance on the way there; null for no chance.
            temperature: 0 to 3, scales latent noise and random styles.
            style: a style code for the way there, for checkpoints that have styles; the way back takes the image's own.

        Returns:
            What came back, in the image's own domain: PNG, of the image's size. `translate` gives the way there.
        """
        translator, codes = self._encoded(image, checkpoint, direction)
        back = opposite(direction)
        if back not in translator.directions:
            raise BadRequest(text.SERVER["no_way_back"])
        there = self._decoded(translator, codes, seed, temperature, style)
        guide = _read(image) if translator.capabilities.style_dim else None
        with self.catalog.pool.slot():
            own = None if guide is None else translator.encode_style(guide, source(direction))
            return _file(translator.translate(there, back, own))

    def encode_style(self, image: gr.FileData, checkpoint: str, domain: DomainKey = "B") -> list[float]:
        """Read the style code off an image, to give other images its style, with a checkpoint that has styles.

        Args:
            image: an image of that domain: an uploaded file or a data URL; addresses elsewhere are not fetched.
            checkpoint: a name that `checkpoints` lists with chance "style".
            domain: A or B, the domain that the image belongs to: B for a style to translate with from A to B.

        Returns:
            The style code, to be given to `translate` or `interpolate`.
        """
        translator = self._styled(checkpoint)
        with self.catalog.pool.slot():
            return [round(number, 4) for number in translator.encode_style(_read(image), domain).tolist()]

    def sample_styles(self, checkpoint: str, n: int = 8, seed: int = 0) -> list[list[float]]:
        """Draw random style codes, with a checkpoint that has styles.

        Args:
            checkpoint: a name that `checkpoints` lists with chance "style".
            n: how many, 1 to 64.
            seed: a whole number; the same seed draws the same styles.

        Returns:
            The style codes, to be given to `translate` or `interpolate`.
        """
        _check_count(n, 1, MAX_STYLES, "n")
        generator = torch.Generator().manual_seed(read_seed(seed) or 0)
        drawn = sample_styles(n, self._styled(checkpoint).capabilities.style_dim, generator)
        return [[round(number, 4) for number in style] for style in drawn.tolist()]

    def interpolate(
        self,
        image: gr.FileData,
        checkpoint: str,
        style_from: list[float],
        style_to: list[float],
        direction: Direction = "A2B",
        steps: int = 8,
    ) -> list[gr.FileData]:
        """Translate an image in styles on the way from one style to another, with a checkpoint that has styles.

        Args:
            image: PNG, JPEG, WebP or GIF: an uploaded file or a data URL; addresses elsewhere are not fetched.
            checkpoint: a name that `checkpoints` lists with chance "style".
            style_from: the first style code, from `encode_style` or `sample_styles`.
            style_to: the last style code.
            direction: A2B or B2A.
            steps: how many pictures, both ends included, 2 to 64.

        Returns:
            The pictures one by one: PNG, at most 512 pixels a side.
        """
        return [_file(frame) for frame in self._frames(image, checkpoint, style_from, style_to, direction, steps)]

    def interpolation_strip(
        self,
        image: gr.FileData,
        checkpoint: str,
        style_from: list[float],
        style_to: list[float],
        direction: Direction = "A2B",
        steps: int = 8,
    ) -> gr.FileData:
        """Translate an image in styles on the way from one style to another: all pictures side by side in one.

        Args:
            image: PNG, JPEG, WebP or GIF: an uploaded file or a data URL; addresses elsewhere are not fetched.
            checkpoint: a name that `checkpoints` lists with chance "style".
            style_from: the first style code, from `encode_style` or `sample_styles`.
            style_to: the last style code.
            direction: A2B or B2A.
            steps: how many pictures, both ends included, 2 to 64.

        Returns:
            The strip: PNG, each picture at most 512 pixels a side.
        """
        return _file(_side_by_side(self._frames(image, checkpoint, style_from, style_to, direction, steps)))

    def outline(self, image: gr.FileData) -> gr.FileData:
        """Make the outline of a picture: black strokes on white, as the checkpoints of domain kind "outline" take it.

        Args:
            image: PNG, JPEG, WebP or GIF: an uploaded file or a data URL; addresses elsewhere are not fetched.

        Returns:
            The outline: PNG, of the image's size (at most 2048 pixels a side).
        """
        picture = _read(image)
        shrink(picture, MAX_SIDE, "picture")
        return _file(i2i.outline(picture))

    def _frames(
        self, image: Any, checkpoint: str, style_from: Any, style_to: Any, direction: Direction, steps: Any
    ) -> list[Image.Image]:
        _check_count(steps, 2, MAX_STEPS, "steps")
        dim = self._styled(checkpoint).capabilities.style_dim
        first, last = check_style(style_from, dim), check_style(style_to, dim)
        translator, codes = self._encoded(image, checkpoint, direction, MAX_FRAME_SIDE)
        frames = []
        for style in interpolate(first, last, torch.linspace(0, 1, steps)):
            with self.catalog.pool.slot():  # one a picture: visitors who draw need not wait for all of them
                frames.append(translator.decode(codes, style))
        return frames

    def _encoded(
        self, image: Any, checkpoint: str, direction: Direction, side: int = MAX_SIDE
    ) -> tuple[i2i.Translator, i2i.Codes]:
        translator = self.catalog.named(checkpoint)
        translator.capabilities.check_direction(direction)
        picture = check_length(open_for(translator, direction, Path(_path(image))))
        shrink(picture, side, translator.info.domains[source(direction)].kind)
        with self.catalog.pool.slot():
            return translator, translator.encode(picture, direction)

    def _decoded(
        self, translator: i2i.Translator, codes: i2i.Codes, seed: Any, temperature: Any, style: Any
    ) -> Image.Image:
        if style is not None:
            if not translator.capabilities.style_dim:
                raise BadRequest(text.SERVER["no_style"])
            style = check_style(style, translator.capabilities.style_dim)
        chance = read_seed(seed), read_temperature(temperature)
        with self.catalog.pool.slot():
            return translator.decode(codes, style, *chance)

    def _styled(self, checkpoint: str) -> i2i.Translator:
        """The translator of that name, if it has styles."""
        translator = self.catalog.named(checkpoint)
        if not translator.capabilities.style_dim:
            raise BadRequest(text.SERVER["no_style"])
        return translator


def _answering(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Make an endpoint's errors sentences for its client, and its files what Gradio hands out."""

    def value(arguments: Any) -> dict[str, Any]:
        return {"value": endpoint(*arguments)}

    value.__name__ = endpoint.__name__  # the log names it
    in_words = sentences(value)

    @functools.wraps(endpoint)
    def answer(*arguments: Any) -> Any:
        found = in_words(arguments)
        if "error" in found:
            raise gr.Error(found["error"], print_exception=False)
        return traverse(found["value"], lambda file: file.model_dump(), lambda part: isinstance(part, gr.FileData))

    return answer


def _path(image: Any) -> str:
    """Where the picture lies that a client uploaded; `Page` has checked the place."""
    if not is_file_obj(image):
        raise BadRequest(text.API["no_file"])
    return str(image["path"])


def _read(image: Any) -> Image.Image:
    return open_picture(Path(_path(image)))


def _file(image: Image.Image) -> gr.FileData:
    path = processing_utils.save_pil_to_cache(image, get_upload_folder(), format="png")
    return gr.FileData(path=path, orig_name="image.png", mime_type="image/png")


def _side_by_side(images: list[Image.Image]) -> Image.Image:
    width, height = images[0].size
    strip = Image.new("RGB", (width * len(images), height))
    for i, image in enumerate(images):
        strip.paste(image, (i * width, 0))
    return strip


def _check_count(value: Any, low: int, high: int, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(text.API["bad_count"].format(name=name, low=low, high=high))


def _described(translator: i2i.Translator) -> dict[str, Any]:
    info, capabilities = translator.info, translator.capabilities
    return {
        "name": info.name,
        "title": info.title,
        "method": capabilities.title,
        "size": info.size,
        "directions": list(translator.directions),
        "domains": {
            key: {"name": domain.name, "kind": domain.kind, "palette": {k: list(c) for k, c in domain.palette.items()}}
            for key, domain in info.domains.items()
        },
        "paired": capabilities.paired,
        "chance": capabilities.chance,
        "style_numbers": capabilities.style_dim,
    }
