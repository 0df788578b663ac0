"""Networks that run in other processes: the engine on the near side, and what answers it on the far side.

Everything that travels is plain: names, numbers and arrays. How it travels is not decided here (deploy/ray_serve.py).
"""

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..checkpoints import CONFIG, WEIGHTS
from ..directions import Direction
from ..networks.methods import read
from ..networks.network import TranslationNetwork
from .translator import Translator, load

Call = Callable[..., np.ndarray]
"""`call(method, *arguments)`: the answer of a `NetworkServer`'s method, the same whichever of them gives it."""


class RemoteNetworks(NamedTuple):
    """Where networks run that do not run in this process."""

    call: Call
    at_once: int
    """How many calls are worth making at the same time."""


class RemoteEngine:
    """A network elsewhere. To be used as the other engines (engine.py); codes stay here, as tensors on the CPU."""

    name = "remote"
    device = "cpu"

    def __init__(self, source: str, folder: Path, call: Call) -> None:
        """
        Args:
            source: the checkpoint, as the far side loads it: a Hub id, or a folder that it sees too.
            folder: where it lies here.
            call: asks the far side.
        """
        self._source, self._folder, self._call = source, folder, call

    @functools.cached_property
    def network(self) -> TranslationNetwork:
        """A copy here, for those who look inside; translating never needs it.

        Raises:
            CheckpointError: its weights are not those that its config describes.
        """
        return read(self._folder)[0]

    def encode(self, x: Tensor, direction: Direction) -> Tensor:
        """As the network's `encode`."""
        return self._ask("encode", x.numpy(), direction)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """As the network's `encode_style`."""
        return self._ask("encode_style", x.numpy(), domain)

    def decode(
        self,
        codes: Tensor,
        direction: Direction,
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Tensor:
        """As the other engines' `decode`, but that `noise` stays as it was."""
        chance = None if noise is None else noise.get_state().numpy()
        placed = None if style is None else style.numpy()
        return self._ask("decode", codes.numpy(), direction, placed, chance, temperature, draft)

    def _ask(self, method: str, *arguments: Any) -> Tensor:
        return _tensor(self._call(method, self._source, *arguments))


def load_remote(source: str | Path, call: Call) -> Translator:
    """A translator whose network runs elsewhere; here its config, card and examples are read.

    Args:
        source: as for `load`. A folder has to lie at the same path on the far side.
        call: asks the far side, which is a `NetworkServer`.

    Raises:
        CheckpointError: as `load`.
    """
    here = load(source, lazy=True)
    assert here.folder is not None
    return Translator(None, here.info, here.folder, RemoteEngine(place(source), here.folder, call))


def place(source: str | Path) -> str:
    """A checkpoint's source as the far side is told it: a folder's whole path, or the Hub id as it is."""
    return str(Path(source).resolve()) if Path(source).exists() else str(source)


class NetworkServer:
    """The far side: loads a checkpoint when it is first asked for. Safe to call from several threads at once."""

    def __init__(self) -> None:
        self._translators: dict[str, tuple[list[int], Translator]] = {}
        self._loading = threading.Lock()

    def encode(self, source: str, x: np.ndarray, direction: Direction) -> np.ndarray:
        """As the `encode` of the network of the checkpoint `source`."""
        engine = self.translator(source).engine
        return _array(engine.encode(_tensor(x), direction))

    def encode_style(self, source: str, x: np.ndarray, domain: str) -> np.ndarray:
        """As its `encode_style`."""
        engine = self.translator(source).engine
        return _array(engine.encode_style(_tensor(x), domain))

    def decode(
        self,
        source: str,
        codes: np.ndarray,
        direction: Direction,
        style: np.ndarray | None,
        chance: np.ndarray | None,
        temperature: float,
        draft: bool,
    ) -> np.ndarray:
        """As its `decode`; `chance` is the state of the generator there called `noise`."""
        engine = self.translator(source).engine
        noise = None if chance is None else torch.Generator().set_state(_tensor(chance))
        placed = _tensor(codes).to(engine.device)
        chosen = None if style is None else _tensor(style)
        return _array(engine.decode(placed, direction, chosen, noise, temperature, draft))

    def translator(self, source: str) -> Translator:
        """The translator of a checkpoint, loaded again when its files have changed; errors as `load`."""
        paths = [Path(source) / name for name in (CONFIG, WEIGHTS)]
        times = [path.stat().st_mtime_ns for path in paths if path.exists()]  # none of a Hub id
        with self._loading:
            known = self._translators.get(source)
            if known is None or known[0] != times:
                known = self._translators[source] = (times, load(source))
            return known[1]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.copy())  # what travelled may lie in memory that nobody may write to


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
