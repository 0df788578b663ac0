"""A checkpoint folder, laid out as its Hub repo: `config.json`, `model.safetensors`, card, metrics, examples.

Weights are safetensors only; nothing in a checkpoint is ever executed.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from safetensors import SafetensorError, safe_open

from .abilities import Abilities
from .errors import CheckpointError
from .methods import METHODS
from .palettes import LabelSet, Palette

if TYPE_CHECKING:  # imported where a tensor is touched: what a checkpoint says of itself is read without torch
    import torch
    from torch import Tensor, nn

    from .network import TranslationNetwork

CONFIG, WEIGHTS, DISCRIMINATOR, CARD, METRICS = (
    "config.json",
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
FORMAT = 1
"""The layout that this code reads and writes."""

Kind = Literal["picture", "outline", "labels"]


@dataclasses.dataclass(frozen=True)
class Domain:
    """What the images of a domain show, and how a visitor makes one."""

    name: str
    kind: Kind = "picture"
    palette: Palette = dataclasses.field(default_factory=dict)
    """For `labels`: the colour of each."""
    paper: str = ""
    """For `labels`: that of a blank drawing; empty for the first of the palette."""
    pen: str = ""
    """For `labels`: that of the first stroke; empty for the last of the palette."""

    @classmethod
    def of_labels(cls, name: str, labels: LabelSet) -> "Domain":
        """A domain of label maps."""
        return cls(name, "labels", labels.palette, labels.paper, labels.pen)


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
    abilities: Abilities | None = None
    """What the network can do; None if the checkpoint does not say, and the network must be asked."""


def find_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """The sub-folders of `folder` that hold a `config.json`, sorted; none if there is no such folder."""
    return sorted(path.parent for path in Path(folder).glob(f"*/{CONFIG}"))


def save(
    folder: Path,
    network: "TranslationNetwork",
    info: Info,
    discriminator: "nn.Module | None" = None,
    precision: "torch.dtype | None" = None,
) -> None:
    """Write `config.json` and weights, in half precision if not told otherwise; a file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": FORMAT,
        "method": info.method,
        "title": info.title,
        "size": info.size,
        "domains": {key: _described(domain) for key, domain in info.domains.items()},
        "network": dataclasses.asdict(network.config),
        "abilities": dataclasses.asdict(network.abilities),
        "training": info.training,
    }
    _save_weights(folder / WEIGHTS, network, precision)
    if discriminator is not None:
        _save_weights(folder / DISCRIMINATOR, discriminator, precision)
    write_text(folder / CONFIG, json.dumps(config, indent=2, default=str) + "\n")


def _described(domain: Domain) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(domain).items() if value != "" or key == "name"}


def _save_weights(path: Path, module: "nn.Module", precision: "torch.dtype | None") -> None:
    import safetensors.torch
    import torch

    from .layers import TrainingState

    left_out = tuple(f"{name}." for name, part in module.named_modules() if isinstance(part, TrainingState))
    state = {
        key: (value.to(precision or torch.float16) if value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
        if not key.startswith(left_out)
    }
    temporary = path.with_suffix(".tmp")
    # Not `save_file`, whose files nobody but their owner can read: a server may run as another user.
    temporary.write_bytes(safetensors.torch.save(state, metadata={"format": "pt"}))
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def read_info(folder: Path) -> Info:
    """What `config.json` says, without torch; that the weights are there and whole is checked by their header.

    Raises:
        CheckpointError: a missing, damaged or foreign file; the message names it and the field.
    """
    info = _info(folder, read_config(folder))
    with _reading(folder / WEIGHTS), safe_open(folder / WEIGHTS, "numpy"):
        return info


def _info(folder: Path, config: dict[str, Any]) -> Info:
    return Info(
        name=folder.name,
        title=config.get("title", folder.name),
        method=config["method"],
        size=config["size"],
        domains={key: _read_domain(folder, key, value) for key, value in config["domains"].items()},
        training=config.get("training", {}),
        abilities=_read_abilities(folder, config.get("abilities")),
    )


def read(folder: Path) -> tuple["TranslationNetwork", Info]:
    """Build the network of a checkpoint folder with its weights, float32, in eval mode.

    Raises:
        CheckpointError: as `read_info`, or weights that are not those of the network.
    """
    import torch

    config = read_config(folder)
    cls = METHODS[config["method"]]
    try:
        settings = cls.Config.from_dict(config["network"])
    except CheckpointError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from None
    info = _info(folder, config)
    state = load_weights(folder / WEIGHTS)
    with torch.device("meta"):
        network = cls(settings)
    if info.size % network.multiple:
        raise CheckpointError(
            f"{folder / CONFIG}: size {info.size} is no multiple of {network.multiple}, as it must be."
        )
    if info.abilities not in (None, network.abilities):
        raise CheckpointError(f"{folder / CONFIG}: abilities are not those of its network: save the checkpoint again.")
    check_weights(folder / WEIGHTS, state, network)
    # Only now is memory taken: a config cannot ask for more than its weights file holds.
    network = cls(settings)
    network.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    )
    return network.eval().requires_grad_(False), info


