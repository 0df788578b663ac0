"""Watching the losses of a training."""

from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from i2i_models.errors import TrainingError
from i2i_models.networks.objective import Losses

from .state import STATE


class LossMonitor:
    """Collects the losses of every step and looks at them when asked to: each look waits for the device."""

    def __init__(self, accelerator: Accelerator, run_folder: Path) -> None:
        self.accelerator, self.run_folder = accelerator, run_folder
        self._recent: list[Losses] = []

    def add(self, losses: Losses) -> None:
        """Take in the losses of a step, scalars each."""
        self._recent.append(losses)

    def report(self, step: int, learning_rate: float) -> dict[str, float]:
        """Log the mean of each loss since the last report, over all processes, and return them.

        Args:
            step: how many steps have been done.
            learning_rate: of the last of them, to be logged, too.

        Raises:
            TrainingError: a loss is no number; says which, at which step, and where the last good state is.
        """
        names, recent = list(self._recent[0]), self._recent
        values = torch.stack([torch.stack([losses[name].float() for name in names]) for losses in recent])
        table = self.accelerator.reduce(values, "mean").cpu().numpy()
        self._recent = []
        if not np.isfinite(table).all():
            row, column = np.argwhere(~np.isfinite(table))[0]
            saved = self.run_folder / STATE
            good = f"the last good state is in {saved}" if saved.exists() else "no state had been saved yet"
            raise TrainingError(
                f"The loss {names[column]} became {table[row, column]} at step {step - len(recent) + int(row) + 1}; "
                f"{good}. Try a lower --learning-rate or --precision float32."
            )
        means = dict(zip(names, table.mean(0).tolist(), strict=True))
        self.accelerator.log({**means, "learning_rate": learning_rate}, step=step)
        return means
