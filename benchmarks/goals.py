"""What page and trainings shall reach on two cores, and whether this machine does."""

import os
from typing import NamedTuple

import psutil

from i2i_models.inference.graph import abilities, best_precision, processor
from i2i_models.networks.methods import METHODS


class Waits(NamedTuple):
    """Milliseconds from a hand to its picture, at most: the median and the 95th percentile."""

    p50: float
    p95: float

    def judge(self, p50: float, p95: float) -> str:
        """Whether waits of these milliseconds are short enough."""
        return f"{_met(p50 <= self.p50 and p95 <= self.p95)} ({self.p50:g} / {self.p95:g} ms)"


WITH_BF16 = Waits(30, 55)
STYLE, STROKE, LARGE_STROKE = Waits(40, 80), Waits(60, 90), Waits(80, 110)
"""Without bfloat16: a move of the style slider, a stroke, and a stroke where images are larger than 128 pixels."""
BROWSER = 60.0
"""Milliseconds of a MUNIT of width 16 at 128 pixels in a browser, WASM with one thread, a picture in another style."""
CROWD, CROWD_SECONDS, CROWD_P95 = 50, 60.0, 1.0
"""So many visitors for so many seconds shall see no error and wait so many seconds, 19 times of 20."""
BESIDE_HOSTILE = 1.5
"""How many times as long that crowd may wait, 19 times of 20, while a hostile visitor floods the page."""
FLAT, FLAT_SECONDS = 1.1, 300.0
"""How far the page's memory may grow, as a ratio, in a run of at least so many seconds."""
BESIDE_TRAINING = 3.0
"""How many times as long strokes may wait, 19 times of 20, while a training of the page runs."""
TRAINING_AT = {"width": 64, "size": 128, "batch_size": 1}
"""The settings for which a training's goal is meant."""
U_NETS, OTHERS = 2.0, 1.6
"""Without bfloat16: images a second beside the plain float32 loop, for methods with U-Nets and for the others."""


def opening() -> str:
    """The processor, what it can do, and how many cores are free now, looked at for a second."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = cores * (1 - psutil.cpu_percent(1.0) / 100)
    return (
        f"{processor()}: {', '.join(abilities())}; {cores} cores, {free:.1f} of them free. Goals are those of two free "
        f"cores {'with' if best_precision() == 'bf16' else 'without'} bfloat16."
    )


def waits(what: str, size: int) -> Waits:
    """The goal of a `stroke` or a `style` of a checkpoint of `size` pixels, on this processor."""
    if best_precision() == "bf16":
        return WITH_BF16
    return STYLE if what == "style" else STROKE if size <= 128 else LARGE_STROKE


def judge_browser(decode: float) -> str:
    """Whether a width-16 MUNIT at 128 pixels is quick enough in a browser's WASM with one thread, in milliseconds."""
    return f"{_met(decode <= BROWSER)} ({BROWSER:g} ms)"


def judge_crowd(visitors: int, seconds: float, errors: int, p95: float) -> str:
    """Whether a crowd was answered well enough, p95 in seconds."""
    if visitors < CROWD or seconds < CROWD_SECONDS:
        return f"none (it is one of {CROWD} visitors for {CROWD_SECONDS:g} s)"
    return f"{_met(not errors and p95 <= CROWD_P95)} (no error, p95 ≤ {CROWD_P95:g} s)"


def judge_hostile(visitors: int, seconds: float, ratio: float) -> str:
    """Whether a crowd waits little enough beside a hostile visitor, by the 95th percentiles with over without."""
    if visitors < CROWD or seconds < CROWD_SECONDS:
        return f"none (it is one of {CROWD} visitors for {CROWD_SECONDS:g} s)"
    return f"{_met(ratio <= BESIDE_HOSTILE)} (≤ {BESIDE_HOSTILE:g} ×)"


def judge_memory(seconds: float, ratio: float, most: float) -> str:
    """Whether memory stays flat: the second half's mean and the most there was, both over the first half's mean."""
    if seconds < FLAT_SECONDS:
        return f"none (it is one of {FLAT_SECONDS:g} s)"
    return f"{_met(max(ratio, most) <= FLAT)} (neither mean nor most above {FLAT:g} × the first half's mean)"


def judge_training(method: str, ratio: float, bf16: bool, **settings: int) -> str:
    """Whether a training is quick enough, `ratio` beside the plain float32 loop."""
    if bf16 or settings != TRAINING_AT:
        return "none"
    goal = U_NETS if "depth" in METHODS[method].Config.__dataclass_fields__ else OTHERS
    return f"{_met(ratio >= goal)} (≥ {goal:g})"


def judge_beside(ratio: float) -> str:
    """Whether strokes wait little enough beside a training, by the 95th percentile with it over that without."""
    return f"{_met(ratio <= BESIDE_TRAINING)} (≤ {BESIDE_TRAINING:g} ×)"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
