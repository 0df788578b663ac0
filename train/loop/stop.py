"""Ending a training early, after a whole step."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from accelerate import Accelerator

from .progress import FINISH, PAUSE, asked


class StopSignal:
    """While entered, records SIGINT and SIGTERM instead of ending the process, for the training to ask about."""

    def __init__(self, accelerator: Accelerator, run_folder: Path) -> None:
        self.accelerator, self.run_folder = accelerator, run_folder
        self.received = self.finishing = False
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignal":
        self._handlers = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True

    def asked(self) -> bool:
        """Whether any process received a signal or was asked to stop: all processes stop after the same step."""
        self.received = self.received or asked(self.run_folder, PAUSE)
        self.finishing = self.finishing or asked(self.run_folder, FINISH)
        if self.accelerator.num_processes > 1:
            flags = torch.tensor([float(self.received), float(self.finishing)], device=self.accelerator.device)
            self.received, self.finishing = (self.accelerator.reduce(flags, "sum") > 0).tolist()
        return self.received or self.finishing
