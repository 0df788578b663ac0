"""What a checkpoint is measured by.

Each measure looks at what the checkpoint is and what its domains show, never at its method's name,
and answers None where it does not apply. Its docstring is what the model card says about it.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from i2i_models import directions
from i2i_models.checkpoints import Domain, Info
from i2i_models.directions import Direction, opposite
from i2i_models.images.tensors import from_bytes, to_bytes
from i2i_models.networks.network import TranslationNetwork

from ..data.dataset import TranslationDataset
from ..data.sources import spread
from .feature_extractors import feature_distances, inception, lpips
from .label_reader import label_counts, label_maps, reader_for
from .metrics import (
    CHUNK,
    colour_distance,
    confusion,
    constant_confusion,
    fine_energy,
    l1,
    mean_lab,
    mean_pairwise,
    mean_picture_l1,
    psnr,
    segmentation_scores,
    ssim,
    stroke_f1,
    within,
)

STYLES, STYLED_INPUTS, REALS = 10, 20, 60
"""Random styles of an input, inputs that get them, real images whose diversity stands beside."""
PRIOR = (2 / torch.pi) ** 0.5
"""Mean absolute value of N(0, 1), the prior of each number of a style."""

Values = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """One direction of a network and the held-out images it is measured on, all uint8 `(N, 3, size, size)`."""

    network: Any
    """A TranslationNetwork. Some have the method `reconstruct`, which the type does not name."""
    direction: Direction
    source: Domain
    target: Domain
    inputs: Tensor
    reals: Tensor
    """Images of the target domain: the inputs' true translations if `paired`."""
    results: Tensor
    paired: bool
    batch_size: int

    @property
    def has_styles(self) -> bool:
        """Whether a result has a style that can be chosen."""
        return bool(self.network.style_dim)


def make_case(
    network: TranslationNetwork, info: Info, direction: Direction, images: TranslationDataset, batch_size: int
) -> Case:
    """Translate all images in a direction. Where the network has styles, each result has a random one."""
    source, target = directions.source(direction), directions.target(direction)
    inputs, reals = images.domains[source].stack(), images.domains[target].stack()
    device = next(network.parameters()).device
    noise = torch.Generator().manual_seed(0) if network.style_dim else None
    with torch.inference_mode():
        parts = [network.translate(from_bytes(x.to(device)), direction, noise=noise) for x in inputs.split(batch_size)]
    results = torch.cat([to_bytes(part).cpu() for part in parts])
    domains = info.domains[source], info.domains[target]
    return Case(network, direction, *domains, inputs, reals, results, images.paired, batch_size)


def truth(case: Case) -> Values | None:
    """Results against the true translations.

    L1 in [-1, 1], beside it that of always answering the truths' mean and that of the inputs as they are;
    PSNR in dB, of the squared error over all images; SSIM, mean over images.
    """
    if not case.paired:
        return None
    pairs = list(zip(case.results.split(CHUNK), case.reals.split(CHUNK), strict=True))
    floats = [(from_bytes(x), from_bytes(y)) for x, y in pairs]
    untouched = [(from_bytes(x), y) for x, (_, y) in zip(case.inputs.split(CHUNK), floats, strict=True)]
    squared = torch.cat([((x - y) ** 2).mean((1, 2, 3)) for x, y in floats]).mean()
    return {
        "l1": float(torch.cat([l1(x, y) for x, y in floats]).mean()),
        "l1_of_mean_picture": mean_picture_l1(case.reals),
        "l1_of_input": float(torch.cat([l1(x, y) for x, y in untouched]).mean()),
        "psnr": psnr(float(squared)),
        "ssim": float(torch.cat([ssim(x, y) for x, y in floats]).mean()),
    }


def label_score(case: Case) -> Values | None:
    """Labels that a network trained on real photos reads off the results (pix2pix, section 4.1).

    Share of pixels right, mean share over the classes, mean intersection over union; beside each that
    of the real photos and of always answering the most frequent label.
    """
    if not (case.paired and case.source.palette and case.target.kind == "picture"):
        return None
    if (reader := reader_for(case.source.palette)) is None:
        return None
    reader = reader.to(next(case.network.parameters()).device)
    labels = label_maps(case.inputs, case.source.palette)
    counts, of_real = (label_counts(photos, labels, reader) for photos in (case.results, case.reals))
    scores = {
        "": segmentation_scores(counts),
        "_of_real": segmentation_scores(of_real),
        "_of_constant": segmentation_scores(constant_confusion(counts)),
    }
    return {"size": reader.size} | {name + of: v for of, values in scores.items() for name, v in values.items()}


