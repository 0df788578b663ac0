"""A budget in minutes: steps, width and growing follow from how fast this machine trains."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from i2i_models.errors import TrainingError
from i2i_models.networks.network import TranslationNetwork

from . import memory
from .options import Job, Options
from .progress import SPARE

MEASURING = 30.0
"""Seconds that measuring may take; of a short budget a tenth."""
ENOUGH = {True: 16_000, False: 8_000}
"""Images that a training should see at least, with pairs and without: a narrower network that sees so many beats a
wider one that does not. About what the shorter recipes of this project show."""
NARROWEST = 16
"""Channels after the first layer below which nothing looks right."""
SMALLEST_GROWN = 64
"""Pixels a side from which images may grow."""
FEWEST = 20
"""Steps below which a training is none."""
CORRECT_AT = (0.25, 0.5, 0.75)
"""Shares of the steps after which their number is set anew by the time that they took."""

Measure = Callable[[Job, int], float]
"""Seconds that a step of a job takes at an image size in pixels."""


def plan(method: type[TranslationNetwork], job: Job, measure: Measure) -> Job:
    """The job whose steps, width and growing fit into its minutes.

    A width, a growing or a depth that differs from the default was asked for and stays as it is.

    Args:
        measure: is asked from the widest network on until one sees enough images.

    Raises:
        TrainingError: not even the narrowest network gets through `FEWEST` steps.
    """
    o = job.options
    assert o.minutes is not None
    seconds = o.minutes * 60 * SPARE
    for planned, candidate in _fitting(method, job):
        pace = whole = measure(planned, o.size)
        if o.grow_from is None and seconds / whole * o.batch_size < 2 * ENOUGH[method.paired]:
            small = _half(method, candidate)
            if small is not None:
                pace = o.grow_until * measure(small, small.options.grow_from or o.size) + (1 - o.grow_until) * whole
                planned = small
        elif o.grow_from is not None:
            pace = o.grow_until * measure(planned, o.grow_from) + (1 - o.grow_until) * whole
        steps = int(seconds / pace)
        if steps * o.batch_size >= ENOUGH[method.paired]:
            break
    if steps < FEWEST:
        raise TrainingError(
            f"--minutes {o.minutes:g} is too short: a step takes {pace:.1f} s here, and {FEWEST} are the least; "
            f"give at least --minutes {FEWEST * pace / 60 / SPARE:.1f}, or a smaller --size."
        )
    return _with_options(planned, steps=steps, **_intervals(o, steps, pace))


def seconds_a_step(step: Callable[[], None], options: Options) -> float:
    """Seconds that a step takes: the mean of the quicker half of those that fit into the time for measuring.

    Args:
        step: does one and waits for its end. The first makes room and compiles; it counts for nothing.
    """
    taken: list[float] = []
    started = time.monotonic()
    patience = min(MEASURING, 6 * (options.minutes or 0)) / 6
    while len(taken) < 3 or (time.monotonic() - started < patience and len(taken) < 50):
        begun = time.monotonic()
        step()
        taken.append(time.monotonic() - begun)
    quicker = sorted(taken[1:])[: len(taken) // 2]
    return sum(quicker) / len(quicker)


def corrected(options: Options, step: int, seconds: float) -> int:
    """How many steps in all fit into the budget by the time that those so far took.

    Args:
        step: how many are done.
        seconds: of training so far.
    """
    assert options.minutes is not None
    if not step:
        return options.steps
    # Steps at the smaller size are quicker: counted as what they take beside one at full size, by their pixels.
    growing = options.grow_until * options.steps if options.grow_from else 0.0
    share = ((options.grow_from or options.size) / options.size) ** 2
    done = min(step, growing) * share + max(0.0, step - growing)
    left_small = max(0.0, growing - step)
    left = options.minutes * 60 * SPARE - seconds
    whole_steps = left / (seconds / done) - left_small * share
    return max(step + 1, int(step + left_small + whole_steps))


def fitted(method: type[TranslationNetwork], job: Job) -> Job:
    """The job with a U-Net no deeper than its image sizes allow, if its depth is the default."""
    network, default = job.network, cast(Any, method.Config())
    if job.options.start_from or not hasattr(network, "depth") or network.depth != default.depth:
        return job
    sizes = [job.options.size, job.options.grow_from or job.options.size]
    depth = network.depth
    while depth > 2 and any(size % 2**depth for size in sizes):
        depth -= 1
    return dataclasses.replace(job, network=dataclasses.replace(network, depth=depth))


def _fitting(method: type[TranslationNetwork], job: Job) -> list[tuple[Job, Job]]:
    """The candidates of `_widths` that memory has room for, each as it is at one size, and as it was asked for.

    Raises:
        TrainingError: there is room for none.
    """
    pairs = [(fitted(method, candidate), candidate) for candidate in _widths(method, job)]
    free = memory.available()
    found = [(planned, asked) for planned, asked in pairs if memory.needed(method, planned) <= free]
    if not found:
        memory.check(method, pairs[-1][0])
    return found


def _widths(method: type[TranslationNetwork], job: Job) -> Iterator[Job]:
    """The job at the default width, a half of it, and so on; at its own width alone if that was asked for."""
    default: Any = method.Config()
    yield job
    width = getattr(job.network, "base_width", None)
    if width is None or width != default.base_width or job.options.start_from:
        return
    while (width := width // 2) >= NARROWEST:
        narrower = {"base_width": width}
        if getattr(job.network, "discriminator_width", None) == getattr(default, "discriminator_width", 0):
            narrower["discriminator_width"] = width
        yield dataclasses.replace(job, network=dataclasses.replace(job.network, **narrower))


def _half(method: type[TranslationNetwork], job: Job) -> Job | None:
    """The job that grows from half its size, where that is still a picture and its network takes it."""
    half = job.options.size // 2
    grown = fitted(method, _with_options(job, grow_from=half))
    multiple = method(memory.narrow(grown.network)).multiple
    return grown if half >= SMALLEST_GROWN and half % multiple == 0 else None


def _intervals(options: Options, steps: int, pace: float) -> dict[str, int]:
    """Steps between samples and saved states, where they are the defaults: twenty grids, a state a minute."""
    fields = {field.name: field.default for field in dataclasses.fields(options)}
    found = {"sample_every": max(1, steps // 20), "save_every": max(10, int(60 / pace))}
    return {name: value for name, value in found.items() if getattr(options, name) == fields[name]}


def _with_options(job: Job, **changes: Any) -> Job:
    return dataclasses.replace(job, options=dataclasses.replace(job.options, **changes))
