"""Image-to-image translation: networks, checkpoints and their use.

import i2i_models as i2i
t = i2i.load("checkpoints/emoji-pix2pix")
t.translate(image)                      # PIL in, PIL out
t.network                               # the nn.Module, on (N, 3, H, W) in [-1, 1]
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .abilities import Abilities
    from .checkpoint import find_checkpoints
    from .cyclegan import CycleGAN, CycleGANConfig
    from .discogan import DiscoGAN, DiscoGANConfig
    from .errors import (
        CheckpointError,
        DataError,
        DirectionError,
        EngineError,
        HubError,
        I2IError,
        ImageError,
        ShapeError,
        TrainingError,
    )
    from .images import open_image
    from .munit import MUNIT, MUNITConfig
    from .outlines import outline
    from .pix2pix import Pix2Pix, Pix2PixConfig
    from .translator import Codes, Translator, load
    from .unit import UNIT, UNITConfig

__all__ = [
    "MUNIT",
    "UNIT",
    "Abilities",
    "CheckpointError",
    "Codes",
    "CycleGAN",
    "CycleGANConfig",
    "DataError",
    "DirectionError",
    "DiscoGAN",
    "DiscoGANConfig",
    "EngineError",
    "HubError",
    "I2IError",
    "ImageError",
    "MUNITConfig",
    "Pix2Pix",
    "Pix2PixConfig",
    "ShapeError",
    "TrainingError",
    "Translator",
    "UNITConfig",
    "find_checkpoints",
    "load",
    "open_image",
    "outline",
]

_HOMES = {
    "abilities": ("Abilities",),
    "checkpoint": ("find_checkpoints",),
    "cyclegan": ("CycleGAN", "CycleGANConfig"),
    "discogan": ("DiscoGAN", "DiscoGANConfig"),
    "errors": (
        "CheckpointError",
        "DataError",
        "DirectionError",
        "EngineError",
        "HubError",
        "I2IError",
        "ImageError",
        "ShapeError",
        "TrainingError",
    ),
    "images": ("open_image",),
    "munit": ("MUNIT", "MUNITConfig"),
    "outlines": ("outline",),
    "pix2pix": ("Pix2Pix", "Pix2PixConfig"),
    "translator": ("Codes", "Translator", "load"),
    "unit": ("UNIT", "UNITConfig"),
}
"""Where each name is defined: its file, and torch with it, is imported when the name is first asked for."""


def __getattr__(name: str) -> Any:
    for file, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{file}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
