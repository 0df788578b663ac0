"""Trains every method a few steps and writes the losses, averaged over the processes it was launched as.

`accelerate launch --multi_gpu --num_processes 2 tests/two_processes.py DATA FOLDER`, on the CPU through gloo.
"""

import json
import os
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from test_methods import TINY

from i2i_models.networks import unit
from i2i_models.networks.methods import METHODS
from i2i_models.networks.munit import MUNIT
from train.loop import Trainer
from train.options import Augment, Job, Options

STEPS = 3
SMALL = {"munit": {"discriminator_scales": 1}, "pix2pix": {"dropout": False}}


def losses(method: str, data: Path, folder: Path) -> list[dict[str, float]]:
    """The named losses of the first steps."""
    cls = METHODS[method]
    options = Options(
        data=str(data),
        output=folder / method,
        run=folder / "runs" / method,
        size=32,
        steps=STEPS,
        batch_size=4,
        precision="float32",  # bfloat16, which auto takes where it is there, is coarser than what is looked for
    )
    config = cls.Config(**{**TINY[method], **SMALL.get(method, {})})
    trainer = Trainer(method, Job(options, config, cls.Objective(), Augment(affine=0.5)))
    for optimizer in (trainer.generator_optimizer, trainer.discriminator_optimizer):
        for group in optimizer.param_groups:
            group["eps"] = 1e-3  # or Adam makes full steps of the last bits of gradients next to 0
    found, one_step = [], trainer._one_step

    def watched(a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = one_step(a, b)
        found.append({name: trainer.accelerator.reduce(value, "mean").item() for name, value in parts.items()})
        return parts

    trainer._one_step = watched  # type: ignore[method-assign]
    trainer._steps()
    return found


def main(data: Path, folder: Path) -> None:
    """Train all; the first process writes `losses.json`."""
    os.environ["ACCELERATE_USE_CPU"] = "true"
    # Processes draw their own chance. Here nothing is left to it, so that the number of processes shows alone.
    unit.sample = lambda mean: mean + 0.1
    MUNIT.sample_styles = lambda self, n, generator=None: torch.ones(n, self.config.style_dim)  # type: ignore[method-assign]
    found = {method: losses(method, data, folder) for method in METHODS}
    if int(os.environ.get("RANK", 0)) == 0:
        (folder / "losses.json").write_text(json.dumps({**found, "processes": int(os.environ.get("WORLD_SIZE", 1))}))
    # A process that leaves while the other still talks to it aborts both.
    PartialState().wait_for_everyone()
    PartialState().destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
