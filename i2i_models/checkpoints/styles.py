"""Where the styles of real images lie, the way between two styles, and styles as text.

A style code is a few numbers with the prior N(0, I) (MUNIT, section 3). The styles of real images
vary more in some directions than in others; those, found once after training, are what a person
wants to turn. They are stored with the checkpoint in `styles.safetensors`: for each domain
`mean`, `directions`, `deviations`, and a few examples, `styles` and `pictures`; and in the file's
metadata, as JSON, the `names` of directions that change one thing alone, such as the hair.
"""

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ..directions import DOMAINS
from ..errors import CheckpointError, StyleError
from .folder import STYLES
from .weights import load_metadata, load_weights, write_bytes

LIMIT = 20.0
"""Largest number of a style that is taken: far outside of the prior, where nothing new happens any more."""
MIN_DEVIATION = 1e-3
"""A direction in which real styles do not vary still needs a length, or it could not be turned at all."""
MAX_EXAMPLES = 64
MAX_PICTURE_SIDE = 256
NAME = re.compile(r"[^\W\d_][\w -]{0,23}")
"""What a direction may be called, for the page shows names that come with weights from anywhere."""
PREFIX = "munit:v1:"
"""What a style's text begins with, so that it is known again among other texts."""


@dataclasses.dataclass(frozen=True, eq=False)
class StyleSpace:
    """The styles of one domain's real images, D numbers each."""

    mean: Tensor
    """`(D,)`."""
    directions: Tensor
    """`(D, D)`: orthonormal rows: those that are named, then the one in which the styles vary most first."""
    deviations: Tensor
    """`(D,)`: the standard deviation in each direction, positive."""
    styles: Tensor
    """`(M, D)`: the styles of a few examples; M may be 0."""
    pictures: Tensor
    """`(M, 3, side, side)`, uint8: these examples."""
    names: tuple[str, ...] = ()
    """What each direction changes, such as hair; empty where it has no name. None at all, or D."""

    @property
    def dim(self) -> int:
        """D, the numbers in a style."""
        return len(self.mean)


_TENSORS = ("mean", "directions", "deviations", "styles", "pictures")


def prior(dim: int) -> StyleSpace:
    """N(0, I) with the axes as directions: what there is to say before any real style is known."""
    empty = torch.zeros(0, 3, 1, 1, dtype=torch.uint8)
    return StyleSpace(torch.zeros(dim), torch.eye(dim), torch.ones(dim), torch.zeros(0, dim), empty)


def sample_styles(n: int, dim: int, generator: torch.Generator | None = None) -> Tensor:
    """`(n, dim)` from the prior N(0, I), on the CPU."""
    return torch.randn(n, dim, generator=generator)


