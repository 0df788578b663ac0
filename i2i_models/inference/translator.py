"""PIL images in, PIL images out: any size, any mode."""

import dataclasses
import functools
import math
import os
import threading
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from .. import checkpoints, directions, hub
from ..checkpoints import Capabilities, Info
from ..checkpoints.styles import StyleSpace, load_styles
from ..directions import Direction
from ..errors import CheckpointError, DirectionError
from ..images.reading import to_rgb
from ..images.tensors import to_image, to_tensor
from ..networks.methods import method_of, read
from ..networks.network import TranslationNetwork
from .engine import Engine, make_engine

LONG, LONGEST = 2, 32
"""How many times as long as wide an image is that is translated in one long pass. Longer ones would take too long."""
CARD_CHARS = 200_000
"""Of a model card that are read."""


class Codes:
    """What `encode` found in an image, to be decoded as often as one likes.

    Holds the network's codes and where the image lay in the square that the network saw.
    """

    def __init__(
        self, tensor: Tensor, direction: Direction, size: tuple[int, int], box: tuple[int, int, int, int]
    ) -> None:
        self.tensor, self.direction, self.size, self.box = tensor, direction, size, box

    def mixed(self, other: "Codes", share: float) -> "Codes":
        """(1 - share)·these + share·other's codes, laid out as this image; share in 0 … 1.

        Means something only where `network.mixes_codes`.

        Raises:
            DirectionError: the other codes are of another direction.
        """
        if other.direction != self.direction:
            raise DirectionError(f"Codes for {self.direction} and {other.direction} do not mix.")
        return Codes(self.tensor.lerp(other.tensor, share), self.direction, self.size, self.box)


