"""`python -m benchmarks training`."""

import tyro

from i2i_models.cli import run

from .training import training

if __name__ == "__main__":
    run(lambda: tyro.extras.subcommand_cli_from_dict({"training": training}, prog="python -m benchmarks"))
