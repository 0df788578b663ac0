"""A tab for methods that give another picture for every style (MUNIT).

A `gr.HTML` of our own around the editor: a pad and sliders over the directions in which real images' styles vary,
random styles, styles of pictures, saved ones, interpolation between two, one style on many inputs.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import i2i_models as i2i
from i2i_models.styles import LIMIT
from ui import text
from ui.editor import component_with_editor
from ui.multimodal.answers import StyleAnswers, style_controls
from ui.serving import Catalog, card_markdown
from ui.studio import PRIVATE, direction_choice, direction_choices, model_choice

HERE = Path(__file__).parent
SCRIPTS = (
    "style_space.js",
    "style_pad.js",
    "saved_styles.js",
    "style_panels.js",
    "many_inputs_panel.js",
    "multimodal.js",
)


def style_studio(catalog: Catalog, translators: Sequence[i2i.Translator], elem_id: str, max_file_bytes: int) -> None:
    """Build the tab inside the current `gr.Blocks`.

    Args:
        translators: the models of this tab, at least one, all with styles.
        elem_id: what the ids of the tab's elements begin with.
    """
    models = {t.info.name: t for t in translators}
    first = translators[0]
    with gr.Row(elem_classes="choices"):
        choice = model_choice(translators, elem_id)
        model = choice.model
        direction = direction_choice(first, elem_id)
    value = {"checkpoint": first.info.name, "direction": first.directions[0]}
    component = styles_component(catalog, translators, value, max_file_bytes, elem_id=f"{elem_id}-view")
    with gr.Accordion(text.STUDIO["card"], open=False, elem_id=f"{elem_id}-card", elem_classes="card") as accordion:
        card = gr.Markdown()

    gr.on(
        [model.change, direction.change],
        fn=None,
        js="(checkpoint, direction) => ({ checkpoint, direction })",
        inputs=[model, direction],
        outputs=component,
        show_progress="hidden",
    )

    def recall(settings: dict[str, Any]) -> list[Any]:
        """Show settings that a link or the history brought."""
        translator = models.get(settings["checkpoint"], first)
        directions = gr.Radio(choices=direction_choices(translator), value=settings["direction"])
        return [*choice.recalled(translators, translator), directions]

    component.recall(recall, component, [*choice.parts, direction], **PRIVATE)
    # Every model with styles has both directions, so only their names change.
    model.change(lambda name: gr.Radio(choices=direction_choices(models[name])), model, direction, **PRIVATE)
    accordion.expand(lambda name: card_markdown(models[name]) or text.STUDIO["no_card"], model, card, **PRIVATE)
    model.change(lambda: gr.Accordion(open=False), outputs=accordion, **PRIVATE)


def styles_component(
    catalog: Catalog, translators: Iterable[i2i.Translator], value: dict[str, Any], max_file_bytes: int, elem_id: str
) -> gr.HTML:
    """Build the component.

    Args:
        catalog: answers its questions.
        translators: those that may be chosen on it.
        value: `checkpoint` and `direction`, and the `style` (list of numbers) to begin with, if not the typical one.
            The page's other controls change the component by changing this value.
        max_file_bytes: of a visitor's file.
    """
    translators = list(translators)
    answers = StyleAnswers(catalog)
    return component_with_editor(
        catalog,
        translators,
        value,
        max_file_bytes,
        elem_id,
        html=_read("multimodal.html"),
        css=_read("multimodal.css"),
        js="\n".join(map(_read, SCRIPTS)),
        server_functions=answers.functions,
        texts=text.MULTIMODAL,
        limits={"style": LIMIT},
        spaces={f"{t.info.name} {d[2]}": style_controls(t, d) for t in translators for d in t.directions},
        formats=list(answers.encoders),
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
