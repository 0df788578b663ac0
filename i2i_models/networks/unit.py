"""UNIT: Liu et al. 2017, "Unsupervised Image-to-Image Translation Networks" (arXiv 1703.00848).

Unpaired images a and b. Corresponding images have one code z in a latent space that both domains
share: E_A and E_B find it, G_A and G_B draw from it. Each domain is a variational auto-encoder
with a discriminator behind it; the blocks next to z are the same in both.
"""

import dataclasses
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import directions
from ..checkpoints import Chance, NetworkConfig, check_choice, check_range
from ..directions import Direction
from .layers import init_kaiming, init_normal
from .losses import GanLoss, discriminator_loss, generator_adversarial_loss
from .network import TranslationNetwork
from .objective import Losses, Outputs
from .patchgan import MultiScalePatchGAN
from .resnet import Activation, ContentEncoder, ResidualBlock, UpsamplingDecoder


@dataclasses.dataclass(frozen=True)
class UNITConfig(NetworkConfig):
    """Architecture of UNIT."""

    base_width: int = 64
    """Channels after an encoder's first layer."""
    downs: int = 2
    """Stride-2 convolutions before the residual blocks."""
    blocks: int = 4
    """Residual blocks of an encoder and of a decoder, the shared ones among them."""
    shared_blocks: int = 1
    """How many of them both domains share; 0 to share none."""
    activation: Activation = "leaky_relu"
    """After each of the generators' layers but the last."""
    discriminator_width: int = 64
    """Channels after a discriminator's first layer."""
    discriminator_layers: int = 5
    """Stride-2 layers of a discriminator."""
    discriminator_scales: int = 1
    """Image sizes that a discriminator looks at, each half of the one before."""

    def check(self) -> None:
        check_range(self, 1, 512, "base_width", "discriminator_width")
        check_range(self, 1, 6, "downs")
        check_range(self, 0, 64, "blocks")
        check_range(self, 0, self.blocks, "shared_blocks")
        check_range(self, 1, 8, "discriminator_layers", "discriminator_scales")
        check_choice(self, "activation", Activation)


@dataclasses.dataclass(frozen=True)
class UNITObjective:
    """The losses of section 3 and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], no pair."""

    gan: GanLoss = "cross_entropy"
    """The adversarial loss: cross_entropy as in the paper, or least_squares."""
    lambda_gan: float = 10.0
    """λ0, the weight of the adversarial terms."""
    lambda_kl: float = 0.1
    """λ1, the weight of the codes' distance from N(0, I)."""
    lambda_reconstruction: float = 100.0
    """λ2, the weight of the reconstructions."""
    lambda_kl_cycle: float = 0.1
    """λ3, the weight of the distance from N(0, I) for the codes of translations."""
    lambda_cycle: float = 100.0
    """λ4, the weight of the cycles. With λ3 0, too, there is no way back, as in the paper's ablation."""

    def outputs(self, network: "UNIT", a: Tensor, b: Tensor) -> Outputs:
        """The three streams of both domains: reconstruction, translation, cycle. Each decoder draws two in one pass."""
        mean_a, mean_b = network.encode(a, "A2B"), network.encode(b, "B2A")
        codes = torch.cat([sample(mean_a), sample(mean_b)])
        same_a, fake_a = network.decode(codes, "B2A").chunk(2)
        fake_b, same_b = network.decode(codes, "A2B").chunk(2)
        parts = {
            "mean_a": mean_a,
            "mean_b": mean_b,
            "same_a": same_a,
            "same_b": same_b,
            "fake_a": fake_a,
            "fake_b": fake_b,
        }
        if self._has_cycle:
            mean_ab, mean_ba = network.encode(fake_b, "B2A"), network.encode(fake_a, "A2B")
            parts |= {"mean_ab": mean_ab, "mean_ba": mean_ba}
            parts["cycle_a"] = network.decode(sample(mean_ab), "B2A")
            parts["cycle_b"] = network.decode(sample(mean_ba), "A2B")
        return parts

    def discriminator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 5, D's side: −log D_A(a) − log(1 − D_A(G_A(z_B))), and the same for B.

        Without λ0: Adam steps as far for any multiple of a loss.
        """
        return discriminator_loss(discriminators, a, b, outputs["fake_a"], outputs["fake_b"], self.gan)

    def generator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 2, the generators' side, for A (B alike).

        −λ0·log D_A(G_A(z_B)) + λ1·KL(z_A) + λ2·|a − G_A(z_A)| + λ3·KL(z_AB) + λ4·|a − G_A(z_AB)|,
        z_AB the code of the translation G_B(z_A); |·| is the likelihood under a Laplacian.
        """
        o = outputs
        parts = {
            "gan": self.lambda_gan * generator_adversarial_loss(discriminators, o["fake_a"], o["fake_b"], self.gan),
            "kl": self.lambda_kl * (kl(o["mean_a"]) + kl(o["mean_b"])),
            "reconstruction": self.lambda_reconstruction * (F.l1_loss(o["same_a"], a) + F.l1_loss(o["same_b"], b)),
        }
        if self._has_cycle:
            parts["kl_cycle"] = self.lambda_kl_cycle * (kl(o["mean_ab"]) + kl(o["mean_ba"]))
            parts["cycle"] = self.lambda_cycle * (F.l1_loss(o["cycle_a"], a) + F.l1_loss(o["cycle_b"], b))
        return parts

    @property
    def _has_cycle(self) -> bool:
        return bool(self.lambda_cycle or self.lambda_kl_cycle)


