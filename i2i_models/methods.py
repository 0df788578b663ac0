"""The list of methods: to add one, write its file and name it here."""

from .cyclegan import CycleGAN
from .discogan import DiscoGAN
from .munit import MUNIT
from .network import TranslationNetwork
from .pix2pix import Pix2Pix
from .unit import UNIT

METHODS: dict[str, type[TranslationNetwork]] = {cls.method: cls for cls in (Pix2Pix, DiscoGAN, CycleGAN, UNIT, MUNIT)}