class Translator:
    """A checkpoint in use. Safe to call from several threads at once."""

    def __init__(
        self,
        network: TranslationNetwork | None,
        info: Info,
        folder: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        """
        Args:
            network: the trained network, in eval mode; None to read it from `folder` when it is first needed.
            info: what the checkpoint says of it.
            folder: where the checkpoint lies, for its card and examples.
            engine: what runs the network, if it is not to be made here.
        """
        self.info, self.folder = info, folder
        self._lock = threading.Lock()
        self._engine = engine if network is None else self._engine_for(network)
        self._discriminators: nn.Module | None = None

    @property
    def engine(self) -> Engine:
        """What runs the network, which is read now if it was not yet.

        Raises:
            CheckpointError: its weights are not those that its config describes.
        """
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    assert self.folder is not None
                    self._engine = self._engine_for(read(self.folder)[0])
        return self._engine

    def _engine_for(self, network: TranslationNetwork) -> Engine:
        kinds = {d: self.info.domains[directions.target(d)].kind for d in network.directions}
        return make_engine(network, exact=[d for d, kind in kinds.items() if kind != "picture"])

    @property
    def network(self) -> TranslationNetwork:
        """The network itself, on `(N, 3, H, W)` in [-1, 1]. Raises as `engine`."""
        return self.engine.network

    @property
    def discriminators(self) -> nn.Module:
        """What the network was trained against, on its device. Read when first asked for: translating never needs it.

        Raises:
            CheckpointError: the checkpoint came without them, or they are not what its config describes.
        """
        if self._discriminators is None:
            network = self.network  # before the lock, which reading it needs
            with self._lock:
                if self._discriminators is None:
                    if self.folder is None:
                        raise CheckpointError("This translator has no checkpoint folder to read discriminators from.")
                    found = checkpoints.read_discriminators(self.folder, network)
                    self._discriminators = found.to(self.engine.device)
        return self._discriminators

    @property
    def is_loaded(self) -> bool:
        """Whether the network has been read already."""
        return self._engine is not None

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do; known before it is read."""
        return self.info.capabilities or self.network.capabilities

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions it translates in."""
        return self.capabilities.directions

    @property
    def card(self) -> str:
        """The text of the model card, at most `CARD_CHARS` of it; empty if there is none."""
        if not self.folder:
            return ""
        try:
            # Whatever is no UTF-8 in it: a card must not cost the checkpoint.
            with open(self.folder / checkpoints.CARD, encoding="utf-8", errors="replace") as file:
                return file.read(CARD_CHARS)
        except OSError:
            return ""

    @property
    def examples(self) -> list[Path]:
        """Small input images of domain A that come with the checkpoint."""
        return self.examples_of("A")

    def examples_of(self, domain: str) -> list[Path]:
        """Small images of domain A or B that come with the checkpoint."""
        if not self.folder:
            return []
        return sorted((self.folder / checkpoints.EXAMPLES[domain]).glob("*.png"))

    @functools.cached_property
    def styles(self) -> dict[str, StyleSpace]:
        """For the domains A and B: where real images' styles lie, or the prior if the checkpoint does not say.

        Raises:
            CheckpointError: the checkpoint's file about it is damaged.
        """
        return load_styles(self.folder, self.capabilities.style_dim)

    def translate(
        self,
        image: Image.Image,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
    ) -> Image.Image:
        """Translate an image.

        Args:
            image: any size and mode. It is fitted into the square that the network was trained at,
                its border colours continued where it is no square, and the result cut back.
            style: a style code, for methods that have one.
            seed: for the method's chance at test time (pix2pix: dropout; UNIT: noise on the code; MUNIT:
                the style); None for none.
            temperature: scales that chance where it is Gaussian.

        Returns:
            RGB, of the image's size.

        Raises:
            DirectionError: the method has no such direction.
        """
        return self.decode(self.encode(image, direction), style, seed, temperature)

    def encode(self, image: Image.Image, direction: Direction = "A2B") -> Codes:
        """The codes of an image; `decode` them as often as you like. Arguments and errors as `translate`."""
        self.capabilities.check_direction(direction)
        image = to_rgb(image)
        square, box = self._fit(image, labels=self.info.domains[directions.source(direction)].kind == "labels")
        return Codes(self.engine.encode(to_tensor(square), direction), direction, image.size, box)

    def decode(
        self,
        codes: Codes,
        style: Tensor | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Image.Image:
        """Codes → RGB image of the encoded image's size. Arguments and errors as `translate`.

        Args:
            draft: it may be coarser where that is quicker, since another picture is to follow at once.
        """
        return self.finish(self.draw(codes, style, seed, temperature, draft), codes)[0]

    def draw(
        self,
        codes: Codes,
        style: Tensor | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Tensor:
        """As `decode`, but the square as the network draws it: `(1, 3, H, W)` in [-1, 1]."""
        noise = None if seed is None else torch.Generator().manual_seed(seed)
        return self.engine.decode(codes.tensor, codes.direction, style, noise, temperature, draft)

    def decode_each(self, codes: Codes, styles: Tensor) -> list[Image.Image]:
        """One image's codes in each of `styles` `(K, style_dim)`, in one pass; otherwise as `decode`."""
        return self.finish(self.engine.decode(codes.tensor, codes.direction, styles), codes)

    def finish(self, drawn: Tensor, codes: Codes) -> list[Image.Image]:
        """Squares as the network draws them, `(K, 3, H, W)`, as images: cut back and of the encoded image's size."""
        labels = self.info.domains[directions.target(codes.direction)].kind == "labels"
        method = Image.Resampling.NEAREST if labels else Image.Resampling.BICUBIC
        return [to_image(one).crop(codes.box).resize(codes.size, method) for one in drawn]

    def encode_style(self, image: Image.Image, domain: str) -> Tensor:
        """The style code `(style_dim,)` of an image of domain A or B, any size and mode, on the CPU.

        Raises:
            DirectionError: the method has no such domain, or no styles at all.
        """
        labels = domain in self.info.domains and self.info.domains[domain].kind == "labels"
        square, _ = self._fit(to_rgb(image), labels)
        return self.engine.encode_style(to_tensor(square), domain)[0].cpu()

    def warm_up(self, direction: Direction) -> None:
        """Translate a shaded sheet in every way that a page does, so that whatever is made at the first time is there.

        Not a blank one: a norm makes nothing but rounding of it, by which a graph in bfloat16 looks wrong.

        Raises:
            CheckpointError: as `engine`.
        """
        codes = self.encode(Image.linear_gradient("L").convert("RGB"), direction)
        self.decode(codes)
        if self.capabilities.chance == "dropout":
            self.decode(codes, seed=0)
        if self.capabilities.drafts:
            for _ in range(2):  # the first may make a graph, the second measures it
                self.decode(codes, draft=True)

    def _fit(self, image: Image.Image, labels: bool) -> tuple[Image.Image, tuple[int, int, int, int]]:
        """The image in the network's square without distortion, and the box that it fills there.

        Of an image more than 2 and at most `LONGEST` times as long as wide, the shorter side fills the square,
        and a row of squares is one long picture: the networks are convolutional, and in training saw squares of such.
        """
        side = self.info.size
        if LONG < max(image.size) / min(image.size) <= LONGEST:
            return _fit_long(image, side, labels)
        scale = side / max(image.size)
        width, height = (max(1, round(length * scale)) for length in image.size)
        small = image.resize((width, height), _method(scale, labels))
        left, top = (side - width) // 2, (side - height) // 2
        box = (left, top, left + width, top + height)
        if (width, height) == (side, side):
            return small, box
        return _continue_borders(small, box, side), box


def _fit_long(image: Image.Image, side: int, labels: bool) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """An elongated image of shorter side `side`, its end continued to a whole number of squares, and its box."""
    scale = side / min(image.size)
    width, height = (max(side, round(length * scale)) for length in image.size)
    small = image.resize((width, height), _method(scale, labels))
    long = Image.new("RGB", (math.ceil(width / side) * side, math.ceil(height / side) * side))
    if width < long.width:
        long.paste(small.crop((width - 1, 0, width, height)).resize((long.width - width, height)), (width, 0))
    if height < long.height:
        long.paste(small.crop((0, height - 1, width, height)).resize((width, long.height - height)), (0, height))
    long.paste(small)
    return long, (0, 0, width, height)


def _method(scale: float, labels: bool) -> Image.Resampling:
    """How images are scaled; the colours of labels are not blended."""
    return Image.Resampling.NEAREST if labels else Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC


def _continue_borders(image: Image.Image, box: tuple[int, int, int, int], side: int) -> Image.Image:
    """Place the image at `box` of a square and continue its outermost rows and columns to the edges."""
    left, top, right, bottom = box
    square = Image.new("RGB", (side, side))
    square.paste(image, (left, top))
    if left:
        square.paste(square.crop((left, top, left + 1, bottom)).resize((left, bottom - top)), (0, top))
    if right < side:
        square.paste(square.crop((right - 1, top, right, bottom)).resize((side - right, bottom - top)), (right, top))
    if top:
        square.paste(square.crop((0, top, side, top + 1)).resize((side, top)), (0, 0))
    if bottom < side:
        square.paste(square.crop((0, bottom - 1, side, bottom)).resize((side, side - bottom)), (0, bottom))
    return square


def load(source: str | os.PathLike[str], lazy: bool = False) -> Translator:
    """Load a checkpoint.

    Args:
        source: a checkpoint folder, or a Hub id `owner/name` or `owner/name@revision`.
        lazy: look only at the config and at the weights' header now. The weights are read when they are first needed,
            and only then compared with the config.

    Raises:
        CheckpointError: it is not there, damaged or not one of ours; says which file and field.
        HubError (a CheckpointError): it cannot be had from the Hub.
    """
    folder = Path(source)
    name = folder.name
    if not folder.exists() and hub.is_hub_id(str(source)):
        folder = hub.download(str(source), check=method_of)
        name = str(source)  # the folder is named by its commit
    network: TranslationNetwork | None = None
    if lazy:
        method_of(folder)
        info = checkpoints.read_info(folder)
    else:
        network, info = read(folder)
    return Translator(network, dataclasses.replace(info, name=name), folder)
