"""`python -m train.jobs COMMAND`: what pages and people call; each ends by itself."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import tyro

from .folder import Action, JobFolder
from .supervisor import serve

HALF = 10
"""Niceness of what somebody waits for while others draw."""


def tend(root: tyro.conf.Positional[Path]) -> None:
    """Tend the jobs in a folder until none is left to tend; a second one for the same folder ends at once.

    Args:
        root: the folder of jobs, such as runs/jobs.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    serve(root)


def look(draft: tyro.conf.Positional[Path], paired: bool | None = None) -> None:
    """Look at the pictures of a draft, lay them out for training and say in its look.json what they are.

    Args:
        draft: its folder, with a request.json.
        paired: whether they are pairs, if you know better.
    """
    from .look import look as look_at  # torch, which the supervisor does without
    from .runner import give_way

    give_way(HALF)
    look_at(draft, paired)


def hub(job: tyro.conf.Positional[Path], action: tyro.conf.Positional[Action]) -> None:
    """Start a job on HF Jobs, ask how it goes, cancel or forget it, by the token of HF_TOKEN or of `hf auth login`.

    Args:
        job: its folder.
        action: what to do.
    """
    from .hub import drive

    drive(JobFolder(job), action)


def away(repo: tyro.conf.Positional[str], model: tyro.conf.Positional[str]) -> None:
    """Train in a folder that HF Jobs fetched. People need not call it.

    Args:
        repo: where the folder came from.
        model: where the checkpoint goes.
    """
    from .away import away as train_away

    sys.exit(train_away(repo, model))


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"tend": tend, "look": look, "hub": hub, "away": away}
    try:
        tyro.extras.subcommand_cli_from_dict(commands, prog="python -m train.jobs")
    except ValueError as error:
        if type(error).__module__ != "i2i_models.errors":  # imported by those commands alone that need it
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
