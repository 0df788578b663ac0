"""Pretrained networks whose features compare images: AlexNet's for LPIPS, Inception's for FID and KID.

Their weights are downloaded on first use. Where they are unavailable, one line says so and the measure is left out.
"""

import contextlib
import functools
import socket
from collections.abc import Callable, Iterator
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance
from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

UNAVAILABLE = (ImportError, URLError, OSError, RuntimeError)
"""The errors of a package that is not installed, of a missing network and of a download cut short."""


@contextlib.contextmanager
def _short_timeout(seconds: float = 5.0) -> Iterator[None]:
    """Wait at most `seconds` for a connection that does not answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _report_skipped(what: str, error: Exception) -> None:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    print(f"{what} skipped, it could not be had: {reason}")


@functools.cache
def lpips() -> Callable[[Tensor, Tensor], Tensor] | None:
    """LPIPS with AlexNet (Zhang et al. 2018): images twice → mean distance, 0 for equals; None if it is unavailable."""
    try:
        with _short_timeout():
            metric = LearnedPerceptualImagePatchSimilarity(net_type="alex").eval()
    except UNAVAILABLE as error:
        _report_skipped("LPIPS", error)
        return None
    return lambda x, y: metric(x.clamp(-1, 1), y.clamp(-1, 1))


@functools.cache
def inception() -> nn.Module | None:
    """Inception's 2048 pooled features of uint8 images, on which FID and KID are defined; None if unavailable."""
    try:
        with _short_timeout():
            return FrechetInceptionDistance(feature=2048).inception
    except UNAVAILABLE as error:
        _report_skipped("FID and KID", error)
        return None


def feature_distances(results: Tensor, reals: Tensor, features: nn.Module) -> dict[str, float]:
    """How far two sets of images are apart in a network's features. Few images bias FID upwards, KID not.

    `fid` |μ − μ'|² + tr(Σ + Σ' − 2 (Σ Σ')^½) (Heusel et al. 2017); `kid` the squared MMD with the
    kernel (x·y / d + 1)³ (Bińkowski et al. 2018), mean over 20 subsets. Both are 0 for equal distributions.

    Args:
        results, reals: uint8 `(N, 3, H, W)`.
        features: uint8 images → `(N, d)`.
    """
    torch.manual_seed(0)  # KID draws its subsets
    subset = min(50, len(results), len(reals))
    fid = FrechetInceptionDistance(feature=features)
    kid = KernelInceptionDistance(feature=features, subsets=20, subset_size=subset)
    for metric in (fid, kid):
        for images, real in ((results, False), (reals, True)):
            for part in images.split(32):
                metric.update(part, real=real)
    return {"fid": float(fid.compute()), "kid": float(kid.compute()[0])}
