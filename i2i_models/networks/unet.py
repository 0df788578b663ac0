"""The U-Net generator of pix2pix (arXiv 1611.07004, section 6.1.1), which DiscoGAN shares."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ShapeError
from .layers import Conv2d, ConvTranspose2d, Norm, UpLayer, convolve, norm_layer


class UNet(nn.Module):
    """An encoder and a decoder of `depth` stride-2 4×4 convolutions with a skip at every size.

    Widths are 1·2·4·8·8·… × `base_width`. The first and the innermost encoder layers have no
    norm (a 1×1 map has nothing to normalise). Dropout 0.5 follows the three innermost decoder
    layers, as far as the depth has them beside the last one.

    Args:
        depth: number of halvings; log2 of the image size brings the innermost map down to 1×1.
        last_layer: `upsample`, nearest ×2 and a 4×4 convolution, which leaves no checkerboard,
            or `transposed`, the transposed convolution of the public weights.
        up_layers: the same for the other upward layers; `transposed` as in the paper.
        connected: False leaves out the skips: an encoder and a decoder, and the bottleneck between them.
        full_size: one skip more, which the paper has not: of the image itself, past all halvings, to two 3×3
            convolutions at the end. Lines and edges that a result shares with its input then stay as sharp as they are.
    """

    DROPOUT = 0.5
    FULL_SIZE_WIDTH = 16
    """Channels between the two convolutions of the full size."""

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        base_width: int = 64,
        depth: int = 8,
        norm: Norm = "instance",
        last_layer: UpLayer = "upsample",
        dropout: bool = True,
        up_layers: UpLayer = "transposed",
        connected: bool = True,
        full_size: bool = False,
    ) -> None:
        super().__init__()
        self.connected = connected
        self.full_size = full_size
        both = 2 if connected else 1
        bias = norm != "batch"  # batch norm brings its own; the public weights keep one elsewhere
        widths = [base_width * min(2**i, 8) for i in range(depth)]
        self.downs = nn.ModuleList()
        for i, width in enumerate(widths):
            first, innermost = i == 0, i == depth - 1
            conv = Conv2d(in_channels if first else widths[i - 1], width, 4, 2, 1, bias=bias)
            self.downs.append(
                nn.Sequential(
                    *([] if first else [nn.LeakyReLU(0.2)]),
                    conv,
                    *([] if first or innermost else norm_layer(norm, width)),
                )
            )
        self.ups = nn.ModuleList()
        for i in reversed(range(1, depth)):
            inputs = widths[i] * (1 if i == depth - 1 else both)
            self.ups.append(
                nn.Sequential(
                    nn.ReLU(),
                    _up_layer(inputs, widths[i - 1], up_layers, bias),
                    *norm_layer(norm, widths[i - 1]),
                )
            )
        inputs = both * widths[0]
        if full_size:
            width = max(base_width // 2, 1)
            self.last = nn.Sequential(nn.ReLU(), _up_layer(inputs, width, last_layer), nn.LeakyReLU(0.2))
            self.finish = nn.Sequential(
                Conv2d(width + in_channels, self.FULL_SIZE_WIDTH, 3, 1, 1),
                nn.LeakyReLU(0.2),
                Conv2d(self.FULL_SIZE_WIDTH, out_channels, 3, 1, 1),
                nn.Tanh(),
            )
        else:
            self.last = nn.Sequential(nn.ReLU(), _up_layer(inputs, out_channels, last_layer), nn.Tanh())
        self.dropout_ups = min(3, depth - 1) if dropout else 0

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        return 2 ** len(self.downs)

    @property
    def skips(self) -> range:
        """The numbers of the connections past the bottleneck.

        0 is the image's own size, where the network has that one; each further one is at half of that before.
        """
        return range(0 if self.full_size else 1, len(self.ups) + 1 if self.connected else 1)

    @property
    def dropouts(self) -> tuple[tuple[int, int], ...]:
        """Channels of each map that dropout follows, and how many times smaller than the image it is."""
        dropped = list(self.ups)[: self.dropout_ups]
        convolutions = [
            next(m for m in up.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)) for up in dropped
        ]
        return tuple((m.out_channels, 2 ** (len(self.ups) - i)) for i, m in enumerate(convolutions))

    def forward(
        self, x: Tensor, noise: torch.Generator | Sequence[Tensor] | None = None, cut: Collection[int] = ()
    ) -> Tensor:
        """Translate images.

        Args:
            x: `(N, in_channels, H, W)`, H and W multiples of 2^depth.
            noise: keeps dropout on outside training too, drawn from this CPU generator (the paper's
                only source of variety, section 3.2), or is what each dropout multiplies its map by, 0 or 2;
                without it the result is deterministic.
            cut: those of `skips` through which nothing passes; all of them leave the encoder-decoder without skips
                that section 4.2 compares with.

        Returns:
            `(N, out_channels, H, W)` in [-1, 1].

        Raises:
            ShapeError: H or W is no multiple of 2^depth.
        """
        if x.shape[-1] % self.multiple or x.shape[-2] % self.multiple:
            height, width = x.shape[-2:]
            raise ShapeError(
                f"A U-Net of depth {len(self.downs)} takes heights and widths that {self.multiple} divides, "
                f"not {height}×{width}: pad the image, or go through Translator, which does."
            )
        image, skips = x, []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for i, up in enumerate(self.ups):
            x = up(x)
            if i < self.dropout_ups:
                x = self._drop(x, noise if noise is None or isinstance(noise, torch.Generator) else noise[i])
            skip = skips.pop()
            if not self.connected:
                continue
            if len(skips) + 1 in cut:
                skip = torch.zeros_like(skip)
            x = torch.cat([skip, x], 1)
        x = self.last(x)
        if self.full_size:
            x = self.finish(torch.cat([torch.zeros_like(image) if 0 in cut else image, x], 1))
        return x

    def _drop(self, x: Tensor, noise: torch.Generator | Tensor | None) -> Tensor:
        if noise is None:
            return F.dropout(x, self.DROPOUT, self.training)
        if isinstance(noise, Tensor):
            return x * noise
        keep = torch.rand(x.shape, generator=noise) >= self.DROPOUT
        return x * keep.to(x.device) / (1 - self.DROPOUT)


def _up_layer(in_channels: int, out_channels: int, kind: UpLayer, bias: bool = True) -> nn.Module:
    """`(N, in_channels, H, W)` → `(N, out_channels, 2H, 2W)`."""
    if kind == "transposed":
        return ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=bias)
    return UpsampleConv(in_channels, out_channels, bias)


class UpsampleConv(nn.Module):
    """Nearest ×2, zero pad (1, 0, 1, 0), 4×4 convolution with padding 1, computed at the small size.

    After nearest upsampling neighbouring taps read the same pixel, so each of the four output
    phases is a convolution of at most 3×3 on the small image: the taps that meet are added up,
    one 3×3 convolution makes all phases and a pixel shuffle lays them out. The same function,
    several times faster on a CPU than enlarging first.
    """

    fold: Tensor

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, bias=bias)  # holds the 4×4 weights; never called
        # fold[phase, small tap, large tap]
        even = [[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
        odd = [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
        self.register_buffer("fold", torch.tensor([even, odd], dtype=torch.float32), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, H, W)` → `(N, out_channels, 2H, 2W)`."""
        fold = self.fold.to(self.conv.weight.dtype)
        weight = torch.einsum("pak,qbl,oikl->opqiab", fold, fold, self.conv.weight).flatten(0, 2)
        bias = None if self.conv.bias is None else self.conv.bias.repeat_interleave(4)
        return F.pixel_shuffle(convolve(x, weight, bias, padding=(1, 1)), 2)
