"""What a checkpoint is measured by.

Each measure looks at what the checkpoint is and what its domains show, never at its method's name,
and answers None where it does not apply. Its docstring is what the model card says about it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from i2i_models import directions
from i2i_models.directions import opposite
from i2i_models.images.tensors import from_bytes

from ..data.sources import spread
from .avatars import attribute_scores, domain_told, guided_colours, lines_kept, outside_the_change, style_colours
from .case import Case, Values
from .feature_extractors import feature_distances, inception, lite_features, lpips, st_lpips
from .label_reader import label_counts, label_maps, readers_for
from .metrics import (
    CHUNK,
    colour_distance,
    confusion,
    constant_confusion,
    dark_pixels,
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
PERCEIVED, PERCEIVED_STYLED = 24, 5
"""Pairs, and inputs in random styles, that ST-LPIPS looks at: its trunk takes a tenth of a second an image."""
PRIOR = (2 / torch.pi) ** 0.5
"""Mean absolute value of N(0, 1), the prior of each number of a style."""


def truth(case: Case) -> Values | None:
    """Results against the true translations; beside each that of always answering the truths' mean and of the inputs.

    L1 in [-1, 1]; PSNR in dB, of the squared error over all images; SSIM (Wang et al. 2004), mean over images; ST-LPIPS
    (Ghildyal and Liu 2022, VGG trunk, at 64 px), a perceptual distance, mean over 24 images spread over all.
    """
    return _to_truth(case, case.results) if case.paired else None


def guided_to_truth(case: Case) -> Values | None:
    """Inputs in the style of their own true translation, against it: what is left is what a style cannot say.

    L1 in [-1, 1], PSNR in dB, SSIM and ST-LPIPS as above; beside each that of the truths' mean and of the inputs.
    """
    return _to_truth(case, case.in_style_of(case.reals)) if case.paired and case.has_styles else None


def _to_truth(case: Case, results: Tensor) -> Values:
    """Distances of uint8 results to the truths, and those of the truths' mean and of the inputs beside them."""
    mean = (case.reals.sum(0, dtype=torch.int64) / len(case.reals)).round().byte().expand(case.reals.shape)
    answers = {"": results, "_of_mean_picture": mean, "_of_input": case.inputs}
    chosen = spread(len(case.reals), PERCEIVED)
    perceived = st_lpips()
    true_features = perceived.features(from_bytes(case.reals[chosen])) if perceived else []
    values: dict[str, Values] = {"l1": {}, "psnr": {}, "ssim": {}, "st_lpips": {}}
    for name, answer in answers.items():
        pairs = [
            (from_bytes(x), from_bytes(y)) for x, y in zip(answer.split(CHUNK), case.reals.split(CHUNK), strict=True)
        ]
        values["l1"][name] = float(torch.cat([l1(x, y) for x, y in pairs]).mean())
        values["psnr"][name] = psnr(float(torch.cat([((x - y) ** 2).mean((1, 2, 3)) for x, y in pairs]).mean()))
        values["ssim"][name] = float(torch.cat([ssim(x, y) for x, y in pairs]).mean())
        if perceived:
            looked_at = answer[chosen] if name != "_of_mean_picture" else answer[:1]
            features = perceived.features(from_bytes(looked_at))
            values["st_lpips"][name] = float(perceived.distance(features, true_features).mean())
    return {f"{what}{name}": value for what, found in values.items() for name, value in found.items()}


