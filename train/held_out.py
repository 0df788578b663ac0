"""The images that a checkpoint is judged on: those of a split that training did not see."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from i2i_models.checkpoints import Info

from .data import Images, Source, Translations, find


def held_out(info: Info, data: str, split: str, size: int, limit: int = 1000) -> Translations:
    """A split's images in the domains of a checkpoint, true pairs staying together.

    Args:
        info: of the checkpoint; a training with --direction B2A had the data's sides swapped.
        data: as for training.
        size: side of the square images.
        limit: at most this many of each domain, spread over the split.

    Raises:
        DataError: there are none.
    """
    sources = find(data, split)
    if info.training.get("direction") == "B2A":
        sources = dataclasses.replace(sources, a=sources.b, b=sources.a)
    sources = dataclasses.replace(sources, a=_spread(sources.a, limit), b=_spread(sources.b, limit))
    nearest = (info.domains["A"].kind == "labels", info.domains["B"].kind == "labels")
    return Translations(sources, size, nearest=nearest, minimum=1)


def _spread(sources: list[Source], limit: int) -> list[Source]:
    return [sources[i] for i in spread(len(sources), limit)]


def spread(length: int, count: int) -> list[int]:
    """At most `count` different indices of a list, evenly spread from its first to its last."""
    return [int(i) for i in np.linspace(0, length - 1, min(count, length)).round()]


def stack(images: Images) -> Tensor:
    """All images of a list: uint8 `(N, 3, side, side)`."""
    return torch.stack([torch.from_numpy(images[i].copy()).permute(2, 0, 1) for i in range(len(images))])
