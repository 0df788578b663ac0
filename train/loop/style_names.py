"""Style directions that change one thing, found and named by what they change.

The principal directions of a style space mix what the pictures' styles vary in. Of drawn avatars it is known where
hair, skin and background are and which colours they have, so directions can be turned until each changes one of them,
and be named after it where it does. Needs pictures of such a domain; other style spaces stay as they are.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from i2i_models.checkpoints.styles import StyleSpace
from i2i_models.directions import Direction, DomainKey, opposite
from i2i_models.images.tensors import from_bytes

from ..data.sources import spread
from ..evaluation.metrics import colour_distance
from ..evaluation.regions import COLOURS, mean_in_regions, read_regions

FACES, STYLES = 4, 64
"""Pictures that are drawn in as many random styles, to learn what the numbers of a style change."""
BASES = 3
"""Random styles in which a direction is turned, beside the typical one, to see what it changes."""
REACH = 1.5
"""How far to both sides a direction is turned to see what it changes, in standard deviations."""
LEAST_CHANGE, LEAST_SHARE, LEAST_CORRELATION = 10.0, 0.6, 0.6
"""A direction is named after a region if turning it changes the region's colour by this ΔE, if this is so large a share
of the changes of all regions, and if its place correlates so well with the region's colour in random styles."""


@torch.inference_mode()
def name_directions(network: Any, domain: DomainKey, pictures: Tensor, space: StyleSpace) -> StyleSpace:
    """The style space with its first directions turned to change hair, skin and background alone, and named.

    Args:
        network: a network with styles, in eval mode.
        domain: of the pictures and the style space.
        pictures: uint8 `(N, 3, size, size)` of the domain, as they were drawn.
        space: as `principal` found it.

    Returns:
        The same space if the pictures are no drawn avatars.
    """
    regions = read_regions(pictures)
    if regions is None:
        return space
    complete = (regions.indices >= 0).all(1).nonzero().flatten()
    chosen = complete[spread(len(complete), FACES)]
    masks, device = regions.masks[chosen], next(network.parameters()).device
    away: Direction = "A2B" if domain == "A" else "B2A"
    contents = network.encode(from_bytes(pictures[chosen].to(device)), away)

    def colours(styles: Tensor) -> Tensor:
        """Mean Lab colour of each region in styles `(K, D)`, mean over the faces: `(K, 3, 3)`."""
        found = []
        for style in styles.to(device):
            images = network.decode(contents, opposite(away), style.expand(len(chosen), -1))
            found.append(mean_in_regions(images, masks).mean(0))
        return torch.stack(found)

    drawn = (
        space.mean
        + torch.randn(STYLES, space.dim, generator=torch.Generator().manual_seed(0))
        * (space.deviations)
        @ space.directions
    )
    seen = colours(drawn)
    turned = turn(space, drawn, seen)
    names = [
        _name(turned, k, drawn, seen, colours(_ends(turned, k, drawn[:BASES]))) if k < len(COLOURS) else ""
        for k in range(space.dim)
    ]
    # Two directions of one name would be two sliders of one label: the first, which changes more, keeps it.
    names = [name if name not in names[:k] else "" for k, name in enumerate(names)]
    if not any(names):
        return space
    order = sorted(range(space.dim), key=lambda k: (not names[k], -float(turned.deviations[k]) * (not names[k])))
    return dataclasses.replace(
        turned,
        directions=turned.directions[order],
        deviations=turned.deviations[order],
        names=tuple(names[k] for k in order),
    )


def turn(space: StyleSpace, styles: Tensor, colours: Tensor) -> StyleSpace:
    """The space with other orthonormal directions: one for each region that changes it most and the others least.

    A linear fit of the colours to the styles says what a direction changes: |Wᵣᵀ d| of region r. For each region in
    turn d maximises its squared change over the changes of all, among the directions at right angles to those found. A
    little is added to the changes of all, so that directions that change next to nothing do not win; how much, and the
    order of the regions, are those with which the most regions get a direction that earns its name, and the purest.
    What is left is sorted by how much real styles vary.

    Args:
        styles: `(K, D)`, and `colours` `(K, R, 3)`, of R regions in them.
    """
    covariance = (space.directions.T @ torch.diag(space.deviations**2) @ space.directions).double()
    z, y = (styles - styles.mean(0)).double(), (colours - colours.mean(0)).double()
    fits = torch.linalg.lstsq(z, y.flatten(1)).solution.unflatten(1, y.shape[1:])  # D × R × 3
    change = torch.einsum("drc,erc->rde", fits, fits)
    found = max(
        (
            _purest(change, order, little)
            for order in itertools.permutations(range(len(change)))
            for little in (0.2, 0.1, 0.05, 0.02, 0.01)
        ),
        key=lambda directions: _merit(directions, change, covariance),
    )
    left = torch.linalg.svd(found)[2][len(found) :]
    _, vectors = torch.linalg.eigh(left @ covariance @ left.T)
    directions = torch.cat([found, vectors.T.flip(0) @ left])
    deviations = _deviations(directions, covariance)
    return dataclasses.replace(space, directions=directions.float(), deviations=deviations.float())