def label_score(case: Case) -> Values | None:
    """Labels that networks trained on real photos read off the results (pix2pix, section 4.1).

    Share of pixels right, mean share over the classes, mean intersection over union, each the mean of `readers`
    readers of different seeds and widths, none of which a training has seen; beside each that of the real photos and
    of always answering the most frequent label, and the share of the real photos' accuracy that is reached.
    """
    if not (case.paired and case.source.palette and case.target.kind == "picture"):
        return None
    readers = readers_for(case.source.palette)
    if not readers:
        return None
    device = next(case.network.parameters()).device
    labels = label_maps(case.inputs, case.source.palette)
    scores: dict[str, list[dict[str, float]]] = {"": [], "_of_real": [], "_of_constant": []}
    for reader in readers:
        reader = reader.to(device)
        counts, of_real = (label_counts(photos, labels, reader) for photos in (case.results, case.reals))
        for name, matrix in (("", counts), ("_of_real", of_real), ("_of_constant", constant_confusion(counts))):
            scores[name].append(segmentation_scores(matrix))
    values: Values = {"size": readers[0].size, "readers": len(readers)}
    for of, found in scores.items():
        values |= {name + of: sum(one[name] for one in found) / len(found) for name in found[0]}
    return values | {"accuracy_beside_real": values["pixel_accuracy"] / max(values["pixel_accuracy_of_real"], 1e-9)}


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
    drawn, true = (dark_pixels(from_bytes(x)) for x in (case.results, case.reals))
    return stroke_f1(drawn, true) | {"f1_of_black": stroke_f1(torch.ones_like(true), true)["f1"]}


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
    colour (ΔE), of ST-LPIPS (VGG trunk, 64 px; five inputs, 24 real images) and, where its weights could be had, of
    LPIPS; beside each that of real images. Style error is |E(G(c, s)) − s| over the prior's mean absolute
    value, 0.8; answering 0 has 1. Content agreement is 1 less the L1 between the contents of one input's
    results over that between the contents of different inputs' results; 1 is perfect.
    """
    if not case.has_styles or min(len(case.inputs), len(case.reals)) < 2:
        return None
    network, back, device = case.network, opposite(case.direction), next(case.network.parameters()).device
    drawn = network.sample_styles(STYLES, torch.Generator().manual_seed(0)).to(device)
    chosen = case.inputs[spread(len(case.inputs), STYLED_INPUTS)]
    measured: list[Values] = []
    errors, agreements, contents, perceived = [], [], [], []
    for i, x in enumerate(chosen.split(1)):
        results = network.translate(from_bytes(x.to(device)), case.direction, drawn)
        measured.append(_diversity(results))
        if i < PERCEIVED_STYLED and st_lpips() is not None:
            perceived.append(_perceived_diversity(results))
        errors.append(float((network.encode_style(results, directions.target(case.direction)) - drawn).abs().mean()))
        content = network.encode(results, back)
        agreements.append(mean_pairwise(content, l1))
        contents.append(content[0])
    between = mean_pairwise(torch.stack(contents), l1)
    of_real = _diversity(from_bytes(case.reals[spread(len(case.reals), REALS)]))
    values: Values = {"images": len(chosen)}
    for name, real in of_real.items():
        values |= {name: sum(m[name] for m in measured) / len(measured), f"{name}_of_real": real}
    if perceived:
        values["diversity_st_lpips"] = sum(perceived) / len(perceived)
        real_images = from_bytes(case.reals[spread(len(case.reals), PERCEIVED)])
        values["diversity_st_lpips_of_real"] = _perceived_diversity(real_images)
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


def _perceived_diversity(images: Tensor) -> float:
    """Mean pairwise ST-LPIPS of images `(N, 3, H, W)`."""
    perceived = st_lpips()
    assert perceived is not None
    found = perceived.features(images)

    def distance(i: Tensor, j: Tensor) -> Tensor:
        return perceived.distance([layer[i] for layer in found], [layer[j] for layer in found])

    return mean_pairwise(torch.arange(len(images)), distance)


def guided(case: Case) -> Values | None:
    """Inputs in the style of a guide, a real image of the target domain that is not their own truth.

    Distance in mean Lab colour (ΔE) to the guide, beside that to another guide, and the share of
    results that are nearer to their own.
    """
    if not case.has_styles or len(case.guides) < 3:
        return None
    found, wanted = (mean_lab(from_bytes(x)) for x in (case.guided, case.guides))
    own, other = colour_distance(found, wanted), colour_distance(found, wanted.roll(1, 0))
    return {
        "images": len(found),
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


def lite_distances(case: Case) -> Values | None:
    """Fréchet and kernel distance between results and real images in EfficientNet-Lite0's features: not FID, not KID.

    Computed as those are (Heusel et al. 2017; Bińkowski et al. 2018), on 1280 features with ImageNet weights. The
    results of one half of the inputs against the real images of the other half, mean over both; beside it the two
    halves of the real images against each other, which as few images bias alike.
    """
    half = min(len(case.results), len(case.reals)) // 2
    if half < 2 or (network := lite_features()) is None:
        return None
    (first, second), (real_first, real_second) = ((x[:half], x[half : 2 * half]) for x in (case.results, case.reals))
    values: Values = {"images": 2 * half}
    both = [feature_distances(x, y, network) for x, y in ((first, real_second), (second, real_first))]
    of_real = feature_distances(real_first, real_second, network)
    for name, key in (("frechet", "fid"), ("kernel", "kid")):
        values |= {name: sum(found[key] for found in both) / 2, f"{name}_of_real_halves": of_real[key]}
    return values


MEASURES: dict[str, Callable[[Case], Values | None]] = {
    "truth": truth,
    "label score": label_score,
    "label colours": label_colours,
    "strokes": strokes,
    "round trip": round_trip,
    "variety": variety,
    "styles": styles,
    "guided": guided,
    "guided to the truth": guided_to_truth,
    "guided colours": guided_colours,
    "style colours": style_colours,
    "attribute scores": attribute_scores,
    "lines kept": lines_kept,
    "domain told": domain_told,
    "outside the change": outside_the_change,
    "fine detail": fine_detail,
    "features": features,
    "lite features": lite_distances,
}


@torch.inference_mode()
def measure(case: Case, split: str) -> list[Values]:
    """A row for each measure that applies: its name, direction, split, size, number of inputs, and what it found."""
    rows = []
    for name, function in MEASURES.items():
        if (values := function(case)) is not None:
            values = {k: v for k, v in values.items() if v == v}  # NaN: of what is nowhere seen
            about: Values = {"metric": name, "direction": case.direction, "split": split}
            about |= {"size": case.inputs.shape[-1], "images": len(case.inputs)}
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in (about | values).items()})
    return rows
