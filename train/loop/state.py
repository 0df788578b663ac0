"""The state of a run on disk: whole or not at all."""

import contextlib
import dataclasses
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn

from i2i_models import checkpoints
from i2i_models.errors import TrainingError
from i2i_models.networks import methods
from i2i_models.networks.network import TranslationNetwork

STATE = "state.pt"
"""The file of the state in a run folder."""


@contextlib.contextmanager
def alone(run: Path, output: Path) -> Iterator[None]:
    """Hold a run folder and the checkpoint's; the system lets them go when this process ends, however it does.

    Raises:
        TrainingError: another training is writing there, or nothing can be written there.
    """
    beside = output.with_name(f".{output.name}.lock")  # in it, it would be a part of the checkpoint
    with contextlib.ExitStack() as held:
        for folder, file in ((run, run / "training.lock"), (output, beside)):
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(file).acquire(timeout=0))
            except Timeout:
                raise TrainingError(
                    f"Another training is writing to {folder}: wait for its end, or name another --output or --run."
                ) from None
            except OSError as error:
                raise TrainingError(
                    f"Nothing can be written in {file.parent} ({error.strerror}): name another --output or --run."
                ) from None
        try:
            yield
        finally:
            if os.name == "posix":  # elsewhere nobody can delete what is open; left behind, it does no harm
                beside.unlink(missing_ok=True)


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state beside the last one, then put it in its place: a crash or a full disk leaves the last one.

    Raises:
        TrainingError: it could not be written; says that the last state still stands.
    """
    temporary = folder / (STATE + ".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / STATE)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        temporary.unlink(missing_ok=True)
        raise TrainingError(
            f"The state of step {state['step']} could not be saved in {folder} ({error}); "
            "the state saved before it is whole: make room, then go on with --resume."
        ) from None


def load_state(folder: Path) -> dict[str, Any]:
    """Read the last saved state, tensors on the CPU.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    path = folder / STATE
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"{path} is not there: nothing to resume; leave --resume out to start.") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise TrainingError(f"{path} is damaged ({type(error).__name__}): delete {folder} and start again.") from None


def start_from(folder: Path, network: TranslationNetwork, discriminators: nn.Module) -> None:
    """Load the weights of a checkpoint, and those of its discriminators where it has them and they are built alike.

    Other discriminators, such as ones that look at more scales, begin anew beside the trained generators.

    Raises:
        CheckpointError: the folder is no checkpoint, or a damaged one.
        TrainingError: it has another method or other widths.
    """
    found, info = methods.read(folder)
    ours, theirs = (_without_discriminators(n.config) for n in (network, found))
    if type(found) is not type(network) or theirs != ours:
        raise TrainingError(
            f"--start-from {folder}: that is {info.method} with {found.config}, "
            f"not {network.method} with {network.config}: name these settings, or another checkpoint."
        )
    network.load_state_dict(found.state_dict())
    if found.config == network.config and (folder / checkpoints.DISCRIMINATOR).is_file():
        # A checkpoint leaves out what only training needs, such as a pool of images; that starts anew.
        trained = checkpoints.read_discriminators(folder, found).state_dict()
        discriminators.load_state_dict({**discriminators.state_dict(), **trained})


def _without_discriminators(config: Any) -> dict[str, Any]:
    """A network's settings but those of its discriminators, which a checkpoint need not have."""
    return {name: v for name, v in dataclasses.asdict(config).items() if not name.startswith("discriminator_")}
