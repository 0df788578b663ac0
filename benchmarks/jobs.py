"""Strokes beside a training of the page: the same hand with and without it, in turns, against the real page."""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from train.jobs.folder import JOB, JobFolder, Wish, write_json
from train.loop.progress import read_progress

from .crowd import Visitor, crowd_of, quantile
from .goals import judge_beside, opening
from .served import ROOT, Served, served

PATIENCE = 240.0
"""Seconds within which a training begins or pauses, on a busy machine."""


def jobs(
    seconds: float = 20.0,
    rounds: int = 2,
    visitors: int = 1,
    size: int = 128,
    checkpoints: Path = Path("checkpoints"),
    seed: int = 0,
) -> None:
    """Draw while the page is idle and while a training of it runs, in turns, and compare the waits.

    Args:
        seconds: of each turn.
        rounds: how many turns of each kind.
        visitors: who draw at the same time.
        size: of the training's pictures, in pixels, a power of two.
        checkpoints: the folder of checkpoints that the page serves.
        seed: of what visitors do.
    """
    print(opening())
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch, served(checkpoints, environment={"I2I_TRAIN": "off"}) as page:
        job = _asked(Path(scratch), size)
        tending = subprocess.Popen([sys.executable, "-m", "train.jobs", "tend", str(job.path.parent)], cwd=ROOT)
        idle: list[Visitor] = []
        beside: list[Visitor] = []
        try:
            for _ in range(rounds):
                _until(job, "paused", "pause")
                idle += _drawn(page, visitors, seconds, chance, "idle")
                _until(job, "running", "run")
                beside += _drawn(page, visitors, seconds, chance, "beside a training")
            lines = read_progress(job.run)
            print(f"meanwhile the training made {lines[-1]['images']:.1f} images a second", flush=True)
        finally:
            job.wish("discard")
            tending.wait(PATIENCE)
    ratio = quantile(beside, 0.95) / quantile(idle, 0.95)
    print(f"p95 beside the training is {ratio:.2f} × that without; goal: {judge_beside(ratio)}")


def _asked(folder: Path, size: int) -> JobFolder:
    """A job as the page makes one, of sixty pairs of noise."""
    noise = np.random.default_rng(0)
    (folder / "pictures").mkdir()
    for number in range(60):
        Image.fromarray(noise.integers(0, 255, (size, 2 * size, 3), dtype=np.uint8)).save(
            folder / "pictures" / f"{number}.png"
        )
    path = folder / "jobs" / "0123456789abcdef"
    path.mkdir(parents=True)
    depth = str(size.bit_length() - 1)
    arguments = ["--size", str(size), "--depth", depth, "--batch-size", "4", "--steps", "1000000"]
    request = {"method": "pix2pix", "name": "beside", "output": str(folder / "beside")}
    data = str(folder / "pictures")
    write_json(path / JOB, {**request, "data": data, "arguments": arguments, "evaluate": False})
    return JobFolder(path)


def _until(job: JobFolder, wanted: str, wish: Wish) -> None:
    """Wish something of a job, and wait until it is so; running, it has also to have done a step of this start."""
    end = time.monotonic() + PATIENCE
    before = job.step()
    job.wish(wish)
    while job.state["state"] != wanted or (wanted == "running" and job.step() <= before):
        if time.monotonic() > end or job.state["state"] == "failed":
            raise SystemExit(f"The training is {job.state}: {job.log.read_text()[-500:] if job.log.exists() else ''}")
        time.sleep(0.2)


def _drawn(page: Served, visitors: int, seconds: float, chance: random.Random, what: str) -> list[Visitor]:
    """What the visitors of a turn saw."""
    everybody, _, _ = asyncio.run(crowd_of(page, visitors, seconds, chance))
    p50, p95 = (1000 * quantile(everybody, share) for share in (0.5, 0.95))
    answers, errors = sum(len(v.seconds) for v in everybody), sum(len(v.complaints) for v in everybody)
    print(f"{what:<18} p50 {p50:5.0f} ms   p95 {p95:5.0f} ms   {answers} answers, {errors} errors", flush=True)
    return everybody