def label_colours(case: Case) -> Values | None:
    """Label maps against the true ones, each pixel taken for the nearest label colour (CycleGAN, section 5.1).

    Share of pixels right, mean share over the classes, mean intersection over union; and the share of
    pixels of which no channel is more than 16 of 255 off the true colour (UNIT, section 4). Beside each
    that of always answering the most frequent label.
    """
    if not (case.paired and case.target.palette):
        return None
    palette = case.target.palette
    true = label_maps(case.reals, palette)
    counts = confusion(label_maps(case.results, palette), true, len(palette))
    constant = constant_confusion(counts)
    colour = torch.tensor(list(palette.values()), dtype=torch.uint8)[counts.sum(1).argmax()]
    scores = {"": segmentation_scores(counts), "_of_constant": segmentation_scores(constant)}
    return {name + of: v for of, values in scores.items() for name, v in values.items()} | {
        "within_16": float(within(case.results, case.reals).mean()),
        "within_16_of_constant": float(within(colour[:, None, None].expand(case.reals.shape), case.reals).mean()),
    }


def strokes(case: Case) -> Values | None:
    """Stroke pixels (darker than middle grey) against those of the true outlines.

    A pixel of tolerance all round; beside F1 that of a black picture.
    """
    if not (case.paired and case.target.kind == "outline"):
        return None
    black = stroke_f1(torch.full(case.reals.shape, -1.0), from_bytes(case.reals))
    return stroke_f1(from_bytes(case.results), from_bytes(case.reals)) | {"f1_of_black": black["f1"]}


def round_trip(case: Case) -> Values | None:
    """L1 in [-1, 1] of inputs sent there and back, and of inputs reconstructed through their code alone.

    Where there are styles, there in a random one and back in the input's own. Beside the cycle's that
    of always answering the inputs' mean.
    """
    network, back = case.network, opposite(case.direction)
    if back not in network.directions:
        return None
    noise = torch.Generator().manual_seed(0) if case.has_styles else None
    device = next(network.parameters()).device
    cycles, again = [], []
    for part in case.inputs.split(case.batch_size):
        x = from_bytes(part.to(device))
        style = network.encode_style(x, directions.source(case.direction)) if case.has_styles else None
        there = network.translate(x, case.direction, noise=noise)
        cycles.append(l1(network.translate(there, back, style), x))
        if case.has_styles:
            again.append(l1(network.decode(network.encode(x, case.direction), back, style), x))
        elif hasattr(network, "reconstruct"):
            again.append(l1(network.reconstruct(x, directions.source(case.direction)), x))
    values = {"cycle_l1": float(torch.cat(cycles).mean()), "cycle_l1_of_mean_picture": mean_picture_l1(case.inputs)}
    return values | ({"reconstruction_l1": float(torch.cat(again).mean())} if again else {})


def variety(case: Case) -> Values | None:
    """Mean L1 between the results of different inputs, beside that between real images, and their ratio.

    Near 0, all inputs get one answer; near 1, results differ as real images do.
    """
    if min(len(case.results), len(case.reals)) < 2:
        return None
    results, reals = (mean_pairwise(from_bytes(x[spread(len(x), REALS)]), l1) for x in (case.results, case.reals))
    return {"distance": results, "distance_of_real": reals, "ratio": results / max(reals, 1e-9)}


