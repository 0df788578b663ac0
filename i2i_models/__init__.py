"""Image-to-image translation: networks, checkpoints and their use.

import i2i_models as i2i
t = i2i.load("checkpoints/emoji-pix2pix")
t.translate(image)                      # PIL in, PIL out
t.network                               # the nn.Module, on (N, 3, H, W) in [-1, 1]
"""

from .checkpoint import find_checkpoints
from .errors import CheckpointError, DataError, DirectionError, I2IError, ImageError, ShapeError, TrainingError
from .images import open_image
from .outlines import outline
from .pix2pix import Pix2Pix, Pix2PixConfig
from .translator import Codes, Translator, load

__all__ = [
    "CheckpointError",
    "Codes",
    "DataError",
    "DirectionError",
    "I2IError",
    "ImageError",
    "Pix2Pix",
    "Pix2PixConfig",
    "ShapeError",
    "TrainingError",
    "Translator",
    "find_checkpoints",
    "load",
    "open_image",
    "outline",
]
