"""A module as OpenVINO runs it: traced from torch, compiled for this processor, kept on disk.

OpenVINO is imported inside of functions, since torch does its work where it is missing.
"""

import contextlib
import contextvars
import functools
import hashlib
import hmac
import io
import logging
import os
import secrets
import stat
import threading
import warnings
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..networks.resnet import FOLD_TRACED

log = logging.getLogger(__name__)

KEPT_FILES = 100
"""Compiled graphs on disk; the least recently used ones beyond are removed."""
DIGEST_BYTES = 32
WRONG = 0.2
"""Root mean square error, as a share of the values', from which a result in bfloat16 is a mistake and no rounding."""
KEY = "key"
"""The file beside the graphs with what their digests are keyed by: whoever cannot read it cannot make a graph."""


class Graph:
    """A module as OpenVINO runs it, traced from an example and free in batch, height and width.

    Threads take turns: one call already keeps every core busy.
    """

    def __init__(self, module: nn.Module, example: list[Tensor], precision: str | None = None) -> None:
        """
        Args:
            example: the module's inputs `(1, …)`.
            precision: bf16 or f32; by default what the processor has.
        """
        self.precision = precision or best_precision()
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.precision}
        file = _cache_file(module, self.precision, processor())
        model = _from_cache(file, options)
        if model is None:
            converted = _converted(module, example, self.precision)
            model = core().compile_model(converted, "CPU", options)
            if self.precision == "bf16" and not _agrees(model, module, example):
                log.warning("bfloat16 computes wrongly with this processor and OpenVINO: float32 it is, more slowly")
                self.precision = "f32"  # not kept on disk: read back, it would be made in bfloat16 again
                model = core().compile_model(converted, "CPU", {**options, "INFERENCE_PRECISION_HINT": "f32"})
            else:
                _to_cache(model, file)
        self._request = model.create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, *inputs: Tensor) -> Tensor:
        """As the module, on CPU tensors; float32."""
        arrays = [x.detach().float().contiguous().numpy() for x in inputs]
        with self._lock:
            return torch.from_numpy(self._request.infer(arrays)[0])


def _agrees(model: Any, module: nn.Module, example: list[Tensor]) -> bool:
    """Whether a compiled model computes what the module does, but for bfloat16's rounding, which is below 1 %."""
    with torch.inference_mode():
        wanted = module(*example).float()
    found = torch.from_numpy(
        model.create_infer_request().infer([x.detach().float().contiguous().numpy() for x in example])[0]
    )
    return bool((found - wanted).square().mean() <= WRONG**2 * wanted.square().mean() + 1e-6)


def is_kept(module: nn.Module, precision: str | None = None) -> bool:
    """Whether a module's compiled graph is on disk. Arguments as `Graph`."""
    file = _cache_file(module, precision or best_precision(), processor())
    return file is not None and file.is_file()


@functools.cache
def core() -> Any:
    """The process's only Core: the CPU plugin moves the stack that signals are handled on, and when several Cores
    go it may put back one that is gone, so that the next signal, even SIGTERM, is a segmentation fault."""
    import openvino

    return openvino.Core()


def best_precision() -> Literal["bf16", "f32"]:
    """bf16 where this processor computes in bfloat16, f32 elsewhere."""
    return "bf16" if "BF16" in abilities() else "f32"


def abilities() -> list[str]:
    """The kinds of numbers that this processor computes in quickly, by OpenVINO's names: FP32, INT8, BF16 …"""
    return core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def processor() -> str:
    """The processor's name."""
    return core().get_property("CPU", "FULL_DEVICE_NAME").strip()


def _converted(module: nn.Module, example: list[Tensor], precision: str) -> Any:
    """The module as OpenVINO reads it, laid out as is quickest in a precision."""
    context = contextvars.copy_context()
    context.run(FOLD_TRACED.set, precision != "bf16")
    return context.run(_traced, module, example)


def _traced(module: nn.Module, example: list[Tensor]) -> Any:
    import openvino

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on Python's view of shapes, which the tests prove harmless
        # Traced here and not by OpenVINO, which would run the module twice more to check the trace.
        traced = torch.jit.trace(module, tuple(x.clone() for x in example), check_trace=False)
        return openvino.convert_model(traced, example_input=tuple(example))


def _cache_file(module: nn.Module, precision: str, processor: str) -> Path | None:
    """Where a module's compiled graph is kept: named by all that it was made of. None if there is no place."""
    import openvino

    made_of = hashlib.sha256()
    for text in (openvino.__version__, torch.__version__, processor, precision, repr(module)):
        made_of.update(text.encode() + b"\0")
    for source in sorted(Path(__file__).parents[1].rglob("*.py")):
        made_of.update(source.read_bytes())
    for name, value in module.state_dict().items():
        made_of.update(f"{name} {tuple(value.shape)}".encode())
        made_of.update(value.detach().contiguous().numpy().tobytes())
    try:
        return cache_folder() / f"{made_of.hexdigest()}.graph"
    except RuntimeError:  # a user without a home
        return None


def cache_folder() -> Path:
    """Where compiled graphs are kept: `i2i_models` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "i2i_models"


def _from_cache(file: Path | None, options: dict[str, str]) -> Any:
    """The compiled graph in a file; None if it is missing or damaged."""
    if file is None:
        return None
    try:
        data = file.read_bytes()
        digest, graph = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if not hmac.compare_digest(digest, _digest(graph, file.parent)):  # OpenVINO trusts what it reads
            raise ValueError("wrong digest")
        model = core().import_model(graph, "CPU", options)
        file.touch()
        return model
    except FileNotFoundError:
        return None
    except Exception as error:
        log.warning("%s cannot be used (%s): making it again", file, error)
        return None


def _to_cache(model: Any, file: Path | None) -> None:
    """Keep a compiled graph, whole or not at all; that it cannot be kept costs time at the next start, no more."""
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        exported = io.BytesIO()
        model.export_model(exported)
        graph = exported.getvalue()
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_bytes(_digest(graph, file.parent) + graph)
        os.replace(temporary, file)
        kept = sorted(file.parent.glob("*.graph"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[KEPT_FILES:]:
            old.unlink()
    except Exception as error:
        log.warning("the compiled graph cannot be kept in %s (%s)", file.parent, error)


def _digest(data: bytes, folder: Path) -> bytes:
    return hmac.digest(_key(folder), data, "sha256")


def _key(folder: Path) -> bytes:
    """The key of a folder, made if there is none.

    Raises:
        PermissionError: others than this user may write into the folder or read the key.
    """
    if not is_private(folder, forbidden=0o022):
        raise PermissionError(f"{folder} can be written by other users: chmod 700 {folder}")
    path = folder / KEY
    if not path.exists():
        temporary = folder / f"{KEY}.{os.getpid()}.tmp"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(DIGEST_BYTES))
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(temporary, path)
        temporary.unlink()
    if not is_private(path):
        raise PermissionError(f"{path} is open to other users: delete it")
    return path.read_bytes()


def is_private(path: Path, forbidden: int = 0o077) -> bool:
    """Whether a path is this user's and nobody has the `forbidden` rights to it. Where there are no owners, always."""
    if not hasattr(os, "getuid"):
        return True
    state = path.lstat()
    return state.st_uid == os.getuid() and not stat.S_ISLNK(state.st_mode) and not state.st_mode & forbidden
