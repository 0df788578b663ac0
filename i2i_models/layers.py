"""Layers and initialisation that several networks share."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["instance", "batch", "none"]
LastLayer = Literal["upsample", "transposed"]


class InstanceNorm(nn.Module):
    """Each channel of each image to mean 0 and variance 1 (Ulyanov et al. 2016); no weights, no statistics kept.

    Written as group norm with one channel a group, which is the same sum and, on a CPU with
    channels_last, the faster kernel of the two.
    """

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` → the same shape."""
        return F.group_norm(x, x.shape[1])


class LayerNorm(nn.Module):
    """All channels of each image together to mean 0 and standard deviation 1, then a scale and shift a channel.

    As public MUNIT and UNIT weights need it: the unbiased deviation, with ε added to it and not to the variance.
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` → the same shape."""
        x = x.float()  # a sum over a whole image is too long for bfloat16
        variance, mean = torch.var_mean(x, (1, 2, 3), keepdim=True)
        scale = self.weight[:, None, None] / (variance.sqrt() + self.EPSILON)
        return torch.addcmul(self.bias[:, None, None] - mean * scale, x, scale)


def norm_layer(norm: Norm, channels: int) -> list[nn.Module]:
    """The normalisation as a list of layers, so that `none` adds nothing to a Sequential."""
    if norm == "instance":
        return [InstanceNorm()]
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    return []


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Convolution weights from N(0, std²), biases 0, batch norm scales from N(1, std²) (pix2pix, section 6.2)."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(m.weight, 0.0, std)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1.0, std)
            nn.init.zeros_(m.bias)


def init_kaiming(module: nn.Module) -> None:
    """Weights of convolutions and linear layers from N(0, 2 / fan-in), biases 0 (He et al. 2015)."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)


class TrainingState(nn.Module):
    """A module whose buffers a training must keep and a checkpoint has no use for."""
