"""Look inside: views of what a network works with, for a component that shows results.

Nothing is computed until a visitor turns the switch on. Then the page asks for the views one by one, each with a small
question of its own, so that a new stroke never waits behind them for long. Views run the network in this process, even
where translations run elsewhere.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from torch import Tensor

import i2i_models as i2i
from i2i_models.directions import Direction
from i2i_models.images.tensors import to_image
from i2i_models.inference.inside import code_picture, patch_maps, without_skips
from ui import text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import Answer, sentences
from ui.payload import read_mapping, read_whole, to_data_url, to_live_url
from ui.question import Question, read_question

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
THUMBNAIL = 192
"""Side in pixels of a result with skips cut."""
PAPERS = {
    "pix2pix": "https://arxiv.org/abs/1611.07004",
    "UNIT": "https://arxiv.org/abs/1703.00848",
    "MUNIT": "https://arxiv.org/abs/1804.04732",
}


class View(NamedTuple):
    """A view of a network: `patches`, `code` or `cut`, the last without some skips, by their numbers in the network."""

    kind: Literal["patches", "code", "cut"]
    skips: tuple[int, ...] = ()


class InsideParts(NamedTuple):
    """The pieces of the views, for a `gr.HTML` that shows results."""

    html: str
    css: str
    js: str
    texts: dict[str, str]
    server_function: Callable[[Any], Answer]


def inside_parts(answers: Answers) -> InsideParts:
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
        server_function=sentences(Views(answers).look),
    )


@dataclasses.dataclass(frozen=True)
class ViewQuestion:
    """One view of how a result comes about."""

    result: Question
    views: tuple[View, ...]
    """Those that the network has."""
    number: int
    """Which of them is asked for, from 0."""


def read_view(catalog: Catalog, payload: Any) -> ViewQuestion:
    """Read what "Look inside" sends. The network's weights are read if they were not yet.

    Args:
        payload: that of `read_question`, and `view`, the number of the view, from 0.

    Raises:
        I2IError: as `read_question`; the network has no such view.
    """
    payload = read_mapping(payload)
    result = read_question(catalog, payload)
    views = views_of(result.input.translator, result.input.direction)
    return ViewQuestion(result, views, read_whole(payload.get("view"), 0, len(views) - 1))


def views_of(translator: i2i.Translator, direction: Direction) -> tuple[View, ...]:
    """The views of a network: patches; its code where it has one; each of its skips cut, then all."""
    network = translator.network
    views = [View("patches")]
    if network.encoder(direction) is not None:
        views.append(View("code"))
    views += [View("cut", (skip,)) for skip in network.skips]
    if len(network.skips) > 1:
        views.append(View("cut", tuple(network.skips)))
    return tuple(views)


class Views:
    """Answers one view at a time: all visitors' views together take at most one slot of the catalog's pool."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._one = threading.Lock()

    def look(self, payload: Any) -> Answer:
        """One view of how a result came about; the payload is that of `read_view`.

        Returns:
            `count`, how many views this network has, and `kinds`, of which kinds; the view's `kind`, and its `number`
            (from 0) `of` so many of that kind; `about`, which text explains it, and `paper`, an address (not with
            `missing`); and by kind:
            `patches`: `maps`, finest first, each with `scores` (rows of 0 … 1), `place` (x, y, width and height as
            fractions of the result) and `patch` (the side of a patch in pixels); or `missing`, a sentence.
            `code`: `image` (data URL).
            `cut`: `image`, and the `side` in pixels of the map that the skip cut carries, 0 for all skips.
            Further the keys, as `Answers.answer`.
        """
        question = read_view(self._answers.catalog, payload)
        codes = self._answers.codes_of(question.result)
        kind, skips = question.views[question.number]
        with self._one, self._answers.catalog.pool.slot():
            if kind == "cut":
                view = _cut(question.result, codes, skips)
            else:
                view = {"patches": _patches, "code": _code}[kind](question.result, codes)
        kinds = [view.kind for view in question.views]
        place = {"kinds": kinds, "kind": kind, "number": question.number - kinds.index(kind), "of": kinds.count(kind)}
        return {**view, **question.result.keys, **place, "count": len(kinds)}


def _patches(question: Question, codes: i2i.Codes) -> Answer:
    translator = question.input.translator
    try:
        maps = patch_maps(translator, codes, translator.draw(codes, **question.decoding))
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
    return {"maps": shown, **_about("patches_pairs" if translator.capabilities.paired else "patches_alone", "pix2pix")}


def _code(question: Question, codes: i2i.Codes) -> Answer:
    styled = question.input.translator.capabilities.chance == "style"
    about = ("code_style", "MUNIT") if styled else ("code_latent", "UNIT")
    # Each position of the code stays a square of the picture: the page enlarges it without smoothing.
    return {"image": to_data_url(to_image(code_picture(codes.tensor))), **_about(*about)}


def _cut(question: Question, codes: i2i.Codes, skips: tuple[int, ...]) -> Answer:
    translator = question.input.translator
    side = translator.info.size >> skips[0] if len(skips) == 1 else 0
    url = _thumbnail(without_skips(translator, codes, skips, question.seed), codes)
    return {"image": url, "side": side, **_about("cuts", "pix2pix")}


def _thumbnail(y: Tensor, codes: i2i.Codes) -> str:
    image = to_image(y).crop(codes.box)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return to_live_url(image, 85)


def _about(sentence: str, paper: str) -> Answer:
    return {"about": sentence, "paper": PAPERS[paper]}


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
