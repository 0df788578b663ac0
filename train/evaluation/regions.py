"""Where the hair, skin and background of a drawn avatar are, and their colours, read off its flat colours.

DiceBear fills each with one colour of a short list (train/prepare/faces.py), so a pixel of exactly that colour tells
what it shows. Photos, paintings and network results do not have these exact colours over whole areas.
"""

import dataclasses

import torch
from torch import Tensor

from ..prepare.avatars import MIN_SEEN, SIDE
from ..prepare.faces import BACKGROUNDS, HAIR_COLOURS, SKINS
from .metrics import lab

COLOURS = {"hair": HAIR_COLOURS, "skin": SKINS, "background": BACKGROUNDS}
"""Each attribute's possible colours, six hexadecimal digits."""
ALWAYS_SEEN = ("skin", "background")
"""One avatar in 20 is bald, but all have these."""
RECOGNISED = 0.9
"""So large a share of pictures must show what is always seen to be taken for avatars."""


@dataclasses.dataclass(frozen=True)
class Regions:
    """The regions of N avatars, in the order of COLOURS."""

    masks: Tensor
    """bool `(N, 3, H, W)`: the pixels that have the region's colour exactly; none where it is not seen."""
    indices: Tensor
    """int64 `(N, 3)`: which of its possible colours each region has; -1 where it is not seen."""
    lab: Tensor
    """`(N, 3, 3)`: that colour in CIE Lab; NaN where it is not seen."""


def read_regions(pictures: Tensor) -> Regions | None:
    """The regions of uint8 avatars `(N, 3, H, W)`; None if these are no drawn avatars."""
    height, width = pictures.shape[-2:]
    least = MIN_SEEN * height * width / SIDE**2
    codes = (pictures.int() * torch.tensor([65536, 256, 1], dtype=torch.int32)[:, None, None]).sum(1)
    masks, indices, colours = [], [], []
    for palette in COLOURS.values():
        wanted = [int(colour, 16) for colour in palette]
        counts = torch.stack([(codes == code).sum((1, 2)) for code in wanted], 1)
        seen, most = counts.max(1).values >= least, counts.argmax(1)
        masks.append((codes == torch.tensor(wanted)[most][:, None, None]) & seen[:, None, None])
        rgb = torch.tensor([[code >> 16, code >> 8 & 255, code & 255] for code in wanted]) / 127.5 - 1
        known = lab(rgb[:, :, None, None])[:, :, 0, 0]
        indices.append(torch.where(seen, most, -1))
        colours.append(torch.where(seen[:, None], known[most], torch.nan))
    regions = Regions(torch.stack(masks, 1), torch.stack(indices, 1), torch.stack(colours, 1))
    seen = regions.indices[:, [list(COLOURS).index(name) for name in ALWAYS_SEEN]] >= 0
    return regions if float(seen.all(1).float().mean()) >= RECOGNISED else None


def mean_in_regions(images: Tensor, masks: Tensor) -> Tensor:
    """The mean Lab colour of each region of images `(N, 3, H, W)` in [-1, 1]: `(N, 3, 3)`; NaN where it is empty."""
    weights = masks.float()
    total = torch.einsum("nchw,nrhw->nrc", lab(images), weights)
    return total / weights.sum((2, 3))[..., None]
