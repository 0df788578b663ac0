"""The page: a header and the tabs."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import BlocksConfigDict

from i2i_models.inference.remote import RemoteNetworks
from ui import account, i18n, links, text
from ui.answers import Answers
from ui.api import Page, add_api
from ui.catalog import Catalog
from ui.results import results_panel
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
    return _in_all_languages(answers), answers.catalog


def _in_all_languages(answers: Answers, first_event: int = 0) -> "TranslatedPage":
    page = build_page(answers, first_event)
    for language in i18n.LOCALES:
        with i18n.speaking(language):
            page.translated[language] = build_page(answers).get_config_file()
    return page


class TranslatedPage(Page):
    """A page whose words are in the language of whoever opens it; everything else is the same for all.

    The page is built once for each language. From the other builds only the components' properties are taken, which
    hold labels, texts and choices; ids, events and functions are those of this page.
    """

    def __init__(self, answers: Answers, first_event: int = 0, **options: Any) -> None:
        """
        Args:
            answers: what the page is built for.
            first_event: the number of its first event.
        """
        self.translated: dict[str, BlocksConfigDict] = {}
        self.answers, self.listed = answers, answers.catalog.translators
        self.edition = 0
        """How many times it was built anew."""
        super().__init__(**options)
        self.default_config.fn_id = first_event
        self._newest = self.default_config

    def anew(self) -> "Edition":
        """Build the page as it is to be from now on, with the checkpoints that the catalog has now.

        Takes as long as building it took at first; nothing is changed yet.
        """
        new = _in_all_languages(self.answers, self._newest.fn_id)
        # What Gradio sends is made of this page, whose settings are as launched, with the parts of the new one.
        shown = copy.copy(self)
        shown.children, shown.default_config = new.children, new.default_config
        shown.default_config.root_block = shown
        return Edition(new, shown.get_config_file())

    def take(self, edition: "Edition") -> None:
        """Be another edition for whoever opens the page from now on.

        Pages that are open go on: what they have of the last edition is answered as before. Components have numbers of
        their own in every build, and events begin after the last edition's, so that both have room beside each other.
        """
        new, last = edition.page, self._newest
        self._newest = new.default_config
        self._newest.root_block = self
        both = copy.copy(self._newest)
        both.blocks, both.fns = {**self._newest.blocks, **last.blocks}, {**self._newest.fns, **last.fns}
        self.default_config, self.children, self.renderables = both, new.children, new.renderables
        self._config, self.translated = edition.config, new.translated
        self.listed = self.answers.catalog.listed = new.listed
        self.edition += 1

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


class Edition(NamedTuple):
    """The page built once more."""

    page: TranslatedPage
    config: BlocksConfigDict
    """What is sent of it."""


def build_page(answers: Answers, first_event: int = 0) -> TranslatedPage:
    """The page in the present language; its events are numbered from `first_event` on."""
    catalog = answers.catalog
    tabs = _tabs_for(catalog)
    with TranslatedPage(answers, first_event, title=text.PAGE["title"], analytics_enabled=False) as page:
        # An empty tab is no welcome: the first one with a model is.
        welcome = next((tab.name for tab in tabs if tab.models(catalog)), None)
        links.head([tab.name for tab in tabs], welcome)
        if not catalog.translators:
            gr.Markdown(text.PAGE["no_checkpoints"].format(folder=catalog.folder.name))
        build_tabs(tabs, answers)
        results_panel(catalog.pool)
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
