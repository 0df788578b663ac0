"""One training of an experiment: a loop that saves its state, and goes on where it was."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from i2i_models.errors import TrainingError

from ..loop.precision import use_bfloat16
from ..loop.state import STATE, load_state, save_state

SAVE_EVERY, TELL_EVERY = 50, 200


class Run:
    """Networks and optimizers that are trained together, and how far they are."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        settings: Mapping[str, Any],
        networks: Mapping[str, torch.nn.Module],
        optimizers: Sequence[torch.optim.Optimizer],
    ) -> None:
        """
        Args:
            folder: where the state is kept; an interrupted run goes on from it.
            settings: what decides the outcome, with the `steps` and the `learning_rate`, which falls along half a
                cosine.

        Raises:
            TrainingError: the folder has the state of a run with other settings, or a damaged one.
        """
        self.folder, self.seed, self.settings = folder, seed, dict(settings)
        self.optimizers = optimizers
        self._parts: dict[str, Any] = {
            **networks,
            **{f"optimizer_{i}": optimizer for i, optimizer in enumerate(optimizers)},
        }
        self.step, self.seconds = 0, 0.0
        if (folder / STATE).is_file():
            self._restore(load_state(folder))

    def train(self, step: Callable[[], None], measured: Callable[[], Any]) -> float:
        """Take the steps that are left; the minutes of all, with those of earlier sessions.

        Args:
            step: one step; chance in it is a function of seed and step alone.
            measured: what to print now and then.
        """
        started, before = time.monotonic(), self.seconds
        steps, rate = self.settings["steps"], self.settings["learning_rate"]
        called = f"{self.folder.parent.name} {self.seed}"
        with tqdm(total=steps, initial=self.step, desc=called, mininterval=5) as bar:
            while self.step < steps:
                torch.manual_seed(self.seed * 1_000_003 + self.step)
                for optimizer in self.optimizers:
                    for group in optimizer.param_groups:
                        group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * self.step / steps))
                step()
                self.step += 1
                self.seconds = before + time.monotonic() - started
                bar.update()
                if self.step % SAVE_EVERY == 0:
                    self._save()
                if self.step % TELL_EVERY == 0:
                    tqdm.write(f"{self.folder}, step {self.step}: {measured()}")
        return round(self.seconds / 60, 2)

    def forget(self) -> None:
        """Remove the state, which is of no more use."""
        (self.folder / STATE).unlink(missing_ok=True)

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._parts.items()}
        save_state(self.folder, {**state, "step": self.step, "seconds": self.seconds, "settings": self.settings})

    def _restore(self, state: dict[str, Any]) -> None:
        if state["settings"] != self.settings:
            raise TrainingError(
                f"{self.folder} was begun with other settings: give the same ones, or delete it to start anew."
            )
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]


def autocast() -> torch.autocast:
    """bfloat16 where the processor has it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=use_bfloat16("auto"))


def update(optimizer: torch.optim.Optimizer, losses: Mapping[str, Tensor]) -> None:
    """A step down the sum of the losses."""
    torch.stack(list(losses.values())).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
