"""Evaluate a checkpoint on held-out images: `python -m train evaluate CHECKPOINT --data DIR`."""

import json
from pathlib import Path

import tyro
from PIL import Image
from tqdm import tqdm

import i2i_models as i2i
from i2i_models import checkpoints, directions
from i2i_models.errors import TrainingError

from ..data.held_out import held_out
from ..data.images import Images
from ..data.sources import spread
from ..publish.card import write_card
from .case import make_case
from .classifier import classifier_of
from .grids import save_grid
from .measures import measure
from .regions import read_regions

EXAMPLES = 8


def evaluate(
    checkpoint_folder: tyro.conf.Positional[Path],
    data: str,
    split: str = "test",
    batch_size: int = 16,
    limit: int = 1000,
    examples: bool = True,
) -> None:
    """Measure a checkpoint and write its metrics.json, samples.png, examples and card.

    Its directions, the kinds of its domains, whether it has styles, whether the data are pairs and what they show
    decide which measures are taken; train/evaluation/measures.py lists them. The classifier that
    `python -m train classifier` leaves beside the data judges, too.

    Args:
        checkpoint_folder: the checkpoint to evaluate.
        data: as for training; the images of its `split` are used.
        split: which held-out images.
        batch_size: images translated at once.
        limit: at most this many images of each domain, spread over the split.
        examples: also write a few inputs of the split as examples for the page, in place of those there.
    """
    if batch_size < 1 or limit < 1:
        raise TrainingError("--batch-size and --limit must be at least 1.")
    translator = i2i.load(checkpoint_folder)
    network, info = translator.network, translator.info
    images = held_out(info, data, split, info.size, limit)
    judge = classifier_of(data)
    if judge is None and any(read_regions(domain.stack()) for domain in images.domains.values()):
        print(f"No classifier judges: `python -m train classifier --data {data}` trains one of these avatars.")
    rows = []
    for direction in tqdm(network.directions, "evaluating", leave=False):
        rows += measure(make_case(network, info, direction, images, batch_size, judge), split)
    text = ",\n    ".join(json.dumps(row) for row in rows)
    checkpoints.write_text(checkpoint_folder / checkpoints.METRICS, f'{{\n  "metrics": [\n    {text}\n  ]\n}}\n')
    count = min(EXAMPLES, len(images.a), len(images.b))
    save_grid(network, *images.samples(count, info.size), checkpoint_folder / "samples.png")
    if examples:
        for direction in network.directions:
            source, target = directions.source(direction), directions.target(direction)
            inputs, truths = images.domains[source], images.domains[target]
            folder = checkpoint_folder / checkpoints.EXAMPLES[source]
            write_examples(inputs, folder)
            if images.paired:
                write_examples(truths, folder / checkpoints.TRUTH, named=inputs)
    write_card(checkpoint_folder)
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


def write_examples(images: Images, folder: Path, named: Images | None = None) -> None:
    """Write images spread over the list as small PNGs, in place of those there; named as those of another list."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for i in spread(len(images), EXAMPLES):
        Image.fromarray(images[i]).save(folder / f"{Path((named or images).sources[i].name).stem}.png")