def _purest(change: Tensor, order: Sequence[int], little: float) -> Tensor:
    """A direction for each region `(R, D)`, found in an order.

    Args:
        change: `(R, D, D)`: dᵀ M d is the squared change of a region along d.
        little: what is added to the changes of all, as a share of their largest.
    """
    whole = torch.eye(change.shape[-1], dtype=change.dtype)
    total = change.sum(0)
    total = total + little * torch.linalg.eigvalsh(total)[-1] * whole
    left, found = whole, torch.zeros_like(change[:, 0])
    for done, region in enumerate(order, 1):
        whiten = torch.linalg.inv(torch.linalg.cholesky(left @ total @ left.T))
        _, vectors = torch.linalg.eigh(whiten @ left @ change[region] @ left.T @ whiten.T)
        best = left.T @ whiten.T @ vectors[:, -1]
        best = best / best.norm()
        found[region] = best * best[best.abs().argmax()].sign()
        left = torch.linalg.svd(found[list(order[:done])])[2][done:]
    return found


def _merit(directions: Tensor, change: Tensor, covariance: Tensor) -> tuple[int, float]:
    """How many directions change their region enough and alone enough, and how alone the least of these does."""
    lengths = 2 * REACH * _deviations(directions, covariance)
    changes = torch.einsum("kd,rde,ke->kr", directions, change, directions).clamp(min=0).sqrt() * lengths[:, None]
    own, shares = changes.diag(), changes.diag() / changes.sum(1).clamp(min=1e-12)
    good = (own >= LEAST_CHANGE) & (shares >= LEAST_SHARE)
    return int(good.sum()), float(shares[good].min()) if good.any() else 0.0


def _deviations(directions: Tensor, covariance: Tensor) -> Tensor:
    """The standard deviation in each direction."""
    return torch.einsum("kd,de,ke->k", directions, covariance, directions).clamp(min=1e-6).sqrt()


def _ends(space: StyleSpace, k: int, styles: Tensor) -> Tensor:
    """The two ends of a direction, in the typical style and in some others: `(2 · (1 + K), D)`, low ones first."""
    bases = torch.cat([space.mean[None], styles])
    along = (bases - space.mean) @ space.directions[k]
    middle = bases - along[:, None] * space.directions[k]
    far = REACH * space.deviations[k] * space.directions[k]
    return torch.cat([middle - far, middle + far])


def _name(space: StyleSpace, k: int, styles: Tensor, colours: Tensor, ends: Tensor) -> str:
    """The region that a direction changes, or nothing where it changes none enough, several, or not steadily.

    Args:
        styles: random ones, `(K, D)`, and `colours` `(K, 3, 3)`, of the regions in them.
        ends: `(2 · n, 3, 3)`, of the regions at the direction's ends, low ones first.
    """
    low, high = ends.chunk(2)
    changes = colour_distance(low, high).mean(0)
    region = int(changes.argmax())
    along = (styles - space.mean) @ space.directions[k]
    way = colours[:, region] @ (high - low)[:, region].mean(0)
    correlation = float(torch.corrcoef(torch.stack([along, way]))[0, 1])
    holds = (
        float(changes[region]) >= LEAST_CHANGE
        and float(changes[region] / changes.sum()) >= LEAST_SHARE
        and correlation >= LEAST_CORRELATION
    )
    said = ", ".join(f"{name} {change:.0f}" for name, change in zip(COLOURS, changes.tolist(), strict=True))
    print(f"Direction {k + 1} changes {said} (ΔE); correlation with {list(COLOURS)[region]} {correlation:.2f}.")
    return list(COLOURS)[region] if holds else ""
