"""Residual networks: CycleGAN's generator, and the encoder and the last layers that UNIT and MUNIT share."""

import contextvars
import itertools
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .layers import InstanceNorm, LayerNorm, Norm, convolve, norm_layer

Activation = Literal["relu", "leaky_relu"]

FOLD_TRACED = contextvars.ContextVar("FOLD_TRACED", default=True)
"""Whether graphs that are traced now have the layers below folded. In float32 that is quicker, since the taps are added
up once (`python -m benchmarks inference`). In bfloat16 the products cost so little that the sides, the shuffle and the
pads cost more than is saved: a decoder took 6.4 ms plain and 8.1 ms folded."""
FOLD_FROM = {False: 0, True: 1e8}
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

    With `mask` a fourth channel says what of each pixel is new: m·new + (1 − m)·input, as in Mejjati et al. 2018
    (arXiv 1806.02311), where networks of their own make the masks. What a translation leaves alone then stays exactly.
    """

    def __init__(
        self, base_width: int = 64, downs: int = 2, blocks: int = 9, norm: Norm = "instance", mask: bool = False
    ) -> None:
        bias = norm != "batch"
        widths = [base_width * 2**i for i in range(downs + 1)]
        layers = [reflect_conv(3, widths[0], 7, bias=bias), *norm_layer(norm, widths[0]), nn.ReLU()]
        for small, large in itertools.pairwise(widths):
            layers += [nn.Conv2d(small, large, 3, 2, 1, bias=bias), *norm_layer(norm, large), nn.ReLU()]
        layers += [ResidualBlock(widths[-1], norm) for _ in range(blocks)]
        for small, large in reversed(list(itertools.pairwise(widths))):
            up = nn.ConvTranspose2d(large, small, 3, 2, 1, output_padding=1, bias=bias)
            layers += [up, *norm_layer(norm, small), nn.ReLU()]
        ends = [reflect_conv(widths[0], 4, 7)] if mask else [reflect_conv(widths[0], 3, 7), nn.Tanh()]
        super().__init__(*layers, *ends)
        self.mask = mask

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, H, W)` → the same shape."""
        y = super().forward(x)
        if not self.mask:
            return y
        new, mask = y[:, :3].tanh(), y[:, 3:].sigmoid()
        return x + mask * (new - x)


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
    `unet.UpsampleConv`, here with its outermost pixels repeated. Reflected borders differ from repeated ones in the
    pixels two away from the image alone, which only the outermost rows and columns of the result read: what these
    lack is added to them.
    """

    taps: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5)
        # phase[phase, small tap, large tap]
        even = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
        odd = [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
        phase = torch.tensor([even, odd], dtype=torch.float32)
        inner = torch.einsum("pak,qbl->klpqab", phase, phase).reshape(25, 36)
        each = torch.eye(25).unflatten(0, (5, 5))  # each[row, column] finds that tap
        outer = [each[0], each[4], each[:, 0], each[:, 4]]  # top, bottom, left, right
        # For every large tap what it adds to: the 3×3 taps of the four phases, the 5 taps of the four sides.
        self.register_buffer("taps", torch.cat([inner, *(side.T for side in outer)], 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` → `(N, outputs, 2H, 2W)`; H and W at least 2."""
        if not self._folds(x):
            return self.plain(x)
        inner, *sides = (self.weight.flatten(2) @ self.taps.to(self.weight.dtype)).split([36, 5, 5, 5, 5], 2)
        weight = inner.unflatten(2, (4, 3, 3)).transpose(1, 2).flatten(0, 1)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        learns = torch.is_grad_enabled() and not torch.jit.is_tracing()
        framed, *lacking = Frame.apply(x) if learns else frame(x)
        y = F.pixel_shuffle(convolve(framed, weight, bias), 2)
        lines = [
            # Along the rows that are added to, borders are reflected; the columns then see those rows repeated.
            F.conv1d(F.pad(F.interpolate(line, scale_factor=2.0), (2, 2), mode=border), side)
            for line, side, border in zip(lacking, sides, ("reflect", "reflect", "replicate", "replicate"), strict=True)
        ]
        return AddToSides.apply(y, *lines) if learns else add_to_sides(y, *lines)

    def _folds(self, x: Tensor) -> bool:
        if torch.jit.is_tracing():
            return FOLD_TRACED.get()
        products = 4 * x.shape[0] * x.shape[2] * x.shape[3] * self.weight.numel()
        return x.device.type == "cpu" and products >= FOLD_FROM[torch.is_autocast_enabled("cpu")]

    def halved(self, x: Tensor) -> Tensor:
        """The means of the result's 2×2 pixels, `(N, outputs, H, W)`: one convolution, borders repeated."""
        mean = self.taps[:, :36].unflatten(1, (4, 9)).mean(1)
        weight = (self.weight.flatten(2) @ mean.to(self.weight.dtype)).unflatten(2, (3, 3))
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), weight, self.bias)

    def plain(self, x: Tensor) -> Tensor:
        """The same, computed at the large size."""
        return super().forward(F.pad(F.interpolate(x, scale_factor=2.0), (2, 2, 2, 2), mode="reflect"))


