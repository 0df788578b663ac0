"""What `config.json` says: the method, its network's settings, the domains, the training."""

import dataclasses
import json
import reprlib
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import CheckpointError
from ..images.depth import Range
from ..images.palettes import LabelSet, Palette, read_colour
from .capabilities import Capabilities

CONFIG = "config.json"
FORMAT = 1
"""The layout that this code reads and writes."""
SMALLEST_SIZE, LARGEST_SIZE = 8, 4096

Kind = Literal["picture", "outline", "labels", "paint"]
"""How a visitor makes an image: uploads a picture, draws an outline, paints labels, paints in free colours."""


MOST_BYTES = 1_000_000
"""Of `config.json`."""
MOST_CHARS = 200
"""Of a title, of the name of a domain or label."""
MOST_LABELS = 256


@dataclasses.dataclass(frozen=True)
class Domain:
    """What the images of a domain show, and how a visitor makes one."""

    name: str
    kind: Kind = "picture"
    palette: Palette = dataclasses.field(default_factory=dict)
    """For `labels`: the colour of each."""
    background: str = ""
    """For `labels`: that of a blank drawing; empty for the first of the palette."""
    foreground: str = ""
    """For `labels`: that of the first stroke; empty for the last of the palette."""
    rough: bool = False
    """For `labels`: whether a visitor's strokes have rough edges, as coasts have."""

    range: Range | None = None
    """Of pictures with more than 8 bits, the values that are black and white; None where the data had 8 bits."""

    @classmethod
    def of_labels(cls, name: str, labels: LabelSet) -> "Domain":
        """A domain of label maps."""
        return cls(name, "labels", labels.palette, labels.background, labels.foreground, labels.rough)

    @classmethod
    def from_dict(cls, values: Any) -> "Domain":
        """Build from an entry of `config.json`'s `domains`.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it is none.
        """
        palette = {_words(name): read_colour(colour) for name, colour in values.get("palette", {}).items()}
        chosen = values.get("background", ""), values.get("foreground", "")
        low, high = values.get("range") or (0, 0)
        value_range = (float(low), float(high)) if values.get("range") else None
        rough = values.get("rough", False)
        domain = cls(_words(values["name"]), values.get("kind", "picture"), palette, *chosen, rough, value_range)
        if value_range and not -1e30 < value_range[0] < value_range[1] < 1e30:
            raise ValueError
        if domain.kind not in get_args(Kind) or len(palette) > MOST_LABELS:
            raise ValueError
        if not set(chosen) <= {"", *palette} or not isinstance(rough, bool):
            raise ValueError
        return domain

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads."""
        return {
            key: value
            for key, value in dataclasses.asdict(self).items()
            if value not in ("", None, False) or key == "name"
        }


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
    capabilities: Capabilities | None = None
    """What the network can do; None if the checkpoint does not say, and the network must be asked."""


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """What a network is built from; each method's own config adds its fields."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "NetworkConfig":
        """Build from `config.json`'s `network` object.

        Raises:
            CheckpointError: an unknown field, or a value of the wrong kind.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for name, value in values.items():
            if name not in fields:
                raise CheckpointError(
                    f"network.{name[:60]} is not a field of {cls.__name__}; it has {', '.join(fields)}."
                )
            default = fields[name].default
            if type(value) is not type(default):
                raise CheckpointError(
                    f"network.{name} must be of type {type(default).__name__}, like {default!r}, not {shown(value)}."
                )
        config = cls(**values)
        config.check()
        return config

    def check(self) -> None:
        """Raise CheckpointError for values that no network can be built from."""


def shown(value: object) -> str:
    """A value of a stranger's file in a sentence: shortened, whatever it is."""
    return reprlib.repr(value)


def check_range(config: NetworkConfig, low: int, high: int, *names: str) -> None:
    """Raise CheckpointError for a field that lies outside low … high."""
    for name in names:
        if not low <= getattr(config, name) <= high:
            raise CheckpointError(f"network.{name} must lie in {low} … {high}, not {shown(getattr(config, name))}.")


