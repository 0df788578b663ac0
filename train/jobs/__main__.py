"""`python -m train.jobs COMMAND`: what pages and people call; each ends by itself."""

import logging
from pathlib import Path

import tyro

from .supervisor import serve


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

    look_at(draft, paired)


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"tend": tend, "look": look}, prog="python -m train.jobs")
