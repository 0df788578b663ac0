"""MUNIT: Huang et al. 2018, "Multimodal Unsupervised Image-to-Image Translation" (arXiv 1804.04732).

Unpaired images a and b. An image is a content c, in a space that both domains share, and a style
s of its own domain, a few numbers with the prior N(0, I). Content of one domain drawn in a style
of the other is a translation; other styles give other translations.
"""

import dataclasses
import itertools
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import directions
from ..checkpoints import Chance, NetworkConfig, check_range
from ..directions import Direction
from ..errors import DirectionError, ShapeError
from .layers import InstanceNorm, init_kaiming, init_normal
from .losses import GanLoss, discriminator_loss, generator_adversarial_loss
from .network import TranslationNetwork
from .objective import Losses, Outputs
from .patchgan import MultiScalePatchGAN
from .perceptual import vgg_features
from .resnet import ContentEncoder, UpsamplingDecoder, reflect_conv


@dataclasses.dataclass(frozen=True)
class MUNITConfig(NetworkConfig):
    """Architecture of MUNIT."""

    base_width: int = 64
    """Channels after an encoder's first layer."""
    style_dim: int = 8
    """Numbers in a style code."""
    downs: int = 2
    """Stride-2 convolutions of a content encoder."""
    style_downs: int = 4
    """Stride-2 convolutions of a style encoder."""
    blocks: int = 4
    """Residual blocks of a content encoder and of a decoder."""
    mlp_width: int = 256
    """Width of the MLP between a style and the scales and shifts that it sets."""
    discriminator_width: int = 64
    """Channels after a discriminator's first layer."""
    discriminator_layers: int = 4
    """Stride-2 layers of a discriminator."""
    discriminator_scales: int = 3
    """Image sizes that a discriminator looks at, each half of the one before."""

    def check(self) -> None:
        check_range(self, 1, 512, "base_width", "discriminator_width", "style_dim")
        check_range(self, 1, 6, "downs")
        check_range(self, 2, 8, "style_downs")
        check_range(self, 1, 64, "blocks")
        check_range(self, 1, 4096, "mlp_width")
        check_range(self, 1, 8, "discriminator_layers", "discriminator_scales")


