"""A page to which happens what happens to servers: killed under load, no room, no home, few handles, an odd clock."""

import asyncio
import contextlib
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .crowd import Play, Visitor, crowd_of
from .served import served

FEW, WHILE = 5, 10.0
"""Visitors, and the seconds for which they play."""
KILLED_AFTER = 8.0
"""Seconds of load."""

# What wraps the page: the wall clock jumps by a day, forth and back, every other second.
JUMPING = """
import sys, time
now = time.time
time.time = lambda: now() + 86400 * (int(time.monotonic() / 2) % 3 - 1)
import app
sys.exit(app.main())
"""


def _limited(kind: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (most, most))


FAULTS: dict[str, dict[str, Any]] = {
    "no fault": {},
    "files of at most 64 kB, as on a full disk": {"preexec_fn": _limited(resource.RLIMIT_FSIZE, 64_000)},
    "a home that cannot be written": {"environment": {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache"}},
    "256 file handles": {"preexec_fn": _limited(resource.RLIMIT_NOFILE, 256)},
    "a clock that jumps by days": {"python": ("-c", JUMPING)},
}


def break_page(checkpoints: Path, seed: int) -> None:
    """Let few visitors play with a page for each fault; a line for each says whether it runs afterwards."""
    print(f"\n{'fault':<44} {'answers':>8} {'errors':>7}  after", flush=True)
    for fault, how in FAULTS.items():
        crowd: list[Visitor] = []
        try:
            with served(checkpoints, **how) as page:
                crowd, _, _ = asyncio.run(crowd_of(page, FEW, WHILE, random.Random(seed)))
                running = "runs" if page.process.poll() is None else f"ended with {page.process.returncode}"
        except SystemExit as error:
            running = str(error)
        answers, errors = sum(len(v.seconds) for v in crowd), sum(len(v.complaints) for v in crowd)
        print(f"{fault:<44} {answers:>8} {errors:>7}  {running}", flush=True)


def kill_page(checkpoints: Path, seed: int) -> None:
    """Kill the page under load, start it again on its port, and say who goes on; they ask again."""

    async def play(port: int) -> tuple[list[Visitor], float, float]:
        """What visitors saw, when the page was killed, and when another one was warm."""
        hour = Play(time.monotonic() + 3600)
        crowd = asyncio.create_task(crowd_of(page, FEW, hour, random.Random(seed), retries=True))
        await asyncio.sleep(KILLED_AFTER)
        page.process.kill()
        killed = time.monotonic()
        with contextlib.ExitStack() as stack:
            # In another thread: the visitors go on asking.
            await asyncio.to_thread(stack.enter_context, served(checkpoints, port=port))
            warm = time.monotonic()
            hour.end = warm + WHILE
            return (await crowd)[0], killed, warm

    with served(checkpoints) as page:
        visitors, killed, warm = asyncio.run(play(int(page.address.rpartition(":")[2])))
    later = [[at for at in visitor.answered if at > killed] for visitor in visitors]
    went_on = [times[0] for times in later if times]
    errors = [complaint for visitor in visitors for complaint in visitor.complaints]
    print(
        f"\nkilled under load and started again: {len(went_on)} of {len(visitors)} went on, {len(errors)} errors",
        f"seconds after the kill: the page was warm again at {warm - killed:.1f}, the last visitor answered at "
        f"{max(went_on, default=float('inf')) - killed:.1f}",
        *(f"  {complaint}" for complaint in sorted(set(errors))[:5]),
        sep="\n",
        flush=True,
    )
