"""The easel: the one component on which every tab draws, uploads and shows its result.

A `gr.HTML` of our own. What the visitor draws lives in the browser alone; the server is asked
through two functions and keeps nothing of the answer, so visitors cannot see each other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import gradio as gr

from ui import text

HERE = Path(__file__).parent
ServerFunction = Callable[[Any], dict[str, Any]]


class Sheet(TypedDict):
    """What the easel knows of one direction of one checkpoint.

    kind: `outline`, `labels` or `picture`. size: the network's side in pixels. paper, pen: the colours
    of blank paper and of the first stroke. palette: label name → colour. examples: data URLs.
    """

    kind: str
    size: int
    paper: str
    pen: str
    palette: dict[str, str]
    examples: list[str]


def sheet_key(checkpoint: str, direction: str) -> str:
    """The name under which the easel finds a sheet."""
    return f"{checkpoint} {direction}"


def easel(
    sheets: dict[str, Sheet],
    value: dict[str, Any],
    translate: ServerFunction,
    open_picture: ServerFunction,
    max_file_bytes: int,
    elem_id: str,
) -> gr.HTML:
    """Build the component.

    Args:
        sheets: by `sheet_key(checkpoint, direction)`.
        value: the settings that go with each question to the server: `checkpoint`, `direction`, `seed`.
            The page's other controls change the result by changing this value.
        translate: gets the settings and `image` (PNG data URL), returns `image` (data URL) and `ms`.
        open_picture: gets a visitor's file, returns `pictures` (data URLs by variant) and `variant`.
            Both return `error`, a sentence, instead of raising.
    """
    functions = {"translate": translate, "open_picture": open_picture}
    for name, function in functions.items():
        function.__name__ = name  # the name that the browser calls
    return gr.HTML(
        value=value,
        html_template=(HERE / "canvas.html").read_text(encoding="utf-8"),
        css_template=(HERE / "canvas.css").read_text(encoding="utf-8"),
        js_on_load="\n".join(
            (HERE / file).read_text(encoding="utf-8") for file in ("paper.js", "live.js", "canvas.js")
        ),
        apply_default_css=False,
        server_functions=list(functions.values()),
        elem_id=elem_id,
        models=sheets,
        texts=text.CANVAS,
        limits={"bytes": max_file_bytes},
    )
