"""Loss terms that the methods share. All take and return tensors; means run over every element."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

GanLoss = Literal["cross_entropy", "least_squares"]


def adversarial(logits: Tensor, real: bool, kind: GanLoss) -> Tensor:
    """How far discriminator logits of any shape are from saying `real` (True) or fake (False) everywhere.

    `cross_entropy`: −log σ(±logit), the GAN loss of Goodfellow et al. 2014 in its non-saturating form.
    `least_squares`: (logit − target)², target 1 or 0 (Mao et al. 2017, equation 2).
    The target takes the logits' own shape, so it fits every image size.
    """
    target = torch.full_like(logits, float(real))
    if kind == "cross_entropy":
        return F.binary_cross_entropy_with_logits(logits, target)
    return F.mse_loss(logits, target)


def real_and_fake(logits: Tensor, kind: GanLoss) -> tuple[Tensor, Tensor]:
    """The discriminator's two terms from one pass over real images followed by as many fakes.

    Args:
        logits: `(2N, …)`, first the N real, then the N fake.

    Returns:
        The loss on the real half and on the fake half.
    """
    real, fake = logits.chunk(2)
    return adversarial(real, True, kind), adversarial(fake, False, kind)
