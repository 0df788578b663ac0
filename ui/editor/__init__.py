"""The editor, with which a visitor makes an input, and the translation view: an editor with the live result beside it.

Both are `gr.HTML` with templates and scripts of our own. The drawing is kept in the browser alone. The server answers
through a few functions and keeps nothing that belongs to a visitor, so visitors cannot see each other.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import gradio as gr

import i2i_models as i2i
from i2i_models.checkpoints.config import Kind
from i2i_models.directions import Direction, source
from ui import text
from ui.answers import Answers
from ui.browser import browser_props
from ui.errors import sentences
from ui.history import history_parts
from ui.inside import inside_parts
from ui.uploads import MAX_FILE_BYTES, Uploads

HERE = Path(__file__).parent
SCRIPTS = (
    "images.js",
    "flood_fill.js",
    "rough.js",
    "drawing.js",
    "toasts.js",
    "server_client.js",
    "local_client.js",
    "live_requests.js",
    "tools.js",
    "pen.js",
    "camera.js",
    "editor.js",
    "drawing_order.js",
    "opening.js",
)
"""Those of the editor; a component that contains one can use all that they define."""
FREE_COLOURS = {
    "red": "#f8312f",
    "orange": "#ff822d",
    "yellow": "#fcd53f",
    "green": "#00d26a",
    "blue": "#00a6ed",
    "dark_blue": "#0074ba",
    "purple": "#8d65c5",
    "pink": "#ff8ab8",
    "brown": "#a56953",
    "grey": "#9b9b9b",
    "black": "#212121",
    "white": "#ffffff",
}
"""What one paints with in free colours before choosing others; words for the names are in `ui/text.py`."""
ServerFunction = Callable[[Any], dict[str, Any]]


class InputSpec(TypedDict):
    """What the editor knows of the input of one checkpoint in one direction. Colours are `#rrggbb`.

    kind: that of the domain. size: the network's side in pixels. background: the colour of an empty drawing.
    foreground: the colour of the first stroke. palette: name → colour, of the labels or of FREE_COLOURS, empty for
    other kinds. rough: whether what is painted has rough edges, as coasts have. examples: how many there are.
    interpolates: whether codes between those of two inputs can be decoded. drawing_key: input specs with the same key
    share one drawing, so that another method of the same task shows the same input.
    """

    kind: Kind
    size: int
    background: str
    foreground: str
    palette: dict[str, str]
    rough: bool
    examples: int
    interpolates: bool
    drawing_key: str


def input_spec(translator: i2i.Translator, direction: Direction) -> InputSpec:
    """The input spec of a translator in one direction."""
    domain = translator.info.domains[source(direction)]
    palette = {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in domain.palette.items()}
    background, foreground = domain.background, domain.foreground
    if domain.kind == "paint":
        palette, background, foreground = FREE_COLOURS, "white", "blue"
    colours = list(palette.values()) or ["#ffffff", "#000000"]
    return InputSpec(
        kind=domain.kind,
        size=translator.info.size,
        background=palette.get(background, colours[0]),
        foreground=palette.get(foreground, colours[-1]),
        palette=palette,
        rough=domain.rough,
        examples=len(translator.examples_of(source(direction))),
        interpolates=translator.capabilities.mixes_codes,
        drawing_key=f"{translator.info.title} {translator.info.size} {direction}",
    )


class EditorParts(NamedTuple):
    """The parts of an editor, for a `gr.HTML` that contains one."""

    html: str
    css: str
    js: str
    props: dict[str, Any]
    server_functions: list[ServerFunction]


def editor_parts(answers: Answers, translators: Sequence[i2i.Translator]) -> EditorParts:
    """The parts of an editor: drawing tools, files, the clipboard, the camera, examples.

    In Python, build `gr.HTML` with `html` somewhere inside its `html_template`, `css` before its own
    `css_template`, `js` before its own `js_on_load`, `**props`, `server_functions` among its own and
    `apply_default_css=False`. Texts of its own go into `props["texts"]`.

    In JavaScript, after the scripts of `SCRIPTS`:

        const { input_specs: inputSpecs, texts, limits } = props;
        const toasts = new Toasts(element.querySelector('[data-part="toasts"]'), texts);
        const client = new LocalClient(server, texts, props.browser, toasts);
        const editor = new Editor(element.querySelector(".editor"),
          { inputSpecs, limits, texts, client, toasts, onchange: refresh });
        editor.use(checkpoint, direction);

    `refresh` is called at every change of the drawing, also during a stroke. The input is then `editor.image`, which
    `client.callWithImage(functionName, settings, editor.image)` sends to a server function, and `editor.snapshot()` is
    a canvas of what the visitor sees. See translation.js for a use of all this.
    """
    uploads = Uploads(answers.catalog)
    return EditorParts(
        html=_read("editor.html"),
        css=_read("editor.css"),
        js="\n".join(map(_read, SCRIPTS)),
        props={
            "input_specs": {f"{t.info.name} {d}": input_spec(t, d) for t in translators for d in t.directions},
            "texts": dict(text.EDITOR),
            "limits": {"bytes": MAX_FILE_BYTES},
            "browser": browser_props(answers.catalog, translators),
            "opens": os.environ.get("I2I_OPENING", "on") != "off",
        },
        server_functions=[sentences(uploads.open_picture), sentences(uploads.examples)],
    )


def translation_view(
    answers: Answers, translators: Sequence[i2i.Translator], value: dict[str, Any], elem_id: str
) -> gr.HTML:
    """Build an editor with the live result of one translator beside it.

    Args:
        translators: those that can be chosen.
        value: the settings that go with each request to the server: `checkpoint`, `direction`, `seed`,
            `temperature`. The page's other controls change the result by changing this value.
        elem_id: the tab's name and `-view`.

    The component has two events. `swap` asks for the other direction, for which the result is the input already.
    `recall` says that the component has taken settings from a link or the history, which the controls should now show.
    """
    return component_with_editor(
        answers,
        translators,
        value,
        elem_id,
        html=_read("translation.html"),
        css=_read("translation.css"),
        js=_read("interpolation.js") + _read("translation.js"),
        server_functions=[sentences(answers.translate)],
    )


def component_with_editor(
    answers: Answers,
    translators: Sequence[i2i.Translator],
    value: dict[str, Any],
    elem_id: str,
    *,
    html: str,
    css: str,
    js: str,
    server_functions: Iterable[ServerFunction],
    texts: Mapping[str, str] = MappingProxyType({}),
    **props: Any,
) -> gr.HTML:
    """Build a component that contains an editor, the history of the visit, and the views of a look inside.

    Args:
        answers, translators, value, elem_id: as for `translation_view`.
        html: its comments `<!-- editor -->`, `<!-- history -->` and `<!-- inside -->` are replaced by these parts.
        css, js, server_functions, texts, props: the component's own, besides those of its parts.
    """
    editor, visit, inside = editor_parts(answers, translators), history_parts(), inside_parts(answers)
    props |= editor.props | {"tab": elem_id.removesuffix("-view")}
    props["texts"] = {**editor.props["texts"], **texts, **visit.texts, **inside.texts}
    props["limits"] = {**editor.props["limits"], **visit.limits}
    for name, part in {"editor": editor.html, "history": visit.html, "inside": inside.html}.items():
        html = html.replace(f"<!-- {name} -->", part)
    return gr.HTML(
        value=value,
        html_template=html,
        css_template=editor.css + visit.css + css + inside.css,
        js_on_load="\n".join((editor.js, visit.js, inside.js, js)),
        apply_default_css=False,
        server_functions=[*server_functions, inside.server_function, *editor.server_functions],
        elem_id=elem_id,
        **props,
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
