"""What the page shows of a job: how it stands in words, figures and curves, and what may be asked of it."""

import dataclasses
from typing import Any

from ui import text
from ui.training import jobs

POINTS = 160
"""Of a curve, at most."""


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
    longer: dict[str, str]
    """What it would go on longer with, by the names of `jobs.LONGER`."""


def shown(job: jobs.Job, place: int, method: str, tab: str = "") -> dict[str, Any]:
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
    if state == "done" and not why and not job.can_go_on and job.request.get("backend") != "hub":
        why = {"key": "tidied"}
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
            {name: jobs.value_of(job.arguments, option) for name, (option, _) in jobs.LONGER.items()},
        )
    )


def can(job: jobs.Job) -> list[str]:
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
        "done": ["try", "longer", "zip", "push", "forget", "discard"] if job.is_done else ["discard"],
    }[state]
    if not job.can_go_on and "longer" in found:
        found.remove("longer")
    if "try" in found and job.before is not None and (job.is_done or job.snapshots):
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
