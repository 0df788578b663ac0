"""Directions of translation and the domains at their two ends: A2B leads from domain A to domain B, B2A back."""

from typing import Literal

DomainKey = Literal["A", "B"]
DOMAINS: tuple[DomainKey, DomainKey] = ("A", "B")
Direction = Literal["A2B", "B2A"]


def source(direction: Direction) -> DomainKey:
    """The domain that a direction translates from."""
    return "A" if direction == "A2B" else "B"


def target(direction: Direction) -> DomainKey:
    """The domain that a direction translates to."""
    return "B" if direction == "A2B" else "A"


def opposite(direction: Direction) -> Direction:
    """The direction back."""
    return "B2A" if direction == "A2B" else "A2B"
