"""Measures of images, strokes and labels: plain functions of tensors.

Images are float `(N, 3, H, W)` in [-1, 1] if a docstring does not say otherwise.
"""

from collections.abc import Callable

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

CHUNK = 64
"""Images looked at together, so that long lists take little memory."""


def l1(x: Tensor, y: Tensor) -> Tensor:
    """mean |x − y| of each image: `(N,)` in [0, 2], 0 for equals."""
    return (x - y).abs().mean((1, 2, 3))


def psnr(squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB: 10·log10(2² / mean squared error), 2 being the range of [-1, 1].

    From 0 dB, black for white, upwards; equals, for which it is infinite, count as 100 dB.
    """
    return min(100.0, float(10 * torch.log10(4 / torch.tensor(squared_error, dtype=torch.float64))))


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity of each pair of images (Wang et al. 2004; 11×11 Gaussian window): `(N,)`, 1 for equals.

    Computed on [0, 1]: its brightness factor 2·μx·μy / (μx² + μy²) means nothing where a mean may be negative.
    """
    values = structural_similarity_index_measure((x + 1) / 2, (y + 1) / 2, data_range=1.0, reduction="none")
    return torch.as_tensor(values).reshape(-1)


def fine_energy(x: Tensor) -> Tensor:
    """Mean square of each image's finest detail: `(N,)`.

    That is the part of its brightness, the mean of the channels, with more than 0.4 cycles a pixel across or down; 0.5
    is black and white in turns. A checkerboard or halftone pattern lies there, and little of a photo or drawing does.
    """
    spectrum = torch.fft.fft2(x.float().mean(1), norm="forward")
    down, across = (torch.fft.fftfreq(side).abs() > 0.4 for side in spectrum.shape[1:])
    fine = down[:, None] | across[None, :]
    return (spectrum.abs().square() * fine.to(x.device)).sum((1, 2))


def lab(x: Tensor) -> Tensor:
    """Images `(N, 3, H, W)` in [-1, 1] in CIE Lab, of the same shape; L in 0 … 100, a and b about ±100; on the CPU."""
    pixels = (x.clamp(-1, 1).permute(0, 2, 3, 1).float().cpu() + 1) / 2
    return torch.stack([torch.from_numpy(cv2.cvtColor(p.numpy(), cv2.COLOR_RGB2LAB)) for p in pixels]).permute(
        0, 3, 1, 2
    )


def mean_lab(x: Tensor) -> Tensor:
    """The mean CIE Lab colour of each image, all pixels counted: `(N, 3)`."""
    return lab(x).mean((2, 3))


def colour_distance(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distance of colours `(…, 3)`: `(…)`. In Lab, ΔE of CIE 1976: 2 is just visible, 100 black to white."""
    return (x - y).norm(dim=-1)


def mean_pairwise(x: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> float:
    """The mean of a distance over all pairs of the N ≥ 2 entries of x.

    Args:
        distance: of two batches, entry by entry `(n,)`, or their mean.
    """
    first, second = torch.combinations(torch.arange(len(x))).unbind(1)
    total = 0.0
    for i, j in zip(first.split(CHUNK), second.split(CHUNK), strict=True):
        total += float(distance(x[i], x[j]).mean()) * len(i)
    return total / len(first)


def mean_picture_l1(images: Tensor) -> float:
    """The L1 that always answering the mean of these uint8 images would get: what a result must beat."""
    mean = images.sum(0, dtype=torch.int64) / len(images)
    return float(torch.stack([(image - mean).abs().mean() for image in images]).mean()) / 127.5


def dark_pixels(x: Tensor) -> Tensor:
    """The stroke pixels of outlines, those darker than middle grey: bool `(N, 1, H, W)`."""
    return x.mean(1, keepdim=True) < 0


def line_pixels(x: Tensor, width: int = 7, contrast: float = 12.0) -> Tensor:
    """The pixels of dark lines in a coloured picture: bool `(N, 1, H, W)`.

    By the black top-hat of the lightness L: closing by a square of `width` pixels fills what is darker and narrower
    than it; a line is what this lightens by more than `contrast`. Dark areas are no lines, nor are lines in black hair.
    """
    lightness, reach = lab(x)[:, :1], width // 2
    grown = F.max_pool2d(lightness, width, 1, reach)
    return -F.max_pool2d(-grown, width, 1, reach) - lightness > contrast


def stroke_f1(drawn: Tensor, true: Tensor) -> dict[str, float]:
    """Precision, recall and F1 of stroke pixels with one pixel of tolerance, over all images together.

    Precision is the share of the drawn pixels that have a true one among themselves and their eight neighbours; recall
    the share of true ones that have a drawn one there; F1 = 2·P·R / (P + R). In [0, 1]; where nothing is drawn,
    precision is 0.

    Args:
        drawn, true: bool `(N, 1, H, W)`, as `dark_pixels` and `line_pixels` find them.
    """
    drawn, true = drawn.float(), true.float()
    near_drawn, near_true = (F.max_pool2d(x, 3, 1, 1) for x in (drawn, true))
    precision = float((drawn * near_true).sum() / drawn.sum().clamp(min=1))
    recall = float((true * near_drawn).sum() / true.sum().clamp(min=1))
    return {"f1": 2 * precision * recall / max(precision + recall, 1e-12), "precision": precision, "recall": recall}


def confusion(found: Tensor, truth: Tensor, classes: int) -> Tensor:
    """How often each true class (row) was taken for each class (column): `(classes, classes)`, int64.

    Args:
        found, truth: class indices, int64, of one shape.
    """
    return torch.bincount((truth * classes + found).flatten(), minlength=classes**2).reshape(classes, classes)


def segmentation_scores(counts: Tensor) -> dict[str, float]:
    """Long et al. 2015, section 5 (the FCN-score), from a confusion matrix n with t_i pixels of class i, all in [0, 1].

    `pixel_accuracy` Σ n_ii / Σ t_i; `class_accuracy` the mean over classes of n_ii / t_i; `class_iou` the mean of
    n_ii / (t_i + Σ_j n_ji − n_ii). Classes that the truth does not have are left out of the means.
    """
    counts = counts.double()
    right, true, found = counts.diag(), counts.sum(1), counts.sum(0)
    there = true > 0
    return {
        "pixel_accuracy": float(right.sum() / true.sum()),
        "class_accuracy": float((right / true)[there].mean()),
        "class_iou": float((right / (true + found - right))[there].mean()),
    }


def constant_confusion(counts: Tensor) -> Tensor:
    """The confusion matrix of always answering the truth's most frequent class."""
    constant = torch.zeros_like(counts)
    constant[:, counts.sum(1).argmax()] = counts.sum(1)
    return constant


def within(result: Tensor, truth: Tensor, tolerance: int = 16) -> Tensor:
    """The share of pixels, for each image, whose colour is right: no channel is off by more than `tolerance` of 255.

    Liu et al. 2017 (UNIT), section 4: a pixel is correct if its colour difference is within 16. The paper
    does not name the norm; the largest channel's is taken here.

    Args:
        result, truth: uint8 `(N, 3, H, W)`.
    """
    return ((result.int() - truth.int()).abs().amax(1) <= tolerance).float().mean((1, 2))
