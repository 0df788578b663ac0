"""The PatchGAN discriminator of pix2pix (arXiv 1611.07004, section 6.1.2), and one of several scales."""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ShapeError
from .layers import Norm, norm_layer
from .resnet import reflect_conv


class PatchGAN(nn.Module):
    """Judges overlapping patches: `layers` stride-2 4×4 convolutions, one of stride 1, one to a single logit.

    With 3 layers each logit sees 70×70 pixels; widths are C64-C128-C256-C512 at base width 64. Without such layers all
    convolutions are 1×1, and every pixel is judged by itself (the PixelGAN of section 4.4).
    """

    def __init__(self, in_channels: int, base_width: int = 64, layers: int = 3, norm: Norm = "instance") -> None:
        super().__init__()
        self.in_channels = in_channels
        strides = [2] * layers + [1] if layers else [1, 1]
        kernel, padding = (4, 1) if layers else (1, 0)
        widths = [base_width * min(2**i, 8) for i in range(len(strides))]
        model: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], kernel, strides[0], padding), nn.LeakyReLU(0.2)]
        for i in range(1, len(strides)):
            model += [
                nn.Conv2d(widths[i - 1], widths[i], kernel, strides[i], padding, bias=norm != "batch"),
                *norm_layer(norm, widths[i]),
                nn.LeakyReLU(0.2),
            ]
        self.model = nn.Sequential(*model, nn.Conv2d(widths[-1], 1, kernel, 1, padding))

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, H, W)` in [-1, 1] → logits `(N, 1, h, w)`, one for each patch."""
        return self.model(x)

    def features(self, x: Tensor) -> list[Tensor]:
        """As `forward`, but the activations `(N, C, h, w)` between the first layer and the last."""
        found = []
        for layer in self.model[:-1]:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return found[1:]


class MultiScalePatchGAN(nn.Module):
    """One patch discriminator for the image and each of its `scales - 1` halvings (MUNIT, section 5.1).

    Each has `layers` stride-2 4×4 convolutions without norm, borders reflected, widths doubling,
    then a 1×1 convolution to a single logit.
    """

    def __init__(self, in_channels: int = 3, base_width: int = 64, layers: int = 4, scales: int = 3) -> None:
        super().__init__()
        widths = [in_channels, *(base_width * 2**i for i in range(layers))]
        self.smallest = 2 ** (layers + scales - 1)
        self.scales = nn.ModuleList()
        for _ in range(scales):
            model: list[nn.Module] = []
            for inputs, outputs in itertools.pairwise(widths):
                model += [reflect_conv(inputs, outputs, 4, 2), nn.LeakyReLU(0.2)]
            self.scales.append(nn.Sequential(*model, nn.Conv2d(widths[-1], 1, 1)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """`(N, in_channels, H, W)` in [-1, 1] → logits `(N, 1, h, w)` of each scale, the finest first.

        Raises:
            ShapeError: the coarsest scale would have nothing left to reflect.
        """
        if min(x.shape[-2:]) < self.smallest:
            raise ShapeError(
                f"A discriminator of {len(self.scales)} scales sees images of at least {self.smallest} pixels a side, "
                f"not {x.shape[-2]}×{x.shape[-1]}: train at a larger size, or with fewer scales or layers."
            )
        logits = []
        for model in self.scales:
            logits.append(model(x))
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return logits
