"""What a visit leaves behind, in the visitor's browser alone: the results so far, and links that reopen a tab."""

from pathlib import Path
from typing import Any, NamedTuple

from i2i_models.checkpoints.styles import LIMIT
from ui import text
from ui.payload import MAX_SEED, MAX_TEMPERATURE

HERE = Path(__file__).parent
LINK_JS = (HERE / "link.js").read_text(encoding="utf-8")
"""Links alone: `linkTo`, `checkLink`, `followLinks` and `copyLink`, after the desk's files; `linked` anywhere."""


class HistoryParts(NamedTuple):
    """The pieces of history and links, for a `gr.HTML` that has a desk.

    texts and limits go into the props of these names.
    """

    html: str
    css: str
    js: str
    texts: dict[str, str]
    limits: dict[str, Any]


def history_parts() -> HistoryParts:
    """History and links for a component of your own, beside the parts of the desk.

    In JavaScript, after the desk's files, `History` is at hand, and what is in `LINK_JS`.
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
