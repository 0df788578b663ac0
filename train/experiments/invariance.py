"""How far features tell faces apart, and how far colours: MUNIT's figures 11 and 12, `python -m train invariance`.

MUNIT's perceptual loss compares features after instance norm, which is to take away the domain and leave the content.
Two kinds of pairs show whether it does: one face in two colourings, and two faces in one colouring. A distance for
contents is small for the first and large for the second.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from i2i_models.errors import TrainingError
from i2i_models.images.tensors import from_bytes
from i2i_models.networks.layers import InstanceNorm

from ..evaluation.feature_extractors import lite_features, st_lpips
from ..prepare.faces import BACKGROUNDS, HAIR_COLOURS, SKINS, Face, faces, renderings
from ..prepare.node import draw
from .results import RESULTS, Column, Row, Table, record

SIDE = 128
BINS = 24
PARTS = ("same face, other colours", "other face, same colours")

Features = Callable[[Tensor], Tensor]
"""Images `(N, 3, SIDE, SIDE)` in [-1, 1] → maps `(N, C, h, w)`."""
TRUNKS = {
    "vgg": "ST-LPIPS's VGG-16, relu4_3, at 64 px",
    "lite": "EfficientNet-Lite0, its 112 channels at 1/16, at 128 px",
}
NORMS = {"plain": "as they are", "normed": "after instance norm"}

TABLE = Table(
    name="perceptual-invariance",
    title="The domain-invariant perceptual distance",
    source="Huang et al. 2018 (MUNIT), section 5.1 and figures 11 and 12 of the appendix",
    here="Mean square between the features of two pictures, as they are and after instance norm: of one cartoon face "
    "in two colourings (hair, skin and background differ), and of two faces in one colouring. The number is the share "
    "of cases in which the first distance is smaller: 1 is a distance of contents alone, 0 one of colours alone. The "
    "paper shows histograms without numbers, of street scenes and of VGG-16 as ImageNet trained it.",
    command="python -m train invariance",
    columns={
        "nearer": Column("same face is nearer"),
        "ratio": Column("its median distance, other face's is 1", 3, "lower"),
    },
    rows=[Row(f"{t}-{n}", f"{trunk}, {norm}") for t, trunk in TRUNKS.items() for n, norm in NORMS.items()],
)


def invariance(count: int = 200, seed: int = 1, results: Path = RESULTS) -> None:
    """Compare the distances of one face in two colourings with those of two faces in one: MUNIT, figures 11 and 12.

    Needs Node.js, which draws the faces, and trains nothing.

    Args:
        count: pairs of either kind.
        seed: of the colours and of who is compared with whom.
        results: the folder of the tables.
    """
    if count < 10:
        raise TrainingError("--count must be 10 or more: there are histograms to fill.")
    started = time.monotonic()
    chosen, recoloured, others = (drawn(list(of)) for of in zip(*triples(count, seed), strict=True))
    drawing = time.monotonic() - started
    for key, features in trunks().items():
        begun = time.monotonic()
        found = distances(features, chosen, (recoloured, others))
        minutes = round((drawing + time.monotonic() - begun) / 60, 2)
        for norm, (first, second) in found.items():
            top = float(torch.quantile(torch.cat([first, second]), 0.99))
            counts = [torch.histc(x.clamp(max=top), BINS, 0, top).int().tolist() for x in (first, second)]
            values = {
                "nearer": round(float((first[:, None] < second).float().mean()), 4),
                "ratio": round(float(first.median() / second.median()), 4),
            }
            histogram = {"to": round(top, 5), **dict(zip(PARTS, counts, strict=True))}
            run = {"seed": seed, "values": values, "minutes": minutes, "histogram": histogram}
            record(results, TABLE, f"{key}-{norm}", run)
            print(f"{TRUNKS[key]}, {NORMS[norm]}: {values}", flush=True)


def triples(count: int, seed: int) -> list[tuple[Face, Face, Face]]:
    """A face, the same in other colours (each of the three differs), and another face in its colours."""
    torch.manual_seed(seed)
    known = [face for face in faces(3000) if face.hair][: 2 * count]

    def other(colours: Sequence[str], than: str) -> str:
        return (left := [c for c in colours if c != than])[int(torch.randint(len(left), ()))]

    found = []
    for face, another in zip(known[:count], known[count:], strict=True):
        colours: dict[str, Any] = {
            "hair_colour": other(HAIR_COLOURS, face.hair_colour),
            "skin": other(SKINS, face.skin),
            "background": other(BACKGROUNDS, face.background),
        }
        own: dict[str, Any] = {name: getattr(face, name) for name in colours}
        found.append((face, dataclasses.replace(face, **colours), dataclasses.replace(another, **own)))
    return found


def drawn(wanted: list[Face]) -> Tensor:
    """The faces in colour, without glasses: `(N, 3, SIDE, SIDE)` in [-1, 1]."""
    jobs = [{"avatar": renderings(face)["plain"]} for face in wanted]
    return from_bytes(torch.stack([torch.tensor(pixels[..., :3]).permute(2, 0, 1) for pixels in draw(jobs, SIDE)]))


def trunks() -> dict[str, Features]:
    """The trunks that are installed.

    Raises:
        TrainingError: there is none.
    """
    found: dict[str, Features] = {}
    if (perceived := st_lpips()) is not None:
        found["vgg"] = lambda x: perceived.network.net(perceived.network.scaling_layer(F.avg_pool2d(x, 2)))[3]
    if (lite := lite_features()) is not None:
        found["lite"] = lambda x: lite.stages((x + 1) * 127.5)[3]
    if not found:
        raise TrainingError("The features come with packages of requirements-dev.txt: install these first.")
    return found


@torch.inference_mode()
def distances(features: Features, first: Tensor, others: Sequence[Tensor]) -> dict[str, list[Tensor]]:
    """Mean square between the features of pictures and those of others, entry by entry.

    Returns:
        For each of `NORMS` a distance `(N,)` to each of `others`.
    """
    norms = {"plain": torch.nn.Identity(), "normed": InstanceNorm()}
    found: dict[str, list[list[Tensor]]] = {name: [[] for _ in others] for name in norms}
    for parts in zip(first.split(8), *(other.split(8) for other in others), strict=True):
        maps = [features(part) for part in parts]
        for name, norm in norms.items():
            here, *there = (norm(x) for x in maps)
            for kept, x in zip(found[name], there, strict=True):
                kept.append((here - x).square().mean((1, 2, 3)))
    return {name: [torch.cat(kept) for kept in of_norm] for name, of_norm in found.items()}
