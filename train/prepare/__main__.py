"""`python -m train.prepare COMMAND`."""

import tyro

from i2i_models.cli import run

from .pairs import facades, outlines

COMMANDS = (outlines, facades)

if __name__ == "__main__":
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {command.__name__: command for command in COMMANDS}, prog="python -m train.prepare"
        )
    )
