"""Residual networks: CycleGAN's generator, and the encoder and the last layers that UNIT and MUNIT share."""

import itertools
from typing import Literal

from torch import Tensor, nn

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


class UpsamplingDecoder(nn.Sequential):
    """`downs` × (nearest ×2, 5×5 convolution, layer norm, activation), 7×7 convolution, tanh.

    `(N, base_width·2^downs, h, w)` → `(N, 3, h·2^downs, w·2^downs)` in [-1, 1].
    """

    def __init__(self, base_width: int, downs: int, activation: Activation = "relu") -> None:
        widths = [base_width * 2**i for i in range(downs, -1, -1)]
        layers: list[nn.Module] = []
        for large, small in itertools.pairwise(widths):
            layers += [nn.Upsample(scale_factor=2), reflect_conv(large, small, 5)]
            layers += [LayerNorm(small), activation_layer(activation)]
        super().__init__(*layers, reflect_conv(base_width, 3, 7), nn.Tanh())
