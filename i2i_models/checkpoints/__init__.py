"""Checkpoints: a folder laid out as its Hub repo, what its files say, and how networks are saved in it and read."""

from .capabilities import Capabilities, Chance
from .config import CONFIG, Domain, Info, Kind, NetworkConfig, check_choice, check_range, read_config, shown
from .folder import (
    CARD,
    DISCRIMINATOR,
    EXAMPLES,
    METRICS,
    STYLES,
    TRUTH,
    WEIGHTS,
    SavedNetwork,
    find_checkpoints,
    read,
    read_discriminators,
    read_info,
    save,
    write_text,
)
from .weights import TrainingState, load_weights

__all__ = [
    "CARD",
    "CONFIG",
    "DISCRIMINATOR",
    "EXAMPLES",
    "METRICS",
    "STYLES",
    "TRUTH",
    "WEIGHTS",
    "Capabilities",
    "Chance",
    "Domain",
    "Info",
    "Kind",
    "NetworkConfig",
    "SavedNetwork",
    "TrainingState",
    "check_choice",
    "check_range",
    "find_checkpoints",
    "load_weights",
    "read",
    "read_config",
    "read_discriminators",
    "read_info",
    "save",
    "shown",
    "write_text",
]
