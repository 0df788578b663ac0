"""UNIT for handwritten digits of two data sets: Liu et al. 2017 (arXiv 1703.00848), section 5.

Small networks for small grey images: the generators share their inner layers, and so do the discriminators, which read
the digit, too. They are no method of the list: they are trained by `python -m train adapt`, with labels.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import init_kaiming, init_normal

SIDE = 32
"""Pixels a side of every digit."""
CLASSES = 10
FILLED, SEEN = 24, 0.25
"""Pixels of a framed digit's longer side; from this brightness on, in 0 … 1, something belongs to the digit."""


def framed(x: Tensor) -> Tensor:
    """Bright digits on black, each moved to the middle of a sheet and made as large as all the others.

    Args:
        x: `(N, 1, H, H)` in [0, 1]; proportions of a digit are kept.

    Returns:
        `(N, 1, SIDE, SIDE)` in [0, 1], the longer side of each digit FILLED pixels; an empty sheet stays empty.
    """
    count, side = len(x), x.shape[-1]
    seen = x[:, 0] >= SEEN
    place = torch.arange(side, dtype=torch.float32)
    shape = []
    for along in (1, 2):  # all rows of a column, then all columns of a row
        there = seen.any(along)
        first = torch.where(there, place, side).amin(1)
        last = torch.where(there, place, -1).amax(1)
        shape.append((first, last))
    (left, right), (top, bottom) = shape
    longer = torch.maximum(right - left, bottom - top).clamp(min=0) + 1
    longer = torch.where(seen.any((1, 2)), longer, side)
    scale = longer / side * SIDE / FILLED
    middle = [(torch.clamp(first + last, 0, 2 * side - 2) + 1) / side - 1 for first, last in shape]
    nothing = torch.zeros(count)
    theta = torch.stack([scale, nothing, middle[0], nothing, scale, middle[1]], 1).view(count, 2, 3)
    return F.grid_sample(x, F.affine_grid(theta, [count, 1, SIDE, SIDE], False), align_corners=False)


class Judged(NamedTuple):
    """What the discriminators say of images."""

    features: Tensor
    """Of the highest layer: `(N, d)`."""
    real: Tensor
    """Logits: `(N, 1)`."""
    classes: Tensor
    """Logits: `(N, CLASSES)`."""


class DigitUNIT(nn.Module):
    """UNIT for small images: a domain has its own first two layers of an encoder and last two of a decoder.

    The layer between them and the code, `(N, 4·width, SIDE / 8, SIDE / 8)`, is shared.
    """

    def __init__(self, width: int = 32) -> None:
        """
        Args:
            width: channels after the first layer.
        """
        super().__init__()
        w = width
        self.encoders = nn.ModuleDict({k: nn.Sequential(*halved(1, w), *halved(w, 2 * w)) for k in "AB"})
        self.shared_encoder = nn.Conv2d(2 * w, 4 * w, 4, 2, 1)
        self.shared_decoder = nn.Sequential(*doubled(4 * w, 2 * w))
        self.decoders = nn.ModuleDict(
            {k: nn.Sequential(*doubled(2 * w, w), nn.ConvTranspose2d(w, 1, 4, 2, 1), nn.Tanh()) for k in "AB"}
        )
        init_normal(self)
        for own in (self.encoders, self.decoders):
            begin_alike(own)

    def encode(self, x: Tensor, domain: str) -> Tensor:
        """`(N, 1, SIDE, SIDE)` in [-1, 1] → the mean of the code."""
        return self.shared_encoder(self.encoders[domain](x))

    def decode(self, code: Tensor, domain: str) -> Tensor:
        """A code → `(N, 1, SIDE, SIDE)` in [-1, 1]."""
        return self.decoders[domain](self.shared_decoder(code))


def begin_alike(own: nn.ModuleDict) -> None:
    """Give B's layers A's weights, so that a translation is a reconstruction at first, and both are read alike.

    With weights of their own the first translations are noise, and which digit becomes which is chance.
    """
    own["B"].load_state_dict(own["A"].state_dict())


def halved(inputs: int, outputs: int, norm: bool = True) -> list[nn.Module]:
    """A stride-2 convolution, batch norm and a leaky ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 4, 2, 1),
        *([nn.BatchNorm2d(outputs)] if norm else []),
        nn.LeakyReLU(0.2),
    ]


def doubled(inputs: int, outputs: int) -> list[nn.Module]:
    """A transposed convolution, batch norm and a ReLU."""
    return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]


class ReadingDiscriminators(nn.Module):
    """D_A and D_B: the first layer is each one's own, the higher layers are shared and read the digit, too."""

    def __init__(self, width: int = 32) -> None:
        """
        Args:
            width: channels after the first layer.
        """
        super().__init__()
        w, features = width, 8 * width
        self.own = nn.ModuleDict({k: nn.Sequential(*halved(1, w, norm=False)) for k in "AB"})
        self.shared = nn.Sequential(
            *halved(w, 2 * w, norm=False),
            *halved(2 * w, 4 * w, norm=False),
            nn.Flatten(),
            nn.Linear(4 * w * (SIDE // 8) ** 2, features),
            nn.LeakyReLU(0.2),
        )
        self.real, self.classes = nn.Linear(features, 1), nn.Linear(features, CLASSES)
        init_kaiming(self)
        begin_alike(self.own)

    def forward(self, x: Tensor, domain: str) -> Judged:
        """Images `(N, 1, SIDE, SIDE)` in [-1, 1] of domain A or B, or made to look like it."""
        features = self.shared(self.own[domain](x))
        return Judged(features, self.real(features), self.classes(features))
