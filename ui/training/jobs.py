"""Trainings as files: what the page reads of jobs, and the words that it writes for them.

The other side is `train/jobs/`, which the page starts as processes and never imports; docs/architecture.md has the
files. Here each is read as what anybody may have written: missing, half, or of another time.
"""

import contextlib
import dataclasses
import json
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

WISHES = ("run", "pause", "finish", "discard")
ID = re.compile(r"[0-9a-f]{16}")
ACTIVE = ("running", "evaluating", "pausing")
POINTS = 160
"""Of a curve, at most."""
SYNC_SECONDS = 20
"""Between questions to HF Jobs about one job."""
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For processes without a screen, on Windows."""
QUEUED = 12
"""Jobs that may wait at a time."""


class JobError(i2i.I2IError):
    """What a visitor asks of a job cannot be done; the message is in the visitor's language."""


def root() -> Path:
    """The folder of jobs: I2I_JOBS_DIR, or runs/jobs of the project."""
    return Path(os.environ.get("I2I_JOBS_DIR") or HOME / "runs" / "jobs")


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
    def samples(self) -> list[Path]:
        """The sample grids, the oldest first."""
        return sorted(self.run.glob("samples-*.png"))

    @property
    def snapshots(self) -> list[Path]:
        """The checkpoints that were asked for on the way, the oldest first."""
        return sorted(p for p in self.run.glob("snapshots/step-*") if (p / "config.json").is_file())

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
        """What does the same in a shell."""
        asked = self.request
        places = ["--data", asked["data"], "--output", asked["output"]]
        return shlex.join(["python", "-m", "train", asked["method"], *places, *asked["arguments"]])


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


@dataclasses.dataclass(frozen=True)
class Shown:
    """What the page shows of a job; a dataclass so that its fields have names in one place."""

    id: str
    name: str
    method: str
    state: str
    words: str
    why: str
    share: float
    """Of the steps that are done, 0 … 1."""
    figures: list[list[str]]
    """Pairs of a name and a value."""
    curves: list[dict[str, Any]]
    """`name`, `last`, `points`: `[step, value]` each."""
    samples: list[int]
    """Steps of the sample grids."""
    snapshots: int
    can: list[str]
    tab: str
    """Where its model is listed; empty if nowhere yet."""
    command: str


def shown(job: Job, place: int, method: str, tab: str = "") -> dict[str, Any]:
    """What the page shows of a job.

    Args:
        place: in the queue, from 1 on, if it waits.
        method: its method's title.
        tab: the other tab that lists its model; empty if none does.
    """
    state, lines = job.state["state"], job.progress()
    last = lines[-1] if lines else {}
    step, steps = int(last.get("step", 0)), int(last.get("steps", 0))
    figures = []
    if steps:
        figures.append([text.TRAINING["steps_done"], f"{step:,} / {steps:,}"])
    if state == "running" and steps:
        recent = [line["images"] for line in lines[-8:] if line.get("images")]
        figures.append([text.TRAINING["speed"], f"{sum(recent) / max(len(recent), 1):.1f}"])
        left = last.get("seconds", 0) * (steps - step) / max(step, 1)
        figures.append([text.TRAINING["time_left"], duration(left)])
    elif last:
        figures.append([text.TRAINING["time_spent"], duration(last.get("seconds", 0))])
    words = text.TRAINING[f"state_{state}"].format(place=place)
    if state == "running" and not lines:
        words = text.TRAINING["state_measuring"]
    if job.state.get("crashes") and state in ("running", "waiting"):
        words += " " + text.TRAINING["went_on"]
    why = job.state.get("why") or {}
    said = text.TRAINING.get(f"why_{why.get('key')}", text.TRAINING["why_unexpected"]) if why else ""
    return dataclasses.asdict(
        Shown(
            job.id,
            str(job.request["name"]),
            method,
            state,
            words,
            said.format(said=why.get("said", "")) if said else "",
            1.0 if state in ("done", "evaluating") else step / steps if steps else 0.0,
            figures,
            curves(lines),
            [int(path.stem.rpartition("-")[2]) for path in job.samples],
            len(job.snapshots),
            [*(["open"] if tab else []), *can(job)],
            tab,
            job.command,
        )
    )


def can(job: Job) -> list[str]:
    """What may be asked of a job as it stands."""
    state = job.state["state"]
    remote = job.request.get("backend") == "hub"
    found = {
        "waiting": ["discard"] if remote else ["pause", "discard"],
        "running": ["discard"] if remote else ["pause", "finish", "try", "discard"],
        "pausing": ["discard"],
        "evaluating": ["discard"],
        "paused": ["run", "finish", "discard"],
        "failed": ["run", "finish", "discard"] if (job.run / "state.pt").exists() else ["run", "discard"],
        "done": ["try", "zip", "push", "discard"] if job.is_done else ["discard"],
    }[state]
    if "try" in found and (len(job.snapshots) > 1 or (job.is_done and job.snapshots)):
        found.insert(found.index("try") + 1, "compare")
    return found


def curves(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The losses as curves of at most `POINTS` points, each the mean of the lines that it stands for."""
    every = -(-len(lines) // POINTS) if lines else 1
    found: dict[str, list[list[float]]] = {}
    for at in range(0, len(lines), every):
        group = lines[at : at + every]
        for name in group[-1].get("losses", {}):
            values = [line["losses"][name] for line in group if name in line.get("losses", {})]
            found.setdefault(name, []).append([group[-1]["step"], sum(values) / len(values)])
    return [{"name": name, "last": f"{points[-1][1]:.3g}", "points": points} for name, points in found.items()]


def duration(seconds: float) -> str:
    """Seconds in words."""
    minutes = seconds / 60
    if minutes < 1:
        return text.TRAINING["seconds"].format(count=round(seconds))
    if minutes < 90:
        return text.TRAINING["minutes"].format(count=round(minutes))
    return text.TRAINING["hours"].format(count=f"{minutes / 60:.1f}")
