"""pix2pix: Isola et al. 2016, "Image-to-Image Translation with Conditional Adversarial Networks" (arXiv 1611.07004).

Paired images (a, b). A U-Net G draws b from a; a PatchGAN D sees (a, b) together and says
whether b is the photograph or G's. G is trained to fool D and to stay near b in L1.
"""

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checkpoints import Chance, NetworkConfig, check_choice, check_range
from ..directions import Direction
from .layers import Norm, UpLayer, init_normal
from .losses import GanLoss, adversarial, real_and_fake_loss
from .network import TranslationNetwork
from .objective import Losses, Outputs
from .patchgan import PatchGAN
from .unet import UNet


@dataclasses.dataclass(frozen=True)
class Pix2PixConfig(NetworkConfig):
    """Architecture of pix2pix."""

    base_width: int = 64
    """Channels after the U-Net's first layer."""
    depth: int = 8
    """Number of halvings; log2 of the image size reaches a 1×1 innermost map."""
    norm: Norm = "instance"
    """How layers are normalized."""
    last_layer: UpLayer = "upsample"
    """How the last layer doubles its map."""
    up_layers: UpLayer = "transposed"
    """How the other upward layers double their map; `upsample` leaves no checkerboard."""
    dropout: bool = True
    """Dropout 0.5 in the three innermost decoder layers."""
    skip_connections: bool = True
    """False leaves the encoder-decoder that section 4.2 compares the U-Net with."""
    full_size_skip: bool = False
    """A skip of the image itself too, so that lines and edges stay as sharp as in the input; not in the paper."""
    discriminator_width: int = 64
    """Channels after the PatchGAN's first layer."""
    discriminator_layers: int = 3
    """Stride-2 layers of the PatchGAN; 3 see 70×70 pixels, 1 sees 16×16, 5 see 286×286, and 0 single pixels."""
    discriminator_norm: Norm = "instance"
    """How the PatchGAN's layers are normalized."""
    conditional: bool = True
    """Whether the discriminator sees the input beside the picture; False is the GAN that section 4.1 compares with."""

    def check(self) -> None:
        check_range(self, 1, 512, "base_width", "discriminator_width")
        check_range(self, 2, 12, "depth")
        check_range(self, 0, 8, "discriminator_layers")
        check_choice(self, "norm", Norm)
        check_choice(self, "discriminator_norm", Norm)
        check_choice(self, "last_layer", UpLayer)
        check_choice(self, "up_layers", UpLayer)


@dataclasses.dataclass(frozen=True)
class Pix2PixObjective:
    """The losses of section 3.1 and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], a true pair."""

    gan: GanLoss = "cross_entropy"
    """The adversarial loss: cross_entropy as in the paper, or least_squares."""
    lambda_gan: float = 1.0
    """Weight of the adversarial term; 0 leaves L1 alone, and nothing for a discriminator to do."""
    lambda_l1: float = 100.0
    """λ, the weight of L1 beside the adversarial term."""

    def outputs(self, network: "Pix2Pix", a: Tensor, b: Tensor) -> Outputs:
        """What both steps need of the generator, computed once."""
        return {"fake_b": network.translate(a)}

    def discriminator_loss(self, discriminator: nn.Module, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 1, D's side: −½ (log D(a, b) + log(1 − D(a, G(a)))); halved to slow D down (section 3.3)."""
        if not self.lambda_gan:
            return {}
        true_pair, made_pair = judged(discriminator, a, b), judged(discriminator, a, outputs["fake_b"].detach())
        real, fake = real_and_fake_loss(discriminator, true_pair, made_pair, self.gan)
        return {"d_real": 0.5 * real, "d_fake": 0.5 * fake}

    def generator_loss(self, discriminator: nn.Module, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 4, G's side: −log D(a, G(a)) + λ |b − G(a)|."""
        fake = outputs["fake_b"]
        losses = {"l1": self.lambda_l1 * F.l1_loss(fake, b)}
        if self.lambda_gan:
            fooled = adversarial(discriminator(judged(discriminator, a, fake)), True, self.gan)
            losses = {"gan": self.lambda_gan * fooled, **losses}
        return losses


def judged(discriminator: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """What a discriminator looks at: a and b `(N, 3, H, W)` channel-wise concatenated, or b where it takes no more."""
    return torch.cat([a, b], 1) if discriminator.in_channels == 6 else b


class Pix2Pix(TranslationNetwork):
    """The conditional generator G: A → B."""

    method = "pix2pix"
    title = "pix2pix"
    paired = True
    Config = Pix2PixConfig
    Objective = Pix2PixObjective

    def __init__(self, config: Pix2PixConfig | None = None) -> None:
        super().__init__()
        self.config: Pix2PixConfig = config or Pix2PixConfig()
        c = self.config
        self.directions = ("A2B",)
        self.generator = UNet(
            3,
            3,
            c.base_width,
            c.depth,
            c.norm,
            c.last_layer,
            c.dropout,
            c.up_layers,
            c.skip_connections,
            c.full_size_skip,
        )
        self.multiple, self.skips = self.generator.multiple, self.generator.skips
        self.dropouts = self.generator.dropouts
        init_normal(self)

    @property
    def chance(self) -> Chance:
        """Dropout kept on at test time (section 3.2), where the network has any."""
        return "dropout" if self.config.dropout else "none"

    def decoder(self, direction: Direction) -> nn.Module:
        """`(N, 3, H, W)` → `(N, 3, H, W)`. The image is its own code: skips run past every bottleneck."""
        return self.generator

    def decode(
        self,
        codes: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """`(N, 3, H, W)` → `(N, 3, H, W)` in [-1, 1]; `noise` keeps dropout on (section 3.2). There is no style."""
        self.check_direction(direction)
        return self.generator(codes, noise)

    def discriminators(self) -> PatchGAN:
        """D on (a, b), channel-wise concatenated, `(N, 6, H, W)`, or on b alone, `(N, 3, H, W)` → patch logits."""
        c = self.config
        discriminator = PatchGAN(
            6 if c.conditional else 3, c.discriminator_width, c.discriminator_layers, c.discriminator_norm
        )
        init_normal(discriminator)
        return discriminator

    def discriminate(self, discriminators: nn.Module, codes: Tensor, y: Tensor, direction: Direction) -> Tensor:
        """D on the pairs of an input, which is its own code, and its translation y: `(N, 1, h, w)`."""
        return discriminators(judged(discriminators, codes, y))
