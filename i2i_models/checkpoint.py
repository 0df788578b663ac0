"""A checkpoint folder, laid out as its Hub repo: `config.json`, `model.safetensors`, card, metrics, examples.

Weights are safetensors only; nothing in a checkpoint is ever executed.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .errors import CheckpointError
from .layers import TrainingState
from .methods import METHODS
from .network import TranslationNetwork
from .palettes import Palette

CONFIG, WEIGHTS, DISCRIMINATOR, CARD, METRICS = (
    "config.json",
    "model.safetensors",
    "discriminator.safetensors",
    "README.md",
    "metrics.json",
)
FORMAT = 1
"""The layout that this code reads and writes."""

Kind = Literal["picture", "outline", "labels"]


@dataclasses.dataclass(frozen=True)
class Domain:
    """What the images of a domain show, and how a visitor makes one."""

    name: str
    kind: Kind = "picture"
    palette: Palette = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Info:
    """What `config.json` says apart from the network's own settings."""

    name: str
    title: str
    method: str
    size: int
    """Side of the square images the network was trained at, in pixels."""
    domains: dict[str, Domain]
    training: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The options of the training, for the record."""


def find_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """The sub-folders of `folder` that hold a `config.json`, sorted; none if there is no such folder."""
    return sorted(path.parent for path in Path(folder).glob(f"*/{CONFIG}"))


def save(
    folder: Path,
    network: TranslationNetwork,
    info: Info,
    discriminator: nn.Module | None = None,
    precision: torch.dtype = torch.float16,
) -> None:
    """Write `config.json` and weights, in half precision if not told otherwise; a file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": FORMAT,
        "method": info.method,
        "title": info.title,
        "size": info.size,
        "domains": {key: dataclasses.asdict(domain) for key, domain in info.domains.items()},
        "network": dataclasses.asdict(network.config),
        "training": info.training,
    }
    _save_weights(folder / WEIGHTS, network, precision)
    if discriminator is not None:
        _save_weights(folder / DISCRIMINATOR, discriminator, precision)
    write_text(folder / CONFIG, json.dumps(config, indent=2, default=str) + "\n")


def _save_weights(path: Path, module: nn.Module, precision: torch.dtype) -> None:
    left_out = tuple(f"{name}." for name, part in module.named_modules() if isinstance(part, TrainingState))
    state = {
        key: (value.to(precision) if value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
        if not key.startswith(left_out)
    }
    temporary = path.with_suffix(".tmp")
    save_file(state, temporary, metadata={"format": "pt"})
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def read(folder: Path) -> tuple[TranslationNetwork, Info]:
    """Build the network of a checkpoint folder with its weights, float32, in eval mode.

    Raises:
        CheckpointError: a missing, damaged or foreign file; the message names it and the field.
    """
    config = _read_config(folder)
    cls = METHODS[config["method"]]
    try:
        settings = cls.Config.from_dict(config["network"])
    except CheckpointError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from None
    info = Info(
        name=folder.name,
        title=config.get("title", folder.name),
        method=config["method"],
        size=config["size"],
        domains={key: _read_domain(folder, key, value) for key, value in config["domains"].items()},
        training=config.get("training", {}),
    )
    state = load_weights(folder / WEIGHTS)
    with torch.device("meta"):
        network = cls(settings)
    if info.size % network.multiple:
        raise CheckpointError(
            f"{folder / CONFIG}: size {info.size} is no multiple of {network.multiple}, as it must be."
        )
    check_weights(folder / WEIGHTS, state, network)
    # Only now is memory taken: a config cannot ask for more than its weights file holds.
    network = cls(settings)
    network.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    )
    return network.eval().requires_grad_(False), info


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder: give the path of a checkpoint, or a Hub id as owner/name.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: {folder} is not a checkpoint, or was copied only in part.") from None
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(f"{path} is not readable JSON: copy or download the checkpoint again.") from None
    wanted = {"format": int, "method": str, "size": int, "domains": dict, "network": dict}
    for field, kind in wanted.items():
        if not isinstance(config, dict) or not isinstance(config.get(field), kind):
            raise CheckpointError(f"{path}: the field {field!r} is missing or not of type {kind.__name__}.")
    if config["format"] > FORMAT:
        raise CheckpointError(f"{path}: format {config['format']} is newer than this program reads: update it.")
    if config["method"] not in METHODS:
        raise CheckpointError(f"{path}: method {config['method']!r} is unknown; known are {', '.join(METHODS)}.")
    if not 8 <= config["size"] <= 4096:
        raise CheckpointError(f"{path}: size must lie in 8 … 4096, not {config['size']}.")
    if set(config["domains"]) != {"A", "B"}:
        raise CheckpointError(f"{path}: domains must be A and B, not {', '.join(map(str, config['domains']))}.")
    return config


def _read_domain(folder: Path, key: str, value: Any) -> Domain:
    try:
        palette = {str(name): tuple(int(c) for c in colour) for name, colour in value.get("palette", {}).items()}
        domain = Domain(str(value["name"]), value.get("kind", "picture"), palette)  # type: ignore[arg-type]
        if domain.kind not in ("picture", "outline", "labels") or any(len(c) != 3 for c in palette.values()):
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CheckpointError(f"{folder / CONFIG}: domains.{key} needs a name, a kind and at most a palette.") from None
    return domain


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: copy or download the checkpoint again.") from None
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError):
        raise CheckpointError(f"{path} is damaged: copy or download the checkpoint again.") from None


def check_weights(path: Path, state: dict[str, Tensor], network: nn.Module) -> None:
    """Compare names, shapes and kinds of weights with what the network wants, before anything is built.

    Raises:
        CheckpointError: names the first tensor that differs and what was expected.
    """
    wanted = network.state_dict()
    for key, value in wanted.items():
        if key not in state:
            raise CheckpointError(f"{path}: tensor {key} is missing; the file does not fit {CONFIG}.")
        if state[key].shape != value.shape:
            found, expected = tuple(state[key].shape), tuple(value.shape)
            raise CheckpointError(f"{path}: tensor {key} has shape {found}, but {CONFIG} describes {expected}.")
        if state[key].is_floating_point() and not bool(state[key].isfinite().all()):
            raise CheckpointError(f"{path}: tensor {key} holds NaN or infinite values; the file is damaged.")
    if extra := sorted(set(state) - set(wanted)):
        raise CheckpointError(f"{path}: tensor {extra[0]} is not part of {CONFIG}'s network.")
