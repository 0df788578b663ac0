"""The files of a checkpoint folder, which is laid out as its Hub repo; networks saved in it and read from it.

Weights are safetensors only; nothing in a checkpoint is ever executed.
"""

import json
import os
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from torch import nn

from ..errors import CheckpointError
from .capabilities import Capabilities
from .config import CONFIG, Info, NetworkConfig, read_config, to_config, to_info
from .weights import (
    check_header,
    check_weights,
    in_float32,
    load_weights,
    save_weights,
    without_training_state,
    write_bytes,
)

WEIGHTS, DISCRIMINATOR, CARD, METRICS = (
    "model.safetensors",
    "discriminator.safetensors",
    "README.md",
    "metrics.json",
)
STYLES = "styles.safetensors"
"""Where real images' styles lie, for methods that have styles."""
EXAMPLES = {"A": "examples", "B": "examples/B"}
"""Folders of a few small images of each domain (`*.png`), for the page; B's only where the network translates B2A."""
TRUTH = "truth"
"""Folder beside examples with the true translation of each, by the same name, where the data are pairs."""


class SavedNetwork(nn.Module):
    """What a checkpoint asks of a network beside its weights."""

    method: ClassVar[str]
    title: ClassVar[str]
    Config: ClassVar[type[NetworkConfig]]
    """Its settings; the class is built from one."""
    config: NetworkConfig
    multiple: int
    """Heights and widths of its images must be multiples of this many pixels."""

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""
        raise NotImplementedError

    def discriminators(self) -> nn.Module:
        """New discriminators, initialised as the method's paper says."""
        raise NotImplementedError


N = TypeVar("N", bound=SavedNetwork)


def find_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """The sub-folders of `folder` that hold a `config.json`, sorted; none if there is no such folder."""
    return sorted(path.parent for path in Path(folder).glob(f"*/{CONFIG}"))


def save(
    folder: Path,
    network: SavedNetwork,
    info: Info,
    discriminator: nn.Module | None = None,
    precision: torch.dtype | None = None,
) -> None:
    """Write `config.json` and weights; a file appears whole or not at all.

    Args:
        precision: of the weights; float16 by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / WEIGHTS, network, precision)
    if discriminator is not None:
        save_weights(folder / DISCRIMINATOR, discriminator, precision)
    config = to_config(info, network.config, network.capabilities)
    write_text(folder / CONFIG, json.dumps(config, indent=2, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode())


def read_info(folder: Path) -> Info:
    """What `config.json` says; that the weights are there and whole is checked by their header.

    Raises:
        CheckpointError: a missing, damaged or foreign file; the message names it and the field.
    """
    info = to_info(folder, read_config(folder))
    check_header(folder / WEIGHTS)
    return info


def read(folder: Path, network_class: type[N]) -> tuple[N, Info]:
    """Build the network of a checkpoint folder with its weights, float32, in eval mode.

    Args:
        network_class: the class of the method that `config.json` names.

    Raises:
        CheckpointError: as `read_info`, or weights that are not those of the network.
    """
    config = read_config(folder)
    try:
        settings = network_class.Config.from_dict(config["network"])
    except CheckpointError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from None
    info = to_info(folder, config)
    state = load_weights(folder / WEIGHTS)
    with torch.device("meta"):
        network = network_class(settings)
    if info.size % network.multiple:
        raise CheckpointError(
            f"{folder / CONFIG}: size {info.size} is no multiple of {network.multiple}, as it must be."
        )
    if info.capabilities not in (None, network.capabilities):
        raise CheckpointError(f"{folder / CONFIG}: abilities are not those of its network: save the checkpoint again.")
    check_weights(folder / WEIGHTS, state, network)
    # Only now is memory taken: a config cannot ask for more than its weights file holds.
    network = network_class(settings)
    network.load_state_dict(in_float32(state))
    return network.eval().requires_grad_(False), info


def read_discriminators(folder: Path, network: SavedNetwork) -> nn.Module:
    """The discriminators that a checkpoint's network was trained against, float32, in eval mode.

    What only their training needs, such as CycleGAN's pools of images, is left out.

    Raises:
        CheckpointError: the checkpoint came without them; or as `read`.
    """
    path = folder / DISCRIMINATOR
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: this checkpoint came without its discriminators.")
    state = load_weights(path)
    with torch.device("meta"):
        check_weights(path, state, without_training_state(network.discriminators()))
    discriminators = without_training_state(network.discriminators())
    discriminators.load_state_dict(in_float32(state))
    return discriminators.eval().requires_grad_(False)
