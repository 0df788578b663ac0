"""What runs a network: OpenVINO on CPUs, torch on GPUs and as the reference.

Each direction has a graph for its encoder and one for its decoder. They are made when they are first needed, which
takes seconds, or a tenth of a second when the graph is found on disk (graph.py). While a graph is being made, the
network itself answers.
"""

import contextlib
import functools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..directions import Direction
from ..errors import EngineError
from ..images.tensors import layout_on
from ..networks.network import TranslationNetwork
from .graph import Graph, best_precision, is_kept

log = logging.getLogger(__name__)

Choice = Literal["auto", "openvino", "torch"]

SLOW_DRAFT = 0.012
"""Seconds that a decoder may take before drafts are drawn at half size …"""
WORTH_IT = 0.75
"""… if that takes at most this share of the time."""

_building = threading.Lock()
"""Held while a graph is made: tracing is not safe in two threads at once, and would only be slower."""


class Engine(Protocol):
    """What runs a network: here by torch or OpenVINO, or in another process. Safe to call from several threads."""

    name: str
    device: str

    @property
    def network(self) -> TranslationNetwork:
        """The network itself, on `(N, 3, H, W)` in [-1, 1]."""

    def encode(self, x: Tensor, direction: Direction) -> Tensor:
        """As the network's `encode`, float32."""

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """As the network's `encode_style`, float32."""

    def decode(
        self,
        codes: Tensor,
        direction: Direction,
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Tensor:
        """As the network's `decode`, float32; a draft may be coarser where that is quicker."""


def requested() -> Choice:
    """What `I2I_ENGINE` asks for; auto if it is not set.

    Raises:
        EngineError: it is none of the engines.
    """
    choice: Any = os.environ.get("I2I_ENGINE") or "auto"
    if choice not in get_args(Choice):
        raise EngineError(f"I2I_ENGINE must be auto, openvino or torch, not {choice!r}.")
    return choice


def make_engine(network: TranslationNetwork, choice: Choice | None = None, exact: Collection[Direction] = ()) -> Engine:
    """The engine for a network in eval mode; `I2I_COMPILE=1` asks torch's to compile it.

    Args:
        choice: `I2I_ENGINE` by default. auto is torch where there is a GPU, else OpenVINO, which the benchmark
            (`python -m benchmarks inference`) finds as quick as torch or quicker on every CPU tried, else torch.
        exact: directions in which OpenVINO shall keep to float32, as its engine says.

    Raises:
        EngineError: no engine's name. An engine that is not there costs time, and a warning.
    """
    device = _torch_device()
    if chosen(choice) == "openvino":
        return OpenVINOEngine(network, exact)
    # Compiled not by default: half a minute a network before the first picture.
    return TorchEngine(network, device, compiled=os.environ.get("I2I_COMPILE") == "1")


def chosen(choice: Choice | None = None) -> Literal["openvino", "torch"]:
    """The engine that `make_engine` takes; arguments and errors as there."""
    choice = choice or requested()
    if choice == "torch" or (choice == "auto" and _torch_device() != "cpu"):
        return "torch"
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        _warn_once(
            f"OpenVINO cannot be imported ({error}): torch does its work, more slowly; `pip install openvino` brings it"
        )
        return "torch"
    return "openvino"


@functools.cache
def _warn_once(sentence: str) -> None:
    log.warning("%s", sentence)


@contextlib.contextmanager
def graphs_made_apart(folders: Iterable[Path]) -> Iterator[subprocess.Popen[bytes]]:
    """Make the graphs of checkpoints in another process; until this ends, the networks here answer themselves.

    Making a graph holds Python's interpreter for seconds, in which a server could not answer. Afterwards the graphs are
    found on disk. The process can be terminated early.
    """
    command = [sys.executable, "-m", "i2i_models", "prepare", *(str(folder.resolve()) for folder in folders)]
    with _building:
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.wait()


def on_zero_gpu() -> bool:
    """Whether this is a Space on ZeroGPU, where a GPU is lent by the call and to another process."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def _torch_device() -> str:
    if on_zero_gpu():
        return "cpu"  # torch is made to say there that it has CUDA, and would fail when it is used
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


class TorchEngine:
    """The network itself: bfloat16 where a GPU has it, float32 elsewhere; on request through `torch.compile`."""

    name = "torch"

    def __init__(self, network: TranslationNetwork, device: str = "cpu", compiled: bool = False) -> None:
        self.device = device
        self.network = network.to(device).to(memory_format=layout_on(device))
        self._bfloat16 = device == "cuda" and torch.cuda.is_bf16_supported()
        if compiled:
            for part in network.children():
                for module in part.children() if isinstance(part, torch.nn.ModuleDict) else [part]:
                    module.compile()

    def encode(self, x: Tensor, direction: Direction) -> Tensor:
        """As the network's `encode`, float32."""
        with self._running():
            return self.network.encode(self._placed(x), direction).float()

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """As the network's `encode_style`, float32."""
        with self._running():
            return self.network.encode_style(self._placed(x), domain).float()

    def decode(
        self,
        codes: Tensor,
        direction: Direction,
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Tensor:
        """As the network's `decode`, float32. A draft takes as long here."""
        with self._running():
            return self.network.decode(codes, direction, style, noise, temperature).float()

    def _placed(self, x: Tensor) -> Tensor:
        return x.to(self.device, memory_format=layout_on(self.device))

    @contextlib.contextmanager
    def _running(self) -> Any:
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self._bfloat16):
            yield


class OpenVINOEngine:
    """The network's encoders and decoders as OpenVINO graphs, in bfloat16 where the processor has it.

    `exact` directions keep to float32: those that draw strokes or flat colours, whose edges are so steep that
    bfloat16 moves single pixels by up to 39 of 255; in photos and emoji it is 4. Only drafts of them, which a
    better picture replaces as soon as a slider rests, are decoded in bfloat16. Where even that is slow, as measured
    at the first draft, and the network can, drafts are drawn at half size and enlarged.

    Batch, height and width are free. What is drawn at random is drawn by torch and handed to the graph, so that
    a seed means the same in both engines; dropout, which sits between the layers, is left to torch altogether.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, network: TranslationNetwork, exact: Collection[Direction] = ()) -> None:
        self.torch = TorchEngine(network)
        self._exact = frozenset(exact)
        self.network = self.torch.network
        self._graphs: dict[tuple[str, str, str], Callable[..., Any]] = {}
        self._drafts: dict[Direction, nn.Module | None] = {}

    def encode(self, x: Tensor, direction: Direction) -> Tensor:
        """As the network's `encode`."""
        encoder = self.network.encoder(direction) if direction in self.network.directions else None
        if encoder is None:  # the image is its own code
            return self.torch.encode(x, direction)
        self.network.check_image(x, direction)
        return self._run("encoder", direction, self._precision(direction), encoder, x)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """As the network's `encode_style`; by torch, since a guide's style is read once and not at every move."""
        return self.torch.encode_style(x, domain)

    def decode(
        self,
        codes: Tensor,
        direction: Direction,
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
        draft: bool = False,
    ) -> Tensor:
        """As the network's `decode`; a draft may be coarser where that is quicker."""
        if noise is not None and self.network.chance == "dropout":
            return self.torch.decode(codes, direction, style, noise, temperature)
        self.network.check_direction(direction)
        inputs = self.network.decoder_inputs(codes, style, noise, temperature)
        precision = self._precision(direction, draft)
        decode = functools.partial(self._run, "decoder", direction, precision, self.network.decoder(direction), *inputs)
        # While its graph is not there, the network itself answers, whose time says nothing.
        if draft and direction not in self._drafts and ("decoder", direction, precision) in self._graphs:
            self._decide_drafts(direction, precision, inputs, decode)
        coarse = self._drafts.get(direction) if draft else None
        if coarse is None:
            return decode()
        small = self._run("draft", direction, precision, coarse, *inputs)
        return F.interpolate(small, scale_factor=2.0, mode="bicubic").clamp_(-1, 1)

    def _decide_drafts(
        self, direction: Direction, precision: str, inputs: tuple[Tensor, ...], decode: Callable[[], Tensor]
    ) -> None:
        """Draw drafts at half size from now on, if the decoder is slow and that is worth it, by the time of either."""
        coarse = self.network.draft_decoder(direction)
        if coarse is None or (whole := _quickest(decode)) < SLOW_DRAFT:
            self._drafts[direction] = None
            return
        half = _quickest(lambda: self._run("draft", direction, precision, coarse, *inputs))
        if ("draft", direction, precision) in self._graphs:
            self._drafts[direction] = coarse if half < WORTH_IT * whole else None

    def is_kept(self) -> bool:
        """Whether all its graphs are on disk, from where they are had in a tenth of a second each."""
        network, drafts = self.network, {False, self.network.capabilities.drafts}
        needed = [(network.encoder(d), self._precision(d)) for d in network.directions]
        needed += [(network.decoder(d), self._precision(d, draft)) for d in network.directions for draft in drafts]
        return all(module is None or is_kept(module, precision) for module, precision in needed)

    def _precision(self, direction: Direction, draft: bool = False) -> str:
        return "f32" if direction in self._exact and not draft else best_precision()

    def _run(self, part: str, direction: Direction, precision: str, module: nn.Module, *inputs: Tensor) -> Tensor:
        key = (part, direction, precision)
        run = self._graphs.get(key)
        if run is None and _building.acquire(blocking=False):
            try:
                run = self._graphs.get(key) or _graph_of(module, inputs, precision)
                self._graphs[key] = run
            finally:
                _building.release()
        # While another thread makes a graph, this one or another, nobody waits: the network itself answers.
        with torch.inference_mode():
            return (run or module)(*inputs)


def _quickest(call: Callable[[], object]) -> float:
    """Seconds of the quickest of three calls, after one in which whatever is made at the first is made."""
    times = []
    for _ in range(4):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _graph_of(module: nn.Module, inputs: tuple[Tensor, ...], precision: str) -> Callable[..., Any]:
    try:
        return Graph(module, [x[:1] for x in inputs], precision)
    except Exception:
        log.exception("OpenVINO cannot run this network: torch does, more slowly")
        return module
