"""Layers and initialisation that several networks share."""

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

Norm = Literal["instance", "batch", "batch_statistics", "none"]
"""`batch_statistics` is a batch norm as public code runs it at test time: by each picture's own statistics."""
UpLayer = Literal["upsample", "transposed"]
"""How a map is doubled: nearest ×2 and a convolution, or a transposed convolution."""

FEW_POSITIONS = 128
"""Up to so many positions in a batch, a product of matrices is quicker on a CPU than a convolution."""


class Standardise(torch.autograd.Function):
    """x to mean 0 and deviation 1 over some dimensions, in float32 inside; for CPUs.

    In bfloat16 and channels_last, group norm with one channel a group takes 5 to 17 times as long here, forward and
    backward, and would be half of a training step; `python -m benchmarks training` shows the share of norms.
    """

    EPSILON = 1e-5
    CONSTANT = 1e-12
    """The variance of rounding: below, there is nothing to standardise. A gradient of 1/ε through a stack of layers, as
    a wholly white crop would have, is no number in the end; it is 0 instead."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], unbiased: bool) -> Tensor:
        """`(N, C, H, W)` → the same shape, x's mean over `dims` taken away, times a scale s.

        s is 1/√(v + ε), v the variance, or, `unbiased`, 1/(σ + ε), σ² = v·n/(n - 1).
        """
        y = x.float()
        y = y - y.mean(dims, keepdim=True)
        variance = y.square().mean(dims, keepdim=True)
        if unbiased:
            n = math.prod(x.shape[d] for d in dims)
            bias = n / max(1, n - 1)
            deviation = (variance * bias).sqrt()
            s = 1 / (deviation + Standardise.EPSILON)
            slope = bias / (deviation * s).clamp_min(Standardise.EPSILON)
        else:
            s = torch.rsqrt(variance + Standardise.EPSILON)
            slope = torch.ones_like(s)
        y = y.mul_(s).to(x.dtype)
        ctx.save_for_backward(y, s.where(variance > Standardise.CONSTANT, 0.0), slope)
        ctx.dims = dims
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """s·(g - mean(g) - k·y·mean(g·y)), k = -2·s'(v)/s³: 1 for the first s, n/((n - 1)·σ·s) for the other.

        0 where x is constant.
        """
        saved, s, slope = ctx.saved_tensors
        g, y = gradient.float(), saved.float()
        along = (g * y).mean(ctx.dims, keepdim=True).mul_(slope)
        g = (g - g.mean(ctx.dims, keepdim=True)).addcmul_(y, along, value=-1)
        return g.mul_(s).to(gradient.dtype), None, None


class KernelStandardise(torch.autograd.Function):
    """Each channel of each image to mean 0 and deviation 1 by torch's own kernels; for CUDA."""

    STEEPEST = (Standardise.EPSILON + 1e-10) ** -0.5
    """One over the deviation, of a map that is constant but for rounding in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """`(N, C, H, W)` → the same shape."""
        x = x.contiguous()
        count, channels, area = len(x), x.shape[1], x.shape[2:].numel()
        ctx.sizes = count, channels, area, channels
        y, mean, scale = torch.native_group_norm(x, None, None, count, channels, area, channels, Standardise.EPSILON)
        ctx.save_for_backward(x, mean, scale.where(scale < KernelStandardise.STEEPEST, 0.0))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """As `Standardise`: 0 where x is constant."""
        wanted = [True, False, False]
        x, mean, scale = ctx.saved_tensors
        g = gradient.contiguous()
        return torch.ops.aten.native_group_norm_backward(g, x, mean, scale, None, *ctx.sizes, wanted)[0]


class InstanceNorm(nn.Module):
    """Each channel of each image to mean 0 and variance 1 (Ulyanov et al. 2016); no weights, no statistics kept."""

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` → the same shape."""
        if _on_cpu_and_untraced(x):
            return Standardise.apply(x, (2, 3), False)
        if torch.onnx.is_in_onnx_export():
            return F.instance_norm(x)  # one operator there; a group norm is five
        if x.requires_grad and torch.is_grad_enabled() and not torch.jit.is_tracing():
            x = x.float() if torch.is_autocast_enabled(x.device.type) else x  # as group norm would
            return KernelStandardise.apply(x) if x.device.type == "cuda" else Standardise.apply(x, (2, 3), False)
        return F.group_norm(x, int(x.shape[1]))  # a plain number in traced graphs, too


