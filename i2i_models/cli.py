"""How every command ends: a user's mistake is printed as one line, and the exit code is 2."""

import sys
from collections.abc import Callable

from .errors import I2IError


def run(command: Callable[[], object]) -> None:
    """Run a command; an I2IError is printed as one line, and the process exits with 2."""
    try:
        command()
    except I2IError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
