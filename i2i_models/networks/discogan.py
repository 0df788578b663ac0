"""DiscoGAN: Kim et al. 2017, "Learning to Discover Cross-Domain Relations with GANs" (arXiv 1703.05192).

Unpaired images a and b. Two generators G_AB and G_BA, each followed by the discriminator of the domain it draws in;
going there and back must return to the start, which makes the map one to one.

Not as in the paper: the generators are U-Nets and the discriminators PatchGANs, as in pix2pix, where the authors'
generators have no skips and their discriminators judge whole images. What the authors' code has beyond the paper's
equations are options: feature matching, and a reconstruction that weighs little in the first steps. Theirs are
`lambda_gan` 0.1, `lambda_features` 0.9 and `curriculum_steps` 10,000.
"""

import dataclasses
from typing import Any, ClassVar, Literal

import torch
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
    """How layers are normalized."""
    last_layer: UpLayer = "upsample"
    """How the last layer doubles its map."""
    up_layers: UpLayer = "transposed"
    """How the other upward layers double their map; `upsample` leaves no checkerboard."""
    full_size_skip: bool = False
    """A skip of the image itself too, so that lines and edges stay as sharp as in the input; not in the paper."""
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


Distance = Literal["squares", "l1", "cosine", "hinge"]
"""How far two images are apart, the d of the paper's section 3.2."""
UNSEEN = 0.05
"""Differences that the hinge lets pass, in [-1, 1]: 6 of 255, which nobody sees."""
CURRICULUM = 0.01 / 0.99
"""The reconstruction's weight in a curriculum's first steps, as a share of the later one: the authors' code goes from
0.01 beside 0.99 for the adversarial terms to 0.5 beside 0.5."""


def distance(x: Tensor, y: Tensor, kind: Distance) -> Tensor:
    """The mean distance of two batches of images `(N, 3, H, W)` in [-1, 1], a scalar (the d of section 3.2).

    `squares`: (x − y)². `l1`: |x − y|. `hinge`: |x − y| beyond `UNSEEN`, so what nobody sees costs nothing.
    `cosine`: 1 − the cosine of the angle between two images as vectors; brightness as a whole does not count.
    """
    if kind == "cosine":
        return (1 - F.cosine_similarity(x.flatten(1), y.flatten(1))).mean()
    if kind == "squares":
        return F.mse_loss(x, y)
    apart = (x - y).abs()
    return (F.relu(apart - UNSEEN) if kind == "hinge" else apart).mean()


@dataclasses.dataclass(frozen=True)
class DiscoGANObjective:
    """The paper's losses and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], pairs for `lambda_pixel`."""

    gan: GanLoss = "cross_entropy"
    """The adversarial loss: cross_entropy as in the paper, or least_squares."""
    lambda_gan: float = 1.0
    """Weight of the adversarial terms."""
    lambda_reconstruction: float = 1.0
    """Weight of the reconstructions; 0 leaves the paper's GAN without them."""
    distance: Distance = "squares"
    """What a reconstruction is judged by, and a pixelwise term: squares, l1, cosine or hinge."""
    lambda_pixel: float = 0.0
    """Weight of d(G_AB(a), b) + d(G_BA(b), a), for data that are true pairs; 0 takes no notice of pairs."""
    lambda_features: float = 0.0
    """Weight of feature matching: squared differences between the mean features that a discriminator has of real images
    and of translations."""
    curriculum_steps: int = 0
    """Steps at the start in which the reconstruction weighs a hundredth."""

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
        """L_G of the paper: −log D_B(G_AB(a)) + λ·d(G_BA(G_AB(a)), a), and the same from B, with the options' terms."""
        o = outputs
        there_and_back = distance(o["cycle_a"], a, self.distance) + distance(o["cycle_b"], b, self.distance)
        adversarial = generator_adversarial_loss(discriminators, o["fake_a"], o["fake_b"], self.gan)
        losses = {
            "gan": self.lambda_gan * adversarial,
            "reconstruction": self.lambda_reconstruction * there_and_back,
        }
        if self.lambda_pixel:
            to_truth = distance(o["fake_b"], b, self.distance) + distance(o["fake_a"], a, self.distance)
            losses["pixel"] = self.lambda_pixel * to_truth
        if self.lambda_features:
            matching = feature_matching(discriminators["A"], a, o["fake_a"])
            matching = matching + feature_matching(discriminators["B"], b, o["fake_b"])
            losses["features"] = self.lambda_features * matching
        return losses


def feature_matching(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Squared differences between a batch's mean features, real and fake, averaged and summed over the layers.

    Salimans et al. 2016 (arXiv 1606.03498, section 3.1), on the layers that the authors' code of DiscoGAN takes: all
    but the first and the last.
    """
    with torch.no_grad():
        wanted = discriminator.features(real)  # type: ignore[operator]
    found = discriminator.features(fake)  # type: ignore[operator]
    return torch.stack([F.mse_loss(f.mean(0), w.mean(0)) for f, w in zip(found, wanted, strict=True)]).sum()


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
                d: UNet(
                    base_width=c.base_width,
                    depth=c.depth,
                    norm=c.norm,
                    last_layer=c.last_layer,
                    dropout=False,
                    up_layers=c.up_layers,
                    full_size=c.full_size_skip,
                )
                for d in self.directions
            }
        )
        self.multiple, self.skips = 2**c.depth, range(0 if c.full_size_skip else 1, c.depth)
        init_normal(self)

    @classmethod
    def needs_pairs(cls, objective: DiscoGANObjective) -> bool:
        """For the pixelwise term alone."""
        return objective.lambda_pixel > 0

    @classmethod
    def objective_at(cls, objective: DiscoGANObjective, step: int) -> DiscoGANObjective:
        """With the curriculum's weight of the reconstruction."""
        if step >= objective.curriculum_steps:
            return objective
        return dataclasses.replace(objective, lambda_reconstruction=CURRICULUM * objective.lambda_reconstruction)

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
