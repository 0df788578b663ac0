"""An untrained MUNIT of 32 pixels and where its styles might lie, for the tests of styles."""

from pathlib import Path

import torch

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints.styles import StyleSpace, principal

TINY = i2i.MUNITConfig(
    base_width=4,
    style_dim=4,
    blocks=1,
    mlp_width=16,
    discriminator_width=4,
    discriminator_layers=1,
    discriminator_scales=1,
)
DIM = TINY.style_dim


def load_tiny(folder: Path) -> i2i.Translator:
    """Save it as the checkpoint `tiny` under a folder, and load that."""
    domains = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}
    checkpoints.save(folder / "tiny", i2i.MUNIT(TINY), checkpoints.Info("tiny", "Tiny", "munit", 32, domains))
    return i2i.load(folder / "tiny")


def a_space(examples: int = 3) -> StyleSpace:
    """A random style space with so many examples."""
    found = principal(torch.randn(50, DIM) @ torch.randn(DIM, DIM))
    return StyleSpace(*found, torch.randn(examples, DIM), torch.zeros(examples, 3, 8, 8, dtype=torch.uint8))