def styles(case: Case) -> Values | None:
    """Ten random styles of one input: how different the results are, and whether style and content can be read back.

    Diversity is the mean over pairs of styles and over inputs of 1 − SSIM, of the distance in mean Lab
    colour (ΔE) and, where its weights could be had, of LPIPS; beside each that of real images. Style
    error is |E(G(c, s)) − s| over the prior's mean absolute value, 0.8; answering 0 has 1. Content
    agreement is 1 less the L1 between the contents of one input's results over that between the
    contents of different inputs' results; 1 is perfect.
    """
    if not case.has_styles or min(len(case.inputs), len(case.reals)) < 2:
        return None
    network, back, device = case.network, opposite(case.direction), next(case.network.parameters()).device
    drawn = network.sample_styles(STYLES, torch.Generator().manual_seed(0)).to(device)
    chosen = case.inputs[spread(len(case.inputs), STYLED_INPUTS)]
    measured: list[Values] = []
    errors, agreements, contents = [], [], []
    for x in chosen.split(1):
        results = network.translate(from_bytes(x.to(device)), case.direction, drawn)
        measured.append(_diversity(results))
        errors.append(float((network.encode_style(results, directions.target(case.direction)) - drawn).abs().mean()))
        content = network.encode(results, back)
        agreements.append(mean_pairwise(content, l1))
        contents.append(content[0])
    between = mean_pairwise(torch.stack(contents), l1)
    of_real = _diversity(from_bytes(case.reals[spread(len(case.reals), REALS)]))
    values: Values = {"images": len(chosen)}
    for name, real in of_real.items():
        values |= {name: sum(m[name] for m in measured) / len(measured), f"{name}_of_real": real}
    values["style_error"] = sum(errors) / len(errors) / PRIOR
    return values | {"content_agreement": 1 - sum(agreements) / len(agreements) / max(between, 1e-9)}


def _diversity(images: Tensor) -> Values:
    """Mean pairwise distances of images `(N, 3, H, W)`."""
    values = {
        "diversity_ssim": mean_pairwise(images, lambda x, y: 1 - ssim(x, y)),
        "diversity_colour": mean_pairwise(mean_lab(images), colour_distance),
    }
    if (distance := lpips()) is not None:
        values["diversity_lpips"] = mean_pairwise(images.cpu(), distance)
    return values


def guided(case: Case) -> Values | None:
    """Inputs in the style of a guide, a real image of the target domain that is not their own truth.

    Distance in mean Lab colour (ΔE) to the guide, beside that to another guide, and the share of
    results that are nearer to their own.
    """
    count = min(len(case.inputs), len(case.reals))
    if not case.has_styles or count < 3:
        return None
    network, device = case.network, next(case.network.parameters()).device
    guides = case.reals[:count].roll(1, 0)
    results = []
    for x, guide in zip(case.inputs[:count].split(case.batch_size), guides.split(case.batch_size), strict=True):
        style = network.encode_style(from_bytes(guide.to(device)), directions.target(case.direction))
        results.append(mean_lab(network.translate(from_bytes(x.to(device)), case.direction, style)))
    found, wanted = torch.cat(results), mean_lab(from_bytes(guides))
    own, other = colour_distance(found, wanted), colour_distance(found, wanted.roll(1, 0))
    return {
        "images": count,
        "guide_distance": float(own.mean()),
        "guide_distance_of_other_guide": float(other.mean()),
        "nearer_to_own_guide": float((own < other).float().mean()),
    }


def fine_detail(case: Case) -> Values | None:
    """Energy of the results' finest detail, above 0.4 cycles a pixel, over that of real images.

    1 is as in real images; a checkerboard or halftone pattern makes it larger, blur smaller.
    """
    if case.target.kind != "picture":
        return None
    results, reals = (
        torch.cat([fine_energy(from_bytes(x)) for x in y.split(CHUNK)]).mean() for y in (case.results, case.reals)
    )
    return {"energy_ratio": float(results / reals.clamp(min=1e-12))}


def features(case: Case) -> Values | None:
    """FID and KID between results and real images in Inception's features; few images bias FID upwards, KID not."""
    if min(len(case.results), len(case.reals)) < 2 or (network := inception()) is None:
        return None
    return feature_distances(case.results, case.reals, network)


MEASURES: dict[str, Callable[[Case], Values | None]] = {
    "truth": truth,
    "label score": label_score,
    "label colours": label_colours,
    "strokes": strokes,
    "round trip": round_trip,
    "variety": variety,
    "styles": styles,
    "guided": guided,
    "fine detail": fine_detail,
    "features": features,
}


@torch.inference_mode()
def measure(case: Case, split: str) -> list[Values]:
    """A row for each measure that applies: its name, direction, split, size, number of inputs, and what it found."""
    rows = []
    for name, function in MEASURES.items():
        if (values := function(case)) is not None:
            about: Values = {"metric": name, "direction": case.direction, "split": split}
            about |= {"size": case.inputs.shape[-1], "images": len(case.inputs)}
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in (about | values).items()})
    return rows
