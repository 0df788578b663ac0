"""`python -m benchmarks training`, `inference`, `load`, `jobs`, `page` and `browser`."""

import signal

import tyro

from i2i_models.cli import run

from .browser import browser
from .inference import inference
from .jobs import jobs
from .load import load
from .page import page
from .training import training

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the page that is measured ends, too
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {
                "training": training,
                "inference": inference,
                "load": load,
                "jobs": jobs,
                "page": page,
                "browser": browser,
            },
            prog="python -m benchmarks",
        )
    )
