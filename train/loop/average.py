"""The moving average of the weights of a training."""

from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from i2i_models.networks.network import TranslationNetwork


class MovingAverage(AveragedModel):
    """A copy of a network whose weights follow the network's: average ← d · average + (1 − d) · current.

    The first update copies. Update n after it has the decay d = min(`decay`, (1 + n) / (10 + n)), so that the average
    soon forgets its random beginning.
    """

    def __init__(self, network: TranslationNetwork, decay: float) -> None:
        def average(averages: Any, currents: Any, updates: Any) -> None:
            update(averages, currents, min(decay, (1 + float(updates)) / (10 + float(updates))))

        super().__init__(network, multi_avg_fn=average, use_buffers=True)

    @property
    def network(self) -> TranslationNetwork:
        """The network with the averaged weights."""
        return cast(TranslationNetwork, self.module)


@torch.no_grad()
def update(averages: list[Tensor], currents: list[Tensor], decay: float) -> None:
    """Move averages towards the current values; tensors come grouped by type."""
    if averages[0].is_floating_point():
        torch._foreach_lerp_(list(averages), list(currents), 1 - decay)
    else:  # batch norm counts its batches in integers
        torch._foreach_copy_(list(averages), list(currents))