def frame(x: Tensor) -> tuple[Tensor, ...]:
    """x `(N, C, H, W)` with its outermost pixels repeated once, and how the second line at each side differs from the
    first: top and bottom `(N, C, W)`, left and right `(N, C, H)`."""
    rows = x[:, :, 1] - x[:, :, 0], x[:, :, -2] - x[:, :, -1]
    columns = x[..., 1] - x[..., 0], x[..., -2] - x[..., -1]
    return F.pad(x, (1, 1, 1, 1), mode="replicate"), *rows, *columns


def add_to_sides(y: Tensor, top: Tensor, bottom: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """y with its outermost rows `(N, C, W)` and columns `(N, C, H)` added to, in place where that is quick."""
    if torch.jit.is_tracing():  # a graph in bfloat16 joins parts more quickly than it writes into a map
        rows = [y[:, :, :1] + top[:, :, None], y[:, :, 1:-1], y[:, :, -1:] + bottom[:, :, None]]
        y = torch.cat(rows, 2)
        return torch.cat([y[..., :1] + left[..., None], y[..., 1:-1], y[..., -1:] + right[..., None]], 3)
    y[:, :, 0] += top
    y[:, :, -1] += bottom
    y[..., 0] += left
    y[..., -1] += right
    return y


class Frame(torch.autograd.Function):
    """`frame`, whose gradient is gathered in one map; autograd's own would fill and add one for every line."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, ...]:
        return frame(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, framed: Tensor, *lines: Tensor) -> Tensor:
        g = framed[:, :, 1:-1].clone(memory_format=torch.preserve_format)
        g[:, :, 0] += framed[:, :, 0]
        g[:, :, -1] += framed[:, :, -1]
        g[..., 1] += g[..., 0]
        g[..., -2] += g[..., -1]
        g = g[..., 1:-1]
        top, bottom, left, right = lines
        for line, first, second in ((top, g[:, :, 0], g[:, :, 1]), (bottom, g[:, :, -1], g[:, :, -2])):
            first -= line
            second += line
        for line, first, second in ((left, g[..., 0], g[..., 1]), (right, g[..., -1], g[..., -2])):
            first -= line
            second += line
        return g


class AddToSides(torch.autograd.Function):
    """`add_to_sides`, whose gradient is handed on as it is; autograd's own would copy it four times."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, *lines: Tensor) -> Tensor:
        ctx.mark_dirty(y)
        return add_to_sides(y, *lines)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        return g, g[:, :, 0], g[:, :, -1], g[..., 0], g[..., -1]


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

    def halved(self, x: Tensor) -> Tensor:
        """Nearly the same image at half the size, the last stage being computed there: `(N, 3, H/2, W/2)`."""
        *earlier, _, enlarge, norm, activation, last, bound = self
        assert isinstance(enlarge, UpsampleReflectConv) and isinstance(last, nn.Conv2d)
        for layer in earlier:
            x = layer(x)
        x = activation(norm(enlarge.halved(x)))
        # Means over 2×2 pixels of the 7×7 convolution of this map enlarged are a 5×5 one: which tap reads which pixel.
        reads = torch.zeros(5, 7)
        for tap in range(7):
            reads[(tap + 1) // 2, tap] += 0.5
            reads[(tap + 2) // 2, tap] += 0.5
        weight = torch.einsum("ak,bl,oikl->oiab", reads, reads, last.weight)
        return bound(F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), weight, last.bias))
