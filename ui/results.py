"""What was measured of the papers' tables, at the foot of the page: docs/results.md as it is."""

from pathlib import Path

import gradio as gr

from ui import text
from ui.digits import digits_view
from ui.model_card import markdown_html
from ui.pool import Pool
from ui.tab_parts import PRIVATE

FILE = Path(__file__).parents[1] / "docs" / "results.md"
"""Made by `python -m train report`; a Space does not have it."""


def results_panel(pool: Pool) -> None:
    """Build the panel under the current block, where there are results; they are read when somebody opens it.

    Args:
        pool: in whose slots the networks of the view of digits run.
    """
    if not FILE.is_file():
        return
    with gr.Accordion(text.PAGE["results"], open=False, elem_id="results", elem_classes="card") as accordion:
        digits_view(pool)
        shown = gr.Markdown()
    accordion.expand(results_html, outputs=shown, **PRIVATE)


def results_html() -> str:
    """The results, their plots inside, as HTML for `gr.Markdown`."""
    return markdown_html(FILE.read_text(encoding="utf-8"), FILE.parent)
