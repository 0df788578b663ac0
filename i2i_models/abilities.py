"""What a network can do, in words that need no torch: a page is laid out by it before a weight is read."""

import dataclasses
from typing import Any, Literal, get_args

from .errors import DirectionError

Direction = Literal["A2B", "B2A"]
Chance = Literal["none", "dropout", "latent", "style"]
"""Where a method's chance at test time enters: nowhere, in dropout, as noise on the code, in the choice of a style."""


@dataclasses.dataclass(frozen=True)
class Abilities:
    """As the properties of the same names of `TranslationNetwork`; in `config.json` as `abilities`."""

    title: str
    paired: bool
    directions: tuple[Direction, ...]
    chance: Chance
    style_dim: int
    mixes_codes: bool

    @property
    def drafts(self) -> bool:
        """Whether drafts are worth having: where a style moves under somebody's hand."""
        return self.chance == "style"

    def check_direction(self, direction: str) -> None:
        """Raise DirectionError for a direction that the network was not built for."""
        if direction not in self.directions:
            raise DirectionError(f"{self.title} translates {' and '.join(self.directions)} here, not {direction!r}.")

    @classmethod
    def from_dict(cls, values: Any) -> "Abilities":
        """Build from `config.json`'s `abilities` object.

        Raises:
            ValueError: it holds something else than `dataclasses.asdict` of abilities.
        """
        abilities = cls(**{**values, "directions": tuple(values["directions"])})
        kinds = {"title": str, "paired": bool, "chance": str, "style_dim": int, "mixes_codes": bool}
        if (
            any(type(getattr(abilities, name)) is not kind for name, kind in kinds.items())
            or abilities.chance not in get_args(Chance)
            or abilities.directions not in (("A2B",), ("B2A",), ("A2B", "B2A"))
            or not 0 <= abilities.style_dim <= 512
        ):
            raise ValueError(f"no abilities: {values}")
        return abilities
