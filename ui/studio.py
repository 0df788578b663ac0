"""A tab where one input becomes one result: the model and its direction, the view, the controls that the model has.

The same for every method: what is shown follows from what the network says that it can.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.batch import batch_panel
from ui.editor import translation_view
from ui.payload import MAX_SEED, MAX_TEMPERATURE
from ui.serving import Catalog, card_markdown

PRIVATE: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
"""Events that serve the page alone: answered at once, no part of the API."""


def studio(catalog: Catalog, translators: Sequence[i2i.Translator], elem_id: str, max_file_bytes: int) -> None:
    """Build the tab inside the current `gr.Blocks`.

    Args:
        translators: the models of this tab, at least one.
        elem_id: what the ids of the tab's elements begin with.
    """
    models = {t.info.name: t for t in translators}
    first = translators[0]
    with gr.Row(elem_classes="choices"):
        choice = model_choice(translators, elem_id)
        model = choice.model
        direction = direction_choice(first, elem_id)
    settings = {"checkpoint": first.info.name, "direction": first.directions[0], "seed": None, "temperature": 1}
    view = translation_view(catalog, translators, settings, max_file_bytes, elem_id=f"{elem_id}-view")
    with gr.Row(elem_classes="settings"):
        chance = first.abilities.chance
        dropout = gr.Checkbox(
            False,
            label=text.STUDIO["dropout"],
            info=text.STUDIO["dropout_info"],
            elem_id=f"{elem_id}-dropout",
            visible=chance == "dropout",
            scale=3,
        )
        temperature = gr.Slider(
            0,
            MAX_TEMPERATURE,
            value=0,
            step=0.05,
            label=text.STUDIO["temperature"],
            info=text.STUDIO["temperature_info"],
            buttons=[],
            elem_id=f"{elem_id}-temperature",
            visible=chance == "latent",
            scale=3,
        )
        seeded = chance == "latent"
        seed = gr.Number(
            0,
            label=text.STUDIO["seed"],
            precision=0,
            minimum=0,
            maximum=MAX_SEED,
            elem_id=f"{elem_id}-seed",
            visible=seeded,
        )
        another = gr.Button(text.STUDIO["another_seed"], elem_id=f"{elem_id}-another", visible=seeded, scale=1)
    batch_panel(catalog, view, elem_id)
    with gr.Accordion(text.STUDIO["card"], open=False, elem_id=f"{elem_id}-card", elem_classes="card") as accordion:
        card = gr.Markdown()

    controls: list[Any] = [model, direction, dropout, temperature, seed]
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
        inputs=direction,
        outputs=direction,
        show_progress="hidden",
    )
    another.click(fn=None, js="() => Math.floor(Math.random() * 10000)", outputs=seed, show_progress="hidden")

    def offer(name: str, direction: str, dropout: bool) -> list[dict[str, Any]]:
        """Show the controls of the chosen model and no others."""
        chance = models[name].abilities.chance
        directions = models[name].directions
        # Only where it must: by the time this arrives, the visitor may have chosen the other one.
        chosen = {} if direction in directions else {"value": directions[0]}
        seeded = chance == "latent" or (chance == "dropout" and dropout)
        return [
            gr.update(choices=direction_choices(models[name]), visible=len(directions) > 1, **chosen),
            gr.update(visible=chance == "dropout"),
            gr.update(visible=chance == "latent"),
            gr.update(visible=seeded),
            gr.update(visible=seeded),
        ]

    def recall(settings: dict[str, Any]) -> list[Any]:
        """Show settings that a link or the history brought: the way back of `settings_js`."""
        translator = models.get(settings["checkpoint"], first)
        chance, seed = translator.abilities.chance, settings["seed"]
        return [
            *choice.recalled(translators, translator),
            gr.update(
                choices=direction_choices(translator),
                value=settings["direction"],
                visible=len(translator.directions) > 1,
            ),
            chance == "dropout" and seed is not None,
            settings["temperature"] if chance == "latent" and seed is not None else 0,
            gr.skip() if seed is None else seed,
        ]

    # Not in the browser alone: Gradio checks a choice against the choices that it sent itself.
    view.recall(recall, view, [*choice.parts, *controls[1:]], **PRIVATE)

    gr.on(
        [model.change, dropout.change],
        offer,
        [model, direction, dropout],
        [direction, dropout, temperature, seed, another],
        **PRIVATE,
    )

    def show_card(name: str) -> str:
        return card_markdown(models[name]) or text.STUDIO["no_card"]

    # The card waits until somebody opens it: its pictures are heavier than the rest of the page.
    accordion.expand(show_card, model, card, **PRIVATE)
    model.change(lambda: gr.Accordion(open=False), outputs=accordion, **PRIVATE)


class ModelChoice(NamedTuple):
    """The choice of a model; where several learned the same, first of what they do (`task`) and then of the method."""

    task: gr.Radio | None
    model: gr.Radio

    @property
    def parts(self) -> list[gr.Radio]:
        """Those that there are, the task first."""
        return [self.model] if self.task is None else [self.task, self.model]

    def recalled(self, translators: Sequence[i2i.Translator], chosen: i2i.Translator) -> list[Any]:
        """New values of `parts`: one of the translators is chosen."""
        if self.task is None:
            return [chosen.info.name]
        task = chosen.info.title
        return [task, gr.update(choices=models_by_task(translators)[task], value=chosen.info.name)]


def model_choice(translators: Sequence[i2i.Translator], elem_id: str) -> ModelChoice:
    """Build the choice of a model."""

    def radio(choices: list[tuple[str, str]], label: str, kind: str) -> gr.Radio:
        options: dict[str, Any] = {"show_label": False, "container": False, "elem_id": f"{elem_id}-{kind}"}
        return gr.Radio(choices, value=choices[0][1], label=label, **options)

    groups = models_by_task(translators)
    if len(groups) == len(translators):
        models = [(t.info.title, t.info.name) for t in translators]
        return ModelChoice(None, radio(models, text.STUDIO["model"], "model"))
    task = radio([(title, title) for title in groups], text.STUDIO["task"], "task")
    task.visible = len(groups) > 1
    model = radio(groups[translators[0].info.title], text.STUDIO["method"], "model")
    # A visitor's choice alone: when a link or the history sets the task, it sets the model as well.
    task.input(lambda t: gr.Radio(choices=groups[t], value=groups[t][0][1]), task, model, **PRIVATE)
    return ModelChoice(task, model)


def models_by_task(translators: Sequence[i2i.Translator]) -> dict[str, list[tuple[str, str]]]:
    """What translators do → the methods that do it, as choices."""
    groups = defaultdict(list)
    for translator in translators:
        groups[translator.info.title].append((translator.abilities.title, translator.info.name))
    return dict(groups)


def direction_choice(translator: i2i.Translator, elem_id: str) -> gr.Radio:
    """The choice of a direction, in sight where there are two; `translator` is the first model chosen."""
    return gr.Radio(
        direction_choices(translator),
        value=translator.directions[0],
        label=text.STUDIO["direction"],
        show_label=False,
        container=False,
        visible=len(translator.directions) > 1,
        elem_id=f"{elem_id}-direction",
    )


def direction_choices(translator: i2i.Translator) -> list[tuple[str, str]]:
    """A translator's directions in words."""
    names = {key: domain.name for key, domain in translator.info.domains.items()}
    return [(f"{names[d[0]]} → {names[d[2]]}", d) for d in translator.directions]


def settings_js(translators: Sequence[i2i.Translator]) -> str:
    """JavaScript that turns the controls' values into the view's settings: those alone that the model has."""
    abilities = {t.info.name: {"directions": t.directions, "chance": t.abilities.chance} for t in translators}
    return f"""(name, direction, dropout, temperature, seed) => {{
        const {{ directions, chance }} = {json.dumps(abilities)}[name];
        const on = {{ dropout, latent: temperature > 0 }}[chance];
        return {{
            checkpoint: name,
            direction: directions.includes(direction) ? direction : directions[0],
            seed: on ? Math.min(Math.max(Math.trunc(seed) || 0, 0), {MAX_SEED}) : null,
            temperature: chance === "latent" ? temperature : 1,
        }};
    }}"""