def principal(styles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean `(D,)`, principal directions `(D, D)` in rows and deviations `(D,)` of styles `(N, D)`.

    A direction's sign is free; here its largest number is positive, so that the same styles give the same answer.
    """
    styles = styles.double().cpu()
    mean = styles.mean(0)
    covariance = (styles - mean).T @ (styles - mean) / max(1, len(styles) - 1)
    _, values, directions = torch.linalg.svd(covariance)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    deviations = values.clamp(min=0).sqrt().clamp(min=MIN_DEVIATION)
    return mean.float(), (directions * largest.sign()).float(), deviations.float()


def varied_examples(styles: Tensor, count: int, farthest: float = 2.5) -> list[int]:
    """Indices of at most `count` styles of `(N, D)` that differ much from each other.

    The most typical one first, then each time the one farthest from those chosen, distances in standard
    deviations. Styles that lie farther out than nearly all of N(0, I) are left aside: they are oddities.
    """
    mean, directions, deviations = principal(styles)
    z = (styles.cpu() - mean) @ directions.T / deviations
    reach = farthest * math.sqrt(z.shape[1])
    away = z.norm(dim=1)
    usual = away <= max(reach, float(away.min()))
    chosen = [int(away.argmin())]
    distance = (z - z[chosen[0]]).norm(dim=1).masked_fill(~usual, -1)
    while len(chosen) < count and float(distance.max()) > 0:
        chosen.append(int(distance.argmax()))
        distance = torch.minimum(distance, (z - z[chosen[-1]]).norm(dim=1))
    return chosen


def interpolate(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Styles on the way from a to b, `(D,)` each, at `t` `(K,)` in [0, 1]: `(K, D)`.

    Along the great circle, the length going evenly from |a| to |b|. Nearly all of N(0, I) lies near a shell of
    radius √D, and a straight line cuts through the empty middle: its styles would be more average than both
    ends. Where there is no one great circle (an end at 0, ends in the same or in opposite directions) the way
    is the straight line.
    """
    t = t.to(a)[:, None]
    straight = torch.lerp(a[None], b[None], t)
    length_a, length_b = a.norm(), b.norm()
    if min(length_a, length_b) < 1e-6:
        return straight
    unit_a, unit_b = a / length_a, b / length_b
    # Of the two exact formulas for an angle this one is accurate for small ones, too.
    angle = 2 * torch.atan2((unit_a - unit_b).norm(), (unit_a + unit_b).norm())
    if angle < 1e-3 or angle > math.pi - 1e-3:
        return straight
    circle = (torch.sin((1 - t) * angle) * unit_a + torch.sin(t * angle) * unit_b) / torch.sin(angle)
    return circle * torch.lerp(length_a, length_b, t)


def check_style(values: object, dim: int) -> Tensor:
    """A list of numbers of untrusted origin → a style `(dim,)`.

    Raises:
        StyleError: no list of `dim` finite numbers within ±`LIMIT`.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise StyleError(f"A style is a list of {dim} numbers.")
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise StyleError("A style holds numbers only.")
    if len(values) != dim:
        raise StyleError(f"A style of this model has {dim} numbers, not {len(values)}.")
    # Written so that NaN fails, too, and an integer too long for a float does no harm.
    if not all(-LIMIT <= v <= LIMIT for v in values):
        raise StyleError(f"The numbers of a style lie between −{LIMIT:g} and {LIMIT:g}.")
    return torch.tensor([float(v) for v in values])


def format_style(style: Tensor) -> str:
    """A style `(D,)` as text that `parse_style` reads: `munit:v1:0.52,-1.3,…`, four decimals."""
    return PREFIX + ",".join(f"{round(v, 4) + 0.0:.4f}".rstrip("0").rstrip(".") for v in style.tolist())


def parse_style(text: str, dim: int) -> Tensor:
    """Read a style `(dim,)` from what a person pasted: `format_style`'s text, or just the numbers.

    Raises:
        StyleError: it is no style text, or no style of this length.
    """
    numbers = text.strip().removeprefix(PREFIX).strip()
    words = [word for word in re.split(r"[\s,;]+", numbers) if word]
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if not values:
        raise StyleError(f"That text is no style: a style looks like {PREFIX}0.5,-1.2,… with {dim} numbers.")
    return check_style(values, dim)


def save_styles(folder: Path, spaces: Mapping[str, StyleSpace]) -> None:
    """Write the style spaces of the domains A and B into a checkpoint folder, whole or not at all."""
    tensors = {
        f"{domain}.{field}": getattr(space, field).cpu().contiguous()
        for domain, space in spaces.items()
        for field in _TENSORS
    }
    names = {f"{domain}.names": json.dumps(space.names) for domain, space in spaces.items() if space.names}
    write_bytes(folder / STYLES, save(tensors, metadata={"format": "pt", **names}))


def load_styles(folder: Path | None, dim: int) -> dict[str, StyleSpace]:
    """The style spaces of the domains A and B; the prior for a checkpoint that came without.

    Raises:
        CheckpointError: the file is damaged or does not fit styles of `dim` numbers; names it and the field.
    """
    if folder is None or not (folder / STYLES).is_file():
        return {domain: prior(dim) for domain in DOMAINS}
    path = folder / STYLES
    tensors = load_weights(path)
    metadata = load_metadata(path)
    return {
        domain: _read_space(path, domain, tensors, _read_names(path, domain, metadata, dim), dim) for domain in DOMAINS
    }


def _read_names(path: Path, domain: str, metadata: Mapping[str, str], dim: int) -> tuple[str, ...]:
    text = metadata.get(f"{domain}.names", "[]")
    try:
        names = json.loads(text)
        good = isinstance(names, list) and len(names) in (0, dim)
        if not (good and all(isinstance(name, str) and (not name or NAME.fullmatch(name)) for name in names)):
            raise ValueError
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: {domain}.names must be {dim} short words or none.") from None
    return tuple(names)


def _read_space(path: Path, domain: str, tensors: Mapping[str, Tensor], names: tuple[str, ...], dim: int) -> StyleSpace:
    found: dict[str, Any] = {}
    for field in _TENSORS:
        key = f"{domain}.{field}"
        if key not in tensors:
            raise CheckpointError(f"{path}: {key} is missing; make the file anew with `python -m train styles`.")
        found[field] = tensors[key]

    def need(name: str, holds: bool, what: str) -> None:
        if not holds:
            raise CheckpointError(f"{path}: {domain}.{name} must be {what}.")

    pictures, styles = found["pictures"], found["styles"]
    for name in ("mean", "directions", "deviations", "styles"):
        need(name, found[name].is_floating_point() and bool(found[name].isfinite().all()), "finite floating numbers")
        found[name] = found[name].float()
    need("mean", found["mean"].shape == (dim,), f"{dim} numbers")
    need("directions", found["directions"].shape == (dim, dim), f"{dim}×{dim} numbers")
    squares = found["directions"] @ found["directions"].T if found["directions"].shape == (dim, dim) else torch.zeros(1)
    need("directions", torch.allclose(squares, torch.eye(dim), atol=1e-2), "directions at right angles, of length 1")
    need("deviations", found["deviations"].shape == (dim,), f"{dim} numbers")
    need("deviations", bool((found["deviations"] > 0).all()), "positive")
    for name in ("mean", "deviations", "styles"):
        need(name, bool((found[name].abs() <= LIMIT).all()), f"within ±{LIMIT:g}")
    need("styles", styles.dim() == 2 and styles.shape[1] == dim and len(styles) <= MAX_EXAMPLES, f"(M, {dim})")
    fits = pictures.dim() == 4 and pictures.shape[:2] == (len(styles), 3) and pictures.shape[2] == pictures.shape[3]
    need("pictures", fits and 1 <= pictures.shape[2] <= MAX_PICTURE_SIDE, "one square (3, side, side) for each style")
    need("pictures", pictures.dtype == torch.uint8, "bytes")
    return StyleSpace(**found, names=names)
