"""One way for every command of ours to end: what a user got wrong is one line and exit code 2."""

import sys
from collections.abc import Callable

from .errors import I2IError


def run(command: Callable[[], object]) -> None:
    """Run a command; an error of ours is printed as one line and exits with 2."""
    try:
        command()
    except I2IError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