def read_discriminators(folder: Path, network: "TranslationNetwork") -> "nn.Module":
    """The discriminators that a checkpoint's network was trained against, float32, in eval mode.

    What only their training needs, such as CycleGAN's pools of images, is left out.

    Raises:
        CheckpointError: the checkpoint came without them; or as `read`.
    """
    import torch

    path = folder / DISCRIMINATOR
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: this checkpoint came without its discriminators.")
    state = load_weights(path)
    with torch.device("meta"):
        check_weights(path, state, _without_training_state(network.discriminators()))
    discriminators = _without_training_state(network.discriminators())
    discriminators.load_state_dict({key: value.float() for key, value in state.items()})
    return discriminators.eval().requires_grad_(False)


def _without_training_state(module: "nn.Module") -> "nn.Module":
    from .layers import TrainingState

    for name, part in list(module.named_children()):
        if isinstance(part, TrainingState):
            delattr(module, name)
    return module


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a checkpoint folder, its outermost fields checked.

    Raises:
        CheckpointError: it is missing, foreign or of a newer format; the message names the field.
    """
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
        chosen = value.get("paper", ""), value.get("pen", "")
        domain = Domain(str(value["name"]), value.get("kind", "picture"), palette, *chosen)  # type: ignore[arg-type]
        if domain.kind not in get_args(Kind) or any(len(c) != 3 for c in palette.values()):
            raise ValueError
        if not set(chosen) <= {"", *palette}:
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CheckpointError(
            f"{folder / CONFIG}: domains.{key} needs a name, a kind, and for labels a palette."
        ) from None
    return domain


def _read_abilities(folder: Path, value: Any) -> Abilities | None:
    try:
        return None if value is None else Abilities.from_dict(value)
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{folder / CONFIG}: abilities are not as they are saved: leave them out.") from None


def load_weights(path: Path) -> dict[str, "Tensor"]:
    """The tensors of a safetensors file, on the CPU.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    from safetensors.torch import load_file

    with _reading(path):
        return load_file(path)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Safetensors' errors as ours."""
    try:
        yield
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: copy or download the checkpoint again.") from None
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError):
        raise CheckpointError(f"{path} is damaged: copy or download the checkpoint again.") from None


def check_weights(path: Path, state: dict[str, "Tensor"], network: "nn.Module") -> None:
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
        if state[key].is_floating_point() != value.is_floating_point() or state[key].is_complex():
            raise CheckpointError(f"{path}: tensor {key} holds {state[key].dtype}, which the network cannot take.")
        # As float32, which the network computes in: a larger kind may hold numbers that are infinite there.
        if state[key].is_floating_point() and not bool(state[key].float().isfinite().all()):
            raise CheckpointError(f"{path}: tensor {key} holds NaN or infinite values; the file is damaged.")
    if extra := sorted(set(state) - set(wanted)):
        raise CheckpointError(f"{path}: tensor {extra[0]} is not part of {CONFIG}'s network.")
