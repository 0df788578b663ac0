"""The Train tab: pictures in, a model of one's own out; and below, the trainings that run, wait or have ended.

The tab has a form in three steps and the list of trainings, a `gr.HTML` of its own. What a visitor asks becomes files
(`ui/training/jobs.py`); the trainings themselves are processes that the page neither owns nor imports.
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.answers import Answers
from ui.editor import HERE as EDITOR
from ui.training import trial
from ui.training.form import form
from ui.training.runs import run_functions

HERE = Path(__file__).parent


def training_tab(tab: gr.Tab, answers: Answers, translators: Sequence[i2i.Translator]) -> None:
    """Build what is in the tab, under the current block.

    Args:
        tab: its id is what the ids of the elements begin with.
        translators: the models that a training may begin with.
    """
    name = str(tab.id)
    started = form(name, answers.catalog, translators)
    runs = gr.HTML(
        value=0,
        html_template=_read("runs.html"),
        css_template=_read("runs.css"),
        js_on_load=(EDITOR / "toasts.js").read_text(encoding="utf-8") + _read("runs.js"),
        apply_default_css=False,
        server_functions=run_functions(answers.catalog),
        elem_id=f"{name}-runs",
        texts=dict(text.TRAINING),
    )
    started.change(fn=None, js="(started) => started", inputs=started, outputs=runs, show_progress="hidden")
    trial.trial_panel(name, runs, answers)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
