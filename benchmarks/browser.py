"""Networks in the visitor's own browser: how long a picture takes in a real Chromium, and what is loaded for it."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import i2i_models as i2i
from i2i_models import checkpoints as folders

from .goals import judge_browser, opening
from .served import chromium, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

PLAIN = "munit-of-width-16"
"""An untrained network of the size that the goal is of, beside those of the folder."""
WAIT_MS = 120_000
"""For a checkpoint to be exported, when it is asked for the first time."""
MEASURE_JS = """
async ([scripts, base, runtime, direction, threads, backend, count]) => {
    const { openNetwork } = await import(new URL(scripts + "network.js", location).href);
    const model = await (await fetch(base + "model.json")).json(); // which waits for the export
    let bytes = 0;
    const start = performance.now();
    const network = await openNetwork({ base, model, runtime, threads, backend, directions: [direction],
                                        cached: false, onprogress: (loaded) => (bytes = loaded) });
    const ready = performance.now() - start;
    const { size } = network.model;
    const pixels = Uint8ClampedArray.from({ length: size * size * 4 }, (_, i) => (i * 7919) % 256);
    const picture = new ImageData(pixels, size, size);
    const [encoded, decoded] = [[], []];
    for (let i = 0; i < count; i++) {
        const begun = performance.now();
        const codes = await network.encode(picture, direction);
        const half = performance.now();
        await network.decode(codes);
        decoded.push(performance.now() - half);
        encoded.push(half - begun);
        network.forget(codes);
    }
    network.close();
    const sorted = (values) => values.sort((a, b) => a - b);
    const of = (values) => ({ median: sorted(values)[values.length >> 1], least: sorted(values)[0] });
    return { ready, bytes, encode: of(encoded), decode: of(decoded), backend: network.backend };
}
"""


def browser(
    count: int = 15,
    threads: tuple[int, ...] = (1, 2),
    gpu: bool = False,
    checkpoints: Path = Path("checkpoints"),
    names: tuple[str, ...] = (),
) -> None:
    """Run every checkpoint in a headless Chromium and print how long a picture takes there.

    Needs Playwright and a Chromium (`make test` gets both), onnx and onnxruntime.

    Args:
        count: pictures of each, of which the median is printed, and the least: what it takes where nothing else runs.
        threads: of WASM.
        gpu: measure WebGPU on this machine's graphics processor, in place of WASM.
        checkpoints: the folder of checkpoints.
        names: only these of them.
    """
    from playwright.sync_api import sync_playwright

    print(opening())
    flags = ("--enable-unsafe-webgpu", "--ignore-gpu-blocklist", "--enable-features=Vulkan") if gpu else ()
    ways = [("webgpu", 1)] if gpu else [("wasm", count) for count in threads]
    environment = {"I2I_BROWSER": "on"}
    with _with_plain(checkpoints, names) as folder, served(folder, environment=environment) as site:
        props = [c["props"].get("props") or {} for c in site.config["components"]]
        told: dict[str, Any] = [p["browser"] for p in props if p.get("browser")][-1]  # of Compare, which has all models
        columns = f"{'checkpoint':<20} {'direction':<10} {'on':<14} {'ready':>8} {'loaded':>9}"
        print(f"{columns} {'encode':>12} {'decode':>12}  goal")
        with sync_playwright() as playwright:
            for name, base in told["models"].items():
                for direction in i2i.load(folder / name, lazy=True).directions:
                    for backend, number in ways:
                        # A browser of its own, so that nothing is left of the one before.
                        visit = chromium(playwright, *flags).new_page()
                        visit.set_default_timeout(WAIT_MS)
                        visit.goto(site.address)
                        arguments = [told["scripts"], base, told["runtime"], direction, number, backend, count]
                        _print(visit, name, direction, number, arguments)
                        visit.context.browser.close()  # type: ignore[union-attr]


def _print(visit: "Page", name: str, direction: str, threads: int, arguments: list[Any]) -> None:
    found = visit.evaluate(MEASURE_JS, arguments)
    where = found["backend"] if found["backend"] == "webgpu" else f"wasm, {threads} thread{'s' * (threads > 1)}"
    goal = judge_browser(found["decode"]["median"]) if name == PLAIN and where == "wasm, 1 thread" else ""
    print(
        f"{name:<20} {direction:<10} {where:<14} {found['ready'] / 1e3:>6.1f} s {found['bytes'] / 1e6:>6.1f} MB "
        f"{_times(found['encode'])} {_times(found['decode'])}  {goal}",
        flush=True,
    )


def _times(found: dict[str, float]) -> str:
    return f"{found['median']:.0f} ({found['least']:.0f}) ms".rjust(12)


@contextlib.contextmanager
def _with_plain(given: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A folder with links to checkpoints, and the network that the goal is of."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for path in given.iterdir():
            if path.is_dir() and (not names or path.name in names):
                (folder / path.name).symlink_to(path.resolve())
        network = i2i.MUNIT(i2i.MUNITConfig(base_width=16))
        domains = {"A": folders.Domain("noise", "picture"), "B": folders.Domain("more noise", "picture")}
        folders.save(folder / PLAIN, network, folders.Info(PLAIN, "Untrained", "munit", 128, domains))
        yield folder
