"""`python -m train METHOD --data DIR --output CHECKPOINT …`: train a method on your images."""

import dataclasses
import logging
from typing import Any

import tyro

from i2i_models.methods import METHODS

from .cli import run
from .loop import train
from .options import Augment, Job, Options


def command(method: str) -> Any:
    """The subcommand that trains a method, its options typed after the method's own config and losses."""
    cls = METHODS[method]
    job = dataclasses.make_dataclass(
        f"{cls.title} training",
        [
            ("options", tyro.conf.OmitArgPrefixes[Options]),
            ("network", tyro.conf.OmitArgPrefixes[cls.Config], dataclasses.field(default_factory=cls.Config)),
            ("objective", tyro.conf.OmitArgPrefixes[cls.Objective], dataclasses.field(default_factory=cls.Objective)),
            ("augment", tyro.conf.OmitArgPrefixes[Augment], dataclasses.field(default_factory=Augment)),
        ],
        bases=(),
    )

    def start(job: tyro.conf.OmitArgPrefixes[job]) -> None:  # type: ignore[valid-type]
        train(method, job)  # type: ignore[arg-type]

    start.__doc__ = f"Train {cls.title}. {(cls.__doc__ or '').splitlines()[0]}"
    return start


def main() -> None:
    """Read the command line and train."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    run(lambda: tyro.extras.subcommand_cli_from_dict({name: command(name) for name in METHODS}))


if __name__ == "__main__":
    main()
