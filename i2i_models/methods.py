"""The list of methods: to add one, write its file and name it here."""

from .network import TranslationNetwork
from .pix2pix import Pix2Pix

METHODS: dict[str, type[TranslationNetwork]] = {cls.method: cls for cls in (Pix2Pix,)}
