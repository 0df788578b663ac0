"""How much room jobs take: a bound for each and one for all; the oldest scratch goes first."""

import contextlib
import shutil
import time
from pathlib import Path

from train.loop.progress import SNAPSHOTS

from .folder import ACTIVE, DRAFTS, JobFolder, jobs, size_of

MAX_JOB = 4_000_000_000
"""Bytes of one job."""
MAX_ALL = 12_000_000_000
"""Bytes of all jobs and drafts."""
LEAST_FREE = 500_000_000
"""Bytes that stay free on the disk: below, a running job pauses."""
DRAFT_SECONDS = 24 * 3600
"""After which pictures are deleted that nobody started a training with."""


def tidy(root: Path, max_all: int | None = None, keep: Path | None = None) -> list[str]:
    """Delete old drafts, and the oldest scratch until everything fits.

    Scratch is what nobody needs any more: drafts, then of jobs that have ended their snapshots, saved states and sample
    grids. Pictures of a job and checkpoints stay. A finished job without its state cannot go on, and the page says why.

    Args:
        max_all: bytes; `MAX_ALL` by default.
        keep: a draft that somebody is busy with.

    Returns:
        What was deleted.
    """
    deleted = []
    max_all = MAX_ALL if max_all is None else max_all
    drafts = sorted((path for path in (root / DRAFTS).glob("*/") if path != keep), key=_age)
    for draft in drafts:
        if time.time() - _age(draft) > DRAFT_SECONDS:
            shutil.rmtree(draft, ignore_errors=True)
            deleted.append(f"{DRAFTS}/{draft.name}")
    total = size_of(root)
    for scratch in [*drafts, *_scratch(root)]:
        if total <= max_all:
            break
        if not scratch.exists():
            continue
        total -= size_of(scratch) if scratch.is_dir() else scratch.stat().st_size
        shutil.rmtree(scratch, ignore_errors=True) if scratch.is_dir() else scratch.unlink(missing_ok=True)
        deleted.append(str(scratch.relative_to(root)))
    return deleted


def _age(path: Path) -> float:
    """When it was last changed; now, if somebody has just taken it away."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return time.time()


def _scratch(root: Path) -> list[Path]:
    found: list[Path] = []
    ended = [job for job in jobs(root) if job.state["state"] == "done"]
    for name in (SNAPSHOTS, "state.pt"):
        found += [job.run / name for job in ended]
    for job in ended:
        found += sorted(job.run.glob("samples-*.png"))[:-1]
    return found


def too_large(job: JobFolder) -> str | None:
    """Why a running job must pause: `job_too_large` or `disk_full`; None if it need not."""
    if job.state["state"] not in ACTIVE:
        return None
    if shutil.disk_usage(job.path).free < LEAST_FREE:
        return "disk_full"
    return "job_too_large" if job.size() > MAX_JOB else None
