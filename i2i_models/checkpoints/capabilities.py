"""What a network can do, as `config.json` says it: a page is laid out by it before any weights are read."""

import dataclasses
from typing import Any, Literal, get_args

from ..directions import Direction
from ..errors import DirectionError

Chance = Literal["none", "dropout", "latent", "style"]
"""Where chance enters a translation: nowhere, in dropout, as noise on the latent code, in the choice of a style."""


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """The properties of the same names of a `TranslationNetwork`; `config.json` holds them as `abilities`."""

    title: str
    paired: bool
    directions: tuple[Direction, ...]
    chance: Chance
    style_dim: int
    mixes_codes: bool

    @property
    def drafts(self) -> bool:
        """Whether coarser drafts are worth having: where a slider changes the style."""
        return self.chance == "style"

    def check_direction(self, direction: str) -> None:
        """Raise DirectionError for a direction that the network was not built for."""
        if direction not in self.directions:
            raise DirectionError(f"{self.title} translates {' and '.join(self.directions)} here, not {direction!r}.")

    @classmethod
    def from_dict(cls, values: Any) -> "Capabilities":
        """Build from `config.json`'s `abilities` object.

        Raises:
            ValueError: it holds something else than `dataclasses.asdict` of capabilities.
        """
        capabilities = cls(**{**values, "directions": tuple(values["directions"])})
        kinds = {"title": str, "paired": bool, "chance": str, "style_dim": int, "mixes_codes": bool}
        if (
            any(type(getattr(capabilities, name)) is not kind for name, kind in kinds.items())
            or capabilities.chance not in get_args(Chance)
            or capabilities.directions not in (("A2B",), ("B2A",), ("A2B", "B2A"))
            or not 0 <= capabilities.style_dim <= 512
        ):
            raise ValueError(f"no capabilities: {values}")
        return capabilities
