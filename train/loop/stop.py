"""Ending a training early, after a whole step."""

import signal
from types import FrameType
from typing import Any

import torch
from accelerate import Accelerator


class StopSignal:
    """While entered, records SIGINT and SIGTERM instead of ending the process, for the training to ask about."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.received = False
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
        """Whether any process received a signal, so that all processes stop after the same step."""
        if self.accelerator.num_processes > 1:
            flag = torch.tensor(float(self.received), device=self.accelerator.device)
            self.received = bool(self.accelerator.reduce(flag, "sum") > 0)
        return self.received
