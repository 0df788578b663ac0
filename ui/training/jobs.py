"""Trainings as files: what the page reads of jobs, and the words that it writes for them.

The other side is `train/jobs/`, which the page starts as processes and never imports; docs/architecture.md has the
files. Here each is read as what anybody may have written: missing, half, or of another time.
"""

import contextlib
import json
import math
import os
import re
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import i2i_models as i2i
from ui import text
from ui.training.rights import HOME

WISHES = ("run", "pause", "finish", "forget", "discard")
ID = re.compile(r"[0-9a-f]{16}")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""By which a terminal colours and moves."""
ACTIVE = ("running", "evaluating", "pausing")
SYNC_SECONDS = 20
"""Between questions to HF Jobs about one job."""
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For processes without a screen, on Windows."""
LOG_LINES, LOG_BYTES = 80, 40_000
"""Of what a job has printed, as much as the page shows."""
QUEUED = 12
"""Jobs that may wait at a time."""


LONGER: dict[str, tuple[str, tuple[float, float]]] = {
    "minutes": ("--minutes", (1, 240)),
    "learning_rate": ("--learning-rate", (1e-7, 0.1)),
    "batch_size": ("--batch-size", (1, 64)),
}
"""What a training that goes on longer may take anew: option, and its least and greatest value."""


class JobError(i2i.I2IError):
    """What a visitor asks of a job cannot be done; the message is in the visitor's language."""


def root() -> Path:
    """The folder of jobs: I2I_JOBS_DIR, or runs/jobs of the project."""
    return Path(os.environ.get("I2I_JOBS_DIR") or HOME / "runs" / "jobs").absolute()


