"""Image-to-image translation: networks, checkpoints and their use.

import i2i_models as i2i
t = i2i.load("checkpoints/emoji-pix2pix")
t.translate(image)                      # PIL in, PIL out
t.network                               # the nn.Module, on (N, 3, H, W) in [-1, 1]
"""

from .checkpoints import Capabilities, find_checkpoints
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
from .images.outlines import outline
from .images.reading import open_image
from .inference.translator import Codes, Translator, load
from .networks.cyclegan import CycleGAN, CycleGANConfig
from .networks.discogan import DiscoGAN, DiscoGANConfig
from .networks.munit import MUNIT, MUNITConfig
from .networks.pix2pix import Pix2Pix, Pix2PixConfig
from .networks.unit import UNIT, UNITConfig

__all__ = [
    "MUNIT",
    "UNIT",
    "Capabilities",
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
