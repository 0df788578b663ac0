"""Which numbers a training computes in."""

import torch


def use_bfloat16(precision: str) -> bool:
    """Whether to compute in bfloat16: asked for, or `auto` on hardware that has it."""
    if precision != "auto":
        return precision == "bfloat16"
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.ops.mkldnn._is_mkldnn_bf16_supported() if torch.backends.mkldnn.is_available() else False
