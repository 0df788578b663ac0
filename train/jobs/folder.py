"""A job's folder: what is asked, what is wished, how it goes. Standard library alone, so that looking costs nothing."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from train.loop.progress import FINISH, PAUSE, SPARE, read_progress

JOB, STATE, WISH, LOG, EXIT = "job.json", "state.json", "wish", "log.txt", "exit"
RUN, DATA = "run", "data"
DRAFTS = "drafts"
"""Pictures that were dropped and not started yet, a folder each, beside the jobs."""

LONGER = "longer"
"""Begins a wish to go on with a finished training: a JSON object of `--minutes` more and what else changes follows."""

Wish = Literal["run", "pause", "finish", "forget", "discard"]
Action = Literal["start", "sync", "cancel", "forget"]
"""What is done about a job on HF Jobs."""
State = Literal["waiting", "running", "evaluating", "pausing", "paused", "done", "failed"]
ACTIVE = ("running", "evaluating", "pausing")


@dataclasses.dataclass(frozen=True)
class Request:
    """What `job.json` asks for. It never changes."""

    method: str
    name: str
    """Of the checkpoint."""
    output: str
    """The checkpoint's folder."""
    data: str
    """As --data: a folder, or a Hub data set."""
    arguments: list[str]
    """Further options of `python -m train METHOD`."""
    title: str = ""
    created: float = 0.0
    """Seconds since 1970: the queue's order."""
    backend: str = "local"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Of the back-end."""
    evaluate: bool = True
    """Whether the data have a held-out part to measure the checkpoint on."""


class JobFolder:
    """One job."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run(self) -> Path:
        """The training's run folder."""
        return self.path / RUN

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.path / LOG

    @property
    def request(self) -> Request:
        """What is asked.

        Raises:
            OSError, ValueError, TypeError: `job.json` is missing or damaged.
        """
        return Request(**json.loads((self.path / JOB).read_text(encoding="utf-8")))

    @property
    def state(self) -> dict[str, Any]:
        """How it goes: `state`, and beside it what the supervisor remembers."""
        with contextlib.suppress(OSError, ValueError):
            return {"state": "waiting", **json.loads((self.path / STATE).read_text(encoding="utf-8"))}
        return {"state": "waiting"}

    def update(self, **changes: Any) -> None:
        """Change the state; None removes an entry."""
        state = {key: value for key, value in {**self.state, **changes}.items() if value is not None}
        write_json(self.path / STATE, state)

    def take_wish(self) -> str | None:
        """What is wished, once."""
        wish = self.path / WISH
        with contextlib.suppress(OSError):
            word = wish.read_text(encoding="utf-8").strip()
            wish.unlink()
            return word
        return None

    def step(self) -> int:
        """How many steps its progress tells of."""
        lines = read_progress(self.run)
        return int(lines[-1]["step"]) if lines else 0

    def training(self, python: list[str]) -> list[str]:
        """The command that begins the training, or goes on with it where there is a saved state."""
        asked, rounds = self.request, self.state.get("rounds", [])
        resume = ["--resume"] if (self.run / "state.pt").exists() else []
        resume += ["--change"] if resume and rounds else []
        places = ["--data", asked.data, "--output", asked.output, "--run", str(self.run)]
        arguments = rounds[-1] if rounds else asked.arguments
        return [*python, "-m", "train", asked.method, *places, *arguments, *resume]

    def go_on_longer(self, changes: dict[str, Any]) -> None:
        """Have a finished training wait for another round, which has the options of the last one but for some.

        Args:
            changes: values by option; `--minutes` are those beyond what it has trained for so far.
        """
        lines, rounds = read_progress(self.run), self.state.get("rounds", [])
        minutes = (lines[-1].get("seconds", 0) if lines else 0) / 60 / SPARE + float(changes["--minutes"])
        arguments = list(rounds[-1] if rounds else self.request.arguments)
        for option, value in {**changes, "--minutes": f"{minutes:.1f}"}.items():
            if option in arguments:
                arguments[arguments.index(option) + 1] = str(value)
            else:
                arguments += [option, str(value)]
        self.update(state="waiting", rounds=[*rounds, arguments], again=True, why=None, crashes=None, ended=None)

    def evaluation(self, python: list[str]) -> list[str]:
        """The command that measures the checkpoint and writes its card."""
        return [*python, "-m", "train", "evaluate", self.request.output, "--data", self.request.data]

    def forget_requests(self) -> None:
        """Take away what a process was asked that has ended."""
        for name in (PAUSE, FINISH):
            (self.run / name).unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes on disk."""
        return size_of(self.path)

    def wish(self, word: Wish) -> None:
        """Wish something; the supervisor hears it."""
        (self.path / WISH).write_text(word, encoding="utf-8")

    def delete(self, keep: bool = False) -> bool:
        """Away with it and with the checkpoint that it made: renamed first, so that nobody finds half of it.

        Args:
            keep: the checkpoint stays.

        Returns:
            Whether it is gone.
        """
        gone = self.path.with_name(f".gone-{self.path.name}")
        made = Path(self.request.output) if self.state["state"] in ("evaluating", "done") and not keep else None
        try:
            os.replace(self.path, gone)
        except OSError:
            return False
        for folder in filter(None, (made, gone)):
            shutil.rmtree(folder, ignore_errors=True)
        return True


def jobs(root: Path) -> Iterator[JobFolder]:
    """The jobs in a folder, the oldest first."""
    found = []
    for path in root.glob("*/" + JOB):
        job = JobFolder(path.parent)
        with contextlib.suppress(OSError, ValueError, TypeError):
            if not path.parent.name.startswith("."):
                found.append((job.request.created, path.parent.name, job))
    for _, _, job in sorted(found, key=lambda one: one[:2]):
        yield job


def write_json(path: Path, value: Any) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    for _ in range(20):
        with contextlib.suppress(PermissionError):  # on Windows: somebody reads the old one just now
            os.replace(temporary, path)
            return
        time.sleep(0.05)
    os.replace(temporary, path)


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
    return total


def last_error(log: Path) -> str:
    """The last line `error: …` that a command printed, without that word; else its last line."""
    with contextlib.suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")[-20_000:]
        lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or [""])[-1][:500]
    return ""
