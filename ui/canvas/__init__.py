"""The easel: the one component on which every tab draws, uploads and shows its result; and its desk, for others.

A `gr.HTML` of our own. What the visitor draws lives in the browser alone; the server is asked
through a few functions and keeps nothing of who asked, so visitors cannot see each other.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import gradio as gr

import i2i_models as i2i
from i2i_models.directions import Direction, source
from ui import text
from ui.answers import Answers
from ui.errors import sentences
from ui.history import history_parts
from ui.inside import inside_parts
from ui.uploads import Uploads

HERE = Path(__file__).parent
ServerFunction = Callable[[Any], dict[str, Any]]


class Sheet(TypedDict):
    """What the desk and the easel know of one direction of one checkpoint.

    kind: `outline`, `labels` or `picture`. size: the network's side in pixels. paper, pen: the colours
    of blank paper and of the first stroke. palette: label name → colour. examples: how many there are.
    walks: whether one may walk from one input to another through the network's code. drawing: names the
    drawing that lies on it: models that do the same share it, so that another method shows the same input.
    """

    kind: str
    size: int
    paper: str
    pen: str
    palette: dict[str, str]
    examples: int
    walks: bool
    drawing: str


def sheet(translator: i2i.Translator, direction: Direction) -> Sheet:
    """The sheet of one direction of a translator."""
    domain = translator.info.domains[source(direction)]
    palette = {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in domain.palette.items()}
    colours = list(palette.values()) or ["#ffffff", "#000000"]
    return Sheet(
        kind=domain.kind,
        size=translator.info.size,
        paper=palette.get(domain.paper, colours[0]),
        pen=palette.get(domain.pen, colours[-1]),
        palette=palette,
        examples=len(translator.examples_of(source(direction))),
        walks=translator.capabilities.mixes_codes,
        drawing=f"{translator.info.title} {translator.info.size} {direction}",
    )


class DeskParts(NamedTuple):
    """The pieces of the desk, for a `gr.HTML` that has one."""

    html: str
    css: str
    js: str
    props: dict[str, Any]
    server_functions: list[ServerFunction]


def desk_parts(answers: Answers, translators: Iterable[i2i.Translator], max_file_bytes: int) -> DeskParts:
    """The desk for a component of your own: everything with which a visitor makes an input.

    In Python, build `gr.HTML` with `html` somewhere inside its `html_template`, `css` before its own
    `css_template`, `js` before its own `js_on_load`, `**props`, `server_functions` among its own and
    `apply_default_css=False`. Texts of its own go into `props["texts"]`.

    In JavaScript, where `Paper`, `Live`, `Talk`, `Desk`, `squareContext` and `loadImage` are then at hand:

        const talk = new Talk(server, props.texts, element.querySelector('[data-part="toasts"]'));
        const desk = new Desk(element.querySelector(".desk"),
          { sheets: props.models, limits: props.limits, talk, onchange: refresh });
        desk.use(checkpoint, direction);  // which sheet lies on it

    `refresh` is called at every change of the drawing, strokes as they grow included. Then `desk.empty`,
    `desk.image` ({url, key}, for `talk.askAbout(functionName, settings, desk.image)`, which sends the key alone
    once the server has told one) and `desk.picture()` (a canvas) say what is on it; `desk.place`,
    `desk.openFile` and `desk.showExamples(container)` put pictures there. See desk.js, talk.js and live.js,
    and canvas.js for a use of all three.
    """
    uploads = Uploads(answers.catalog)
    return DeskParts(
        html=_read("desk.html"),
        css=_read("desk.css"),
        js="\n".join(map(_read, ("paper.js", "live.js", "talk.js", "desk.js"))),
        props={
            "models": {f"{t.info.name} {d}": sheet(t, d) for t in translators for d in t.directions},
            "texts": dict(text.CANVAS),
            "limits": {"bytes": max_file_bytes},
        },
        server_functions=[sentences(uploads.open_picture), sentences(uploads.examples)],
    )


def easel(
    answers: Answers, translators: Iterable[i2i.Translator], value: dict[str, Any], max_file_bytes: int, elem_id: str
) -> gr.HTML:
    """Build the component.

    Args:
        answers: answers its questions.
        translators: those that may be chosen on it.
        value: the settings that go with each question to the server: `checkpoint`, `direction`, `seed`,
            `temperature`. The page's other controls change the result by changing this value.
        max_file_bytes: of a visitor's file.

    Its event `swap` asks for the other direction: the result lies on that one's paper already. Its event `recall`
    says that it has taken settings from a link or its history, which the page's controls should now show.
    """
    return desk_component(
        answers,
        translators,
        value,
        max_file_bytes,
        elem_id,
        html=_read("canvas.html"),
        css=_read("canvas.css"),
        js=_read("walk.js") + _read("canvas.js"),
        server_functions=[sentences(answers.translate)],
    )


def desk_component(
    answers: Answers,
    translators: Iterable[i2i.Translator],
    value: dict[str, Any],
    max_file_bytes: int,
    elem_id: str,
    *,
    html: str,
    css: str,
    js: str,
    server_functions: Iterable[ServerFunction],
    texts: Mapping[str, str] = MappingProxyType({}),
    **props: Any,
) -> gr.HTML:
    """A component around a desk, with the visit's history and a look inside.

    Args:
        answers, translators, value, max_file_bytes, elem_id: as for `easel`.
        html: in it the comments `<!-- desk -->`, `<!-- history -->` and `<!-- inside -->` make place for these.
        css, js, server_functions, texts, props: the component's own, besides those of its parts.
    """
    desk, visit, inside = desk_parts(answers, translators, max_file_bytes), history_parts(), inside_parts(answers)
    props |= desk.props | {"tab": elem_id.removesuffix("-easel")}
    props["texts"] = {**desk.props["texts"], **texts, **visit.texts, **inside.texts}
    props["limits"] = {**desk.props["limits"], **visit.limits}
    for name, part in {"desk": desk.html, "history": visit.html, "inside": inside.html}.items():
        html = html.replace(f"<!-- {name} -->", part)
    return gr.HTML(
        value=value,
        html_template=html,
        css_template=desk.css + visit.css + css + inside.css,
        js_on_load="\n".join((desk.js, visit.js, inside.js, js)),
        apply_default_css=False,
        server_functions=[*server_functions, inside.server_function, *desk.server_functions],
        elem_id=elem_id,
        **props,
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
