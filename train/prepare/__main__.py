"""`python -m train.prepare COMMAND`."""

import tyro

from i2i_models.cli import run

from .avatars import avatars
from .cars import cars
from .earth import earth
from .fluent import fluent
from .pairs import facades, outlines
from .task import task

COMMANDS = (outlines, facades, avatars, cars, fluent, earth, task)

if __name__ == "__main__":
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {command.__name__: command for command in COMMANDS}, prog="python -m train.prepare"
        )
    )
