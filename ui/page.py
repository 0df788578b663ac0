"""The page: a header and the tabs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import BlocksConfigDict

from i2i_models.inference.remote import RemoteNetworks
from ui import account, i18n, links, text
from ui.answers import Answers
from ui.api import Page, add_api
from ui.catalog import Catalog
from ui.tabs import TABS, Tab
from ui.training import rights, training_tab

OWN = Tab("own", account.account_tab, lambda can: True)
"""The row of the visitor's own tab, after `TABS`."""
TRAIN = Tab("train", training_tab, lambda can: True)
"""The row of the trainings, which needs no model to begin with."""


def build(
    checkpoints: Path, more: Sequence[str] = (), elsewhere: RemoteNetworks | None = None
) -> tuple[gr.Blocks, Catalog]:
    """Find the checkpoints in a folder, and more by folder or Hub id, and build the page that serves them.

    Networks run in this process, or `elsewhere`. Nothing is warm yet: call the catalog's `warm` once the page answers.
    """
    answers = Answers(Catalog(checkpoints, more, elsewhere))
    page = build_page(answers)
    for language in i18n.LOCALES:
        with i18n.speaking(language):
            page.translated[language] = build_page(answers).get_config_file()
    return page, answers.catalog


class TranslatedPage(Page):
    """A page whose words are in the language of whoever opens it; everything else is the same for all.

    The page is built once for each language. From the other builds only the components' properties are taken, which
    hold labels, texts and choices; ids, events and functions are those of this page.
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


def build_page(answers: Answers) -> TranslatedPage:
    """The page in the present language."""
    catalog = answers.catalog
    tabs = _tabs_for(catalog)
    with TranslatedPage(title=text.PAGE["title"], analytics_enabled=False) as page:
        # An empty tab is no welcome: the first one with a model is.
        welcome = next((tab.name for tab in tabs if tab.models(catalog)), None)
        links.head([tab.name for tab in tabs], welcome)
        if not catalog.translators:
            gr.Markdown(text.PAGE["no_checkpoints"].format(folder=catalog.folder.name))
        build_tabs(tabs, answers)
        if account.on_space():
            account.duplicate_button()
        add_api(catalog)
    return page


def _tabs_for(catalog: Catalog) -> tuple[Tab, ...]:
    """The rows of the tabs that the page has: of those that need models none where there is no model at all."""
    train = (TRAIN,) if rights.is_offered() else ()
    if not catalog.translators:
        return train
    return (*TABS, *train, *((OWN,) if account.is_offered() else ()))


def build_tabs(tabs: Sequence[Tab], answers: Answers) -> None:
    """Build the tabs under the current block. Each is built and sent with the page, and drawn when it is opened."""
    if not tabs:
        return
    # wrap: where they do not fit beside each other, a second row and not Gradio's menu, in which nobody looks
    with gr.Tabs(overflow_behavior="wrap"):
        for row in tabs:
            with gr.Tab(text.PAGE[f"tab_{row.name}"], id=row.name, elem_id=f"tab-{row.name}") as tab:
                models = row.models(answers.catalog)
                if models or row is TRAIN:
                    row.build(tab, answers, models)
                else:
                    folder = answers.catalog.folder.name
                    gr.Markdown(text.EMPTY[row.name].format(folder=folder), elem_classes="inviting")
