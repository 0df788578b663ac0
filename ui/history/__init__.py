"""The results of a visit, kept in the visitor's browser alone, and links that open a tab with its settings."""

from pathlib import Path
from typing import Any, NamedTuple

from i2i_models.checkpoints.styles import LIMIT
from ui import text
from ui.payload import MAX_SEED, MAX_TEMPERATURE

HERE = Path(__file__).parent
LINK_JS = (HERE / "link.js").read_text(encoding="utf-8")
"""The script of links. `linked` works by itself; the other functions need the scripts of the editor before them."""


class HistoryParts(NamedTuple):
    """The parts of history and links, for a `gr.HTML` that contains an editor.

    texts and limits go into the props of these names.
    """

    html: str
    css: str
    js: str
    texts: dict[str, str]
    limits: dict[str, Any]


def history_parts() -> HistoryParts:
    """The parts of history and links.

    In JavaScript, after the scripts of the editor, they define `History` and what is in `LINK_JS`.
    """
    return HistoryParts(
        html=_read("history.html"),
        css=_read("history.css"),
        js="\n".join((_read("zip.js"), _read("history.js"), LINK_JS)),
        texts=dict(text.HISTORY),
        limits={"seed": MAX_SEED, "temperature": MAX_TEMPERATURE, "style": LIMIT},
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
