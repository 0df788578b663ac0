"""A smaller, quicker network that imitates a checkpoint: `python -m train distill CHECKPOINT --data DIR --output …`."""

import dataclasses
import shutil
from pathlib import Path

import torch
import tyro
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

import i2i_models as i2i
from i2i_models import checkpoints, directions
from i2i_models.directions import DOMAINS
from i2i_models.errors import DataError, TrainingError
from i2i_models.images.tensors import from_bytes
from i2i_models.networks.network import TranslationNetwork

from ..data.dataset import Batch, TranslationDataset
from ..data.held_out import held_out
from ..data.stream import Stream
from ..publish.card import write_card
from .average import MovingAverage
from .precision import use_bfloat16
from .styles import training_images

JUDGED = 32
"""Images of each domain on which teacher and student are compared."""


def distill(
    checkpoint_folder: tyro.conf.Positional[Path],
    data: str,
    output: Path,
    base_width: int = 12,
    steps: int = 8000,
    batch_size: int = 4,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> None:
    """Train a narrower network of the same method to draw what a checkpoint draws, and write it as a checkpoint.

    The student learns from the teacher's pictures by their L1 distance, where there are styles in styles of the prior
    and of real images, and to read the same styles; no discriminator is needed. Its card says how far its pictures are
    from the teacher's; `python -m train evaluate` measures it by the data.

    Args:
        checkpoint_folder: the teacher.
        data: as for the teacher's training.
        output: the checkpoint folder to write.
        base_width: the student's, less than the teacher's.
        steps: optimizer steps.
        batch_size: images of a domain in a step.
        learning_rate: Adam's, falling linearly to 0 in the second half.
        seed: of initial weights, data order, augmentation and styles.
    """
    translator = i2i.load(checkpoint_folder)
    info, teacher = translator.info, translator.network
    width = getattr(teacher.config, "base_width", 0)
    if not 1 <= base_width < width:
        raise TrainingError(f"--base-width must lie in 1 … {width - 1}, less than the teacher's, not {base_width}.")
    if steps < 1 or batch_size < 1 or learning_rate <= 0:
        raise TrainingError("--steps, --batch-size and --learning-rate must be positive.")
    if (output / checkpoints.CONFIG).exists():
        raise TrainingError(f"{output} is a checkpoint already: name another --output, or delete it.")
    torch.manual_seed(seed)
    student = type(teacher)(dataclasses.replace(teacher.config, base_width=base_width))  # type: ignore[call-arg]
    student = imitate(teacher, student, training_images(info, data), steps, batch_size, learning_rate)
    try:
        judged, split = held_out(info, data, "test", info.size, JUDGED), "images held out"
    except DataError:
        judged, split = training_images(info, data), "training images"
    batch = judged.samples(JUDGED, info.size)
    apart = {d: difference(teacher, student, batch, d) for d in teacher.directions}
    note = (
        f"Distilled from {info.name} (base width {width}) in {steps} steps: "
        f"on {split} its pictures differ from those by "
        + ", ".join(f"{value:.1f} of 255 ({direction})" for direction, value in apart.items())
        + " in the mean."
    )
    training = {**info.training, "data_note": f"{info.training.get('data_note', '')} {note}".strip()}
    training |= {"teacher": info.name, "distill.steps": steps, "distill.batch_size": batch_size, "distill.seed": seed}
    checkpoints.save(output, student, dataclasses.replace(info, name=output.name, training=training))
    for part in (checkpoints.STYLES, "examples"):
        source = checkpoint_folder / part
        if source.is_file():
            shutil.copy(source, output / part)
        elif source.is_dir():
            shutil.copytree(source, output / part, dirs_exist_ok=True)
    write_card(output)
    print(f"Wrote {output}. {note}")


def imitate(
    teacher: TranslationNetwork,
    student: TranslationNetwork,
    data: TranslationDataset,
    steps: int,
    batch_size: int,
    learning_rate: float,
) -> TranslationNetwork:
    """The moving average, in eval mode, of a student that learned the teacher's pictures. Settings as `distill`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    teacher, student = teacher.eval().requires_grad_(False).to(device), student.train().to(device)
    average = MovingAverage(student, 0.999)
    optimizer = torch.optim.Adam(student.parameters(), learning_rate, fused=True)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (steps - step) / steps))
    loader = DataLoader(data, batch_sampler=Stream(data, batch_size, lambda step: data.size, 0, steps))
    progress = tqdm(loader, "distilling", mininterval=1)
    for batch in progress:
        with torch.autocast(device, torch.bfloat16, enabled=use_bfloat16("auto")):
            loss = distance(teacher, student, Batch(*(from_bytes(images.to(device)) for images in batch)))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        rate.step()
        average.update_parameters(student)
        progress.set_postfix(loss=f"{loss.item():.3g}", refresh=False)
    return average.network.cpu().eval()


def distance(teacher: TranslationNetwork, student: TranslationNetwork, batch: Batch) -> Tensor:
    """What the student minimises on images `(N, 3, H, W)` in [-1, 1]: L1 to the teacher's pictures and styles."""
    images = dict(zip(DOMAINS, batch, strict=True))
    styles = {}
    total = batch.a.new_zeros(())
    if teacher.style_dim:
        for domain, x in images.items():
            styles[domain] = teacher.encode_style(x, domain)
            total = total + F.l1_loss(student.encode_style(x, domain), styles[domain])
    for direction in teacher.directions:
        x, style = images[directions.source(direction)], None
        if styles:
            drawn = teacher.sample_styles(len(x)).to(x)
            read = styles[directions.target(direction)].to(x)
            style = torch.where(torch.rand(len(x), 1, device=x.device) < 0.5, drawn, read)
        wanted = teacher.translate(x, direction, style)
        total = total + F.l1_loss(student.translate(x, direction, style), wanted)
    return total


@torch.inference_mode()
def difference(
    teacher: TranslationNetwork, student: TranslationNetwork, batch: Batch, direction: directions.Direction
) -> float:
    """The mean difference of both networks' pictures of a uint8 batch, of 255, in styles of the prior."""
    images = dict(zip(DOMAINS, batch, strict=True))[directions.source(direction)]
    styles = teacher.sample_styles(len(images), torch.Generator().manual_seed(0)) if teacher.style_dim else None
    teacher = teacher.cpu()
    found = []
    for i in range(len(images)):
        x, style = from_bytes(images[i : i + 1]), None if styles is None else styles[i]
        theirs, ours = (network.translate(x, direction, style) for network in (teacher, student))
        found.append(F.l1_loss(ours, theirs) * 127.5)
    return float(torch.stack(found).mean())
