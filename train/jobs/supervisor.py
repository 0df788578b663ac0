"""The process that tends jobs: starts the next, hears wishes, goes on after a crash, and ends when nothing is left.

Whoever wants a job makes sure that one runs; a second one ends at once. It holds nothing in memory that is not on disk,
so it may be killed like any other.
"""

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from train.loop.progress import FINISH, PAUSE

from . import backends, disk
from .folder import ACTIVE, LONGER, JobFolder, jobs, last_error

log = logging.getLogger(__name__)

LOCK = "supervisor.lock"
LOOK_SECONDS = 0.5
TIDY_SECONDS = 30.0
IDLE_SECONDS = 20.0
"""After which a supervisor without work ends."""
CRASHES = 3
"""Starts without a single new step after which a job counts as failed."""
STOPPED = 130
"""The exit code of a training that was asked to stop and has saved."""
REFUSED = 2
"""The exit code of a command that said in a sentence why it cannot."""


def serve(root: Path) -> None:
    """Tend the jobs below a folder until there is nothing to do for a while.

    Args:
        root: the folder of jobs; made if it is not there.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root) as alone:
        if not alone:
            return
        idle_since = tidied = time.monotonic()
        while time.monotonic() - idle_since < IDLE_SECONDS:
            if tend_all(root):
                idle_since = time.monotonic()
            if time.monotonic() - tidied > TIDY_SECONDS:
                tidied = time.monotonic()
                for gone in disk.tidy(root):
                    log.warning("deleted %s to make room", gone)
                for job in jobs(root):
                    pause_if_too_large(job)
            time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[bool]:
    try:
        lock = FileLock(root / LOCK).acquire(timeout=0)
    except Timeout:
        yield False
    else:
        with lock:
            yield True


def tend_all(root: Path) -> bool:
    """Do for each job what is due; whether any of them runs or waits."""
    busy = False
    for job in list(jobs(root)):
        try:
            tend(job)
        except Exception as error:
            # Whatever one job's folder holds, it must not keep the others from being tended.
            log.exception("tending %s failed", job.path.name)
            with contextlib.suppress(OSError):
                job.update(state="failed", why={"key": "unexpected", "said": f"{type(error).__name__}: {error}"})
    taken = any(_is_exclusive(job) for job in jobs(root) if job.state["state"] in ACTIVE)
    for job in list(jobs(root)):
        state = job.state["state"]
        if state == "waiting" and backends.of(job) is not None and not (taken and _is_exclusive(job)):
            start(job)
            taken = taken or _is_exclusive(job)
        busy = busy or state == "waiting" or state in ACTIVE
    return busy


def _is_exclusive(job: JobFolder) -> bool:
    backend = backends.of(job)
    return backend is not None and backend.exclusive


def tend(job: JobFolder) -> None:
    """Hear a job's wish, and look whether its command has ended."""
    backend = backends.of(job)
    if backend is None:
        return
    state = job.state
    wish = job.take_wish()
    if wish == "discard" or (wish == "forget" and state["state"] == "done"):
        if "handle" in state:
            backend.kill(job, state["handle"])
        if not job.delete(keep=wish == "forget"):
            job.wish("discard" if wish == "discard" else "forget")  # on Windows, as long as somebody reads in it
        return
    if wish:
        hear(job, wish)
        state = job.state
    if state["state"] in ACTIVE:
        code = backend.poll(job, state["handle"])
        if code is not None:
            ended(job, code)


def hear(job: JobFolder, wish: str) -> None:
    """Carry out a wish: `run`, `pause`, `finish` or one to go on longer; one that means nothing now is forgotten."""
    state = job.state["state"]
    if wish.startswith(LONGER) and state == "done" and (job.run / "state.pt").exists():
        with contextlib.suppress(ValueError, KeyError):  # damaged, it means nothing
            job.go_on_longer(json.loads(wish.removeprefix(LONGER)))
    elif wish == "run" and state in ("paused", "failed"):
        job.update(state="waiting", why=None, crashes=None)
    elif wish == "pause" and state == "waiting":
        job.update(state="paused")
    elif wish == "pause" and state == "running":
        job.run.mkdir(exist_ok=True)
        (job.run / PAUSE).touch()
        job.update(state="pausing")
    elif wish == "finish" and state in ("running", "pausing", "waiting", "paused", "failed"):
        job.run.mkdir(exist_ok=True)
        (job.run / FINISH).touch()
        if state not in ACTIVE:
            job.update(state="waiting", why=None, crashes=None)


def start(job: JobFolder, phase: str = "running") -> None:
    """Start the training from its last saved state or from the beginning, or the evaluation after it."""
    backend = backends.of(job)
    assert backend is not None
    command = (
        job.evaluation(backends.launcher(job)[:1]) if phase == "evaluating" else job.training(backends.launcher(job))
    )
    if phase == "running":
        (job.run / PAUSE).unlink(missing_ok=True)
    try:
        handle = backend.start(job, command)
    except Exception as error:
        # A cluster that cannot be reached, a missing package: their kinds are many, and the reason is in their text.
        job.update(state="failed", why={"key": "not_started", "said": str(error).splitlines()[0] if str(error) else ""})
        return
    began = {} if "began" in job.state else {"began": time.time()}
    job.update(state=phase, handle=handle, step=job.step(), why=None, **began)


def ended(job: JobFolder, code: int) -> None:
    """Say how a job stands whose command has ended, and start what follows."""
    state = job.state
    if state["state"] == "evaluating":
        # A checkpoint that could not be measured is one all the same.
        why = None if code == 0 else {"key": "not_measured", "said": last_error(job.log)}
        job.update(state="done", handle=None, why=why, again=None, ended=time.time())
    elif code == 0:
        job.forget_requests()
        if job.request.evaluate:
            start(job, "evaluating")
        else:
            job.update(state="done", handle=None, again=None, ended=time.time())
    elif code == STOPPED:
        job.forget_requests()
        job.update(state="paused", handle=None, why=state.get("why"))
    elif code == REFUSED and state.get("again") and state["step"] == job.step():
        # A finished training that cannot go on as it was asked to stays what it was.
        job.update(
            state="done", handle=None, again=None, rounds=state["rounds"][:-1] or None,
            why={"key": "said", "said": last_error(job.log)},
        )  # fmt: skip
    elif code == REFUSED:
        job.update(state="failed", handle=None, why={"key": "said", "said": last_error(job.log)})
    else:
        crashed(job, code)


def crashed(job: JobFolder, code: int) -> None:
    """Go on from the last saved state; give up after `CRASHES` starts that brought no new step."""
    state, step = job.state, job.step()
    crashes = 1 if step > state.get("step", 0) else state.get("crashes", 0) + 1
    log.warning("%s ended with %d at step %d", job.path.name, code, step)
    if crashes >= CRASHES:
        said = last_error(job.log) if code > 0 else str(code)
        key = "crashed" if code > 0 else "killed"
        job.update(state="failed", handle=None, crashes=None, why={"key": key, "said": said})
    elif state["state"] == "pausing":
        job.update(state="paused", handle=None)
    else:
        job.update(state="waiting", handle=None, crashes=crashes)


def pause_if_too_large(job: JobFolder) -> None:
    """Pause a job that takes too much room, and say why."""
    why = disk.too_large(job)
    if why and job.state["state"] == "running":
        hear(job, "pause")
        job.update(why={"key": why, "said": ""})
