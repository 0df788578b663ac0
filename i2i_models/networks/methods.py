"""The list of methods: to add one, write its file and name its class here."""

from pathlib import Path

from .. import checkpoints
from ..errors import CheckpointError
from .cyclegan import CycleGAN
from .discogan import DiscoGAN
from .munit import MUNIT
from .network import TranslationNetwork
from .pix2pix import Pix2Pix
from .unit import UNIT

METHODS: dict[str, type[TranslationNetwork]] = {c.method: c for c in (Pix2Pix, DiscoGAN, CycleGAN, UNIT, MUNIT)}
"""Networks by their methods' names, as `config.json` has them."""


def method_of(folder: Path) -> type[TranslationNetwork]:
    """The class of the method that a checkpoint folder's `config.json` names.

    Raises:
        CheckpointError: as `checkpoints.read_config`, or no method of the list.
    """
    name = checkpoints.read_config(folder)["method"]
    if name not in METHODS:
        known = ", ".join(METHODS)
        raise CheckpointError(
            f"{folder / checkpoints.CONFIG}: method {checkpoints.shown(name)} is unknown; known are {known}."
        )
    return METHODS[name]


def read(folder: Path) -> tuple[TranslationNetwork, checkpoints.Info]:
    """Build the network of a checkpoint folder, whatever its method. Returns and raises as `checkpoints.read`."""
    return checkpoints.read(folder, method_of(folder))