class UNIT(TranslationNetwork):
    """Encoders and decoders of both domains. A shared block stands in it once, beside them."""

    method = "unit"
    title = "UNIT"
    paired = False
    mixes_codes = True
    Config = UNITConfig
    Objective = UNITObjective
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 1e-4, "decay_from": 1.0, "steps": 300_000}

    def __init__(self, config: UNITConfig | None = None) -> None:
        super().__init__()
        self.config: UNITConfig = config or UNITConfig()
        c = self.config
        self.directions = ("A2B", "B2A")
        self.multiple = 2**c.downs
        self.smallest = max(4, 2 * self.multiple)  # what reflection needs
        own = c.blocks - c.shared_blocks

        def residual(count: int) -> list[ResidualBlock]:
            return [ResidualBlock(c.base_width * 2**c.downs, "instance", c.activation) for _ in range(count)]

        def decoder() -> nn.Sequential:
            return nn.Sequential(*residual(own), *UpsamplingDecoder(c.base_width, c.downs, c.activation))

        self.encoders = nn.ModuleDict({k: ContentEncoder(c.base_width, c.downs, own, c.activation) for k in "AB"})
        self.shared_encoder = nn.Sequential(*residual(c.shared_blocks))
        self.shared_decoder = nn.Sequential(*residual(c.shared_blocks))
        self.decoders = nn.ModuleDict({k: decoder() for k in "AB"})
        init_kaiming(self)

    @property
    def chance(self) -> Chance:
        """Noise on the shared code: z = μ + temperature·ε."""
        return "latent"

    def encoder(self, direction: Direction) -> nn.Module:
        """`(N, 3, H, W)` → the mean μ of z: `(N, base_width·2^downs, H / 2^downs, W / 2^downs)`."""
        return nn.Sequential(self.encoders[directions.source(direction)], self.shared_encoder)

    def decoder(self, direction: Direction) -> nn.Module:
        """z → `(N, 3, H, W)` in [-1, 1]."""
        return nn.Sequential(self.shared_decoder, self.decoders[directions.target(direction)])

    def decoder_inputs(
        self, codes: Tensor, style: Tensor | None, noise: torch.Generator | None, temperature: float
    ) -> tuple[Tensor, ...]:
        """z: the mean μ, or with `noise` μ + temperature·ε, ε ~ N(0, I). There is no style."""
        if noise is not None:
            codes = codes + temperature * torch.randn(codes.shape, generator=noise).to(codes)
        return (codes,)

    def reconstruct(self, x: Tensor, domain: str) -> Tensor:
        """A domain's images through z and back, without noise."""
        there: dict[str, tuple[Direction, Direction]] = {"A": ("A2B", "B2A"), "B": ("B2A", "A2B")}
        away, home = there[domain]
        return self.decode(self.encode(x, away), home)

    def grid(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """For each domain: inputs, reconstructions, translations, the way back."""
        rows = super().grid(a, b)
        return [a, self.reconstruct(a, "A"), *rows[1:3], b, self.reconstruct(b, "B"), *rows[4:]]

    def discriminators(self) -> nn.ModuleDict:
        """D_A and D_B: `(N, 3, H, W)` → patch logits of each scale."""
        c = self.config
        sizes = c.discriminator_width, c.discriminator_layers, c.discriminator_scales
        discriminators = nn.ModuleDict({k: MultiScalePatchGAN(3, *sizes) for k in "AB"})
        init_normal(discriminators)
        return discriminators


def sample(mean: Tensor) -> Tensor:
    """z = μ + ε, ε ~ N(0, I)."""
    return mean + torch.randn_like(mean)


def kl(mean: Tensor) -> Tensor:
    """KL(N(μ, I) ‖ N(0, I)) = ½ μ², its mean over the elements."""
    return 0.5 * mean.square().mean()
