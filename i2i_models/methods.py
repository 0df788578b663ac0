"""The list of methods: to add one, write its file and name it here."""

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .network import TranslationNetwork

CLASSES = {"pix2pix": "Pix2Pix", "discogan": "DiscoGAN", "cyclegan": "CycleGAN", "unit": "UNIT", "munit": "MUNIT"}
"""File and class."""


class _Methods(Mapping[str, "type[TranslationNetwork]"]):
    """Networks by their methods' names; a file, and torch with it, is imported when its class is asked for."""

    def __getitem__(self, name: str) -> "type[TranslationNetwork]":
        class_name = CLASSES[name]  # a KeyError for what is no method
        return getattr(importlib.import_module(f".{name}", __package__), class_name)

    def __iter__(self) -> Iterator[str]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)

    def __contains__(self, name: object) -> bool:
        return name in CLASSES


METHODS = _Methods()
