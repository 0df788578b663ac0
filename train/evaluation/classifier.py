"""A small classifier of a data set's own pictures: the colours of avatars, and to which domain a picture belongs.

`python -m train classifier --data DIR` trains it in a minute or two and writes it beside the data; `evaluate` looks
there. It stands for eyes that judge results: a network trained on ImageNet knows neither avatars nor their glasses.
"""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from i2i_models.directions import DOMAINS
from i2i_models.errors import DataError, TrainingError
from i2i_models.images.tensors import from_bytes

from ..data.dataset import TranslationDataset
from ..data.layouts import find
from .kept import keep, read_kept
from .regions import COLOURS, read_regions

CLASSIFIER = "classifier.safetensors"
"""The file's name in the folder of the data."""
SIDE = 64
"""Side in pixels of the pictures it looks at."""
DOMAIN = "domain"
FLOOR = 0.99
"""So large a share of real held-out pictures must be told right for a classifier to judge others."""


class Classifier(nn.Module):
    """Four stride-2 convolutions, mean and maximum over the places, and a linear layer for all attributes."""

    def __init__(self, attributes: dict[str, list[str]], base_width: int = 16) -> None:
        """
        Args:
            attributes: each one's name and possible values.
            base_width: channels after the first layer; the last has eight times as many.
        """
        super().__init__()
        self.attributes = attributes
        self.settings = {"attributes": attributes, "base_width": base_width}
        widths = [3, *(base_width * 2**i for i in range(4))]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
                for i, o in pairwise(widths)
            )
        )
        self.last = nn.Linear(2 * widths[-1], sum(map(len, attributes.values())))

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """`(N, 3, SIDE, SIDE)` in [-1, 1] → logits `(N, values)` of each attribute."""
        maps = self.layers(pictures)
        logits = self.last(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1))
        parts = logits.split([len(values) for values in self.attributes.values()], 1)
        return dict(zip(self.attributes, parts, strict=True))

    @torch.inference_mode()
    def probabilities(self, pictures: Tensor) -> dict[str, Tensor]:
        """uint8 pictures of any size `(N, 3, H, W)` → `(N, values)` of each attribute, rows of sum 1."""
        logits = [self(shrunk(part)) for part in pictures.split(64)]
        return {name: torch.cat([part[name] for part in logits]).softmax(1) for name in self.attributes}

    def save(self, path: Path) -> None:
        """Write weights and settings."""
        keep(path, "classifier", self.settings, self.state_dict())

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Read what `save` wrote; in eval mode.

        Raises:
            CheckpointError: the file is damaged or holds no classifier.
        """
        return read_kept(path, "classifier", "classifier", lambda settings: cls(**settings))


def classifier_of(data: str) -> Classifier | None:
    """The classifier that lies beside the data, if there is one."""
    path = Path(data) / CLASSIFIER
    return Classifier.load(path) if path.is_file() else None


def shrunk(pictures: Tensor) -> Tensor:
    """uint8 pictures of any size as a classifier looks at them."""
    x = from_bytes(pictures)
    if x.shape[-2:] != (SIDE, SIDE):
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return x


def classifier(
    data: str, base_width: int = 16, steps: int = 1200, batch_size: int = 32, learning_rate: float = 3e-3, seed: int = 0
) -> None:
    """Train a classifier of a data set, write it beside the data, and say how well it tells held-out pictures.

    It learns the colours of hair, skin and background where one or both domains are avatars, and which domain a
    picture belongs to, such as without and with glasses, where not just one of them is.

    Args:
        data: a folder with `trainA`, `trainB`, `testA` and `testB`, or with pairs in `train` and `test`.
        base_width: channels after the first layer.
        steps: of AdamW, the rate falling along half a cosine.
        batch_size: pictures a step.
        learning_rate: where the cosine starts.
        seed: of initial weights, order and variation.
    """
    if min(steps, batch_size, base_width) < 1:
        raise TrainingError("--steps, --batch-size and --base-width must be at least 1.")
    if not Path(data).is_dir():
        raise DataError(f"{data} is not a folder: a classifier is written beside the data it is of.")
    pictures, wanted, attributes = examples(data, "train")
    held_out, truth, _ = examples(data, "test")
    torch.manual_seed(seed)
    network = Classifier(attributes, base_width)
    adam = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in tqdm(range(steps), "classifier", unit="step", mininterval=1, leave=False):
        chosen = torch.randint(len(pictures), (batch_size,))
        logits = network(varied(from_bytes(pictures[chosen])))
        losses = [F.cross_entropy(logits[name], wanted[name][chosen], ignore_index=-1) for name in attributes]
        torch.stack(losses).nansum().backward()  # a batch in which an attribute is nowhere seen has no loss of it
        adam.step()
        adam.zero_grad()
        schedule.step()
    network.eval().save(Path(data) / CLASSIFIER)
    for name, share in accuracies(network, held_out, truth).items():
        short = "" if share >= FLOOR else f", below {FLOOR}: train longer (--steps) before it judges anything"
        print(f"{name}: {share:.4f} of real held-out pictures right, {len(attributes[name])} values{short}")


def examples(data: str, split: str) -> tuple[Tensor, dict[str, Tensor], dict[str, list[str]]]:
    """The pictures of a split, what each shows, and the attributes that there are.

    Returns:
        uint8 `(N, 3, SIDE, SIDE)`; for each attribute the indices of the values, int64 `(N,)`, -1 where it is not seen.

    Raises:
        DataError: there is no such split, or a domain of it is empty.
    """
    images = TranslationDataset(find(data, split), SIDE, minimum=1)
    stacks = [images.domains[domain].stack() for domain in DOMAINS]
    regions = [read_regions(stack) for stack in stacks]
    both = all(regions) or not any(regions)
    used = [i for i, found in enumerate(regions) if both or found]
    wanted = {DOMAIN: torch.cat([torch.full((len(stacks[i]),), i) for i in used])} if both else {}
    attributes: dict[str, list[str]] = {DOMAIN: list(DOMAINS)} if both else {}
    if any(regions):
        indices = torch.cat([found.indices for found in regions if found])
        wanted |= {name: indices[:, i] for i, name in enumerate(COLOURS)}
        attributes |= {name: list(colours) for name, colours in COLOURS.items()}
    return torch.cat([stacks[i] for i in used]), wanted, attributes


def varied(x: Tensor) -> Tensor:
    """Pictures moved by up to 3 pixels, a little lighter or darker, and with noise of its own strength in each."""
    place = torch.randint(0, 7, (2,)).tolist()
    x = F.pad(x, (3, 3, 3, 3), mode="replicate")[..., place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
    gain, offset, noise = (
        scale * torch.randn(len(x), channels, 1, 1) for scale, channels in ((0.02, 1), (0.02, 3), (0.05, 1))
    )
    return x * (1 + gain) + offset + noise * torch.randn_like(x)


def accuracies(network: Classifier, pictures: Tensor, wanted: dict[str, Tensor]) -> dict[str, float]:
    """The share told right of each attribute, where it is seen."""
    found = network.probabilities(pictures)
    return {name: float((found[name].argmax(1) == truth)[truth >= 0].float().mean()) for name, truth in wanted.items()}
