"""RGB images to tensors in [-1, 1] and back."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(image: Image.Image) -> Tensor:
    """RGB image → float `(1, 3, H, W)` in [-1, 1]."""
    return from_bytes(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None])


def from_bytes(pixels: Tensor) -> Tensor:
    """uint8 of any shape → float in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Float in [-1, 1] of any shape → uint8, rounded and clipped."""
    return ((x.float() + 1) * 127.5).round().clamp(0, 255).byte()


def to_image(x: Tensor) -> Image.Image:
    """`(3, H, W)` or `(1, 3, H, W)` in [-1, 1] → RGB image."""
    pixels = to_bytes(x.detach().reshape(x.shape[-3:])).permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels)


def layout_on(device: torch.device | str) -> torch.memory_format:
    """How maps lie in a device's memory: channels last, but on MPS.

    There, convolutions read slices of such maps wrongly in many versions of torch (its issue #180984), and take longer
    for whole ones (#193349).
    """
    return torch.contiguous_format if torch.device(device).type == "mps" else torch.channels_last
