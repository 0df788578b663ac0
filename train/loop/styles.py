"""Where the styles of a checkpoint's training images lie: `python -m train styles CHECKPOINT --data DIR`.

A training does this by itself when it exports; the command is for checkpoints that lack the file.
"""

import dataclasses
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor
from tqdm import tqdm

import i2i_models as i2i
from i2i_models.checkpoints import Info
from i2i_models.checkpoints.styles import LIMIT, StyleSpace, principal, save_styles, varied_examples
from i2i_models.directions import DOMAINS, DomainKey
from i2i_models.errors import StyleError, TrainingError
from i2i_models.images.tensors import from_bytes
from i2i_models.networks.network import TranslationNetwork

from ..data.augmentation import Augmentation, resize
from ..data.dataset import SampleKey, TranslationDataset
from ..data.layouts import find
from ..data.sources import spread
from .style_names import name_directions

EXAMPLES = 10
PICTURE_SIDE = 96
NAMED_BY = 24
"""Pictures of a domain by which its directions are named, if there is a name for what they change."""


def styles(checkpoint_folder: tyro.conf.Positional[Path], data: str, limit: int = 2000, batch_size: int = 16) -> None:
    """Find where the styles of the training images lie and write it into a checkpoint, for the page's controls.

    Args:
        checkpoint_folder: a checkpoint of a method with styles (MUNIT).
        data: as for training.
        limit: at most this many images of each domain.
        batch_size: images encoded at once.
    """
    translator = i2i.load(checkpoint_folder)
    images = training_images(translator.info, data)
    save_styles(checkpoint_folder, find_styles(translator.network, images, translator.info.size, limit, batch_size))
    for domain, space in translator.styles.items():
        named = space.names or ("",) * space.dim
        deviations = ", ".join(
            f"{name} {v:.2f}".strip() for name, v in zip(named, space.deviations.tolist(), strict=True)
        )
        print(f"{domain}: mean length {space.mean.norm():.2f}, deviations {deviations}")


def training_images(info: Info, data: str) -> TranslationDataset:
    """The images of a checkpoint's training, augmented as in that training."""
    recorded = {key.removeprefix("augment."): v for key, v in info.training.items() if key.startswith("augment.")}
    known = {field.name for field in dataclasses.fields(Augmentation)}
    augment = Augmentation(**{key: value for key, value in recorded.items() if key in known})
    sources = find(data)
    if info.training.get("direction") == "B2A":
        sources = sources.swapped()
    sources = sources.for_domains(info.domains["A"], info.domains["B"])
    nearest = (info.domains["A"].kind == "labels", info.domains["B"].kind == "labels")
    seed = int(info.training.get("seed", 0))
    return TranslationDataset(sources.unpaired(), info.size, seed, augment, nearest)


@torch.inference_mode()
def find_styles(
    network: TranslationNetwork, images: TranslationDataset, size: int, limit: int = 2000, batch_size: int = 16
) -> dict[str, StyleSpace]:
    """The style spaces of the domains A and B.

    Each image counts once, varied as in training: a network that learned emoji in turned hues has styles for these
    hues, which the unturned images alone would not show.

    Raises:
        TrainingError, StyleError: a network without styles, too few images; styles that are no numbers.
    """
    if network.chance != "style":
        raise TrainingError(f"{network.title} has no style codes, so there are no styles to find.")
    if limit < 2 or batch_size < 1:
        raise TrainingError("--limit must be at least 2 and --batch-size at least 1.")
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    found: dict[str, StyleSpace] = {}
    for domain in DOMAINS:
        indices = spread(len(images.domains[domain]), limit)
        codes, small = [], []
        for start in tqdm(range(0, len(indices), batch_size), f"styles of {domain}", leave=False):
            batch = torch.stack([_image(images, domain, i, size) for i in indices[start : start + batch_size]])
            codes.append(network.encode_style(from_bytes(batch.to(device)), domain).float().cpu())
            small += [_picture(image) for image in batch]
        known = torch.stack([_middle(images.domains[domain][i], size) for i in spread(len(indices), NAMED_BY)])
        found[domain] = name_directions(network, domain, known, _space(torch.cat(codes), small))
    network.train(was_training)
    return found


def _image(images: TranslationDataset, domain: DomainKey, index: int, size: int) -> Tensor:
    """An image of a domain as training may have seen it: uint8 `(3, size, size)`."""
    sample = images[SampleKey(index, index % len(images.a), index % len(images.b), size)]
    return sample.a if domain == "A" else sample.b


def _middle(pixels: np.ndarray, size: int) -> Tensor:
    """The middle of an image as it was read, whose flat colours no resizing has mixed: uint8 `(3, size, size)`."""
    start = (len(pixels) - size) // 2
    return torch.from_numpy(pixels[start : start + size, start : start + size].copy()).permute(2, 0, 1)


def _picture(image: Tensor) -> Tensor:
    pixels = resize(image.permute(1, 2, 0).numpy(), min(PICTURE_SIDE, image.shape[1]), False)
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)


def _space(codes: Tensor, pictures: list[Tensor]) -> StyleSpace:
    usable = [i for i, good in enumerate((codes.abs() <= LIMIT).all(1).tolist()) if good]
    if len(usable) < 2:
        raise StyleError(f"The training images have styles beyond ±{LIMIT:g}: this network has not learned any yet.")
    codes = codes[usable]
    chosen = varied_examples(codes, EXAMPLES)
    return StyleSpace(*principal(codes), codes[chosen], torch.stack([pictures[usable[i]] for i in chosen]))
