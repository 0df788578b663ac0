"""Look inside: views of what a network works with, for a component that shows results.

Nothing is computed until a visitor turns the switch. Then views are asked for one by one, each a single small question,
so that a new stroke never waits behind them for long.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

import i2i_models as i2i
from i2i_models.images import to_image
from i2i_models.inside import code_picture, patch_maps, without_skips
from ui import text
from ui.payload import BadRequest, read_mapping, to_data_url, to_live_url
from ui.serving import Answer, Asked, Catalog, sentences

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
THUMBNAIL = 192
"""Side in pixels of a result with skips cut."""
PAPERS = {
    "pix2pix": "https://arxiv.org/abs/1611.07004",
    "UNIT": "https://arxiv.org/abs/1703.00848",
    "MUNIT": "https://arxiv.org/abs/1804.04732",
}


class InsideParts(NamedTuple):
    """The pieces of the views, for a `gr.HTML` that shows results."""

    html: str
    css: str
    js: str
    texts: dict[str, str]
    server_function: Callable[[Any], Answer]


def inside_parts(catalog: Catalog) -> InsideParts:
    """Everything for a component of your own: its html_template, css_template, js_on_load, texts, server functions.

    In JavaScript, after the scripts of the editor:

        const inside = new Inside($(".inside"), { client, toasts, texts, result: canvas, question: () => question });

    `question` is {payload, image, second} as for `client.callWithImage`, or null while there is no result.
    Call `inside.pause()` when a result is requested and `inside.refresh()` when the newest one is shown.
    """
    return InsideParts(
        html=_read("inside.html"),
        css=_read("inside.css"),
        js=_read("inside.js"),
        texts=dict(text.INSIDE),
        server_function=sentences(Views(catalog).look),
    )


class Views:
    """Answers one view at a time; all visitors' views together take one of the catalogue's turns, never all."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._one = threading.Lock()

    def look(self, payload: Any) -> Answer:
        """One view of how a result came about.

        Args:
            payload: as for `Catalog.translate`, and `view`, the number of the view, from 0.

        Returns:
            `count`, how many views this network has, and `kinds`, of which kinds; of this one its `kind` and
            which of that kind it is, `number` (from 0) `of` so many; `about`, which text explains it, and `paper`,
            an address (not with `missing`); and by kind:
            `patches`: `maps`, finest first, each with `scores` (rows of 0 … 1), `place` (x, y, width and height as
            fractions of the result) and `patch` (the side of a patch in pixels); or `missing`, a sentence.
            `code`: `image` (data URL).
            `cut`: `image`, and the `side` in pixels of the map that the skip cut carries, 0 for all skips.
            Further the keys, as `Catalog.translate`.
        """
        payload = read_mapping(payload)
        number = payload.get("view")
        asked = self._catalog.asked(payload)
        views = views_of(asked.translator, asked.codes)
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(views):
            raise BadRequest(text.SERVER["bad_request"])
        kind, *cut = views[number]
        with self._one, self._catalog.turn():
            view = {"patches": _patches, "code": _code, "cut": _cut}[kind](asked, cut)
        kinds = [v[0] for v in views]
        place = {"kinds": kinds, "kind": kind, "number": number - kinds.index(kind), "of": kinds.count(kind)}
        return {**view, **asked.keys, **place, "count": len(views)}


def views_of(translator: i2i.Translator, codes: i2i.Codes) -> list[tuple[Any, ...]]:
    """The views of a network: ("patches",), ("code",) where it has one, ("cut", skips …) where it has skips."""
    network = translator.network
    views: list[tuple[Any, ...]] = [("patches",)]
    if network.encoder(codes.direction) is not None:
        views.append(("code",))
    views += [("cut", skip) for skip in range(1, network.skips + 1)]
    if network.skips > 1:
        views.append(("cut", *range(1, network.skips + 1)))
    return views


def _patches(asked: Asked, _: list[int]) -> Answer:
    translator, codes = asked.translator, asked.codes
    try:
        maps = patch_maps(translator, codes, translator.draw(codes, **asked.chosen))
    except i2i.CheckpointError as error:
        log.info("no patch maps: %s", error)
        return {"missing": text.INSIDE_SERVER["no_discriminator"]}
    left, top, right, bottom = codes.box
    width, height = right - left, bottom - top
    shown = []
    for one in maps:
        rows, columns = one.scores.shape
        place = (
            (one.offset - left) / width,
            (one.offset - top) / height,
            columns * one.cell / width,
            rows * one.cell / height,
        )
        scores = [[round(score, 3) for score in row] for row in one.scores.tolist()]
        shown.append({"scores": scores, "place": place, "patch": one.patch})
    if len(maps) > 1:
        return {"maps": shown, **_about("patches_scales", "MUNIT")}
    return {"maps": shown, **_about("patches_pairs" if translator.abilities.paired else "patches_alone", "pix2pix")}


def _code(asked: Asked, _: list[int]) -> Answer:
    about = ("code_style", "MUNIT") if asked.translator.abilities.chance == "style" else ("code_latent", "UNIT")
    # Each position of the code stays a square of the picture: the page enlarges it without smoothing.
    return {"image": to_data_url(to_image(code_picture(asked.codes.tensor))), **_about(*about)}


def _cut(asked: Asked, cut: list[int]) -> Answer:
    translator, codes = asked.translator, asked.codes
    side = translator.info.size >> cut[0] if len(cut) == 1 else 0
    url = _thumbnail(without_skips(translator, codes, cut, asked.chosen["seed"]), codes)
    return {"image": url, "side": side, **_about("cuts", "pix2pix")}


def _thumbnail(y: Tensor, codes: i2i.Codes) -> str:
    image = to_image(y).crop(codes.box)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return to_live_url(image, 85)


def _about(sentence: str, paper: str) -> Answer:
    return {"about": sentence, "paper": PAPERS[paper]}


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
