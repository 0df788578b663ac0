"""Networks that judge results, each kept as one safetensors file with its settings in the metadata."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from i2i_models.errors import CheckpointError

N = TypeVar("N", bound=nn.Module)


def keep(path: Path, kind: str, settings: dict[str, Any], state: dict[str, Tensor]) -> None:
    """Write a network.

    Args:
        kind: what the settings stand under.
        settings: what it is built from.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in state.items()}, path, metadata={kind: json.dumps(settings)})


def read_kept(path: Path, kind: str, called: str, build: Callable[[dict[str, Any]], N]) -> N:
    """Read what `keep` wrote, weights in float32; in eval mode.

    Args:
        called: the kind, in words.
        build: settings → the network.

    Raises:
        CheckpointError: the file is damaged or holds something else.
    """
    try:
        with safe_open(path, "pt") as file:
            network = build(json.loads(file.metadata()[kind]))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path} is no {called} or damaged ({error}): train it again.") from None
    return network.eval().requires_grad_(False)
