"""Measures of drawn avatars, whose true colours and regions are known, and of what a classifier sees in results.

As in measures.py, each answers None where it does not apply, and its docstring is what the card says about it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from i2i_models.images.tensors import from_bytes

from .case import RANDOM_STYLES, Case, Values
from .classifier import DOMAIN
from .metrics import CHUNK, colour_distance, dark_pixels, line_pixels, stroke_f1
from .regions import COLOURS, mean_in_regions

CLEARLY = 20.0
"""ΔE from which two hair colours are clearly different; 2 is just visible."""
CHANGED = 16
"""A pixel in which a true pair differs by more than this, of 255, is changed."""


def guided_colours(case: Case) -> Values | None:
    """Sketches in the style of another avatar: colour error ΔE (CIE 1976) of hair, skin and background to that guide's.

    Of the mean Lab colour in a region: 2 is just visible, 100 black to white; beside each that to another guide.
    The regions are those of the sketch's own avatar, where a pixel of DiceBear's flat colour tells what it shows;
    the guide's colours are read off it alike.
    """
    regions = case.regions
    if regions is None or not case.has_styles or len(case.guides) < 3:
        return None
    count = len(case.guides)
    found = _found(case.guided, regions.masks[:count])
    values: Values = {"images": count}
    for name, wanted in (("", regions.lab[:count].roll(1, 0)), ("_of_other_guide", regions.lab[:count].roll(2, 0))):
        values |= {f"{region}{name}": v for region, v in _by_region(colour_distance(found, wanted)).items()}
    return values


def style_colours(case: Case) -> Values | None:
    """Twelve random styles of avatars: the hair colours in them, and whether a style gives every sketch the same ones.

    `hair colours` is how many of a sketch's twelve are clearly different, each ΔE 20 or more (CIE 1976) from the others
    counted, mean over sketches; beside it that of twelve real avatars. The others are the mean ΔE of a region's colour
    between two sketches in one style, beside that between two real avatars: 0 is the same in all.
    """
    regions = case.regions
    if regions is None or not case.has_styles or len(case.inputs) < 2:
        return None
    masks = regions.masks[case.styled_inputs]
    colours = torch.stack([_found(case.styled[:, i], masks) for i in range(RANDOM_STYLES)], 1)  # inputs, styles, …
    hair = colours[:, :, 0]
    counts = [clearly_different(of_one) for of_one in hair if not bool(of_one.isnan().any())]
    real = regions.lab[:, 0][~regions.lab[:, 0].isnan().any(1)]
    of_real = [clearly_different(part) for part in real.split(RANDOM_STYLES) if len(part) == RANDOM_STYLES]
    values: Values = {"images": len(masks), "hair_colours": sum(counts) / max(len(counts), 1)}
    if of_real:
        values["hair_colours_of_real"] = sum(of_real) / len(of_real)
    for i, name in enumerate(COLOURS):
        values[f"{name}_between_sketches"] = _between(colours[:, :, i].transpose(0, 1))
        values[f"{name}_between_sketches_of_real"] = _between(regions.lab[None, :, i])
    return values


def lines_kept(case: Case) -> Values | None:
    """Whether the lines of a sketch are in the avatar made of it: precision, recall and F1 of stroke pixels.

    A pixel of tolerance all round. A stroke of a sketch is darker than middle grey; of an avatar, darker by 12 of L
    than the lightness closed by a 7×7 square (black top-hat). Beside each that of the real avatars, in which lines in
    black hair are not seen either.
    """
    if case.regions is None or case.source.kind != "outline":
        return None
    values: Values = {}
    for name, pictures in (("", case.results), ("_of_real", case.reals)):
        drawn, true = [], []
        for x, sketch in zip(pictures.split(CHUNK), case.inputs.split(CHUNK), strict=True):
            drawn.append(line_pixels(from_bytes(x)))
            true.append(dark_pixels(from_bytes(sketch)))
        values |= {f"{k}{name}": v for k, v in stroke_f1(torch.cat(drawn), torch.cat(true)).items()}
    return values


def attribute_scores(case: Case) -> Values | None:
    """Inception Score and Conditional Inception Score, with our own attribute classifiers in place of Inception.

    IS, exp E KL(p(y|x) ‖ p(y)) over results x (Salimans et al. 2016), goes from 1 to the number of an attribute's
    colours, 14 of hair, 5 of skin, 10 of background; beside it that of real avatars. CIS, the same within the results
    of one input, mean over inputs before the exponential (MUNIT, section 5.2): how varied its twelve styles are.
    """
    names = [name for name in COLOURS if case.classifier is not None and name in case.classifier.attributes]
    if case.classifier is None or not names or case.regions is None or not case.has_styles:
        return None
    inputs, styles = case.styled.shape[:2]
    found = case.classifier.probabilities(case.styled.flatten(0, 1))
    of_real = case.classifier.probabilities(case.reals)
    values: Values = {"images": inputs}
    for name in names:
        every = found[name]
        values[f"{name}_is"] = float(mean_divergence(every).exp())
        values[f"{name}_is_of_real"] = float(mean_divergence(of_real[name]).exp())
        each = torch.stack([mean_divergence(part) for part in every.split(styles)])
        values[f"{name}_cis"] = float(each.mean().exp())
    return values


def domain_told(case: Case) -> Values | None:
    """The share of results that a classifier of the two domains takes for the target's, such as with glasses.

    It was trained on the training pictures of both domains; beside it the shares of real pictures of the target domain
    that it tells right and of the inputs as they are.
    """
    if case.classifier is None or DOMAIN not in case.classifier.attributes:
        return None
    told = {
        name: case.classifier.probabilities(x)[DOMAIN].argmax(1)
        for name, x in (("", case.results), ("_of_real", case.reals), ("_of_input", case.inputs))
    }
    target = int(told["_of_real"].float().mean().round())  # 0 or 1: data may be taken from right to left
    return {f"flipped{name}": float((found == target).float().mean()) for name, found in told.items()}


def outside_the_change(case: Case) -> Values | None:
    """L1 in [-1, 1] to the truth outside and inside of the box in which true pairs differ, such as where glasses sit.

    The box is the smallest that holds every pixel in which any held-out pair differs by more than 16 of 255, 2 pixels
    wider all round. Outside, the inputs as they are have 0; inside, theirs stands beside. Not measured where the box is
    nearly the whole picture.
    """
    if not case.paired or case.source.kind != "picture" or case.target.kind != "picture":
        return None
    changed = ((case.inputs.int() - case.reals.int()).abs().amax(1) > CHANGED).any(0)
    box = torch.zeros_like(changed)
    rows, columns = (changed.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if rows:
        box[max(rows[0] - 2, 0) : rows[-1] + 3, max(columns[0] - 2, 0) : columns[-1] + 3] = True
    if not rows or float(box.float().mean()) > 0.9:
        return None
    off = {name: _pixel_l1(x, case.reals) for name, x in (("", case.results), ("_of_input", case.inputs))}
    return {
        "outside_l1": float(off[""][~box].mean()),
        "inside_l1": float(off[""][box].mean()),
        "inside_l1_of_input": float(off["_of_input"][box].mean()),
        "box": float(box.float().mean()),
    }


def clearly_different(colours: Tensor) -> int:
    """How many of the colours `(K, 3)` are at least CLEARLY from each other, taken in turn where there is room."""
    chosen: list[Tensor] = []
    for colour in colours:
        if all(float(colour_distance(colour, other)) >= CLEARLY for other in chosen):
            chosen.append(colour)
    return len(chosen)


def mean_divergence(probabilities: Tensor) -> Tensor:
    """Mean KL divergence, in nats, of the rows of `(N, values)` from their mean."""
    p = probabilities.double().clamp(min=1e-12)
    return (p * (p.log() - p.mean(0).log())).sum(1).mean()


def _found(images: Tensor, masks: Tensor) -> Tensor:
    """The mean Lab colours in the regions of uint8 images."""
    parts = zip(images.split(CHUNK), masks.split(CHUNK), strict=True)
    return torch.cat([mean_in_regions(from_bytes(x), m) for x, m in parts])


def _by_region(distances: Tensor) -> Mapping[str, float]:
    """The mean of each column of `(N, 3)`, over what is seen."""
    return {name: float(distances[:, i].nanmean()) for i, name in enumerate(COLOURS)}


def _between(colours: Tensor) -> float:
    """Mean ΔE between the entries of each row of `(rows, N, 3)`, over those that are seen."""
    seen = [row[~row.isnan().any(1)] for row in colours]
    return float(torch.stack([torch.pdist(row).mean() for row in seen]).nanmean())


def _pixel_l1(x: Tensor, y: Tensor) -> Tensor:
    """The mean L1 of each pixel over uint8 images: `(H, W)`, in [-1, 1]'s units."""
    parts = zip(x.split(CHUNK), y.split(CHUNK), strict=True)
    total = torch.stack([(from_bytes(a) - from_bytes(b)).abs().mean(1).sum(0) for a, b in parts]).sum(0)
    return total / len(x)
