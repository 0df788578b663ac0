"""`python -m train METHOD --data DIR --output CHECKPOINT …`: train a method on your images."""

import logging
from collections.abc import Callable
from typing import Any

import tyro

from i2i_models.cli import run
from i2i_models.networks.methods import METHODS

from .data.augmentation import Augmentation
from .data.check import check
from .evaluation.classifier import classifier
from .evaluation.evaluate import evaluate
from .evaluation.label_reader import labelreader
from .evaluation.strip import strip
from .experiments.ablate import ablate
from .experiments.adapt import adapt
from .experiments.azimuth import azimuth
from .experiments.invariance import invariance
from .experiments.report import report
from .loop.distill import distill
from .loop.heap import keep_freed_memory
from .loop.options import Job, Options
from .loop.styles import styles
from .loop.trainer import train
from .publish.push import push
from .publish.space import space


def command(method: str) -> Callable[..., None]:
    """The subcommand that trains a method; its options are the loop's, the method's network's and its losses'."""
    cls = METHODS[method]

    def start(options: Any, network: Any, objective: Any, augment: Any) -> None:
        keep_freed_memory()
        train(method, Job(options, network, objective, augment))

    start.__doc__ = f"Train {cls.title} on your images."
    defaults = {
        "options": Options(data=tyro.MISSING, output=tyro.MISSING, **cls.training_defaults),
        "network": cls.Config(),
        "objective": cls.Objective(),
        "augment": Augmentation(),
    }
    # The command line is read off the signature, which differs from method to method.
    start.__annotations__ = {name: type(value) for name, value in defaults.items()}
    start.__defaults__ = tuple(defaults.values())
    return tyro.conf.configure(tyro.conf.OmitArgPrefixes)(start)


def main() -> None:
    """Read the command line and do what it says."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    commands: dict[str, Callable[..., None]] = {name: command(name) for name in METHODS}
    others: dict[str, Callable[..., None]] = {
        "ablate": ablate,
        "adapt": adapt,
        "azimuth": azimuth,
        "classifier": classifier,
        "check": check,
        "distill": distill,
        "evaluate": evaluate,
        "invariance": invariance,
        "labelreader": labelreader,
        "push": push,
        "report": report,
        "space": space,
        "strip": strip,
        "styles": styles,
    }
    run(lambda: tyro.extras.subcommand_cli_from_dict(commands | others, prog="python -m train"))


if __name__ == "__main__":
    main()
