"""How much room jobs take: a bound for each and one for all; the oldest scratch goes first."""

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


def tidy(root: Path, max_all: int = MAX_ALL) -> list[str]:
    """Delete old drafts, and the oldest scratch until everything fits.

    Scratch is what nobody needs any more: drafts, then of jobs that have ended their snapshots, saved states and sample
    grids. Pictures of a job and checkpoints stay. A job that loses its state is told so in `state.json`.

    Returns:
        What was deleted.
    """
    deleted = []
    drafts = sorted((root / DRAFTS).glob("*/"), key=lambda path: path.stat().st_mtime)
    for draft in drafts:
        if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
            shutil.rmtree(draft, ignore_errors=True)
            deleted.append(f"{DRAFTS}/{draft.name}")
    total = size_of(root)
    for scratch, job in [*((draft, None) for draft in drafts), *_scratch(root)]:
        if total <= max_all:
            break
        if not scratch.exists():
            continue
        total -= size_of(scratch) if scratch.is_dir() else scratch.stat().st_size
        shutil.rmtree(scratch) if scratch.is_dir() else scratch.unlink()
        deleted.append(str(scratch.relative_to(root)))
        if job is not None:
            job.update(tidied=True)
    return deleted


def _scratch(root: Path) -> list[tuple[Path, JobFolder | None]]:
    found: list[tuple[Path, JobFolder | None]] = []
    ended = [job for job in jobs(root) if job.state["state"] == "done"]
    for name in (SNAPSHOTS, "state.pt"):
        found += [(job.run / name, job) for job in ended]
    for job in ended:
        found += [(path, job) for path in sorted(job.run.glob("samples-*.png"))[:-1]]
    return found


def too_large(job: JobFolder) -> str | None:
    """Why a running job must pause: `job_too_large` or `disk_full`; None if it need not."""
    if job.state["state"] not in ACTIVE:
        return None
    if shutil.disk_usage(job.path).free < LEAST_FREE:
        return "disk_full"
    return "job_too_large" if job.size() > MAX_JOB else None
