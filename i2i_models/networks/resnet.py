"""Residual networks: CycleGAN's generator, and the encoder and the last layers that UNIT and MUNIT share."""

import itertools
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import InstanceNorm, LayerNorm, Norm, convolve, norm_layer

Activation = Literal["relu", "leaky_relu"]

FOLD_FROM = {False: 1e8, True: 4e8}
"""Products from which on `UpsampleReflectConv` is quicker at the small size: in float32, under autocast."""


def activation_layer(activation: Activation) -> nn.Module:
    """ReLU, or leaky with slope 0.2."""
    return nn.ReLU() if activation == "relu" else nn.LeakyReLU(0.2)


def reflect_conv(inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """A convolution with reflected borders that keeps the size, or halves it at stride 2."""
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, padding_mode="reflect", bias=bias)


class ResidualBlock(nn.Module):
    """x + norm(conv(act(norm(conv(x))))), 3×3, borders reflected."""

    def __init__(self, channels: int, norm: Norm = "instance", activation: Activation = "relu") -> None:
        super().__init__()
        bias = norm != "batch"
        self.model = nn.Sequential(
            reflect_conv(channels, channels, 3, bias=bias),
            *norm_layer(norm, channels),
            activation_layer(activation),
            reflect_conv(channels, channels, 3, bias=bias),
            *norm_layer(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(N, channels, H, W)` → the same shape."""
        return x + self.model(x)


class ResNetGenerator(nn.Sequential):
    """The generator of Johnson et al. 2016 as CycleGAN uses it (arXiv 1703.10593, section 7.2).

    c7s1-64, two stride-2 convolutions to 128 and 256, `blocks` residual blocks, two transposed
    convolutions back to 64, c7s1-3, tanh. `(N, 3, H, W)` → `(N, 3, H, W)`, H and W multiples of 2^downs.
    """

    def __init__(self, base_width: int = 64, downs: int = 2, blocks: int = 9, norm: Norm = "instance") -> None:
        bias = norm != "batch"
        widths = [base_width * 2**i for i in range(downs + 1)]
        layers = [reflect_conv(3, widths[0], 7, bias=bias), *norm_layer(norm, widths[0]), nn.ReLU()]
        for small, large in itertools.pairwise(widths):
            layers += [nn.Conv2d(small, large, 3, 2, 1, bias=bias), *norm_layer(norm, large), nn.ReLU()]
        layers += [ResidualBlock(widths[-1], norm) for _ in range(blocks)]
        for small, large in reversed(list(itertools.pairwise(widths))):
            up = nn.ConvTranspose2d(large, small, 3, 2, 1, output_padding=1, bias=bias)
            layers += [up, *norm_layer(norm, small), nn.ReLU()]
        super().__init__(*layers, reflect_conv(widths[0], 3, 7), nn.Tanh())


class ContentEncoder(nn.Sequential):
    """7×7 convolution, `downs` stride-2 4×4 convolutions, residual blocks; instance norm, borders reflected.

    `(N, 3, H, W)` → `(N, base_width·2^downs, H / 2^downs, W / 2^downs)`.
    """

    def __init__(self, base_width: int, downs: int, blocks: int, activation: Activation = "relu") -> None:
        widths = [base_width * 2**i for i in range(downs + 1)]
        layers = [reflect_conv(3, widths[0], 7), InstanceNorm(), activation_layer(activation)]
        for small, large in itertools.pairwise(widths):
            layers += [reflect_conv(small, large, 4, 2), InstanceNorm(), activation_layer(activation)]
        super().__init__(*layers, *(ResidualBlock(widths[-1], "instance", activation) for _ in range(blocks)))


class UpsampleReflectConv(nn.Conv2d):
    """Nearest ×2, borders reflected, 5×5 convolution: `(N, C, H, W)` → `(N, out, 2H, 2W)`.

    On CPUs computed at the small size where that is quicker. After nearest upsampling neighbouring taps read the same
    pixel, so each of the four output phases is a 3×3 convolution of the small image (36 products for 100), as in
    `unet.UpsampleConv`. Reflected borders read the third pixel from the edge where repeated ones read the first, which
    changes the outermost rows and columns alone: these are convolved by themselves.
    """

    fold: Tensor
    edge: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5)
        # fold[phase, small tap, large tap]; edge[tap from the edge inwards, large tap], of the outermost row
        even = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
        odd = [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
        self.register_buffer("fold", torch.tensor([even, odd], dtype=torch.float32), persistent=False)
        edge = [[0, 1, 1, 1, 0], [1, 0, 0, 0, 1]]
        self.register_buffer("edge", torch.tensor(edge, dtype=torch.float32), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` → `(N, outputs, 2H, 2W)`; H and W at least 2."""
        if not self._folds(x):
            return self.plain(x)
        fold = self.fold.to(self.weight.dtype)
        weight = torch.einsum("pak,qbl,oikl->opqiab", fold, fold, self.weight).flatten(0, 2)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        inner = F.pixel_shuffle(convolve(F.pad(x, (1, 1, 1, 1), mode="replicate"), weight, bias), 2)
        top, bottom = self._edges(x, self.weight)
        left, right = (y.transpose(2, 3) for y in self._edges(x.transpose(2, 3), self.weight.transpose(2, 3)))
        middle = torch.cat([left[:, :, 1:-1], inner[:, :, 1:-1, 1:-1], right[:, :, 1:-1]], 3)
        return torch.cat([top, middle, bottom], 2)

    def plain(self, x: Tensor) -> Tensor:
        """The same, computed at the large size."""
        return super().forward(F.pad(F.interpolate(x, scale_factor=2.0), (2, 2, 2, 2), mode="reflect"))

    def _folds(self, x: Tensor) -> bool:
        if torch.jit.is_tracing():
            return True  # a compiled graph adds the taps up once; `python -m benchmarks inference` shows the gain
        products = 4 * x.shape[0] * x.shape[2] * x.shape[3] * self.weight.numel()
        return x.device.type == "cpu" and products > FOLD_FROM[torch.is_autocast_enabled("cpu")]

    def _edges(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The first and the last row of the result, `(N, outputs, 1, 2W)`."""
        strips = torch.cat([x[:, :, :2], x[:, :, -2:].flip(2)])
        wide = F.pad(F.interpolate(strips, scale_factor=(1.0, 2.0)), (2, 2, 0, 0), mode="reflect")
        rows = convolve(wide, torch.einsum("ak,oikl->oial", self.edge.to(weight.dtype), weight), self.bias)
        first, last = rows.chunk(2)
        return first, last


class UpsamplingDecoder(nn.Sequential):
    """`downs` × (nearest ×2, 5×5 convolution, layer norm, activation), 7×7 convolution, tanh.

    `(N, base_width·2^downs, h, w)` → `(N, 3, h·2^downs, w·2^downs)` in [-1, 1].
    """

    def __init__(self, base_width: int, downs: int, activation: Activation = "relu") -> None:
        widths = [base_width * 2**i for i in range(downs, -1, -1)]
        layers: list[nn.Module] = []
        for large, small in itertools.pairwise(widths):
            layers += [nn.Identity(), UpsampleReflectConv(large, small)]
            layers += [LayerNorm(small), activation_layer(activation)]
        super().__init__(*layers, reflect_conv(base_width, 3, 7), nn.Tanh())
