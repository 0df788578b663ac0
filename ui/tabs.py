"""The tabs with models, a row each. The page, its order, its welcome and the links follow from this list.

A tab for a new family of methods is one file with its builder and one row here; its words stand in ui/text.py, as
`tab_NAME` in PAGE and, for a page without such models, as NAME in EMPTY.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import gradio as gr

import i2i_models as i2i
from i2i_models import Capabilities
from ui.answers import Answers
from ui.catalog import Catalog
from ui.compare import compare_tab
from ui.multimodal import style_tab
from ui.translation_tab import translation_tab


class Tab(NamedTuple):
    """A tab of the page."""

    name: str
    """In links and in the ids of its elements."""
    build: Callable[[gr.Tab, Answers, Sequence[i2i.Translator]], None]
    """Builds what is in the tab; called when there is at least one model for it."""
    takes: Callable[[Capabilities], bool]
    """Which models belong into it."""

    def models(self, catalog: Catalog) -> list[i2i.Translator]:
        """The models of the catalog that belong into the tab."""
        return [t for t in catalog.translators.values() if self.takes(t.capabilities)]


TABS = (
    Tab("paired", translation_tab, lambda can: can.paired),
    Tab("unpaired", translation_tab, lambda can: not can.paired and can.chance != "style"),
    Tab("multimodal", style_tab, lambda can: not can.paired and can.chance == "style"),
    Tab("compare", compare_tab, lambda can: True),
)


def tab_of(translator: i2i.Translator) -> Tab:
    """The first tab that takes a model."""
    return next(tab for tab in TABS if tab.takes(translator.capabilities))