def check_choice(config: NetworkConfig, name: str, choices: Any) -> None:
    """Raise CheckpointError for a field whose value is not among a Literal's."""
    if getattr(config, name) not in get_args(choices):
        allowed = " or ".join(get_args(choices))
        raise CheckpointError(f"network.{name} must be {allowed}, not {shown(getattr(config, name))}.")


def to_config(info: Info, network: NetworkConfig, capabilities: Capabilities) -> dict[str, Any]:
    """The content of `config.json`."""
    return {
        "format": FORMAT,
        "method": info.method,
        "title": info.title,
        "size": info.size,
        "domains": {key: domain.to_dict() for key, domain in info.domains.items()},
        "network": dataclasses.asdict(network),
        "abilities": dataclasses.asdict(capabilities),
        "training": info.training,
    }


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a checkpoint folder, its outermost fields checked.

    Raises:
        CheckpointError: it is missing, foreign or of a newer format; the message names the field.
    """
    path = folder / CONFIG
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder: give the path of a checkpoint, or a Hub id as owner/name.")
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError
        config = json.loads(data.decode())
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: {folder} is not a checkpoint, or was copied only in part.") from None
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(f"{path} is not readable JSON: copy or download the checkpoint again.") from None
    wanted = {"format": int, "method": str, "size": int, "domains": dict, "network": dict}
    for field, kind in wanted.items():
        if not isinstance(config, dict) or type(config.get(field)) is not kind:
            raise CheckpointError(f"{path}: the field {field!r} is missing or not of type {kind.__name__}.")
    if config["format"] > FORMAT:
        raise CheckpointError(f"{path}: format {shown(config['format'])} is newer than this program reads: update it.")
    if not SMALLEST_SIZE <= config["size"] <= LARGEST_SIZE:
        raise CheckpointError(
            f"{path}: size must lie in {SMALLEST_SIZE} … {LARGEST_SIZE}, not {shown(config['size'])}."
        )
    if set(config["domains"]) != {"A", "B"}:
        raise CheckpointError(f"{path}: domains must be A and B, not {shown(list(config['domains']))}.")
    return config


def to_info(folder: Path, config: dict[str, Any]) -> Info:
    """What the `config.json` of a folder says, as `read_config` gives it.

    Raises:
        CheckpointError: a title, a domain or the capabilities are not as they are saved; the message names the field.
    """
    title, training = config.get("title", folder.name), config.get("training", {})
    if not _is_words(title):
        raise CheckpointError(f"{folder / CONFIG}: title must be a text of at most {MOST_CHARS} characters.")
    if not isinstance(training, dict):
        raise CheckpointError(f"{folder / CONFIG}: training must hold the options of the training by name.")
    return Info(
        name=folder.name,
        title=title,
        method=config["method"],
        size=config["size"],
        domains={key: _read_domain(folder, key, value) for key, value in config["domains"].items()},
        training=training,
        capabilities=_read_capabilities(folder, config.get("abilities")),
    )


def _read_domain(folder: Path, key: str, value: Any) -> Domain:
    try:
        return Domain.from_dict(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CheckpointError(
            f"{folder / CONFIG}: domains.{key} needs a name, a kind, and for labels a palette."
        ) from None


def _read_capabilities(folder: Path, value: Any) -> Capabilities | None:
    try:
        return None if value is None else Capabilities.from_dict(value)
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{folder / CONFIG}: abilities are not as they are saved: leave them out.") from None


def _words(value: object) -> str:
    if not _is_words(value):
        raise ValueError
    return str(value)


def _is_words(value: object) -> bool:
    # Half a surrogate, which JSON may hold, cannot be sent to a browser.
    return isinstance(value, str) and len(value) <= MOST_CHARS and not any("\ud800" <= c <= "\udfff" for c in value)
