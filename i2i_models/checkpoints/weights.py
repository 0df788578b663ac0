"""Weights in safetensors files: saved whole or not at all, and compared with a network before they are loaded."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..errors import CheckpointError
from .config import CONFIG


class TrainingState(nn.Module):
    """A module whose buffers a training must keep and a checkpoint has no use for."""


def save_weights(path: Path, module: nn.Module, precision: torch.dtype | None = None) -> None:
    """Write a module's weights, without any `TrainingState`'s.

    Args:
        precision: of floating numbers; float16 by default.
    """
    left_out = tuple(f"{name}." for name, part in module.named_modules() if isinstance(part, TrainingState))
    state = {
        key: (value.to(precision or torch.float16) if value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
        if not key.startswith(left_out)
    }
    # Not `save_file`, whose files nobody but their owner can read: a server may run as another user.
    write_bytes(path, safetensors.torch.save(state, metadata={"format": "pt"}))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    with _reading(path):
        return safetensors.torch.load_file(path)


def load_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says beside its tensors.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    with _reading(path), safe_open(path, "numpy") as file:
        return file.metadata() or {}


def check_header(path: Path) -> None:
    """Check that a safetensors file is there and whole, by its header alone.

    Raises:
        CheckpointError: it is not.
    """
    with _reading(path), safe_open(path, "numpy"):
        pass


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn safetensors' errors into ours."""
    try:
        yield
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: copy or download the checkpoint again.") from None
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError):
        raise CheckpointError(f"{path} is damaged: copy or download the checkpoint again.") from None


def check_weights(path: Path, state: Mapping[str, Tensor], network: nn.Module) -> None:
    """Compare names, shapes and kinds of weights with what the network wants, before anything is built.

    Raises:
        CheckpointError: names the first tensor that differs and what was expected.
    """
    wanted = network.state_dict()
    for key, value in wanted.items():
        if key not in state:
            raise CheckpointError(f"{path}: tensor {key} is missing; the file does not fit {CONFIG}.")
        if state[key].shape != value.shape:
            found, expected = tuple(state[key].shape), tuple(value.shape)
            raise CheckpointError(f"{path}: tensor {key} has shape {found}, but {CONFIG} describes {expected}.")
        if state[key].is_floating_point() != value.is_floating_point() or state[key].is_complex():
            raise CheckpointError(f"{path}: tensor {key} holds {state[key].dtype}, which the network cannot take.")
        # As float32, which the network computes in: a larger kind may hold numbers that are infinite there.
        if state[key].is_floating_point() and not bool(state[key].float().isfinite().all()):
            raise CheckpointError(f"{path}: tensor {key} holds NaN or infinite values; the file is damaged.")
    if extra := sorted(set(state) - set(wanted)):
        raise CheckpointError(f"{path}: tensor {extra[0]} is not part of {CONFIG}'s network.")


def in_float32(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights with all floating numbers as float32."""
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def without_training_state(module: nn.Module) -> nn.Module:
    """The module itself, its children that are a `TrainingState` removed."""
    for name, part in list(module.named_children()):
        if isinstance(part, TrainingState):
            delattr(module, name)
    return module
