"""Pictures of what a network does."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from i2i_models.images.tensors import from_bytes, to_bytes
from i2i_models.networks.network import TranslationNetwork


def save_grid(network: TranslationNetwork, a: Tensor, b: Tensor, path: Path) -> None:
    """A PNG of the rows that the network's `grid` shows. `a`, `b`: uint8 `(N, 3, H, W)`."""
    device = next(network.parameters()).device
    with torch.no_grad():
        rows = network.grid(from_bytes(a.to(device)), from_bytes(b.to(device)))
    grid = make_grid(torch.cat([to_bytes(row).cpu() for row in rows]), nrow=len(a), padding=4, pad_value=255)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grid.permute(1, 2, 0).numpy()).save(path)
