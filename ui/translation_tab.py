"""The tab where one input becomes one result: the model, the drawing editor, and the controls that the model has.

It is the same for every method: the capabilities of the network decide which controls are shown.
"""

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.answers import Answers
from ui.batch import batch_panel
from ui.editor import translation_view
from ui.payload import MAX_SEED, MAX_TEMPERATURE
from ui.tab_parts import PRIVATE, ModelChoice, card_panel


def translation_tab(tab: gr.Tab, answers: Answers, translators: Sequence[i2i.Translator]) -> None:
    """Build what is in the tab, under the current block.

    Args:
        tab: its id is what the ids of the elements begin with.
        translators: the models of this tab, at least one.
    """
    name = str(tab.id)
    choice = ModelChoice(translators, name)
    first = choice.first
    settings = {"checkpoint": first.info.name, "direction": first.directions[0], "seed": None, "temperature": 1}
    view = translation_view(answers, translators, settings, elem_id=f"{name}-view")
    chance = ChanceControls(choice, name)
    batch_panel(answers.catalog, view, name)
    card_panel(choice, name)

    controls: list[Any] = [choice.model, choice.direction, *chance.values]
    gr.on(
        [c.change for c in controls],
        fn=None,
        js=settings_js(translators),
        inputs=controls,
        outputs=view,
        show_progress="hidden",
    )
    view.swap(
        fn=None,
        js="(d) => d.split('2').reverse().join('2')",
        inputs=choice.direction,
        outputs=choice.direction,
        show_progress="hidden",
    )

    def recall(settings: dict[str, Any]) -> list[Any]:
        return [*choice.recalled(settings), *chance.recalled(settings)]

    # Not in the browser alone: Gradio checks a choice against the choices that it sent itself.
    view.recall(recall, view, [*choice.parts, *chance.values], **PRIVATE)


class ChanceControls:
    """The controls of a model's chance at test time, in a row under the current block: those that it has."""

    def __init__(self, choice: ModelChoice, elem_id: str) -> None:
        self._choice = choice
        chance = choice.first.capabilities.chance
        with gr.Row(elem_classes="settings"):
            self.dropout = gr.Checkbox(
                False,
                label=text.CONTROLS["dropout"],
                info=text.CONTROLS["dropout_info"],
                elem_id=f"{elem_id}-dropout",
                visible=chance == "dropout",
                scale=3,
            )
            self.temperature = gr.Slider(
                0,
                MAX_TEMPERATURE,
                value=0,
                step=0.05,
                label=text.CONTROLS["temperature"],
                info=text.CONTROLS["temperature_info"],
                buttons=[],
                elem_id=f"{elem_id}-temperature",
                visible=chance == "latent",
                scale=3,
            )
            self.seed = gr.Number(
                0,
                label=text.CONTROLS["seed"],
                precision=0,
                minimum=0,
                maximum=MAX_SEED,
                elem_id=f"{elem_id}-seed",
                visible=chance == "latent",
            )
            another = gr.Button(
                text.CONTROLS["another_seed"], elem_id=f"{elem_id}-another", visible=chance == "latent", scale=1
            )
        another.click(fn=None, js="() => Math.floor(Math.random() * 10000)", outputs=self.seed, show_progress="hidden")
        gr.on(
            [choice.model.change, self.dropout.change],
            self._offer,
            [choice.model, self.dropout],
            [self.dropout, self.temperature, self.seed, another],
            **PRIVATE,
        )

    @property
    def values(self) -> list[Any]:
        """Dropout, temperature and seed."""
        return [self.dropout, self.temperature, self.seed]

    def recalled(self, settings: dict[str, Any]) -> list[Any]:
        """New values of `values`, which show settings of a link or of the history: the way back of `settings_js`."""
        translator = self._choice.translators.get(settings["checkpoint"], self._choice.first)
        chance, seed = translator.capabilities.chance, settings["seed"]
        return [
            chance == "dropout" and seed is not None,
            settings["temperature"] if chance == "latent" and seed is not None else 0,
            gr.skip() if seed is None else seed,
        ]

    def _offer(self, name: str, dropout: bool) -> list[dict[str, Any]]:
        """Show the controls of the chosen model and no others."""
        chance = self._choice.translators[name].capabilities.chance
        seeded = chance == "latent" or (chance == "dropout" and dropout)
        shown = (chance == "dropout", chance == "latent", seeded, seeded)
        return [gr.update(visible=visible) for visible in shown]


def settings_js(translators: Sequence[i2i.Translator]) -> str:
    """JavaScript that turns the controls' values into the editor's settings: only those that the model has."""
    capabilities = {t.info.name: {"directions": t.directions, "chance": t.capabilities.chance} for t in translators}
    return f"""(name, direction, dropout, temperature, seed) => {{
        const {{ directions, chance }} = {json.dumps(capabilities)}[name];
        const on = {{ dropout, latent: temperature > 0 }}[chance];
        return {{
            checkpoint: name,
            direction: directions.includes(direction) ? direction : directions[0],
            seed: on ? Math.min(Math.max(Math.trunc(seed) || 0, 0), {MAX_SEED}) : null,
            temperature: chance === "latent" ? temperature : 1,
        }};
    }}"""