@dataclasses.dataclass(frozen=True)
class MUNITObjective:
    """The losses of section 3 and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], no pair."""

    gan: GanLoss = "least_squares"
    """The adversarial loss: least_squares as in the paper, or cross_entropy."""
    lambda_gan: float = 1.0
    """Weight of the adversarial terms."""
    lambda_image: float = 10.0
    """λx, the weight of the images' reconstruction."""
    lambda_content: float = 1.0
    """λc, the weight of the contents' reconstruction."""
    lambda_style: float = 1.0
    """λs, the weight of the styles' reconstruction."""
    lambda_cycle: float = 0.0
    """Weight of the style-augmented cycle (section 5.1: 10 where the domains are far apart); 0 for none."""
    lambda_vgg: float = 0.0
    """Weight of the domain-invariant perceptual loss (section 5.1: 1 at 512 pixels and more); 0 for none."""

    def outputs(self, network: "MUNIT", a: Tensor, b: Tensor) -> Outputs:
        """Reconstructions and translations, each decoder drawing both in one pass, and the codes read off these."""
        content_a, content_b = network.encode(a, "A2B"), network.encode(b, "B2A")
        style_a, style_b = network.encode_style(a, "A"), network.encode_style(b, "B")
        drawn_a, drawn_b = (network.sample_styles(len(x)).to(x.device) for x in (a, b))
        contents = torch.cat([content_a, content_b])
        same_a, fake_a = network.decode(contents, "B2A", torch.cat([style_a, drawn_a])).chunk(2)
        fake_b, same_b = network.decode(contents, "A2B", torch.cat([drawn_b, style_b])).chunk(2)
        found_b, found_a = network.encode(fake_a, "A2B"), network.encode(fake_b, "B2A")
        parts = {
            "same_a": same_a,
            "same_b": same_b,
            "fake_a": fake_a,
            "fake_b": fake_b,
            "content_a": content_a,
            "content_b": content_b,
            "found_content_a": found_a,
            "found_content_b": found_b,
            "style_a": drawn_a,
            "style_b": drawn_b,
            "found_style_a": network.encode_style(fake_a, "A"),
            "found_style_b": network.encode_style(fake_b, "B"),
        }
        if self.lambda_cycle:
            parts["cycle_a"] = network.decode(found_a, "B2A", style_a)
            parts["cycle_b"] = network.decode(found_b, "A2B", style_b)
        return parts

    def discriminator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """(D_A(a) − 1)² + D_A(G_A(c_B, s_A))², s_A ~ N(0, I), summed over the scales; and the same for B."""
        return discriminator_loss(discriminators, a, b, outputs["fake_a"], outputs["fake_b"], self.gan)

    def generator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 5, the generators' side, for A (B alike).

        (D_A(G_A(c_B, s_A)) − 1)² + λx·|G_A(E_A(a)) − a| + λc·|E_A^c(G_A(c_B, s_A)) − c_B|
        + λs·|E_A^s(G_A(c_B, s_A)) − s_A|, s_A ~ N(0, I). As options the cycle
        |G_A(E_B^c(G_B(c_A, s_B)), E_A^s(a)) − a| and the perceptual loss below.
        """
        o = outputs
        parts = {
            "gan": self.lambda_gan * generator_adversarial_loss(discriminators, o["fake_a"], o["fake_b"], self.gan),
            "image": self.lambda_image * (F.l1_loss(o["same_a"], a) + F.l1_loss(o["same_b"], b)),
            "content": self.lambda_content * (_found(o, "content_a") + _found(o, "content_b")),
            "style": self.lambda_style * (_found(o, "style_a") + _found(o, "style_b")),
        }
        if self.lambda_cycle:
            parts["cycle"] = self.lambda_cycle * (F.l1_loss(o["cycle_a"], a) + F.l1_loss(o["cycle_b"], b))
        if self.lambda_vgg:
            parts["vgg"] = self.lambda_vgg * (domain_invariant(o["fake_b"], a) + domain_invariant(o["fake_a"], b))
        return parts


class MUNIT(TranslationNetwork):
    """For each domain a content encoder, a style encoder and a decoder."""

    method = "munit"
    title = "MUNIT"
    paired = False
    mixes_codes = True
    Config = MUNITConfig
    Objective = MUNITObjective
    training_defaults: ClassVar[dict[str, Any]] = {
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "decay_from": 1.0,
        "halve_every": 100_000,
        "steps": 300_000,
    }

    def __init__(self, config: MUNITConfig | None = None) -> None:
        super().__init__()
        self.config: MUNITConfig = config or MUNITConfig()
        c = self.config
        self.directions = ("A2B", "B2A")
        self.style_dim = c.style_dim
        self.multiple = 2**c.downs
        self.smallest = max(4, 2 * self.multiple)  # what reflection needs
        self.content_encoders = nn.ModuleDict({k: ContentEncoder(c.base_width, c.downs, c.blocks) for k in "AB"})
        self.style_encoders = nn.ModuleDict({k: StyleEncoder(c) for k in "AB"})
        self.decoders = nn.ModuleDict({k: StyledDecoder(c) for k in "AB"})
        init_kaiming(self)

    @property
    def chance(self) -> Chance:
        """The style, drawn from its prior."""
        return "style"

    def encoder(self, direction: Direction) -> nn.Module:
        """`(N, 3, H, W)` → the content: `(N, base_width·2^downs, H / 2^downs, W / 2^downs)`."""
        return self.content_encoders[directions.source(direction)]

    def decoder(self, direction: Direction) -> nn.Module:
        """Contents and styles of the target domain → `(N, 3, H, W)` in [-1, 1]."""
        return self.decoders[directions.target(direction)]

    def draft_decoder(self, direction: Direction) -> nn.Module:
        """As `decoder`, but → `(N, 3, H/2, W/2)`, as nearly the same image as can be had there."""
        decoder: Any = self.decoders[directions.target(direction)]
        return DraftDecoder(decoder)

    def decoder_inputs(
        self, codes: Tensor, style: Tensor | None, noise: torch.Generator | None, temperature: float
    ) -> tuple[Tensor, ...]:
        """Contents and as many styles.

        Args:
            style: `(N, style_dim)` or `(style_dim,)`; one content may meet many styles and the other way
                round. Without it, temperature times a draw of `noise` from the prior, or the prior's mean.

        Raises:
            ShapeError: a style of another length or number.
        """
        if style is None:
            style = codes.new_zeros(len(codes), self.config.style_dim)
            if noise is not None:
                style = temperature * self.sample_styles(len(codes), noise).to(codes)
        style = style.to(codes).reshape(-1, style.shape[-1])
        if style.shape[1] != self.config.style_dim:
            raise ShapeError(f"A style here has {self.config.style_dim} numbers, not {style.shape[1]}.")
        if len(codes) != len(style) and 1 not in (len(codes), len(style)):
            raise ShapeError(f"{len(style)} styles do not go with {len(codes)} images: give one, or one an image.")
        count = max(len(codes), len(style))
        return codes.expand(count, -1, -1, -1), style.expand(count, -1)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """The styles of images `(N, 3, H, W)` of domain A or B: `(N, style_dim)`.

        Raises:
            DirectionError, ShapeError: no such domain; images too small.
        """
        encoder = self.style_encoder(domain)
        smallest = max(4, 2**self.config.style_downs)
        if min(x.shape[-2:]) < smallest:
            height, width = x.shape[-2:]
            raise ShapeError(f"A style is read from at least {smallest} pixels a side, not {height}×{width}.")
        return encoder(x)

    def style_encoder(self, domain: str) -> nn.Module:
        """`(N, 3, H, W)` of domain A or B → `(N, style_dim)`. Raises DirectionError for another domain."""
        if domain not in self.style_encoders:
            raise DirectionError(f"{self.title} has the domains A and B, not {domain!r}.")
        return self.style_encoders[domain]

    def grid(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """Inputs, each in four random styles and in that of the example below; then the same the other way."""
        styles = self.sample_styles(4, torch.Generator().manual_seed(0)).to(a.device)
        content_a, content_b = self.encode(a, "A2B"), self.encode(b, "B2A")
        guided_b = self.decode(content_a, "A2B", self.encode_style(b, "B"))
        guided_a = self.decode(content_b, "B2A", self.encode_style(a, "A"))
        rows_b = [self.decode(content_a, "A2B", style) for style in styles]
        rows_a = [self.decode(content_b, "B2A", style) for style in styles]
        return [a, *rows_b, guided_b, b, *rows_a, guided_a]

    def discriminators(self) -> nn.ModuleDict:
        """D_A and D_B: `(N, 3, H, W)` → patch logits of each scale."""
        c = self.config
        sizes = c.discriminator_width, c.discriminator_layers, c.discriminator_scales
        discriminators = nn.ModuleDict({k: MultiScalePatchGAN(3, *sizes) for k in "AB"})
        init_normal(discriminators)
        return discriminators


class StyleEncoder(nn.Sequential):
    """Convolutions without norm (which would take mean and variance away), pooling: `(N, 3, H, W)` → `(N, style_dim)`.

    Widths are 1·2·4·4·4 … × base width.
    """

    def __init__(self, c: MUNITConfig) -> None:
        widths = [c.base_width * min(2**i, 4) for i in range(c.style_downs + 1)]
        layers: list[nn.Module] = [reflect_conv(3, widths[0], 7), nn.ReLU()]
        for inputs, outputs in itertools.pairwise(widths):
            layers += [reflect_conv(inputs, outputs, 4, 2), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], c.style_dim, 1), nn.Flatten())


class StyledDecoder(nn.Module):
    """Residual blocks with adaptive instance norm, then an upsampling decoder. An MLP maps styles to scales and shifts.

    These are passed as arguments and never stored, so threads that share a model cannot mix their styles.
    """

    def __init__(self, c: MUNITConfig) -> None:
        super().__init__()
        channels = c.base_width * 2**c.downs
        self.mlp = nn.Sequential(
            nn.Linear(c.style_dim, c.mlp_width),
            nn.ReLU(),
            nn.Linear(c.mlp_width, c.mlp_width),
            nn.ReLU(),
            nn.Linear(c.mlp_width, c.blocks * 4 * channels),
        )
        self.blocks = nn.ModuleList(AdaINResBlock(channels) for _ in range(c.blocks))
        self.enlarger = UpsamplingDecoder(c.base_width, c.downs)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """`(N, C, h, w)` and `(N, style_dim)` → `(N, 3, H, W)` in [-1, 1]."""
        return self.enlarger(self.styled(content, style))

    def styled(self, content: Tensor, style: Tensor) -> Tensor:
        """The content in a style, `(N, C, h, w)`: what there is to enlarge."""
        blocks = self.mlp(style)[:, :, None, None].chunk(len(self.blocks), 1)
        for block, parameters in zip(self.blocks, blocks, strict=True):
            content = block(content, parameters)
        return content


class DraftDecoder(nn.Module):
    """A styled decoder, to half the size: `(N, C, h, w)` and `(N, style_dim)` → `(N, 3, H/2, W/2)`."""

    def __init__(self, decoder: StyledDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        return self.decoder.enlarger.halved(self.decoder.styled(content, style))


class AdaINResBlock(nn.Module):
    """x + AdaIN(conv(relu(AdaIN(conv(x))))), 3×3, borders reflected."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = reflect_conv(channels, channels, 3)
        self.second = reflect_conv(channels, channels, 3)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor, parameters: Tensor) -> Tensor:
        """`(N, C, h, w)` and shift, scale, shift, scale `(N, 4·C, 1, 1)` → `(N, C, h, w)`."""
        shift1, scale1, shift2, scale2 = parameters.chunk(4, 1)
        y = F.relu(torch.addcmul(shift1, self.norm(self.first(x)), scale1))
        return x + torch.addcmul(shift2, self.norm(self.second(y)), scale2)


def _found(outputs: Outputs, name: str) -> Tensor:
    return F.l1_loss(outputs[f"found_{name}"], outputs[name])


def domain_invariant(translation: Tensor, source: Tensor) -> Tensor:
    """Mean square between VGG-16's relu4_3 of both images after instance norm, which takes their style away."""
    norm = InstanceNorm()
    return F.mse_loss(norm(vgg_features(translation)), norm(vgg_features(source)))
