"""Milliseconds a call of every encoder and decoder: torch and OpenVINO in turns, in one run on one machine."""

import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import i2i_models as i2i
from i2i_models.inference.graph import Graph, best_precision
from i2i_models.networks import methods
from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.resnet import FOLD_FROM

from .goals import opening
from .plain import make_plain

SAVINGS = "plain layers"
"""The way that enlarges before convolving, in OpenVINO float32: what the exact savings are measured against."""
Ways = dict[str, Callable[[], object]]
COLUMNS = (
    "torch float32",
    "torch float32, channels_last",
    "torch bf16, channels_last",
    "OpenVINO float32",
    "OpenVINO bf16",
)
PAPERS = {
    "pix2pix, U-Net 64 at 256": lambda: i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=64, depth=8)),
    "MUNIT 64 at 256": lambda: i2i.MUNIT(i2i.MUNITConfig(base_width=64)),
}
"""The papers' sizes, with random weights: their time does not depend on what they learned."""
PAPER_SIZE = 256


def inference(
    checkpoints: Path = Path("checkpoints"), papers: bool = True, rounds: int = 9, batch_size: int = 1
) -> None:
    """Time every checkpoint and the papers' full sizes: torch eager, torch bf16 and OpenVINO.

    Args:
        checkpoints: a folder of checkpoint folders.
        papers: whether the papers' sizes are measured too.
        rounds: how often every way is measured in turn; the median counts.
        batch_size: images in a call.
    """
    bf16 = best_precision() == "bf16"
    peaks = {"float32": peak(torch.float32), **({"bf16": peak(torch.bfloat16)} if bf16 else {})}
    print(opening())
    print(
        f"{torch.get_num_threads()} threads, batch {batch_size}; a large matrix product reaches "
        + ", ".join(f"{rate / 1e9:.0f} G multiply-adds/s in {name}" for name, rate in peaks.items())
        + ("" if bf16 else "; this processor has no bf16")
        + ".\nMilliseconds, and in brackets how many times as fast as torch float32 as it comes (contiguous memory)."
        + "\n'exact savings': the time in OpenVINO float32 of layers that enlarge before they convolve, beside ours."
        + "\n'of peak' is the quickest way's multiply-adds a second beside that matrix product.\n"
    )
    titles = ("network", "G multiply-adds", *COLUMNS, "exact savings", "of peak")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}", flush=True)
    # What is compiled here is of no use to anybody later.
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": cache}):
        for name, network, size in networks(checkpoints, papers):
            for part, module, inputs in parts(network, size, batch_size):
                plain = make_plain(copy.deepcopy(module))
                with mock.patch.dict(FOLD_FROM, {False: 0, True: 0}):  # as graphs do
                    work, plain_work = multiply_adds(module, inputs), multiply_adds(plain, inputs)
                found = ways(module, inputs, bf16)
                if plain_work > work:
                    graph = Graph(plain, [x[:1] for x in inputs], "f32")
                    found[SAVINGS] = lambda graph=graph, inputs=inputs: graph(*inputs)
                times = measure(found, rounds)
                saved = "none"
                if SAVINGS in times:
                    gain = times.pop(SAVINGS) / times["OpenVINO float32"]
                    saved = f"{gain:.2f}× ({plain_work / 1e9:.2f} G → {work / 1e9:.2f} G)"
                print(f"| {name}, {part} | {work / 1e9:.2f} | {row(times, work, peaks, saved)} |", flush=True)


def networks(checkpoints: Path, papers: bool) -> Iterator[tuple[str, TranslationNetwork, int]]:
    """Name, network on the CPU and side of its images: each checkpoint, then the papers' sizes."""
    for folder in i2i.find_checkpoints(checkpoints):
        network, info = methods.read(folder)
        yield f"{folder.name} at {info.size}", network, info.size
    for name, build in PAPERS.items() if papers else ():
        yield name, build().eval().requires_grad_(False), PAPER_SIZE


def parts(
    network: TranslationNetwork, size: int, batch_size: int
) -> Iterator[tuple[str, nn.Module, tuple[Tensor, ...]]]:
    """The encoder, if it has layers, and the decoder of one direction, each with inputs; the other's cost the same."""
    direction = network.directions[0]
    x = torch.rand(batch_size, 3, size, size) * 2 - 1
    if (encoder := network.encoder(direction)) is not None:
        yield "encoder", encoder, (x,)
    with torch.inference_mode():
        codes = network.encode(x, direction)
    yield "decoder", network.decoder(direction), network.decoder_inputs(codes, None, None, 1.0)


def ways(module: nn.Module, inputs: tuple[Tensor, ...], bf16: bool) -> Ways:
    """By column: a call that runs the module that way. The module's own memory format is changed by none."""

    def eager(memory_format: torch.memory_format, autocast: bool) -> Callable[[], object]:
        own = copy.deepcopy(module).to(memory_format=memory_format)

        def call() -> object:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                return own(*inputs)

        return call

    found = {
        "torch float32": eager(torch.contiguous_format, False),
        "torch float32, channels_last": eager(torch.channels_last, False),
    }
    if bf16:
        found["torch bf16, channels_last"] = eager(torch.channels_last, True)
    for column, precision in (("OpenVINO float32", "f32"), ("OpenVINO bf16", "bf16")):
        if bf16 or precision == "f32":
            graph = Graph(module, [x[:1] for x in inputs], precision)
            found[column] = lambda graph=graph: graph(*inputs)
    return found


def measure(found: Ways, rounds: int) -> dict[str, float]:
    """Median seconds a call of each way, measured in turns, after one call of each that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for i in range(rounds + 1):
        for name, call in found.items():
            start = time.perf_counter()
            call()
            if i:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def row(times: dict[str, float], work: int, peaks: dict[str, float], saved: str) -> str:
    """The cells behind the network's: milliseconds with ratios, `saved`, the quickest way's share of the peak."""
    cells = [
        f"{times[name] * 1000:.1f} ({times[COLUMNS[0]] / times[name]:.2f}×)" if name in times else "n/a"
        for name in COLUMNS
    ]
    quickest = min(times, key=lambda name: times[name])
    kind = "bf16" if "bf16" in quickest else "float32"
    return " | ".join([*cells, saved, f"{100 * work / times[quickest] / peaks[kind]:.0f} % ({quickest})"])


def multiply_adds(module: nn.Module, inputs: tuple[Tensor, ...]) -> int:
    """Multiply-adds of a call: convolutions and matrix products, everything else being small beside them."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops() // 2


def peak(dtype: torch.dtype, side: int = 2048) -> float:
    """Multiply-adds a second of a large matrix product: the best of five."""
    a, b = (torch.rand(side, side).to(dtype) for _ in "ab")
    seconds = min(measure({str(i): lambda: a @ b for i in range(5)}, 1).values())
    return side**3 / seconds
