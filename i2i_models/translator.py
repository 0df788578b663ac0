"""PIL images in, PIL images out: any size, any mode."""

import os
import re
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from . import checkpoint
from .checkpoint import Info
from .errors import CheckpointError
from .images import to_image, to_rgb, to_tensor
from .network import Direction, TranslationNetwork


class Codes:
    """What `encode` found in an image, to be decoded as often as one likes.

    Holds the network's codes and where the image lay in the square that the network saw.
    """

    def __init__(
        self, tensor: Tensor, direction: Direction, size: tuple[int, int], box: tuple[int, int, int, int]
    ) -> None:
        self.tensor, self.direction, self.size, self.box = tensor, direction, size, box


class Translator:
    """A checkpoint in use. Safe to call from several threads at once."""

    def __init__(self, network: TranslationNetwork, info: Info, folder: Path | None = None) -> None:
        """
        Args:
            network: the trained network, in eval mode.
            info: what the checkpoint says of it.
            folder: where the checkpoint lies, for its card and examples.
        """
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.info, self.folder, self.device = info, folder, device

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions it translates in."""
        return self.network.directions

    @property
    def card(self) -> str:
        """The text of the model card; empty if there is none."""
        path = self.folder / checkpoint.CARD if self.folder else None
        return path.read_text(encoding="utf-8") if path and path.is_file() else ""

    @property
    def examples(self) -> list[Path]:
        """Small input images that come with the checkpoint."""
        return sorted((self.folder / "examples").glob("*.png")) if self.folder else []

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
        self.network.check_direction(direction)
        image = to_rgb(image)
        square, box = self._fit(image, labels=self.info.domains[direction[0]].kind == "labels")
        x = to_tensor(square).to(self.device, memory_format=torch.channels_last)
        with torch.inference_mode():
            return Codes(self.network.encode(x, direction), direction, image.size, box)

    def decode(
        self, codes: Codes, style: Tensor | None = None, seed: int | None = None, temperature: float = 1.0
    ) -> Image.Image:
        """Codes → RGB image of the encoded image's size. Arguments and errors as `translate`."""
        noise = None if seed is None else torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            y = self.network.decode(codes.tensor, codes.direction, style, noise, temperature)
        result = to_image(y).crop(codes.box)
        labels = self.info.domains[codes.direction[2]].kind == "labels"
        return result.resize(codes.size, Image.Resampling.NEAREST if labels else Image.Resampling.BICUBIC)

    def _fit(self, image: Image.Image, labels: bool) -> tuple[Image.Image, tuple[int, int, int, int]]:
        """The image in the network's square without distortion, and the box that it fills there."""
        side = self.info.size
        scale = side / max(image.size)
        width, height = (max(1, round(length * scale)) for length in image.size)
        method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        small = image.resize((width, height), method)
        left, top = (side - width) // 2, (side - height) // 2
        box = (left, top, left + width, top + height)
        if (width, height) == (side, side):
            return small, box
        return _continue_borders(small, box, side), box


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


def load(source: str | os.PathLike[str]) -> Translator:
    """Load a checkpoint.

    Args:
        source: a checkpoint folder, or a Hub id `owner/name` or `owner/name@revision`.

    Raises:
        CheckpointError: it is not there, damaged or not one of ours; says which file and field.
    """
    folder = Path(source)
    if not folder.exists() and _is_hub_id(str(source)):
        folder = _download(str(source))
    network, info = checkpoint.read(folder)
    return Translator(network, info, folder)


def _is_hub_id(text: str) -> bool:
    return re.fullmatch(r"[\w][\w.-]*/[\w][\w.-]*(@[\w./-]+)?", text) is not None


def _download(hub_id: str) -> Path:
    """The local copy of a checkpoint on the Hub; only files of our layout are fetched, never code or pickles."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    name, _, revision = hub_id.partition("@")
    wanted = [
        checkpoint.CONFIG,
        checkpoint.WEIGHTS,
        checkpoint.CARD,
        checkpoint.METRICS,
        "samples.png",
        "examples/*.png",
    ]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
    except LocalEntryNotFoundError:
        raise CheckpointError(
            f"{hub_id} is neither a folder nor in the local cache, and the Hub cannot be reached."
        ) from None
    except HFValidationError:
        raise CheckpointError(f"{hub_id} is neither a folder nor a Hub id of the form owner/name@revision.") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        raise CheckpointError(
            f"{hub_id} could not be had from the Hub ({status}): check its name and revision; "
            "a private one needs `hf auth login`."
        ) from None
    except OSError as error:
        raise CheckpointError(f"{hub_id} is not a folder here, and the Hub could not be reached ({error}).") from None