class Job:
    """One job, as its files say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.request = read_json(path / "job.json")
        self.state = {"state": "waiting", **read_json(path / "state.json")}

    @property
    def id(self) -> str:
        """In questions of the page."""
        return self.path.name

    @property
    def run(self) -> Path:
        """The training's run folder."""
        return self.path / "run"

    @property
    def output(self) -> Path:
        """The checkpoint's folder; there when the training has ended."""
        return Path(str(self.request.get("output", "")))

    @property
    def is_done(self) -> bool:
        """Whether the checkpoint is there."""
        return self.state["state"] == "done" and (self.output / "config.json").is_file()

    @property
    def arguments(self) -> list[str]:
        """The options of its last round: those it was started with, or went on longer with."""
        rounds = self.state.get("rounds") or [self.request.get("arguments", [])]
        return list(rounds[-1])

    @property
    def can_go_on(self) -> bool:
        """Whether a finished training still has the state from which it could go on longer."""
        return self.request.get("backend") != "hub" and (self.run / "state.pt").is_file()

    @property
    def samples(self) -> list[Path]:
        """The sample grids, the oldest first."""
        return sorted(self.run.glob("samples-*.png"))

    @property
    def snapshots(self) -> list[Path]:
        """The checkpoints that were asked for on the way, the oldest first."""
        return sorted(p for p in self.run.glob("snapshots/step-*") if (p / "config.json").is_file())

    @property
    def before(self) -> Path | None:
        """The checkpoint to compare the newest with: the one made before it, or what the training began with."""
        if self.is_done:
            found = self.snapshots[-1:]
        elif (self.output / "config.json").is_file():  # it is going on longer
            found = [self.output]
        else:
            found = self.snapshots[:-1][-1:]
        arguments = self.arguments
        if not found and "--start-from" in arguments:
            found = [Path(arguments[arguments.index("--start-from") + 1])]
        return next((path for path in found if (path / "config.json").is_file()), None)

    def said(self) -> str:
        """The last that it has printed; of a line that was written over and over, what stands there at last."""
        with contextlib.suppress(OSError), (self.path / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
            lines = [ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip() for line in lines]
            return "\n".join([line for line in lines if line][-LOG_LINES:])
        return ""

    def progress(self) -> list[dict[str, Any]]:
        """The lines that the training has written."""
        lines = []
        with contextlib.suppress(OSError):
            for line in (self.run / "progress.jsonl").read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    lines.append(json.loads(line))
        return lines

    def wish(self, word: str) -> None:
        """Write a wish; the supervisor hears it."""
        _write(self.path / "wish", word)

    def ask_for_snapshot(self) -> None:
        """Have the training write the moving average as a checkpoint, without stopping."""
        (self.run / "export").touch()

    @property
    def command(self) -> str:
        """What does the same in a shell: the training, each time that it went on longer, and the measuring."""
        asked = self.request
        places = ["--data", asked["data"], "--output", asked["output"]]
        gpus = int(asked.get("settings", {}).get("gpus", 1)) if asked.get("backend", "local") == "local" else 1
        several = ["accelerate", "launch", "--multi_gpu", "--num_processes", str(gpus), "-m", "train"]
        train = [*(several if gpus > 1 else ["python", "-m", "train"]), asked["method"], *places]
        commands = [[*train, *asked["arguments"]]]
        commands += [[*train, *arguments, "--resume", "--change"] for arguments in self.state.get("rounds", [])]
        if asked.get("evaluate", True):
            commands.append(["python", "-m", "train", "evaluate", asked["output"], "--data", asked["data"]])
        return " &&\n".join(map(shlex.join, commands))


def all_jobs() -> list[Job]:
    """The jobs, the newest first."""
    found = [Job(path.parent) for path in root().glob("*/job.json") if ID.fullmatch(path.parent.name)]
    return sorted((job for job in found if job.request), key=lambda job: -float(job.request.get("created", 0)))


def tried() -> dict[str, Path]:
    """What trainings that have not ended have learned, as far as somebody asked to try it: folders by their names."""
    found = {}
    for job in all_jobs():
        if not job.is_done and job.snapshots:
            found[str(job.request.get("name"))] = job.snapshots[-1]
    return found


def named(id: Any) -> Job:
    """The job of an id.

    Raises:
        JobError: there is none, or none any more.
    """
    if isinstance(id, str) and ID.fullmatch(id) and (root() / id / "job.json").is_file():
        return Job(root() / id)
    raise JobError(text.TRAINING["no_job"])


def new_draft(files: dict[str, Any]) -> Path:
    """A draft with a `request.json`."""
    draft = root() / "drafts" / secrets.token_hex(8)
    draft.mkdir(parents=True)
    _write(draft / "request.json", json.dumps(files))
    return draft


def draft_named(id: Any) -> Path:
    """The draft of an id.

    Raises:
        JobError: it was started already, or deleted.
    """
    path = root() / "drafts" / str(id)
    if not ID.fullmatch(str(id)) or not path.is_dir():
        raise JobError(text.TRAINING["no_draft"])
    return path


def look(draft: Path, paired: bool | None = None) -> Iterator[dict[str, Any] | None]:
    """Have a draft's pictures looked at: None while that goes on, at last what was found."""
    (draft / "look.json").unlink(missing_ok=True)
    known = [] if paired is None else ["--paired", str(paired)]
    process = _start("look", str(draft), *known, log=draft / "look.txt")
    while process.poll() is None:
        yield None
        time.sleep(0.4)
    found = read_json(draft / "look.json")
    yield found or {"error": "unexpected", "values": {}}


def start(draft: Path, request: dict[str, Any], token: str | None = None) -> Job:
    """Make a draft a job, which waits for its turn.

    Args:
        request: what `job.json` holds.
        token: of the visitor, for a job in their account.

    Raises:
        JobError: too many wait, a checkpoint or job of that name is there, or the draft was started meanwhile.
    """
    others = all_jobs()
    if sum(job.state["state"] == "waiting" for job in others) >= QUEUED:
        raise JobError(text.TRAINING["queue_full"].format(limit=QUEUED))
    taken = {job.request.get("output") for job in others}
    if request["output"] in taken or Path(request["output"]).exists():
        raise JobError(text.TRAINING["name_taken"].format(name=request["name"]))
    path = root() / draft.name
    data = str(path / "data") if request["data"] == str(draft / "data") else request["data"]
    # Under the draft's own name, so that of two who start it at once, one finds it gone.
    try:
        _write(draft / "job.json", json.dumps({**request, "data": data, "created": time.time()}))
        os.rename(draft, path)
    except FileNotFoundError:
        raise JobError(text.TRAINING["no_draft"]) from None
    job = Job(path)
    if request["backend"] == "hub":
        on_hub(job, "start", token)
    else:
        see_to_it()
    return job


def see_to_it() -> None:
    """Start the process that tends jobs, unless one runs or there is nothing to tend."""
    due = [job for job in all_jobs() if job.request.get("backend") != "hub"]
    if any(job.state["state"] in ("waiting", *ACTIVE) or (job.path / "wish").exists() for job in due):
        try:
            FileLock(root() / "supervisor.lock").acquire(timeout=0).lock.release()
        except Timeout:
            return  # one runs
        _start("tend", str(root()), log=root() / "supervisor.log")


def on_hub(job: Job, action: str, token: str | None) -> None:
    """Start a job on HF Jobs, ask how it goes, or cancel it: a process that gets the token and writes it nowhere.

    Args:
        action: `start`, `sync` or `cancel`; a second `sync` within `SYNC_SECONDS` is left out.
        token: of the visitor; None for that of the machine.
    """
    stamp = job.path / "asked-hub"
    if action == "sync" and stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < SYNC_SECONDS:
        return
    stamp.touch()
    _start("hub", str(job.path), action, log=root() / "hub.log", **({"HF_TOKEN": token} if token else {}))


def _start(*arguments: str, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "train.jobs", *arguments], cwd=HOME, env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, creationflags=NO_WINDOW,
        )  # fmt: skip


def read_json(path: Path) -> dict[str, Any]:
    """What a file holds; nothing if it is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        value = json.loads(path.read_text(encoding="utf-8"))
        return value if isinstance(value, dict) else {}
    return {}


def _write(path: Path, content: str) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    temporary.write_text(content, encoding="utf-8")
    for _ in range(20):
        with contextlib.suppress(PermissionError):  # on Windows: somebody reads the old one just now
            os.replace(temporary, path)
            return
        time.sleep(0.05)
    os.replace(temporary, path)


def go_on_longer(job: Job, asked: dict[str, Any]) -> None:
    """Wish for a finished training to go on.

    Args:
        asked: values by the names of `LONGER`; an empty one stays as it is.

    Raises:
        JobError: a value is not of its option's kind, or out of its range.
    """
    changes = {}
    for name, (option, (least, most)) in LONGER.items():
        value = str(asked.get(name) or "").strip()
        if not value and name != "minutes":
            continue
        try:
            number = int(value) if isinstance(least, int) else float(value)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            words = {"option": option, "value": value[:40], "least": f"{least:g}", "most": f"{most:g}"}
            raise JobError(text.TRAINING["bad_longer"].format(**words))
        if name == "minutes" or f"{number:g}" != value_of(job.arguments, option):
            changes[option] = f"{number:g}"
    job.wish(f"longer {json.dumps(changes)}")


def value_of(arguments: list[str], option: str) -> str:
    """What arguments give an option; empty if it keeps its default, or for minutes, which begin anew."""
    if option in arguments and option != "--minutes":
        return arguments[arguments.index(option) + 1]
    return ""
