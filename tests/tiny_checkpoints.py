"""The two untrained checkpoints that tests of servers serve: one direction and dropout, both directions and styles."""

from pathlib import Path

import torch

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks.network import TranslationNetwork

PAIRED, STYLED = "tiny-paired", "tiny-styled"
SIZE = 32
DOMAINS = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}


def save_checkpoints(folder: Path) -> Path:
    """Write both into a folder, the same each time, and return it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, TranslationNetwork] = {
            PAIRED: i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
            STYLED: i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, style_downs=2, mlp_width=8)),
        }
    for name, network in networks.items():
        info = checkpoints.Info(name, f"Title of {name}", network.method, SIZE, DOMAINS)
        checkpoints.save(folder / name, network, info)
    return folder
