"""UNIT for domain adaptation: Liu et al. 2017 (arXiv 1703.00848), section 5.

A classifier of one domain's images, of which alone the labels are known, learns to read the other domain's. The two
discriminators share their high layers, which carry the classifier: it is trained on source images and on their
translations, judged by the target's discriminator; and the highest features of an image and of its translation are
drawn together. There is no cycle.
"""

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from i2i_models.networks.digits import SIDE, DigitUNIT, ReadingDiscriminators
from i2i_models.networks.losses import adversarial
from i2i_models.networks.objective import Losses, Outputs
from i2i_models.networks.unit import kl, sample

from .digits import Labelled


@dataclasses.dataclass(frozen=True)
class AdaptationObjective:
    """The losses of both domains and their weights; A is the source, whose labels are known."""

    lambda_gan: float = 10.0
    """λ0, of the adversarial terms."""
    lambda_kl: float = 0.1
    """λ1, of the codes' distance from N(0, I)."""
    lambda_reconstruction: float = 100.0
    """λ2, of the reconstructions."""
    lambda_classes: float = 10.0
    """Of the classification of source images and of their translations."""
    lambda_features: float = 1.0
    """Of the L1 between the highest features of an image and of its translation."""

    def outputs(self, network: DigitUNIT, a: Tensor, b: Tensor) -> Outputs:
        """Reconstructions and translations of both domains, each decoder drawing both in one pass."""
        mean_a, mean_b = network.encode(a, "A"), network.encode(b, "B")
        codes = torch.cat([sample(mean_a), sample(mean_b)])
        same_a, fake_a = network.decode(codes, "A").chunk(2)
        fake_b, same_b = network.decode(codes, "B").chunk(2)
        parts = {"mean_a": mean_a, "mean_b": mean_b, "same_a": same_a, "same_b": same_b}
        return parts | {"fake_a": fake_a, "fake_b": fake_b}

    def discriminator_loss(
        self, discriminators: ReadingDiscriminators, a: Tensor, b: Tensor, labels: Tensor, outputs: Outputs
    ) -> Losses:
        """D's side: real from made in both domains, the class of source images and translations, pairs' features."""
        in_a = discriminators(torch.cat([a, outputs["fake_a"].detach()]), "A")
        in_b = discriminators(torch.cat([b, outputs["fake_b"].detach()]), "B")
        (a_real, a_made), (b_real, b_made) = in_a.real.chunk(2), in_b.real.chunk(2)
        (of_a, of_ba), (of_b, of_ab) = in_a.features.chunk(2), in_b.features.chunk(2)
        return {
            "d_real": adversarial(a_real, True, "cross_entropy") + adversarial(b_real, True, "cross_entropy"),
            "d_fake": adversarial(a_made, False, "cross_entropy") + adversarial(b_made, False, "cross_entropy"),
            "classes": self.lambda_classes * self._classes(in_a.classes.chunk(2)[0], in_b.classes.chunk(2)[1], labels),
            "features": self.lambda_features * (F.l1_loss(of_ab, of_a) + F.l1_loss(of_ba, of_b)),
        }

    def generator_loss(
        self, discriminators: ReadingDiscriminators, a: Tensor, b: Tensor, labels: Tensor, outputs: Outputs
    ) -> Losses:
        """The generators' side: D takes translations for real, and reads the source's digit off its translation."""
        o = outputs
        in_a, in_b = discriminators(o["fake_a"], "A"), discriminators(o["fake_b"], "B")
        fooled = adversarial(in_a.real, True, "cross_entropy") + adversarial(in_b.real, True, "cross_entropy")
        return {
            "gan": self.lambda_gan * fooled,
            "kl": self.lambda_kl * (kl(o["mean_a"]) + kl(o["mean_b"])),
            "reconstruction": self.lambda_reconstruction * (F.l1_loss(o["same_a"], a) + F.l1_loss(o["same_b"], b)),
            "classes": self.lambda_classes * F.cross_entropy(in_b.classes.float(), labels),
        }

    @staticmethod
    def _classes(of_source: Tensor, of_translation: Tensor, labels: Tensor) -> Tensor:
        both = torch.cat([of_source, of_translation]).float()
        return 2 * F.cross_entropy(both, labels.repeat(2))


def varied(x: Tensor) -> Tensor:
    """Digits turned by up to 10°, slanted, a sixth larger, smaller, wider or narrower, and moved by up to 2 pixels."""
    count = len(x)

    def drawn(most: float) -> Tensor:
        return (2 * torch.rand(count) - 1) * most

    angle, slant = drawn(10 * math.pi / 180), drawn(0.25)
    scale, wider = drawn(0.16).exp(), drawn(0.16).exp()
    cos, sin = angle.cos(), angle.sin()
    rows = [scale * wider * cos, scale * (slant * cos - sin), scale * wider * sin, scale * (slant * sin + cos)]
    moved = torch.stack([drawn(4 / SIDE), drawn(4 / SIDE)], 1)[:, :, None]
    theta = torch.cat([torch.stack(rows, 1).reshape(count, 2, 2), moved], 2)
    grid = F.affine_grid(theta, [count, 1, SIDE, SIDE], False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


@torch.inference_mode()
def accuracy(discriminators: ReadingDiscriminators, digits: Labelled, domain: str) -> float:
    """The share of a domain's digits that are read right, in 0 … 1."""
    right = [
        (discriminators(x, domain).classes.argmax(1) == labels).sum()
        for x, labels in zip(digits.images.split(256), digits.labels.split(256), strict=True)
    ]
    return int(torch.stack(right).sum()) / len(digits)
