"""Toy tasks that a method only learns if it is right, and the shortest loop that learns them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from i2i_models.networks.network import TranslationNetwork

Batch = Callable[[], tuple[Tensor, Tensor]]


def squares(n: int, colours: Tensor, background: float, size: int = 16) -> Tensor:
    """`(n, 3, size, size)`: one square each at a random place, in its colour `(n, 3)`."""
    x = torch.full((n, 3, size, size), background)
    places = torch.randint(1, size // 2, (n, 2)).tolist()
    for image, colour, (top, left) in zip(x, colours, places, strict=True):
        image[:, top : top + size // 2 - 1, left : left + size // 2 - 1] = colour[:, None, None]
    return x


def dark(n: int) -> Tensor:
    """Red to orange squares on black."""
    colours = torch.stack([torch.full((n,), 0.8), torch.rand(n) - 0.8, torch.full((n,), -0.8)], 1)
    return squares(n, colours, -0.8)


def inverted(n: int) -> Tensor:
    """What `dark` makes, in inverted colours."""
    return -dark(n)


def bright(n: int) -> Tensor:
    """White squares on black."""
    return squares(n, torch.full((n, 3), 0.8), -0.8)


def coloured(n: int) -> Tensor:
    """Squares on black in colours from all round the wheel."""
    thirds = torch.tensor([0.0, 1.0, 2.0]) * 2 * torch.pi / 3
    return squares(n, 0.8 * torch.cos(2 * torch.pi * torch.rand(n, 1) + thirds), -0.8)


def inner_colour(x: Tensor, shapes: Tensor) -> Tensor:
    """`(n, 3)`: the mean colour of x where `shapes` are not black."""
    inside = (shapes.amax(1, keepdim=True) > -0.5).float()
    return (x * inside).sum((2, 3)) / inside.sum((2, 3))


def learn(network: TranslationNetwork, objective: Any, batch: Batch, steps: int, rate: float = 2e-3) -> None:
    """Train as the real loop does, without all that stands around it there."""
    discriminators = network.discriminators()
    generator_adam, discriminator_adam = (
        torch.optim.Adam(m.parameters(), rate, (0.5, 0.999)) for m in (network, discriminators)
    )
    for step in range(steps):
        for adam in (generator_adam, discriminator_adam):
            adam.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        a, b = batch()
        outputs = objective.outputs(network, a, b)
        torch.stack(list(objective.discriminator_loss(discriminators, a, b, outputs).values())).sum().backward()
        discriminator_adam.step()
        discriminators.requires_grad_(False)
        parts = objective.generator_loss(discriminators, a, b, outputs)
        torch.stack(list(parts.values())).sum().backward()
        generator_adam.step()
        discriminators.requires_grad_(True)
        generator_adam.zero_grad()
        discriminator_adam.zero_grad()
    network.eval()
