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


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"tend": tend}, prog="python -m train.jobs")
