"""The PatchGAN discriminator of pix2pix (arXiv 1611.07004, section 6.1.2)."""

from torch import Tensor, nn

from .layers import Norm, norm_layer


class PatchGAN(nn.Module):
    """Judges overlapping patches: `layers` stride-2 4×4 convolutions, one of stride 1, one to a single logit.

    With 3 layers each logit sees 70×70 pixels; widths are C64-C128-C256-C512 at base width 64.
    """

    def __init__(self, in_channels: int, base_width: int = 64, layers: int = 3, norm: Norm = "instance") -> None:
        super().__init__()
        widths = [base_width * min(2**i, 8) for i in range(layers + 1)]
        model: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for i in range(1, layers + 1):
            stride = 2 if i < layers else 1
            model += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1, bias=norm != "batch"),
                *norm_layer(norm, widths[i]),
                nn.LeakyReLU(0.2),
            ]
        self.model = nn.Sequential(*model, nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, H, W)` in [-1, 1] → logits `(N, 1, h, w)`, one for each patch."""
        return self.model(x)
