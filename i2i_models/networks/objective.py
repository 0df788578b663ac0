"""What a training minimises: the type of every method's objective."""

from typing import Any, Protocol

from torch import Tensor

from .losses import GanLoss

Outputs = dict[str, Tensor]
"""What the networks make of a batch, by name."""
Losses = dict[str, Tensor]
"""The terms of a loss by name, weighted; their sum is minimised."""


class Objective(Protocol):
    """The losses of a method and their weights, as three steps on a batch.

    Images a of domain A and b of domain B are `(N, 3, H, W)` in [-1, 1]: true pairs where the method learns from pairs.
    Implementations are frozen dataclasses, whose fields are the training's options.
    """

    @property
    def gan(self) -> GanLoss:
        """The adversarial loss."""

    def outputs(self, network: Any, a: Tensor, b: Tensor) -> Outputs:
        """What both losses need of the generators, computed once.

        Args:
            network: the method's own network.
        """

    def discriminator_loss(self, discriminators: Any, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """What the discriminators minimise. No gradient reaches the generators."""

    def generator_loss(self, discriminators: Any, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """What the generators minimise."""
