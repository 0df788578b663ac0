"""The page: a header and a tab for each family of methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import BlocksConfigDict

from i2i_models.remote import Elsewhere
from ui import account, i18n, links, text
from ui.api import Page, add_api
from ui.compare import compare_tab
from ui.multimodal import style_studio
from ui.serving import Catalog
from ui.studio import studio

MAX_FILE_BYTES = 20_000_000
TABS = ("paired", "unpaired", "multimodal", "compare")


def build(checkpoints: Path, more: Sequence[str] = (), elsewhere: Elsewhere | None = None) -> tuple[gr.Blocks, Catalog]:
    """Find the checkpoints in a folder, and more by folder or Hub id, and build the page that serves them.

    Networks run in this process, or `elsewhere`. Nothing is warm yet: call the catalog's `warm` once the page answers.
    """
    catalog = Catalog(checkpoints, more, elsewhere)
    page = build_page(catalog)
    for language in i18n.LOCALES:
        with i18n.speaking(language):
            page.translated[language] = build_page(catalog).get_config_file()
    return page, catalog


class TranslatedPage(Page):
    """A page whose words are in the language of whoever opens it; everything else about it is the same for all.

    It is built once a language, and of the other builds only the components' properties are used: labels, texts and
    choices are in them, while ids, events and functions are those of this page.
    """

    def __init__(self, **options: Any) -> None:
        self.translated: dict[str, BlocksConfigDict] = {}
        super().__init__(**options)

    @property
    def config(self) -> BlocksConfigDict:
        """What Gradio sends to the browser, in the present language."""
        translated = self.translated.get(i18n.language())
        if translated is None:
            return self._config
        pairs = zip(self._config["components"], translated["components"], strict=True)
        components = [{**own, "props": other["props"]} for own, other in pairs]
        return {**self._config, "title": translated["title"], "components": components}

    @config.setter
    def config(self, config: BlocksConfigDict) -> None:
        self._config = config


def build_page(catalog: Catalog) -> TranslatedPage:
    """The page in the present language."""
    with TranslatedPage(title=text.PAGE["title"], analytics_enabled=False) as page:
        own = (account.TAB,) if account.is_offered() else ()
        links.head((*TABS, *own) if catalog.translators else (), _welcome(catalog))
        if catalog.translators:
            tabs(catalog)
        else:
            gr.Markdown(text.PAGE["no_checkpoints"].format(folder=catalog.folder.name))
        if account.on_space():
            account.duplicate_button()
        add_api(catalog)
    return page


def _welcome(catalog: Catalog) -> str | None:
    """The first tab with a model, since an empty one is no welcome; None where there is no model."""
    found = (catalog.paired(), catalog.unpaired(), catalog.multimodal())
    return next((name for name, translators in zip(TABS, found, strict=False) if translators), None)


def tabs(catalog: Catalog) -> None:
    """The tabs inside the current `gr.Blocks`; what a tab shows is built and sent with the page, drawn when opened."""
    # wrap: where they do not fit beside each other, a second row and not Gradio's menu, in which nobody looks
    with gr.Tabs(overflow_behavior="wrap"):
        for name, build_studio, translators in (
            ("paired", studio, catalog.paired()),
            ("unpaired", studio, catalog.unpaired()),
            ("multimodal", style_studio, catalog.multimodal()),
        ):
            with gr.Tab(text.PAGE[f"tab_{name}"], id=name, elem_id=f"tab-{name}"):
                if translators:
                    build_studio(catalog, translators, name, MAX_FILE_BYTES)
                else:
                    gr.Markdown(text.EMPTY[name].format(folder=catalog.folder.name), elem_classes="inviting")
        with gr.Tab(text.PAGE["tab_compare"], id="compare", elem_id="tab-compare"):
            compare_tab(catalog, MAX_FILE_BYTES)
        if account.is_offered():
            account.account_tab(catalog, MAX_FILE_BYTES)
