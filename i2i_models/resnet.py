"""Residual networks: CycleGAN's generator, and the encoder and the last layers that UNIT and MUNIT share."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import InstanceNorm, LayerNorm, Norm, norm_layer

Activation = Literal["relu", "leaky_relu"]


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
        for small, large in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(small, large, 3, 2, 1, bias=bias), *norm_layer(norm, large), nn.ReLU()]
        layers += [ResidualBlock(widths[-1], norm) for _ in range(blocks)]
        for small, large in reversed(list(zip(widths, widths[1:], strict=False))):
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
        for small, large in zip(widths, widths[1:], strict=False):
            layers += [reflect_conv(small, large, 4, 2), InstanceNorm(), activation_layer(activation)]
        super().__init__(*layers, *(ResidualBlock(widths[-1], "instance", activation) for _ in range(blocks)))


class Enlarger(nn.Sequential):
    """`downs` × (nearest ×2, 5×5 convolution, layer norm, activation), 7×7 convolution, tanh.

    `(N, base_width·2^downs, h, w)` → `(N, 3, h·2^downs, w·2^downs)` in [-1, 1].
    """

    def __init__(self, base_width: int, downs: int, activation: Activation = "relu") -> None:
        widths = [base_width * 2**i for i in range(downs, -1, -1)]
        layers: list[nn.Module] = []
        for large, small in zip(widths, widths[1:], strict=False):
            layers += [ReflectUpsampleConv(large, small), LayerNorm(small), activation_layer(activation)]
        super().__init__(*layers, reflect_conv(base_width, 3, 7), nn.Tanh())


class ReflectUpsampleConv(nn.Module):
    """Nearest ×2, reflect pad 2, 5×5 convolution, computed at the small size.

    As in `unet.UpsampleConv`, each of the four output phases is a 3×3 convolution on the small
    image: 36 products a pixel instead of 100. Reflection enters there as a repeated border, all
    but for the outermost ring of the result, which reads one pixel further in: that ring is
    computed from the enlarged image.
    """

    fold: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 5)  # holds the 5×5 weights and does the ring
        even = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
        odd = [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
        phases = torch.tensor([even, odd], dtype=torch.float32)
        fold = torch.einsum("pak,qbl->klpqab", phases, phases).reshape(25, 36)
        self.register_buffer("fold", fold, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, h, w)` → `(N, out_channels, 2h, 2w)`; h and w at least 2."""
        weight, bias = self.conv.weight, self.conv.bias
        folded = (weight.flatten(2) @ self.fold.to(weight.dtype)).unflatten(2, (4, 3, 3))
        folded = folded.transpose(1, 2).flatten(0, 1)
        assert bias is not None
        inner = F.conv2d(F.pad(x, (1, 1, 1, 1), "replicate"), folded, bias.repeat_interleave(4))
        y = F.pixel_shuffle(inner, 2)
        top, bottom = self._ring(x[:, :, :2])[:, :, :1], self._ring(x[:, :, -2:])[:, :, -1:]
        left, right = self._ring(x[..., :2])[..., :1], self._ring(x[..., -2:])[..., -1:]
        middle = torch.cat([left[:, :, 1:-1], y[:, :, 1:-1, 1:-1], right[:, :, 1:-1]], 3)
        return torch.cat([top, middle, bottom], 2)

    def _ring(self, strip: Tensor) -> Tensor:
        """The plain computation, on a strip two pixels wide: only its outer line is used."""
        large = strip.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return self.conv(F.pad(large, (2, 2, 2, 2), "reflect"))
