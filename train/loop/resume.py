"""What a run goes on with: the options of its saved state, and those that are given now."""

import dataclasses
from typing import Any

from i2i_models.errors import TrainingError

from .options import FIXED, Job

PLANNED = ("steps", "grow_from")
"""Options that --minutes decided in the run's first half minute, besides those of the network."""


def resumed(job: Job, state: dict[str, Any]) -> tuple[Job, list[str]]:
    """The job that goes on from a state, and the history of what changed so far, a sentence a time.

    More steps than before need no --change; what --minutes had decided is taken from the state.

    Raises:
        TrainingError: other options than the run's without --change; with it, those that cannot change, or an end that
            lies behind.
    """
    old, step, o = state["job"], state["step"], job.options
    if o.minutes is not None and state.get("minutes") is not None:
        job = _as_planned(job, old)
    now = job.settings()
    changed = {name: (was, now[name]) for name, was in old.items() if name in now and now[name] != was}
    for name, (was, given) in changed.items():
        if name == "steps" and given > was:
            continue
        said = f"The run in {o.run_folder} was started with {name} = {was!r}, not {given!r}: "
        if o.change and name.startswith(FIXED):
            raise TrainingError(f"{said}that cannot change on the way; train anew with --start-from, or leave it.")
        if not o.change:
            raise TrainingError(
                f"{said}resume with the same options, take this one with --change, or name another --run."
            )
    if now["steps"] < step:
        raise TrainingError(f"--steps {now['steps']} lies behind: the run in {o.run_folder} is at step {step} already.")
    history = list(state.get("history", ()))
    if changed:
        history.append(f"From step {step}: " + ", ".join(f"{k} {was} → {given}" for k, (was, given) in changed.items()))
    return job, history


def _as_planned(job: Job, old: dict[str, Any]) -> Job:
    network = {field.name: old[f"network.{field.name}"] for field in dataclasses.fields(job.network)}
    options = {name: old[name] for name in PLANNED}
    return dataclasses.replace(
        job,
        network=dataclasses.replace(job.network, **network),
        options=dataclasses.replace(job.options, **options),
    )
