"""What a training tells and is told through its run folder, while it runs: anybody may look, nobody needs to wait.

It writes `progress.jsonl`, a line a look at the losses. It heeds three files that somebody else makes: `export` asks
for the moving average as a checkpoint, without stopping; `pause` asks to stop as Ctrl-C does, where no signal reaches;
`finish` asks to end now as if the last step were done.
"""

import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

PROGRESS = "progress.jsonl"
"""A JSON object a line: `step`, `steps`, `seconds` of training so far, `images` a second, `losses` by name."""
EXPORT, PAUSE, FINISH = "export", "pause", "finish"
SNAPSHOTS = "snapshots"
"""Folder of the checkpoints that were asked for, each as `step-0000100/`."""
KEPT_SNAPSHOTS = 2
"""The newest, and the one before to compare it with."""
SPARE = 0.93
"""Share of a budget in minutes that steps are planned for; saving, samples and the export take the rest."""
LINES = 2000
"""Lines that a run writes at most, about: beyond, each further look is worth less than the room that it takes."""


class Progress:
    """The lines that a run has written, and the time for which it has trained, over all its processes."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: of the run.
        """
        self.path = folder / PROGRESS
        self.before = 0.0
        """Seconds of training before this process."""
        self._started = self._last = time.monotonic()
        self._step = 0
        self._lines = 0

    @property
    def seconds(self) -> float:
        """For how long the run has trained."""
        return self.before + time.monotonic() - self._started

    def start(self, step: int, seconds: float) -> None:
        """Begin at a step, after so many seconds of training; forget lines of steps that are done once more."""
        self.before, self._started, self._step = seconds, time.monotonic(), step
        self._last = self._started
        kept = [line for line in read_progress(self.path.parent) if step and line["step"] <= step]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._lines = len(kept)

    def add(self, step: int, steps: int, batch_size: int, losses: dict[str, float]) -> None:
        """Write a line, unless the last one is too young to differ from it."""
        now = time.monotonic()
        if now - self._last < self._pause and step < steps:
            return
        images = (step - self._step) * batch_size / max(now - self._last, 1e-9)
        self._last, self._step = now, step
        line = {
            "step": step,
            "steps": steps,
            "seconds": round(self.seconds, 2),
            "images": round(images, 3),
            "losses": {name: float(f"{value:.4g}") for name, value in losses.items()},
        }
        self._lines += 1
        # A full disk must not end a training for the sake of a curve; its state says what is wrong.
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    @property
    def _pause(self) -> float:
        """Seconds between lines: one at first, the longer the more there are."""
        return max(1.0, self.seconds / LINES * 4 if self._lines > LINES // 4 else 1.0)


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run folder; one that is still being written is left out."""
    with contextlib.suppress(OSError):
        lines = []
        for text in (folder / PROGRESS).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(text))
        return lines
    return []


def asked(folder: Path, what: str) -> bool:
    """Whether somebody asks a run for something, `EXPORT`, `PAUSE` or `FINISH`."""
    return (folder / what).exists()


def snapshot_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is to be written that was asked for."""
    return folder / SNAPSHOTS / f"step-{step:07d}"


def answered(folder: Path, what: str) -> None:
    """Take a request away once it has been carried out, and the snapshots that no one compares any more."""
    (folder / what).unlink(missing_ok=True)
    for old in sorted((folder / SNAPSHOTS).glob("step-*"))[:-KEPT_SNAPSHOTS]:
        shutil.rmtree(old, ignore_errors=True)
