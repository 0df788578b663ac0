"""What a measure looks at: one direction of a checkpoint, and the held-out images with its results for them."""

import dataclasses
import functools
from typing import Any

import torch
from torch import Tensor

from i2i_models import directions
from i2i_models.checkpoints import Domain, Info
from i2i_models.directions import Direction
from i2i_models.images.tensors import from_bytes, to_bytes
from i2i_models.networks.network import TranslationNetwork

from ..data.dataset import TranslationDataset
from ..data.sources import spread
from .classifier import Classifier
from .regions import Regions, read_regions

RANDOM_STYLES, STYLED_INPUTS = 12, 20
"""Random styles, the same for every input, and inputs that are shown in them."""

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
    classifier: Classifier | None = None
    """What `python -m train classifier` made of the data, if it did."""

    @property
    def has_styles(self) -> bool:
        """Whether a result has a style that can be chosen."""
        return bool(self.network.style_dim)

    def in_style_of(self, guides: Tensor) -> Tensor:
        """The first inputs, each in the style of its guide: uint8, as many as there are `guides`."""
        device = next(self.network.parameters()).device
        parts = []
        for x, guide in zip(
            self.inputs[: len(guides)].split(self.batch_size), guides.split(self.batch_size), strict=True
        ):
            style = self.network.encode_style(from_bytes(guide.to(device)), directions.target(self.direction))
            parts.append(to_bytes(self.network.translate(from_bytes(x.to(device)), self.direction, style)).cpu())
        return torch.cat(parts)

    @functools.cached_property
    def regions(self) -> Regions | None:
        """The regions of the inputs' true avatars, if these are the truth and avatars."""
        if not self.paired or self.target.kind != "picture":
            return None
        return read_regions(self.reals)

    @functools.cached_property
    def guides(self) -> Tensor:
        """A guide for each of the first inputs: a real image of the target domain that is not the input's truth."""
        return self.reals[: min(len(self.inputs), len(self.reals))].roll(1, 0)

    @functools.cached_property
    def guided(self) -> Tensor:
        """The first inputs in the styles of `guides`, uint8."""
        return self.in_style_of(self.guides)

    @functools.cached_property
    def styled_inputs(self) -> list[int]:
        """Which inputs `styled` shows, spread over all."""
        return spread(len(self.inputs), STYLED_INPUTS)

    @functools.cached_property
    def styled(self) -> Tensor:
        """Some inputs in the same random styles: uint8 `(inputs, RANDOM_STYLES, 3, size, size)`."""
        device = next(self.network.parameters()).device
        styles = self.network.sample_styles(RANDOM_STYLES, torch.Generator().manual_seed(0)).to(device)
        rows = [
            torch.cat(
                [
                    to_bytes(self.network.translate(x.expand(len(part), -1, -1, -1), self.direction, part)).cpu()
                    for part in styles.split(self.batch_size)
                ]
            )
            for x in from_bytes(self.inputs[self.styled_inputs].to(device)).split(1)
        ]
        return torch.stack(rows)


def make_case(
    network: TranslationNetwork,
    info: Info,
    direction: Direction,
    images: TranslationDataset,
    batch_size: int,
    classifier: Classifier | None = None,
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
    return Case(network, direction, *domains, inputs, reals, results, images.paired, batch_size, classifier)
