"""DiscoGAN: Kim et al. 2017, "Learning to Discover Cross-Domain Relations with GANs" (arXiv 1703.05192).

Unpaired images a and b. Two generators G_AB and G_BA, each followed by the discriminator of the domain it draws in;
going there and back must return to the start, which makes the map one to one.

Not as in the paper: the generators are U-Nets and the discriminators PatchGANs, as in pix2pix, where the authors'
generators have no skips and their discriminators judge whole images. The authors' code also adds feature matching to
the adversarial loss and raises the reconstruction's weight after a number of steps; neither is in the paper's equations
nor here.
"""

import dataclasses
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from ..checkpoints import NetworkConfig, check_choice, check_range
from ..directions import Direction
from .layers import Norm, UpLayer, init_normal
from .losses import GanLoss, discriminator_loss, generator_adversarial_loss
from .network import TranslationNetwork
from .objective import Losses, Outputs
from .patchgan import PatchGAN
from .unet import UNet


@dataclasses.dataclass(frozen=True)
class DiscoGANConfig(NetworkConfig):
    """Architecture of DiscoGAN."""

    base_width: int = 64
    """Channels after a U-Net's first layer."""
    depth: int = 8
    """Number of halvings; log2 of the image size reaches a 1×1 innermost map: 6 at 64 pixels."""
    norm: Norm = "instance"
    last_layer: UpLayer = "upsample"
    up_layers: UpLayer = "transposed"
    """How the other upward layers double their map; `upsample` leaves no checkerboard."""
    discriminator_width: int = 64
    """Channels after a PatchGAN's first layer."""
    discriminator_layers: int = 3
    """Stride-2 layers of a PatchGAN."""

    def check(self) -> None:
        check_range(self, 1, 512, "base_width", "discriminator_width")
        check_range(self, 2, 12, "depth")
        check_range(self, 1, 8, "discriminator_layers")
        check_choice(self, "norm", Norm)
        check_choice(self, "last_layer", UpLayer)
        check_choice(self, "up_layers", UpLayer)


@dataclasses.dataclass(frozen=True)
class DiscoGANObjective:
    """The paper's losses and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], no pair."""

    gan: GanLoss = "cross_entropy"
    """The adversarial loss: cross_entropy as in the paper, or least_squares."""
    lambda_reconstruction: float = 1.0
    """Weight of the reconstructions beside the adversarial terms."""

    def outputs(self, network: "DiscoGAN", a: Tensor, b: Tensor) -> Outputs:
        """Both translations and both ways back."""
        fake_b, fake_a = network.translate(a, "A2B"), network.translate(b, "B2A")
        return {
            "fake_b": fake_b,
            "fake_a": fake_a,
            "cycle_a": network.translate(fake_b, "B2A"),
            "cycle_b": network.translate(fake_a, "A2B"),
        }

    def discriminator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """L_D of the paper: −log D_B(b) − log(1 − D_B(G_AB(a))), and the same for A."""
        return discriminator_loss(discriminators, a, b, outputs["fake_a"], outputs["fake_b"], self.gan)

    def generator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """L_G of the paper: −log D_B(G_AB(a)) + λ·d(G_BA(G_AB(a)), a), and the same from B; d is the mean square."""
        there_and_back = F.mse_loss(outputs["cycle_a"], a) + F.mse_loss(outputs["cycle_b"], b)
        return {
            "gan": generator_adversarial_loss(discriminators, outputs["fake_a"], outputs["fake_b"], self.gan),
            "reconstruction": self.lambda_reconstruction * there_and_back,
        }


class DiscoGAN(TranslationNetwork):
    """The generators G_AB and G_BA."""

    method = "discogan"
    title = "DiscoGAN"
    paired = False
    Config = DiscoGANConfig
    Objective = DiscoGANObjective
    training_defaults: ClassVar[dict[str, Any]] = {"decay_from": 1.0}

    def __init__(self, config: DiscoGANConfig | None = None) -> None:
        super().__init__()
        self.config: DiscoGANConfig = config or DiscoGANConfig()
        c = self.config
        self.directions = ("A2B", "B2A")
        self.generators = nn.ModuleDict(
            {
                d: UNet(3, 3, c.base_width, c.depth, c.norm, c.last_layer, dropout=False, up_layers=c.up_layers)
                for d in self.directions
            }
        )
        self.multiple, self.skips = 2**c.depth, c.depth - 1
        init_normal(self)

    def decoder(self, direction: Direction) -> nn.Module:
        """`(N, 3, H, W)` → `(N, 3, H, W)`. The image is its own code: skips run past every bottleneck."""
        return self.generators[direction]

    def discriminators(self) -> nn.ModuleDict:
        """D_A and D_B: `(N, 3, H, W)` → patch logits."""
        c = self.config
        make = [PatchGAN(3, c.discriminator_width, c.discriminator_layers, c.norm) for _ in "AB"]
        discriminators = nn.ModuleDict(dict(zip("AB", make, strict=True)))
        init_normal(discriminators)
        return discriminators
