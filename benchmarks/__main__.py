"""`python -m benchmarks training`, `inference` and `load`."""

import tyro

from i2i_models.cli import run

from .inference import inference
from .load import load
from .training import training

if __name__ == "__main__":
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {"training": training, "inference": inference, "load": load}, prog="python -m benchmarks"
        )
    )
