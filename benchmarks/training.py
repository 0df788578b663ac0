"""Images a second in training: our loop beside a plain one, in turns, in one run on one machine."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch.profiler import ProfilerActivity, profile

from i2i_models.images.tensors import from_bytes
from i2i_models.networks.methods import METHODS
from train.data.augmentation import Augmentation
from train.data.dataset import Batch
from train.loop.heap import keep_freed_memory
from train.loop.options import Job, Options
from train.loop.precision import use_bfloat16
from train.loop.trainer import Trainer

from .goals import judge_training, opening
from .plain import PlainTraining

GROUPS = {
    "convolutions": ("conv", "mm"),
    "norms": ("norm", "var_mean", "native_batch"),
    "padding, enlarging, pooling": ("pad", "upsample", "pool"),
    "optimizer and average": ("foreach", "lerp", "addcdiv", "addcmul", "adam", "sqrt"),
    "copies": ("copy", "cat", "clone", "fill", "zero"),
}
"""Kinds of work by what their operators' names hold; the first that fits counts."""


def training(
    methods: tuple[str, ...] = tuple(METHODS),
    width: int = 64,
    size: int = 128,
    batch_size: int = 1,
    rounds: int = 3,
    steps: int = 3,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
) -> None:
    """Train each method a few steps with our loop and with a plain one, and compare.

    Args:
        methods: which of the methods.
        width: base width of generators and discriminators.
        size: side of the images, in pixels.
        batch_size: images of a domain in a step.
        rounds: how often both are measured in turn; the median counts.
        steps: steps in a measurement.
        precision: of our loop; the plain one has float32.
    """
    keep_freed_memory()  # for both: they share the process
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(opening())
    print(f"{device}, width {width}, {size} px, batch {batch_size}, images of a domain a second\n")
    titles = ("method", "plain", "ours", "ratio", "goal", "where ours spends its time")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}", flush=True)
    settings = {"width": width, "size": size, "batch_size": batch_size}
    for method in methods:
        with tempfile.TemporaryDirectory() as folder:
            ours, plain = loops(method, Path(folder), width, size, batch_size, precision)
            seconds: dict[str, list[float]] = {"ours": [], "plain": []}
            for _ in range(rounds):
                for name, step in (("ours", ours), ("plain", plain)):
                    seconds[name].append(measure(step, steps))
            rates = {name: batch_size / statistics.median(values) for name, values in seconds.items()}
            ratio = rates["ours"] / rates["plain"]
            goal = judge_training(method, ratio, use_bfloat16(precision), **settings)
            row = (f"{rates['plain']:.2f}", f"{rates['ours']:.2f}", f"{ratio:.2f}", goal, breakdown(ours))
            print(f"| {method} | {' | '.join(row)} |", flush=True)


def loops(
    method: str, folder: Path, width: int, size: int, batch_size: int, precision: Any
) -> tuple[Callable[[], object], Callable[[], object]]:
    """One step of our loop and one of the plain loop, each on the same random images."""
    cls = METHODS[method]
    rng = np.random.default_rng(0)
    for i in range(2):
        Image.fromarray(rng.integers(0, 255, (size, 2 * size, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    settings: dict[str, Any] = {"base_width": width, "discriminator_width": width}
    if "depth" in cls.Config.__dataclass_fields__:
        settings["depth"] = size.bit_length() - 1
    config, objective = cls.Config(**settings), cls.Objective()
    options = Options(
        data=str(folder),
        output=folder / "out",
        run=folder / "run",
        size=size,
        batch_size=batch_size,
        precision=precision,
    )
    trainer = Trainer(method, Job(options, config, objective, Augmentation()))
    a, b = (torch.from_numpy(rng.integers(0, 255, (batch_size, 3, size, size), dtype=np.uint8)) for _ in "ab")
    device = trainer.accelerator.device.type
    plain = PlainTraining(cls(config), objective, device)
    x, y = (from_bytes(image.to(device)) for image in (a, b))
    return lambda: trainer.train_step(Batch(a, b)), lambda: plain.step(x, y)


def measure(step: Callable[[], object], steps: int) -> float:
    """Seconds a step, after one that warms up."""
    step()
    _wait()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    _wait()
    return (time.perf_counter() - start) / steps


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def breakdown(step: Callable[[], object]) -> str:
    """The shares of a step's time by kind of work, the largest first."""
    cuda = torch.cuda.is_available()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities) as seen:
        step()
        _wait()
    shares: dict[str, float] = {}
    for event in seen.key_averages():
        kind = next((k for k, parts in GROUPS.items() if any(p in event.key.lower() for p in parts)), "other")
        spent = event.self_device_time_total if cuda else event.self_cpu_time_total
        shares[kind] = shares.get(kind, 0.0) + spent
    total = sum(shares.values())
    largest = sorted(shares.items(), key=lambda share: -share[1])
    return ", ".join(f"{kind} {100 * spent / total:.0f} %" for kind, spent in largest)
