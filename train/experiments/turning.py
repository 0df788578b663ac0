"""DiscoGAN's three models of turned objects, small: Kim et al. 2017 (arXiv 1703.05192), figure 2 and section 4.2.

The generators are the authors': convolutions down to 100 numbers and up again, without skips, so that a translation
has to be drawn anew; the discriminators judge whole pictures. The models differ in what they have of both:

- `gan`: G_AB and D_B;
- `gan-reconstruction`: G_BA, too, which has to bring a back from G_AB(a); nobody judges what it draws;
- `discogan`: both ways, with D_A.
"""

import dataclasses
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i_models.networks.layers import init_normal
from i2i_models.networks.losses import adversarial, real_and_fake_loss
from i2i_models.networks.objective import Losses, Outputs

Model = Literal["gan", "gan-reconstruction", "discogan"]
CODE = 100
HALVINGS = 4


def down(inputs: int, outputs: int, norm: bool = True) -> list[nn.Module]:
    """Half the size: a convolution, batch norm and a leaky ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not norm),
        *([nn.BatchNorm2d(outputs)] if norm else []),
        nn.LeakyReLU(0.2, True),
    ]


def up(inputs: int, outputs: int) -> list[nn.Module]:
    """Twice the size: a transposed convolution, batch norm and a ReLU."""
    return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]


class Generator(nn.Sequential):
    """`(N, 3, size, size)` in [-1, 1] → the same of the other domain."""

    def __init__(self, size: int, width: int) -> None:
        widths = [width * 2**i for i in range(HALVINGS)]
        last = size // 2**HALVINGS
        super().__init__(
            *down(3, width, norm=False),
            *(layer for i, o in pairwise(widths) for layer in down(i, o)),
            nn.Conv2d(widths[-1], CODE, last, bias=False),
            nn.BatchNorm2d(CODE),
            nn.LeakyReLU(0.2, True),
            nn.ConvTranspose2d(CODE, widths[-1], last, bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(True),
            *(layer for o, i in reversed(list(pairwise(widths))) for layer in up(i, o)),
            nn.ConvTranspose2d(width, 3, 4, 2, 1),
            nn.Tanh(),
        )
        init_normal(self)


class Discriminator(nn.Sequential):
    """`(N, 3, size, size)` → a logit for the whole picture, `(N, 1, 1, 1)`."""

    def __init__(self, size: int, width: int) -> None:
        widths = [width * 2**i for i in range(HALVINGS)]
        super().__init__(
            *down(3, width, norm=False),
            *(layer for i, o in pairwise(widths) for layer in down(i, o)),
            nn.Conv2d(widths[-1], 1, size // 2**HALVINGS),
        )
        init_normal(self)


class AngleReader(nn.Module):
    """Reads by how many degrees a car is turned, as a share of `limit`."""

    def __init__(self, size: int, width: int = 16) -> None:
        super().__init__()
        widths = [3, *(width * 2**i for i in range(HALVINGS))]
        self.layers = nn.Sequential(
            *(layer for i, o in pairwise(widths) for layer in down(i, o)),
            nn.Flatten(),
            nn.Linear(widths[-1] * (size // 2**HALVINGS) ** 2, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, size, size)` in [-1, 1] → `(N,)`, in [-1, 1] for what it was trained on."""
        return self.layers(x)[:, 0]


def networks(model: Model, size: int, width: int) -> tuple[nn.ModuleDict, nn.ModuleDict]:
    """The generators, by direction, and the discriminators, by domain, that a model has."""
    generators = nn.ModuleDict({"A2B": Generator(size, width)})
    discriminators = nn.ModuleDict({"B": Discriminator(size, width)})
    if model != "gan":
        generators["B2A"] = Generator(size, width)
    if model == "discogan":
        discriminators["A"] = Discriminator(size, width)
    return generators, discriminators


@dataclasses.dataclass(frozen=True)
class TurningObjective:
    """The losses of the three models; their terms are there where a model has the networks for them."""

    lambda_gan: float = 1.0
    """Weight of the adversarial terms."""
    lambda_reconstruction: float = 10.0
    """Weight of the mean square between an image and what comes back."""

    def outputs(self, generators: nn.ModuleDict, a: Tensor, b: Tensor, both: bool) -> Outputs:
        """Translations and what comes back of them.

        Args:
            both: whether b is translated, too.
        """
        found = {"fake_b": generators["A2B"](a)}
        if "B2A" in generators:
            found["cycle_a"] = generators["B2A"](found["fake_b"])
        if both:
            found["fake_a"] = generators["B2A"](b)
            found["cycle_b"] = generators["A2B"](found["fake_a"])
        return found

    def discriminator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """−log D_B(b) − log(1 − D_B(G_AB(a))), and the same for A where D_A is there."""
        losses = {}
        for domain, real in (("A", a), ("B", b)):
            if domain in discriminators:
                fake = outputs[f"fake_{domain.lower()}"].detach()
                parts = real_and_fake_loss(discriminators[domain], real, fake, "cross_entropy")
                losses[f"d_{domain.lower()}"] = torch.stack(parts).sum()
        return losses

    def generator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """−log D_B(G_AB(a)), with what a model has of −log D_A(G_BA(b)) and of the two reconstructions."""
        losses = {}
        for domain, real in (("A", a), ("B", b)):
            name = domain.lower()
            if domain in discriminators:
                judged = discriminators[domain](outputs[f"fake_{name}"])
                losses[f"gan_{name}"] = self.lambda_gan * adversarial(judged, True, "cross_entropy")
            if f"cycle_{name}" in outputs:
                losses[f"reconstruction_{name}"] = self.lambda_reconstruction * F.mse_loss(
                    outputs[f"cycle_{name}"], real
                )
        return losses
