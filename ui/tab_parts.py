"""What the tabs with models share: the choice of a model and of its direction, and the model's card."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import gradio as gr

import i2i_models as i2i
from i2i_models.directions import Direction, source, target
from ui import text
from ui.model_card import card_html

HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Options of events that are no part of the API and show their progress themselves."""
PRIVATE: dict[str, Any] = {"queue": False, **HIDDEN}
"""Options of events that serve the page alone: answered at once, and no part of the API."""


class ModelChoice:
    """The choice of a model and of its direction, in a row under the current block.

    Where several models do the same, a visitor chooses first what they do (`task`, else None), then the method.
    """

    def __init__(self, translators: Sequence[i2i.Translator], elem_id: str) -> None:
        """
        Args:
            translators: the models, at least one; the first is chosen.
            elem_id: what the ids of the elements begin with.
        """
        self.translators = {t.info.name: t for t in translators}
        self.first = translators[0]
        self._by_task = _models_by_task(translators)
        with gr.Row(elem_classes="choices"):
            self.task = self._task_radio(elem_id)
            models = [(t.info.title, t.info.name) for t in translators]
            if self.task is not None:
                models = self._by_task[self.first.info.title]
            self.model = _radio(models, text.CONTROLS["method" if self.task else "model"], f"{elem_id}-model")
            directions = _direction_choices(self.first)
            self.direction = _radio(directions, text.CONTROLS["direction"], f"{elem_id}-direction")
            self.direction.visible = len(directions) > 1
        if self.task is not None:
            # Only when a visitor chooses: a link or the history sets the model together with the task.
            self.task.input(self._offer_methods, self.task, self.model, **PRIVATE)
        self.model.change(self._offer_directions, [self.model, self.direction], self.direction, **PRIVATE)

    @property
    def parts(self) -> list[gr.Radio]:
        """The task if there is one, the model and the direction."""
        return [*([] if self.task is None else [self.task]), self.model, self.direction]

    def recalled(self, settings: dict[str, Any]) -> list[Any]:
        """New values of `parts`, which show the settings (`checkpoint`, `direction`) of a link or of the history."""
        chosen = self.translators.get(settings["checkpoint"], self.first)
        task, name = chosen.info.title, chosen.info.name
        model = [name] if self.task is None else [task, gr.update(choices=self._by_task[task], value=name)]
        return [*model, _direction_update(chosen, value=settings["direction"])]

    def _task_radio(self, elem_id: str) -> gr.Radio | None:
        if len(self._by_task) == len(self.translators):
            return None
        task = _radio([(title, title) for title in self._by_task], text.CONTROLS["task"], f"{elem_id}-task")
        task.visible = len(self._by_task) > 1
        return task

    def _offer_methods(self, task: str) -> dict[str, Any]:
        methods = self._by_task[task]
        return gr.update(choices=methods, value=methods[0][1])

    def _offer_directions(self, name: str, direction: Direction) -> dict[str, Any]:
        translator = self.translators[name]
        # A value only if it must change: the visitor may have chosen the other direction before this arrives.
        value = {} if direction in translator.directions else {"value": translator.directions[0]}
        return _direction_update(translator, **value)


def card_panel(choice: ModelChoice, elem_id: str) -> None:
    """Build the panel of the chosen model's card under the current block.

    The card is read when somebody opens the panel: its pictures are heavier than the rest of the page.
    """
    with gr.Accordion(text.CONTROLS["card"], open=False, elem_id=f"{elem_id}-card", elem_classes="card") as accordion:
        card = gr.Markdown()
    accordion.expand(lambda name: card_html(choice.translators[name]), choice.model, card, **PRIVATE)
    choice.model.change(lambda: gr.update(open=False), outputs=accordion, **PRIVATE)


def _models_by_task(translators: Sequence[i2i.Translator]) -> dict[str, list[tuple[str, str]]]:
    """What translators do → the methods that do it, as choices; with the models' names where those are several."""
    groups = defaultdict(list)
    for translator in translators:
        groups[translator.info.title].append(translator)
    found = {}
    for task, models in groups.items():
        count = Counter(t.capabilities.title for t in models)
        found[task] = [
            (f"{t.capabilities.title} · {t.info.name}" if count[t.capabilities.title] > 1 else t.capabilities.title,
             t.info.name)
            for t in models
        ]  # fmt: skip
    return found


def _direction_choices(translator: i2i.Translator) -> list[tuple[str, str]]:
    names = {key: domain.name for key, domain in translator.info.domains.items()}
    return [(f"{names[source(d)]} → {names[target(d)]}", d) for d in translator.directions]


def _direction_update(translator: i2i.Translator, **value: Any) -> dict[str, Any]:
    choices = _direction_choices(translator)
    return gr.update(choices=choices, visible=len(choices) > 1, **value)


def _radio(choices: list[tuple[str, str]], label: str, elem_id: str) -> gr.Radio:
    return gr.Radio(choices, value=choices[0][1], label=label, show_label=False, container=False, elem_id=elem_id)
