"""The interface of every method, on tensors `(N, 3, H, W)` in [-1, 1]."""

import dataclasses
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from .errors import CheckpointError, DirectionError

Direction = Literal["A2B", "B2A"]
Parts = dict[str, Tensor]


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """What a network is built from; a method's own config adds its fields."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "NetworkConfig":
        """Build from `config.json`'s `network` object.

        Raises:
            CheckpointError: an unknown field, or a value of the wrong kind.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for name, value in values.items():
            if name not in fields:
                raise CheckpointError(f"network.{name} is not a field of {cls.__name__}; it has {', '.join(fields)}.")
            default = fields[name].default
            if type(value) is not type(default):
                raise CheckpointError(
                    f"network.{name} must be of type {type(default).__name__}, like {default!r}, not {value!r}."
                )
        config = cls(**values)
        config.check()
        return config

    def check(self) -> None:
        """Raise CheckpointError for values that no network can be built from."""


class TranslationNetwork(nn.Module):
    """The generators of one method; discriminators stand apart, translating never needs them.

    `encode` once, `decode` often: a style slider pays for the decoder alone.
    """

    method: ClassVar[str]
    title: ClassVar[str]
    paired: ClassVar[bool]
    Config: ClassVar[type[NetworkConfig]]
    Objective: ClassVar[type]
    training_defaults: ClassVar[dict[str, Any]] = {}
    """Options of the training loop that the method's paper sets otherwise than pix2pix."""

    config: NetworkConfig
    directions: tuple[Direction, ...]
    multiple: int

    def encode(self, x: Tensor, direction: Direction = "A2B") -> Tensor:
        """`(N, 3, H, W)` of the direction's source domain → the codes that `decode` takes."""
        raise NotImplementedError

    def decode(
        self,
        codes: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
    ) -> Tensor:
        """Codes → `(N, 3, H, W)` in [-1, 1] of the direction's target domain.

        Args:
            style: a style code for methods that have one.
            noise: the source of whatever chance the method has at test time; None for none.
        """
        raise NotImplementedError

    def translate(
        self,
        x: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
    ) -> Tensor:
        """`decode(encode(x))`: `(N, 3, H, W)` → `(N, 3, H, W)`, both in [-1, 1]."""
        return self.decode(self.encode(x, direction), direction, style, noise)

    forward = translate

    def discriminators(self) -> nn.Module:
        """New discriminators, initialised as the method's paper says."""
        raise NotImplementedError

    def check_direction(self, direction: str) -> None:
        """Raise DirectionError for a direction that this network was not built for."""
        if direction not in self.directions:
            raise DirectionError(f"{self.title} translates {' and '.join(self.directions)} here, not {direction!r}.")
