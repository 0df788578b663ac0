"""The tab for methods that give another result for every style (MUNIT).

Its component, a `gr.HTML`, contains the editor; a pad and sliders over the directions in which real images' styles
vary; random styles, styles of pictures and saved ones; interpolation between two; and one style on many inputs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import i2i_models as i2i
from i2i_models.directions import target
from ui import text
from ui.answers import Answers
from ui.editor import component_with_editor
from ui.multimodal.answers import StyleAnswers, style_controls
from ui.tab_parts import PRIVATE, ModelChoice, card_panel

HERE = Path(__file__).parent
SCRIPTS = (
    "style_space.js",
    "style_pad.js",
    "saved_styles.js",
    "style_panels.js",
    "many_inputs_panel.js",
    "wandering.js",
    "multimodal.js",
)


def style_tab(tab: gr.Tab, answers: Answers, translators: Sequence[i2i.Translator]) -> None:
    """Build what is in the tab, under the current block.

    Args:
        tab: its id is what the ids of the elements begin with.
        translators: the models of this tab, at least one, all with styles.
    """
    name = str(tab.id)
    choice = ModelChoice(translators, name)
    value = {"checkpoint": choice.first.info.name, "direction": choice.first.directions[0]}
    component = styles_component(answers, translators, value, elem_id=f"{name}-view")
    card_panel(choice, name)
    gr.on(
        [choice.model.change, choice.direction.change],
        fn=None,
        js="(checkpoint, direction) => ({ checkpoint, direction })",
        inputs=[choice.model, choice.direction],
        outputs=component,
        show_progress="hidden",
    )
    component.recall(choice.recalled, component, choice.parts, **PRIVATE)


def styles_component(
    answers: Answers, translators: Sequence[i2i.Translator], value: dict[str, Any], elem_id: str
) -> gr.HTML:
    """Build the component.

    Args:
        translators: the models that may be chosen on it.
        value: `checkpoint` and `direction`, and the `style` (list of numbers) to begin with, if not the typical one.
            The page's other controls change the component by changing this value.
    """
    styles = StyleAnswers(answers)
    return component_with_editor(
        answers,
        translators,
        value,
        elem_id,
        html=_read("multimodal.html"),
        css=_read("multimodal.css"),
        js="\n".join(map(_read, SCRIPTS)),
        server_functions=styles.functions,
        texts=text.MULTIMODAL,
        spaces={f"{t.info.name} {target(d)}": style_controls(t, d) for t in translators for d in t.directions},
        formats=list(styles.encoders),
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
