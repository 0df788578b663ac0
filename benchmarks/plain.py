"""Training as public code usually writes it: the same networks and losses, and nothing done to be quick.

Float32, contiguous memory, torch's own instance norm, enlarging before convolving. The
discriminators' step and the generators' step each make their own fakes, real and fake pass the
discriminators one after the other, and the generators' step collects gradients in them too.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i_models.networks.layers import Conv2d, ConvTranspose2d, InstanceNorm
from i2i_models.networks.losses import adversarial
from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.resnet import UpsampleReflectConv
from i2i_models.networks.unet import UpsampleConv


class PlainUpsampleConv(nn.Module):
    """`unet.UpsampleConv` computed at the large size."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(F.interpolate(x, scale_factor=2), (2, 1, 2, 1)), self.conv.weight, self.conv.bias)


class PlainUpsampleReflectConv(nn.Module):
    """`resnet.UpsampleReflectConv` computed at the large size."""

    def __init__(self, ours: UpsampleReflectConv) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        return self.ours.plain(x)


class PlainConv(nn.Module):
    """Torch's `Conv2d` or `ConvTranspose2d` in the place of our own."""

    def __init__(self, ours: Conv2d | ConvTranspose2d) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        return super(type(self.ours), self.ours).forward(x)


class PlainInstanceNorm(nn.Module):
    """Torch's own."""

    def forward(self, x: Tensor) -> Tensor:
        return F.instance_norm(x)


def make_plain(module: nn.Module) -> nn.Module:
    """Put the plain layers in the place of ours."""
    for name, child in module.named_children():
        if isinstance(child, InstanceNorm):
            setattr(module, name, PlainInstanceNorm())
        elif isinstance(child, UpsampleConv):
            setattr(module, name, PlainUpsampleConv(child.conv))
        elif isinstance(child, UpsampleReflectConv):
            setattr(module, name, PlainUpsampleReflectConv(child))
        elif isinstance(child, Conv2d | ConvTranspose2d):
            setattr(module, name, PlainConv(child))
        else:
            make_plain(child)
    return module


class PlainTraining:
    """One method's training, step by step."""

    def __init__(self, network: TranslationNetwork, objective: Any, device: str) -> None:
        self.objective = objective
        self.network = make_plain(network).to(device)
        self.judges = make_plain(network.discriminators()).to(device)
        self.adams = [
            torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.999), foreach=False) for m in (self.network, self.judges)
        ]

    def step(self, a: Tensor, b: Tensor) -> None:
        """One step of the discriminators, one of the generators, on float images."""
        generators, judges = self.adams
        kind = self.objective.gan
        outputs = self.objective.outputs(self.network, a, b)
        judges.zero_grad()
        loss = torch.zeros((), device=a.device)
        for judge, real, fake in self._cases(a, b, outputs):
            loss = loss + adversarial(judge(real), True, kind) + adversarial(judge(fake.detach()), False, kind)
        loss.backward()
        judges.step()

        outputs = self.objective.outputs(self.network, a, b)
        generators.zero_grad()
        parts = self.objective.generator_loss(self.judges, a, b, outputs)
        torch.stack(list(parts.values())).sum().backward()
        generators.step()

    def _cases(self, a: Tensor, b: Tensor, outputs: dict[str, Tensor]) -> list[tuple[nn.Module, Tensor, Tensor]]:
        if self.network.paired:
            return [(self.judges, torch.cat([a, b], 1), torch.cat([a, outputs["fake_b"]], 1))]
        judges: Any = self.judges
        return [(judges["A"], a, outputs["fake_a"]), (judges["B"], b, outputs["fake_b"])]
