"""VGG-16's features, for losses that compare what images show and not their pixels."""

import functools
from urllib.error import URLError

import torch
from torch import Tensor, nn

from ..errors import TrainingError

RELU4_3 = 23
"""Number of VGG-16's layers up to and with relu4_3."""


@functools.cache
def _vgg(device: torch.device) -> nn.Module:
    from torchvision.models import VGG16_Weights, vgg16

    try:
        # Not vgg16(weights=…), which would unpickle whatever the file holds.
        state = VGG16_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:  # no network, no room, a download cut short
        raise TrainingError(
            f"The perceptual loss needs torchvision's VGG-16 weights, which could not be had ({error}): "
            "download them where there is a network, or set its weight to 0."
        ) from None
    network = vgg16()
    network.load_state_dict(state)
    return network.features[:RELU4_3].eval().requires_grad_(False).to(device)


def vgg_features(x: Tensor) -> Tensor:
    """`(N, 3, H, W)` in [-1, 1] → relu4_3, `(N, 512, H / 8, W / 8)`.

    Raises:
        TrainingError: the weights are neither here nor to be downloaded.
    """
    mean = x.new_tensor([0.485, 0.456, 0.406])[:, None, None]
    std = x.new_tensor([0.229, 0.224, 0.225])[:, None, None]
    return _vgg(x.device)(((x + 1) / 2 - mean) / std)
