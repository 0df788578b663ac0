"""A look inside: what the discriminator thinks of a result, what a code holds, what a U-Net does without its skips.

For people who learn. Runs on torch, beside the engine that serves translations.
"""

import dataclasses
from collections.abc import Collection
from typing import Any, get_args

import torch
from torch import Tensor, nn

from ..networks.losses import GanLoss
from ..networks.patchgan import MultiScalePatchGAN, PatchGAN
from ..networks.unet import UNet
from .translator import Codes, Translator

SPREAD = 2.5
"""Standard deviations of a principal component that its colour channel shows to either side of grey."""


@dataclasses.dataclass(frozen=True)
class PatchMap:
    """What one discriminator thinks of an image, patch by patch."""

    scores: Tensor
    """`(h, w)` in 0 … 1: 0 where a patch looks made, 1 where it looks real."""
    offset: float
    """Pixels from the image's left and upper edges to the first patch's cell; cells lie around patches' centres …"""
    cell: float
    """… and are this many pixels wide: as far as neighbouring patches are apart."""
    patch: int
    """Side in pixels of what one score was given for; patches overlap."""


def patch_maps(translator: Translator, codes: Codes, y: Tensor) -> list[PatchMap]:
    """What the discriminator thinks of a result (pix2pix, section 3.2.2), one map for each of its scales.

    Reads the discriminators at the first call. One that learned from pairs sees the input together with the result.

    Args:
        codes: what the result was decoded from.
        y: the result in the network's square, `(1, 3, H, W)` in [-1, 1], as `Translator.draw` gives it.

    Raises:
        CheckpointError: the checkpoint has no discriminators, or none that fit.
    """
    discriminators = translator.discriminators
    with torch.inference_mode():
        logits = translator.network.discriminate(discriminators, codes.tensor, y, codes.direction)
    discriminator = next(m for m in discriminators.modules() if isinstance(m, PatchGAN | MultiScalePatchGAN))
    scales = [discriminator.model] if isinstance(discriminator, PatchGAN) else list(discriminator.scales)
    maps = logits if isinstance(logits, list) else [logits]
    kind = gan_loss(translator)
    found = []
    for i, (scale, values) in enumerate(zip(scales, maps, strict=True)):
        found.append(PatchMap(scores(values[0, 0], kind), *_geometry(scale, i)))
    return found


def scores(logits: Tensor, kind: GanLoss) -> Tensor:
    """Logits of any shape → 0 … 1, made … real.

    `cross_entropy`: σ(logit), the discriminator's probability. `least_squares`: the logit itself, which is trained
    towards 0 and 1, clipped.
    """
    return logits.sigmoid() if kind == "cross_entropy" else logits.clamp(0, 1)


def gan_loss(translator: Translator) -> GanLoss:
    """The adversarial loss of the translator's discriminators; the method's default if the checkpoint does not say."""
    told: Any = translator.info.training.get("objective.gan")
    return told if told in get_args(GanLoss) else translator.network.Objective().gan


def _geometry(model: nn.Module, halvings: int) -> tuple[float, float, int]:
    """Offset, cell and patch of `PatchMap` for convolutions that see an image after some average poolings."""
    layers = [(3, 2, 1)] * halvings
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            # Reflected borders are padded by the layer itself, as many pixels as zeros would be.
            layers.append((m.kernel_size[0], m.stride[0], int(m.padding[0])))
    centre, cell, patch = 0.5, 1, 1
    for kernel, stride, padding in layers:
        centre += ((kernel - 1) / 2 - padding) * cell
        patch += (kernel - 1) * cell
        cell *= stride
    return centre - cell / 2, cell, patch


def code_picture(codes: Tensor) -> Tensor:
    """Codes `(1, C, h, w)` as a picture: their first three principal components over the positions as red, green, blue.

    Each component is scaled by its own deviation and turned so that the channel which counts most in it counts
    positively: the picture is the same whatever constants are added to channels, whatever positive number multiplies
    all of them and in whatever order they stand.

    Returns:
        `(3, h, w)` in [-1, 1]; 0 for components that there are not.
    """
    x = codes[0].flatten(1).double().cpu()
    x = x - x.mean(1, keepdim=True)
    variances, vectors = torch.linalg.eigh(x @ x.T / x.shape[1])
    picture = torch.zeros(3, x.shape[1], dtype=x.dtype)
    for i in range(min(3, len(x))):
        variance, vector = variances[-1 - i], vectors[:, -1 - i]
        if variance <= 1e-9 * variances[-1] or variance <= 0:
            break  # rounding, not a component
        sign = vector[vector.abs().argmax()].sign()
        picture[i] = (sign * vector) @ x / (SPREAD * variance.sqrt())
    return picture.clamp(-1, 1).float().unflatten(1, codes.shape[2:])


def without_skips(translator: Translator, codes: Codes, cut: Collection[int], seed: int | None = None) -> Tensor:
    """The result where nothing passes through some skips of the U-Net (pix2pix, sections 3.2.1 and 4.2).

    Args:
        codes: of an image, for a network that has `skips`.
        cut: some of `translator.network.skips`; the first is the outermost.
        seed: as for `Translator.decode`.

    Returns:
        `(1, 3, H, W)` in [-1, 1], in the network's square.
    """
    unet = translator.network.decoder(codes.direction)
    assert isinstance(unet, UNet), "only a network with skips is asked"
    noise = None if seed is None else torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return unet(codes.tensor, noise, cut)
