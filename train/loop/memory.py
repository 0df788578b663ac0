"""How much memory a training takes, before it takes it: too much ends a process without a word."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import psutil
import torch

from i2i_models.errors import TrainingError
from i2i_models.networks.network import TranslationNetwork

from .options import Job, Options

ACTIVATIONS = {"pix2pix": 60e6, "discogan": 90e6, "cyclegan": 430e6, "unit": 450e6, "munit": 420e6}
"""Bytes of an image of 128 px at width 32, measured as peaks of a step at 128 and 256 px; they grow with pixels and
width. Batch 2 of CycleGAN took 1.06 GB at 128 px and 3.2 GB at 256, of pix2pix 0.44 and 0.60."""
A_PARAMETER = 22.0
"""Bytes: the weight, its gradient, Adam's two averages and the moving average, and what is allocated on the way."""
NARROW, USUAL = 8, 32
"""Widths: at which parameters are counted, and of which `ACTIVATIONS` are."""
WIDTHS = ("base_width", "discriminator_width")
"""Of the generators and of the discriminators, where a method has them."""
PROCESS = 0.7e9
"""Bytes of a process that has loaded everything and trains nothing yet."""


def narrow(network: Any) -> Any:
    """A method's configuration at width `NARROW`, where it has widths, which is built in no time."""
    widths = {name: NARROW for name in WIDTHS if hasattr(network, name)}
    return dataclasses.replace(network, **widths)


def needed(method: type[TranslationNetwork], job: Job) -> float:
    """Bytes that a training takes, roughly, apart from its images."""
    network, o = job.network, job.options
    width = getattr(network, "base_width", USUAL)
    return needed_by(method, parameters(method, network), width, o.size, o.batch_size)


def needed_by(method: type[TranslationNetwork], parameters: float, width: int, size: int, batch_size: int) -> float:
    """The same for so many parameters; sizes in pixels."""
    images = batch_size * (size / 128) ** 2 * width / USUAL
    return PROCESS + A_PARAMETER * parameters + ACTIVATIONS.get(method.method, 450e6) * images


def parameters(method: type[TranslationNetwork], network: Any) -> float:
    """About how many parameters the networks of a configuration have: they grow with the square of its widths."""
    built: Any = method(narrow(network))
    parts = zip((built, built.discriminators()), WIDTHS, strict=True)
    return sum(
        sum(p.numel() for p in part.parameters()) * (getattr(network, width, NARROW) / NARROW) ** 2
        for part, width in parts
    )


def available() -> float:
    """Bytes that are free for a training: the GPU's, else the machine's or those that its container may have."""
    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[0])
    found = [float(psutil.virtual_memory().available)]
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit, used = (float((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        found.append(limit - used)
    return min(found)


def check(method: type[TranslationNetwork], job: Job) -> None:
    """Refuse a training that would not fit, with a size or batch that does.

    Raises:
        TrainingError: it needs more than there is.
    """
    need, free = needed(method, job), available()
    if need <= free:
        return
    said = f"At {job.options.size} px this needs about {need / 1e9:.1f} GB of memory, and {free / 1e9:.1f} are free: "
    for smaller in _smaller(job.options):
        if needed(method, dataclasses.replace(job, options=smaller)) <= free:
            raise TrainingError(f"{said}--size {smaller.size} --batch-size {smaller.batch_size} fits.")
    raise TrainingError(f"{said}end what else runs, or take a smaller --base-width.")


def _smaller(options: Options) -> list[Options]:
    sizes = [options.size // 2**n for n in range(4) if options.size // 2**n >= 64]
    batches = sorted({1, max(1, options.batch_size // 2), options.batch_size}, reverse=True)
    return [dataclasses.replace(options, size=size, batch_size=batch) for size in sizes for batch in batches]
