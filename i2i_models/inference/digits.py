"""Digits that cross from one data set's hand to another's, and what readers make of both: UNIT, section 5.

    crossing = DigitCrossing.load("docs/results/digits-unit")
    crossed = crossing.cross(image, "A")       # a bright digit on black, PIL

A folder with `config.json`, whose `kind` is digits-unit, and `model.safetensors`; no checkpoint of a translation.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..checkpoints import CONFIG, WEIGHTS, shown, write_text
from ..checkpoints.weights import check_weights, in_float32, load_weights, save_weights
from ..directions import DOMAINS
from ..errors import CheckpointError, DirectionError
from ..networks.digits import FILLED, SEEN, SIDE, DigitUNIT, ReadingDiscriminators, framed

KIND, FORMAT = "digits-unit", 1
MOST_WIDTH, MOST_BYTES, MOST_CHARS = 128, 100_000, 40
SHEET = 28
"""Pixels of the side that a picture of any size is first brought to."""


class Networks(nn.Module):
    """The generators and the readers of both domains, as they are saved."""

    def __init__(self, width: int, reader_width: int) -> None:
        super().__init__()
        self.network, self.readers = DigitUNIT(width), ReadingDiscriminators(reader_width)


class Crossed(NamedTuple):
    """A digit, what became of it, and what the readers of both domains say."""

    digit: Image.Image
    """As the network got it, grey, SIDE pixels."""
    translation: Image.Image
    read: list[float]
    """Probabilities of 0 … 9, of the digit by its own domain's reader."""
    read_translation: list[float]
    """The same of the translation, by the other domain's reader."""


@dataclasses.dataclass(frozen=True)
class DigitCrossing:
    """The networks of a folder, and the names of its domains, A and B."""

    networks: Networks
    domains: Mapping[str, str]

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "DigitCrossing":
        """Read what `save_digits` wrote; weights in float32, in eval mode.

        Raises:
            CheckpointError: a file is missing, damaged or of another kind.
        """
        path = Path(folder) / CONFIG
        config = _read_config(path)
        widths = [_read_width(path, config, name) for name in ("width", "reader_width")]
        domains = config.get("domains")
        if not isinstance(domains, dict) or set(domains) != set(DOMAINS) or not all(map(_is_name, domains.values())):
            raise CheckpointError(f"{path}: domains must name A and B, not {shown(domains)}.")
        weights = Path(folder) / WEIGHTS
        state = load_weights(weights)
        with torch.device("meta"):
            networks = Networks(*widths)
        check_weights(weights, state, networks)
        networks = Networks(*widths)
        networks.load_state_dict(in_float32(state))
        return cls(networks.eval().requires_grad_(False), domains)

    @torch.inference_mode()
    def cross(self, image: Image.Image, domain: str) -> Crossed:
        """Translate a picture of one bright digit on black out of domain A or B into the other.

        Raises:
            DirectionError: there is no such domain.
        """
        if domain not in DOMAINS:
            raise DirectionError(f"There are the domains A and B, but no {shown(domain)}.")
        other = DOMAINS[1 - DOMAINS.index(domain)]
        x = 2 * framed(sheet(image)) - 1
        network, readers = self.networks.network, self.networks.readers
        y = network.decode(network.encode(x, domain), other)
        read, translated = (readers(z, d).classes[0].softmax(0).tolist() for z, d in ((x, domain), (y, other)))
        return Crossed(_to_grey(x), _to_grey(y), read, translated)


def sheet(image: Image.Image) -> Tensor:
    """A digit of any size and place as large as it goes on a sheet of digits': `(1, 1, SHEET, SHEET)` in [0, 1]."""
    grey = image.convert("L")
    box = grey.point([255 * (value >= SEEN * 255) for value in range(256)]).getbbox()
    if box is not None:
        left, top, right, bottom = box
        side = round(max(right - left, bottom - top) * SIDE / FILLED)
        x, y = (left + right - side) // 2, (top + bottom - side) // 2
        grey = grey.crop((x, y, x + side, y + side))
    grey = grey.resize((SHEET, SHEET), Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(grey, np.float32) / 255)[None, None]


def save_digits(
    folder: Path,
    network: DigitUNIT,
    readers: ReadingDiscriminators,
    widths: tuple[int, int],
    domains: Mapping[str, str],
    card: str,
    training: Mapping[str, Any],
) -> None:
    """Write a folder for `DigitCrossing.load`, weights as float16, and its card.

    Args:
        widths: those that the generators and the readers are built with.
        domains: the names of A and B.
        card: README.md.
        training: the settings, for the record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    networks = Networks(*widths)
    networks.network.load_state_dict(network.state_dict())
    networks.readers.load_state_dict(readers.state_dict())
    save_weights(folder / WEIGHTS, networks)
    config = {"kind": KIND, "format": FORMAT, "width": widths[0], "reader_width": widths[1], "domains": dict(domains)}
    write_text(folder / CONFIG, json.dumps({**config, "training": dict(training)}, indent=2) + "\n")
    write_text(folder / "README.md", card)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: `python -m train adapt --output` writes such a folder.") from None
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(f"{path} is not readable JSON: copy the folder again.") from None
    if not isinstance(config, dict) or config.get("kind") != KIND or config.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not of the kind {KIND} and format {FORMAT}: it cannot be read as digits.")
    return config


def _read_width(path: Path, config: dict[str, Any], name: str) -> int:
    width = config.get(name)
    if not (isinstance(width, int) and 1 <= width <= MOST_WIDTH):
        raise CheckpointError(f"{path}: {name} must lie in 1 … {MOST_WIDTH}, not {shown(width)}.")
    return width


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_CHARS


def _to_grey(x: Tensor) -> Image.Image:
    return Image.fromarray(((x[0, 0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy())
