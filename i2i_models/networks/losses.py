"""Loss terms that the methods share. All take and return tensors; means run over every element."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GanLoss = Literal["cross_entropy", "least_squares"]
Logits = Tensor | list[Tensor]
"""What a discriminator answers: a map of any shape, or one for each of its scales."""


def adversarial(logits: Logits, real: bool, kind: GanLoss) -> Tensor:
    """The adversarial loss of logits whose target is `real` (True) or fake (False); scales are added up.

    `cross_entropy`: −log σ(±logit), the GAN loss of Goodfellow et al. 2014 in its non-saturating form.
    `least_squares`: (logit − target)², target 1 or 0 (Mao et al. 2017, equation 2).
    The target takes the logits' own shape, so it fits every image size.
    """
    if isinstance(logits, list):
        return torch.stack([adversarial(scale, real, kind) for scale in logits]).sum()
    target = torch.full_like(logits, float(real))
    if kind == "cross_entropy":
        return F.binary_cross_entropy_with_logits(logits, target)
    return F.mse_loss(logits, target)


def real_and_fake_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, kind: GanLoss) -> tuple[Tensor, Tensor]:
    """The discriminator's two terms, from one pass over real images followed by as many fakes.

    With batch norm it takes two passes: statistics over both would tell the discriminator which is which, and the
    generator, whose fakes are judged alone, would get no useful gradient.

    Returns:
        The loss on the real images and on the fake ones.
    """
    if any(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules()):
        return adversarial(discriminator(real), True, kind), adversarial(discriminator(fake), False, kind)
    logits = discriminator(torch.cat([real, fake]))
    halves = [scale.chunk(2) for scale in (logits if isinstance(logits, list) else [logits])]
    return adversarial([half for half, _ in halves], True, kind), adversarial([half for _, half in halves], False, kind)


def discriminator_loss(
    discriminators: nn.ModuleDict, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor, kind: GanLoss
) -> dict[str, Tensor]:
    """The discriminators' loss of the unpaired methods, summed over both domains. No gradient reaches the fakes.

    Args:
        discriminators: with the entries `A` and `B`.

    Returns:
        `d_real`, of D_A(a) and D_B(b), and `d_fake`, of D_A(fake_a) and D_B(fake_b).
    """
    real_a, not_a = real_and_fake_loss(discriminators["A"], a, fake_a.detach(), kind)
    real_b, not_b = real_and_fake_loss(discriminators["B"], b, fake_b.detach(), kind)
    return {"d_real": real_a + real_b, "d_fake": not_a + not_b}


def generator_adversarial_loss(discriminators: nn.ModuleDict, fake_a: Tensor, fake_b: Tensor, kind: GanLoss) -> Tensor:
    """The generators' adversarial term of the unpaired methods: both fakes with the target `real`."""
    return adversarial(discriminators["A"](fake_a), True, kind) + adversarial(discriminators["B"](fake_b), True, kind)


def copying_loss(a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor, negative: bool) -> Tensor:
    """A replacement for the adversarial term in the first steps of an unpaired method: 10·(|G(a) − a| + |F(b) − b|).

    Or, of the negatives, 10·(|G(a) + a| + |F(b) + b|). It is in no paper. Nothing in the losses says which of two
    domains' contrasts belong together, and the cycle loss keeps what the first steps found. Facades' walls are dark in
    the label maps and bright in photos, windows the other way round; from random weights CycleGAN and MUNIT kept dark
    dark and so took walls for windows. CycleGAN took seas for land, and UNIT made negatives of faces that were to get
    glasses.
    """
    sign = -1 if negative else 1
    return 10 * (F.l1_loss(fake_b, sign * a) + F.l1_loss(fake_a, sign * b))
