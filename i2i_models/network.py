"""The interface of every method, on tensors `(N, 3, H, W)` in [-1, 1]."""

import dataclasses
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor, nn

from .abilities import Abilities, Chance, Direction
from .errors import CheckpointError, DirectionError, ShapeError
from .losses import Logits
from .pretrained import Pretrained

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


def check_range(config: NetworkConfig, low: int, high: int, *names: str) -> None:
    """Raise CheckpointError for a field that lies outside low … high."""
    for name in names:
        if not low <= getattr(config, name) <= high:
            raise CheckpointError(f"network.{name} must lie in {low} … {high}, not {getattr(config, name)}.")


def check_choice(config: NetworkConfig, name: str, choices: Any) -> None:
    """Raise CheckpointError for a field that is none of a Literal's values."""
    if getattr(config, name) not in get_args(choices):
        allowed = " or ".join(get_args(choices))
        raise CheckpointError(f"network.{name} must be {allowed}, not {getattr(config, name)!r}.")


class TranslationNetwork(Pretrained):
    """The generators of one method; discriminators stand apart, translating never needs them.

    `encode` once, `decode` often: a style slider pays for the decoder alone.
    """

    method: ClassVar[str]
    title: ClassVar[str]
    paired: ClassVar[bool]
    Config: ClassVar[type[NetworkConfig]]
    Objective: ClassVar[type]
    mixes_codes: ClassVar[bool] = False
    """Whether codes between those of two images mean images between them: then one may walk from one to the other."""
    training_defaults: ClassVar[dict[str, Any]] = {}
    """Options of the training loop that the method's paper sets otherwise than pix2pix."""

    config: NetworkConfig
    directions: tuple[Direction, ...]
    multiple: int
    """Heights and widths must be multiples of this many pixels …"""
    smallest: int = 1
    """… and at least this many."""
    style_dim: int = 0
    """Numbers in a style code; 0 where the method has no styles."""
    skips: int = 0
    """Skips that may be cut: where there are any, the decoder is a `UNet`."""

    @property
    def chance(self) -> Chance:
        """Where chance enters when `decode` is given noise."""
        return "none"

    @property
    def abilities(self) -> Abilities:
        """What it can do, as a checkpoint says it."""
        return Abilities(self.title, self.paired, self.directions, self.chance, self.style_dim, self.mixes_codes)

    def encode(self, x: Tensor, direction: Direction = "A2B") -> Tensor:
        """`(N, 3, H, W)` of the direction's source domain → the codes that `decode` takes.

        Raises:
            DirectionError, ShapeError: no such direction; sides that the network cannot take.
        """
        self.check_image(x, direction)
        encoder = self.encoder(direction)
        return x if encoder is None else encoder(x)

    def decode(
        self,
        codes: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """Codes → `(N, 3, H, W)` in [-1, 1] of the direction's target domain.

        Args:
            style: a style code for methods that have one.
            noise: the source of whatever chance the method has at test time; None for none.
            temperature: scales that chance where it is Gaussian: 0 is as good as none.

        Raises:
            DirectionError, ShapeError: no such direction; a style of another length or number.
        """
        self.check_direction(direction)
        return self.decoder(direction)(*self.decoder_inputs(codes, style, noise, temperature))

    def encoder(self, direction: Direction) -> nn.Module | None:
        """The layers from an image to its codes; None where the image is its own code."""
        return None

    def decoder(self, direction: Direction) -> nn.Module:
        """The layers from the `decoder_inputs` to an image; nothing in them is left to chance in eval mode."""
        raise NotImplementedError

    def decoder_inputs(
        self, codes: Tensor, style: Tensor | None, noise: torch.Generator | None, temperature: float
    ) -> tuple[Tensor, ...]:
        """What `decode` hands to the decoder: the codes, and whatever else the method has, chance already drawn."""
        return (codes,)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """The styles of images `(N, 3, H, W)` of domain A or B: `(N, style_dim)`.

        Raises:
            DirectionError, ShapeError: no such domain, no styles at all; images too small.
        """
        raise DirectionError(f"{self.title} has no style codes.")

    def sample_styles(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`(n, style_dim)` from the styles' prior N(0, I), on the CPU."""
        return torch.randn(n, self.style_dim, generator=generator)

    def translate(
        self,
        x: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """`decode(encode(x))`: `(N, 3, H, W)` → `(N, 3, H, W)`, both in [-1, 1]."""
        return self.decode(self.encode(x, direction), direction, style, noise, temperature)

    forward = translate

    def discriminators(self) -> nn.Module:
        """New discriminators, initialised as the method's paper says."""
        raise NotImplementedError

    def judge(self, discriminators: nn.Module, codes: Tensor, y: Tensor, direction: Direction) -> Logits:
        """What `discriminators` say of translations y `(N, 3, H, W)` that were decoded from `codes`: patch logits."""
        return discriminators.get_submodule(direction[2])(y)

    def grid(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """The rows of a sample grid, of images a and b `(N, 3, H, W)`: inputs, results, and truth or the way back."""
        fake_b = self.translate(a, "A2B")
        if self.paired:
            return [a, fake_b, b]
        rows = [a, fake_b]
        if "B2A" in self.directions:
            fake_a = self.translate(b, "B2A")
            rows += [self.translate(fake_b, "B2A"), b, fake_a, self.translate(fake_a, "A2B")]
        return rows

    def check_image(self, x: Tensor, direction: str) -> None:
        """Raise DirectionError or ShapeError for what `encode` cannot take."""
        self.check_direction(direction)
        if x.dim() != 4 or x.shape[1] != 3:
            raise ShapeError(f"{self.title} takes images (N, 3, H, W), not {tuple(x.shape)}.")
        height, width = x.shape[2:]
        if height % self.multiple or width % self.multiple or min(height, width) < self.smallest:
            raise ShapeError(
                f"{self.title} of these settings takes sides from {max(self.smallest, self.multiple)} pixels on that "
                f"{self.multiple} divides, not {height}×{width}: pad the image, or go through Translator, which does."
            )

    def check_direction(self, direction: str) -> None:
        """Raise DirectionError for a direction that this network was not built for."""
        self.abilities.check_direction(direction)
