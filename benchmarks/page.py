"""From a hand to a picture: the real page in a real Chromium, on the same processor."""

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .goals import opening, waits
from .served import chromium, served

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WATCH_JS = """
// The newest move of the hand that a question is about → the frame in which its answer is painted.
globalThis.waits = [];
let moved = 0;
const asked = []; // by the number of the question, which the page writes beside the picture
addEventListener("pointermove", (event) => { if (event.buttons) moved = event.timeStamp; }, true);
const ask = fetch;
globalThis.fetch = (url, options, ...rest) => {
    if (/"fn_name":"(draw|translate)"/.test(options?.body)) asked.push(moved);
    return ask(url, options, ...rest);
};
new MutationObserver(([{ target }]) => {
    const since = asked[target.dataset.shown - 1];
    requestAnimationFrame(() => setTimeout(() => since && waits.push([since, performance.now()])));
}).observe(document, { subtree: true, attributeFilter: ["data-shown"] });
"""
MOVE_JS = """
// Moves of the pressed mouse, made here: sent from outside they would cost more than what they are to measure.
async (place, seconds) => {
    const box = place.getBoundingClientRect();
    const start = performance.now();
    waits.length = 0;
    for (let spent = 0; spent < 1; spent = (performance.now() - start) / seconds / 1000) {
        const at = { clientX: box.x + box.width * (0.15 + 0.7 * spent),
                     clientY: box.y + box.height * (0.5 + 0.2 * Math.sin(20 * spent)) };
        place.dispatchEvent(new PointerEvent("pointermove", { ...at, pointerId: 1, buttons: 1, bubbles: true }));
        await new Promise((done) => setTimeout(done, 1000 / 60));
    }
    return waits;
}
"""
WEIGHT_JS = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""


def page(seconds: float = 4.0, latency: float = 0.0, checkpoints: Path = Path("checkpoints")) -> None:
    """Draw and drag in Chromium and print how long the pictures took, and how heavy the page is.

    The hand moves all the time, 60 times a second: after a rest many processors take a while to be quick again.
    Needs Playwright and a Chromium (`make test` gets both).

    Args:
        seconds: for which the mouse moves, for each checkpoint and direction; the first tenth does not count.
        latency: milliseconds that each request takes on its way, as if the page were far away.
        checkpoints: the folder of checkpoints that the page serves.
    """
    from playwright.sync_api import sync_playwright

    print(opening())
    with served(checkpoints) as site, sync_playwright() as playwright:
        browser = chromium(playwright)
        names = _models(site.config)
        print(_opening(browser.new_page(), site.address, names))
        print(f"{'checkpoint':<18} {'direction':<10} {'what':<7} {'p50':>7} {'p95':>7} {'pictures a second':>18}  goal")
        for tab, name, direction, size in names:
            visit = browser.new_page(viewport={"width": 1280, "height": 900})
            visit.add_init_script(WATCH_JS)
            visit.goto(f"{site.address}/#tab={tab}&model={name}&direction={direction}")
            view = visit.locator(f"#{tab}-view")
            view.locator(f".editor[data-model='{name} {direction}']").wait_for()  # until then it is for another one
            view.locator(".first-examples button").first.click()
            view.locator('.result[data-state="done"]').wait_for()
            slow = {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
            visit.context.new_cdp_session(visit).send("Network.emulateNetworkConditions", slow)
            for what in ("stroke", "style") if view.locator(".pad").count() else ("stroke",):
                place = view.locator(".pad" if what == "style" else ".drawing")
                if times := _times(visit, place, seconds):  # on a picture nobody draws
                    waited = sorted(shown - moved for moved, shown in times)
                    rate = (len(times) - 1) / (times[-1][1] - times[0][1]) * 1000
                    p50, p95 = statistics.median(waited), waited[int(len(waited) * 0.95)]
                    goal = waits(what, size).judge(p50, p95)
                    print(
                        f"{name:<18} {direction:<10} {what:<7} {p50:>4.0f} ms {p95:>4.0f} ms {rate:>18.0f}  {goal}",
                        flush=True,
                    )
            visit.close()
        browser.close()


def _models(config: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """Tab, checkpoint, direction and side in pixels of everything that the page can draw with."""
    found: list[tuple[str, str, str, int]] = []
    for component in config["components"]:
        props = component["props"].get("props") or {}
        if props.get("tab") in ("paired", "unpaired", "multimodal"):
            for key, spec in props.get("input_specs", {}).items():
                name, _, direction = key.rpartition(" ")
                found.append((props["tab"], name, direction, spec["size"]))
    return found


def _opening(visit: "Page", address: str, names: list[tuple[str, str, str, int]]) -> str:
    """How long a visitor waits for the first tab, and what is sent for it."""
    waits = []
    for _ in range(3):
        start = time.perf_counter()
        visit.goto(f"{address}/")
        visit.locator(f"#{names[0][0]}-view .editor[data-kind]").wait_for()
        waits.append(time.perf_counter() - start)
    first = visit.context.browser.new_page()  # type: ignore[union-attr]
    first.goto(f"{address}/")
    first.wait_for_timeout(5000)  # never idle: Gradio keeps a stream open
    weight = first.evaluate(WEIGHT_JS) / 1e6
    return f"page: takes strokes after {statistics.median(waits):.1f} s, {weight:.2f} MB sent to a new visitor"


def _times(visit: "Page", place: "Locator", seconds: float) -> list[tuple[float, float]]:
    """When the hand was where each picture shows it, and when that was painted; milliseconds."""
    place.hover(position={"x": 40, "y": 40})
    visit.wait_for_timeout(1500)  # what the page does by itself after opening an example
    visit.mouse.down()
    times: list[tuple[float, float]] = place.evaluate(MOVE_JS, seconds)
    visit.mouse.up()
    return times[len(times) // 10 :]
