"""The two forward passes that need gradients, as modules: around a module, gradients are averaged over processes."""

from torch import Tensor, nn

from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.objective import Losses, Objective, Outputs


class GeneratorOutputs(nn.Module):
    """`objective.outputs` of a network: what both losses need of the generators."""

    def __init__(self, network: TranslationNetwork, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, a: Tensor, b: Tensor) -> Outputs:
        return self.objective.outputs(self.network, a, b)


class DiscriminatorLoss(nn.Module):
    """`objective.discriminator_loss` of discriminators."""

    def __init__(self, discriminators: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.discriminators, self.objective = discriminators, objective

    def forward(self, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        return self.objective.discriminator_loss(self.discriminators, a, b, outputs)
