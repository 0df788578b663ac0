"""The page: a header and a tab for each family of methods."""

from pathlib import Path

import gradio as gr

from ui import text
from ui.paired import paired_tab
from ui.serving import Catalog

MAX_FILE_BYTES = 20_000_000


def build(checkpoints: Path) -> gr.Blocks:
    """Load the checkpoints in a folder and build the page that serves them; warming up goes on in the background."""
    catalog = Catalog(checkpoints)
    with gr.Blocks(title=text.PAGE["title"], analytics_enabled=False) as page:
        gr.HTML(f"<h1>{text.PAGE['title']}</h1><p>{text.PAGE['tagline']}</p>", elem_id="head", apply_default_css=False)
        with gr.Tabs(), gr.Tab(text.PAGE["tab_paired"]):
            paired_tab(catalog, MAX_FILE_BYTES)
    catalog.warm()
    return page
