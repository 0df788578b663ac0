"""Image-to-image translation: networks, checkpoints and their use.

import i2i_models as i2i
t = i2i.load("checkpoints/emoji-pix2pix")
t.translate(image)                      # PIL in, PIL out
t.network                               # the nn.Module, on (N, 3, H, W) in [-1, 1]
"""

from .checkpoint import find_checkpoints
from .cyclegan import CycleGAN, CycleGANConfig
from .discogan import DiscoGAN, DiscoGANConfig
from .errors import CheckpointError, DataError, DirectionError, I2IError, ImageError, ShapeError, TrainingError
from .images import open_image
from .munit import MUNIT, MUNITConfig
from .outlines import outline
from .pix2pix import Pix2Pix, Pix2PixConfig
from .translator import Codes, Translator, load
from .unit import UNIT, UNITConfig

__all__ = [
    "MUNIT",
    "UNIT",
    "CheckpointError",
    "Codes",
    "CycleGAN",
    "CycleGANConfig",
    "DataError",
    "DirectionError",
    "DiscoGAN",
    "DiscoGANConfig",
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
