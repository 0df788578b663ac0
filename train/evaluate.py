"""Judge a checkpoint on held-out images: `python -m train evaluate CHECKPOINT --data DIR`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from tqdm import tqdm

import i2i_models as i2i
from i2i_models import checkpoint
from i2i_models.errors import DataError
from i2i_models.images import from_bytes

from .card import write_card
from .data import Key, Translations, find
from .grids import save_grid

EXAMPLES = 8


def evaluate(
    checkpoint_folder: tyro.conf.Positional[Path],
    data: str,
    split: str = "test",
    batch_size: int = 16,
    examples: bool = True,
) -> None:
    """Measure a paired checkpoint and write its metrics.json, samples.png, examples and card.

    Args:
        checkpoint_folder: the checkpoint to judge.
        data: as for training; the images of its `split` are used.
        split: which held-out images.
        batch_size: images translated at once.
        examples: also write a few inputs of the split as examples for the page.
    """
    translator = i2i.load(checkpoint_folder)
    info = translator.info
    nearest = (info.domains["A"].kind == "labels", info.domains["B"].kind == "labels")
    sources = find(data, split)
    if not sources.paired:
        raise DataError(f"{data}: L1, PSNR and SSIM need the truth of each input, but these images are unpaired.")
    images = Translations(sources, info.size, nearest=nearest, minimum=1)
    metrics = paired_metrics(translator.network, images, info.size, batch_size)
    metrics |= {"direction": "A2B", "split": split, "size": info.size, "images": len(images)}
    checkpoint.write_text(checkpoint_folder / checkpoint.METRICS, json.dumps({"metrics": [metrics]}, indent=2) + "\n")
    save_grid(translator.network, *images.fixed(EXAMPLES, info.size), checkpoint_folder / "samples.png")
    if examples:
        write_examples(images, info.size, checkpoint_folder / "examples")
    write_card(checkpoint_folder)
    print(json.dumps(metrics, indent=2))


@torch.inference_mode()
def paired_metrics(network: Any, images: Translations, size: int, batch_size: int) -> dict[str, Any]:
    """L1 in [-1, 1], PSNR in dB and SSIM of A → B against the truth; beside them the L1 of the mean picture.

    PSNR is of the mean squared error over all images; SSIM (11×11 Gaussian window) the mean over images.
    """
    psnr = PeakSignalNoiseRatio(data_range=2.0)
    ssim = StructuralSimilarityIndexMeasure(data_range=2.0)
    device = next(network.parameters()).device
    l1, truths = [], []
    for start in tqdm(range(0, len(images), batch_size), "evaluating", leave=False):
        keys = [Key(i, i, i, size) for i in range(start, min(start + batch_size, len(images)))]
        a, b = (from_bytes(torch.stack(side)) for side in zip(*(images[key] for key in keys), strict=True))
        result = network.translate(a.to(device)).cpu()
        l1.append((result - b).abs().mean((1, 2, 3)))
        psnr.update(result, b)
        ssim.update(result, b)
        truths.append(b)
    return {
        "l1": round(float(torch.cat(l1).mean()), 4),
        "l1_of_mean_picture": round(float(mean_picture_l1(torch.cat(truths))), 4),
        "psnr": round(float(psnr.compute()), 2),
        "ssim": round(float(torch.as_tensor(ssim.compute())), 4),
    }


def mean_picture_l1(truths: Tensor) -> Tensor:
    """The L1 that always answering the mean of the truths would get: what a result must beat."""
    return (truths - truths.mean(0)).abs().mean()


def write_examples(images: Translations, size: int, folder: Path) -> None:
    """Write inputs spread over the data as small PNGs."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in np.linspace(0, len(images) - 1, EXAMPLES).round().astype(int):
        a, _ = images[Key(int(i), int(i), int(i), size)]
        name = Path(images.a.sources[i].name).stem
        Image.fromarray(a.permute(1, 2, 0).numpy()).save(folder / f"{name}.png")
