"""A crowd against the real page in a process of its own, alone, beside a hostile visitor, and while things break."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from .crowd import crowd_of, quantile, report
from .faults import break_page, kill_page
from .goals import judge_hostile, opening
from .hostile import add_large_card, describe, flooded
from .served import Served, served

Part = Literal["alone", "beside", "killed", "faults"]
ALL: tuple[Part, ...] = ("alone", "beside", "killed", "faults")


def load(
    visitors: int = 50,
    seconds: float = 60.0,
    checkpoints: Path = Path("checkpoints"),
    names: tuple[str, ...] = (),
    seed: int = 0,
    hostile: bool = False,
    parts: tuple[Part, ...] = ("alone",),
) -> None:
    """Let a crowd play with the page and print how it was answered.

    The visitors run on the same machine as the page and take a part of its processor.

    Args:
        visitors: how many, each with a session of their own; half of them drag styles where a model has styles.
        seconds: for how long, with and without the hostile visitor.
        checkpoints: the folder of checkpoints that the page serves.
        names: only these of them, which are warm the sooner.
        seed: of what they do.
        hostile: all parts.
        parts: alone, a crowd; beside, the same crowd while one more visitor floods the page with all that costs it
            something; killed, the page ends in the middle and starts again; faults, disk, home, handles and clock fail.
    """
    print(opening(), flush=True)
    waits: dict[Part, float] = {}
    with _chosen(checkpoints, names) as folder:
        for part in ALL if hostile else parts:
            if part == "alone":
                waits[part] = _alone(folder, visitors, seconds, seed)
            elif part == "beside":
                waits[part] = _beside(folder, visitors, seconds, seed)
                if "alone" in waits:
                    ratio = waits["beside"] / waits["alone"]
                    print(f"p95 is {ratio:.2f} × that without; goal: {judge_hostile(visitors, seconds, ratio)}")
            elif part == "killed":
                kill_page(folder, seed)
            else:
                break_page(folder, seed)


def _alone(checkpoints: Path, visitors: int, seconds: float, seed: int) -> float:
    """The 95th percentile of a crowd's waits, in seconds."""
    with served(checkpoints) as page:
        crowd = asyncio.run(crowd_of(page, visitors, seconds, random.Random(seed)))
    print(f"{report(*crowd)}\n{_ended(page)}", flush=True)
    return quantile(crowd[0], 0.95)


def _beside(checkpoints: Path, visitors: int, seconds: float, seed: int) -> float:
    """The 95th percentile of a crowd's waits, in seconds, while somebody floods the page."""
    with add_large_card(checkpoints) as folder, served(folder) as page, flooded(page.address, seconds, seed) as flood:
        crowd = asyncio.run(crowd_of(page, visitors, seconds, random.Random(seed)))
        answered = flood.result()
    print(f"\nbeside a hostile visitor\n{report(*crowd)}\n{describe(answered)}\n{_ended(page)}", flush=True)
    return quantile(crowd[0], 0.95)


def _ended(page: Served) -> str:
    return f"told to end, the page left with exit code {page.process.returncode}"


@contextlib.contextmanager
def _chosen(checkpoints: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """The folder itself, or one with links to the checkpoints of these names.

    Raises:
        SystemExit: there is none of a name.
    """
    if not names:
        yield checkpoints
        return
    with tempfile.TemporaryDirectory() as made:
        for name in names:
            if not (checkpoints / name / "config.json").is_file():
                raise SystemExit(f"{checkpoints} has no checkpoint {name}.")
            (Path(made) / name).symlink_to((checkpoints / name).resolve())
        yield Path(made)