class LayerNorm(nn.Module):
    """All channels of each image together to mean 0 and standard deviation 1, then a scale and shift a channel.

    As public MUNIT and UNIT weights need it: the unbiased deviation, with ε added to it and not to the variance.
    """

    EPSILON = Standardise.EPSILON

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` → the same shape."""
        weight, bias = self.weight[:, None, None], self.bias[:, None, None]
        if _on_cpu_and_untraced(x):
            return torch.addcmul(bias, Standardise.apply(x, (1, 2, 3), True), weight)
        x = x.float()  # a sum over a whole image is too long for bfloat16
        variance, mean = torch.var_mean(x, (1, 2, 3), keepdim=True)
        # The root has no slope at 0, where an image is wholly white, and 1/ε is too steep.
        scale = weight / (variance.clamp_min(Standardise.CONSTANT).sqrt() + self.EPSILON)
        if not torch.jit.is_tracing():
            scale = scale.where(variance > Standardise.CONSTANT, 0.0)
        return torch.addcmul(bias - mean * scale, x, scale)


class Conv2d(nn.Conv2d):
    """Torch's, ungrouped and undilated, computed by `convolve`."""

    padding: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, H, W)` → `(N, out_channels, H', W')`."""
        return convolve(x, self.weight, self.bias, self.stride, self.padding)


class ConvTranspose2d(nn.ConvTranspose2d):
    """Torch's, ungrouped, undilated and without output padding; at few positions like `Conv2d` the other way."""

    padding: tuple[int, ...]

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """`(N, in_channels, H, W)` → `(N, out_channels, H', W')`."""
        if x.numel() // x.shape[1] > FEW_POSITIONS or output_size or not _on_cpu_and_untraced(x):
            return super().forward(x, output_size)
        each = zip(x.shape[2:], self.kernel_size, self.stride, self.padding, strict=True)
        larger = tuple((size - 1) * stride - 2 * padding + kernel for size, kernel, stride, padding in each)
        patches = torch.mm(x.permute(0, 2, 3, 1).flatten(0, 2), self.weight.flatten(1)).unflatten(0, (len(x), -1))
        y = F.fold(patches.transpose(1, 2), larger, self.kernel_size, 1, self.padding, self.stride)
        return _with_bias(y, self.bias)


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...] = (1, 1), padding: tuple[int, ...] = (0, 0)
) -> Tensor:
    """As `F.conv2d`; at few positions on a CPU by one product of the weights with all patches.

    Deep in a U-Net maps are small and weights large: a convolution there lays out the weights anew, forward and
    backward, which takes longer than to compute with them.
    """
    kernel = tuple(weight.shape[2:])
    each = zip(x.shape[2:], kernel, stride, padding, strict=True)
    height, width = ((size + 2 * p - k) // s + 1 for size, k, s, p in each)
    if len(x) * height * width > FEW_POSITIONS or not _on_cpu_and_untraced(x):
        return F.conv2d(x, weight, bias, stride, padding)
    patches = F.unfold(x, kernel, 1, padding, stride)
    y = torch.mm(weight.flatten(1), patches.transpose(0, 1).flatten(1))
    return _with_bias(y.unflatten(1, (len(x), height, width)).transpose(0, 1), bias)


def _with_bias(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


def _on_cpu_and_untraced(x: Tensor) -> bool:
    """GPUs have quick kernels of their own; a traced graph should hold operators that its reader knows."""
    return x.device.type == "cpu" and not torch.jit.is_tracing()


def norm_layer(norm: Norm, channels: int) -> list[nn.Module]:
    """The normalisation as a list of layers, so that `none` adds nothing to a Sequential."""
    if norm == "instance":
        return [InstanceNorm()]
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    if norm == "batch_statistics":
        return [nn.InstanceNorm2d(channels, affine=True)]
    return []


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Convolution weights from N(0, std²), biases 0, batch norm scales from N(1, std²) (pix2pix, section 6.2)."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(m.weight, 0.0, std)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1.0, std)
            nn.init.zeros_(m.bias)


def init_kaiming(module: nn.Module) -> None:
    """Weights of convolutions and linear layers from N(0, 2 / fan-in), biases 0 (He et al. 2015)."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
