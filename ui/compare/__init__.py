"""The Compare tab: one input, and beside each other what every method makes of it.

Methods are compared where they do the same: translate from equal domains to equal domains.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import gradio as gr

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.directions import Direction, source, target
from ui import text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.editor import ServerFunction, editor_parts
from ui.errors import Answer, sentences
from ui.history import LINK_JS, history_parts
from ui.model_card import card_html
from ui.payload import to_live_url
from ui.question import read_model
from ui.tab_parts import PRIVATE

HERE = Path(__file__).parent
MAX_FIGURES = 3
"""Numbers under a picture; more would not be compared but studied, and for that there is the card."""

METRICS_CHARS = 1_000_000
"""Of `metrics.json` that are read."""
LARGEST = 1e9
"""No number that means something under a picture is larger."""

Entry = tuple[i2i.Translator, Direction]


class Figure(NamedTuple):
    """A number of `metrics.json` that means something beside the same number of another method."""

    metric: str
    value: str
    higher_is_better: bool


FIGURES = (
    Figure("label score", "class_iou", True),
    Figure("label colours", "class_iou", True),
    Figure("label colours", "within_16", True),
    Figure("strokes", "f1", True),
    Figure("truth", "l1", False),
    Figure("truth", "ssim", True),
    Figure("features", "fid", False),
)
"""The most telling first: a task shows the first few that any of its methods was measured by."""


class Shown(TypedDict):
    """A figure under a method's picture; value "–" where this method was not measured by it."""

    label: str
    value: str
    best: bool
    about: str


class Method(TypedDict):
    """What the page knows of one method of a task."""

    checkpoint: str
    direction: str
    name: str
    styled: bool
    figures: list[Shown]


class Task(TypedDict):
    """One kind of translation. `checkpoint` and `direction` give the editor its input spec and examples."""

    title: str
    checkpoint: str
    direction: str
    truths: bool
    legend: str
    methods: list[Method]


def compare_tab(tab: gr.Tab, answers: Answers, translators: Sequence[i2i.Translator]) -> None:
    """Build what is in the tab, under the current block.

    Args:
        tab: its id is what the ids of the elements begin with.
        translators: the models to compare, at least one.
    """
    name = str(tab.id)
    models = {t.info.name: t for t in translators}
    tasks = find_tasks(translators)
    first = next(iter(tasks))
    task = gr.Radio(
        [(entry["title"], key) for key, entry in tasks.items()],
        value=first,
        label=text.COMPARE["task"],
        show_label=False,
        container=False,
        elem_id=f"{name}-task",
    )
    editor, visit = editor_parts(answers, translators), history_parts()
    props = {
        **editor.props,
        "texts": {**editor.props["texts"], **visit.texts, **text.COMPARE},
        "limits": {**editor.props["limits"], **visit.limits},
        "tab": name,
    }
    view = gr.HTML(
        value={"task": first},
        html_template=_read("compare.html").replace("<!-- editor -->", editor.html),
        css_template=editor.css + _read("compare.css"),
        js_on_load="\n".join((editor.js, LINK_JS, _read("compare.js"))),
        apply_default_css=False,
        server_functions=[sentences(answers.translate), sentences(truths(answers.catalog)), *editor.server_functions],
        elem_id=f"{name}-view",
        tasks=tasks,
        **props,
    )
    with gr.Accordion("", open=False, visible=False, elem_id=f"{name}-card", elem_classes="card") as accordion:
        card = gr.Markdown()

    def show_card(event: gr.EventData) -> tuple[Any, str]:
        translator = models.get(str(event.checkpoint))
        if translator is None:
            return gr.update(visible=False), ""
        label = text.COMPARE["about"].format(name=translator.info.name)
        return gr.update(label=label, open=True, visible=True), card_html(translator)

    task.change(fn=None, js="(task) => ({ task })", inputs=task, outputs=view, show_progress="hidden")
    view.recall(fn=None, js="({ task }) => task", inputs=view, outputs=task)
    task.change(lambda: gr.update(visible=False), outputs=accordion, **PRIVATE)
    scroll = f"document.querySelector('#{name}-card')?.scrollIntoView({{ behavior: 'smooth' }})"
    view.about(show_card, None, [accordion, card], **PRIVATE).then(fn=None, js=f"() => setTimeout(() => {scroll}, 50)")


def find_tasks(translators: Iterable[i2i.Translator]) -> dict[str, Task]:
    """The translations that these checkpoints do, those that most methods do first."""
    groups: dict[str, list[Entry]] = {}
    for translator in translators:
        for direction in translator.directions:
            before, after = (translator.info.domains[key] for key in (source(direction), target(direction)))
            key = f"{before.name} ({before.kind}) to {after.name} ({after.kind})"
            groups.setdefault(key, []).append((translator, direction))
    return {key: _task(group) for key, group in sorted(groups.items(), key=lambda item: -len(item[1]))}


def _task(group: list[Entry]) -> Task:
    # The editor has the input spec and the examples of one checkpoint: preferably one with truths, then one with
    # examples, then the largest. Each method fits the drawing to its own size.
    host, way = max(group, key=lambda entry: (_has_truths(*entry), _has_examples(*entry), entry[0].info.size))
    title = " → ".join(host.info.domains[key].name for key in (source(way), target(way)))
    rows = [_rows(*entry) for entry in group]
    figures = [f for f in FIGURES if any(_number(f, row) is not None for row in rows)][:MAX_FIGURES]
    titles = [translator.capabilities.title for translator, _ in group]
    return Task(
        title=title,
        checkpoint=host.info.name,
        direction=way,
        truths=_has_truths(host, way),
        legend=_legend(figures, rows, title),
        methods=[
            Method(
                checkpoint=translator.info.name,
                direction=direction,
                name=title if titles.count(title) == 1 else f"{title} · {translator.info.name}",
                styled=translator.capabilities.chance == "style",
                figures=[_shown(figure, row, rows) for figure in figures],
            )
            for (translator, direction), title, row in zip(group, titles, rows, strict=True)
        ],
    )


def _has_examples(translator: i2i.Translator, direction: Direction) -> bool:
    return bool(translator.examples_of(source(direction)))


def _has_truths(translator: i2i.Translator, direction: Direction) -> bool:
    return any(truth_of(path).is_file() for path in translator.examples_of(source(direction)))


def _rows(translator: i2i.Translator, direction: Direction) -> dict[str, dict[str, Any]]:
    """What a checkpoint was measured by in a direction, by metric; nothing if its file is missing or damaged."""
    try:
        with open((translator.folder or Path()) / checkpoints.METRICS, encoding="utf-8") as file:
            rows = json.loads(file.read(METRICS_CHARS))["metrics"]
        return {row["metric"]: row for row in rows if row["direction"] == direction and isinstance(row["metric"], str)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _number(figure: Figure, row: dict[str, dict[str, Any]]) -> float | None:
    value = row.get(figure.metric, {}).get(figure.value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # Compared before it becomes a float, which a whole number may be too long for; NaN fails, too.
    return float(value) if -LARGEST <= value <= LARGEST else None


def _shown(figure: Figure, row: dict[str, dict[str, Any]], rows: list[dict[str, dict[str, Any]]]) -> Shown:
    value = _number(figure, row)
    others = [number for other in rows if (number := _number(figure, other)) is not None]
    best = max(others) if figure.higher_is_better else min(others)
    about = ""
    if value is not None:
        measured = row[figure.metric]
        about = text.COMPARE["measured"].format_map(
            {key: str(measured.get(key, "?"))[:20] for key in ("images", "split", "size")}
        )
    return Shown(
        label=text.COMPARE[f"figure_{figure.value}"],
        value="–" if value is None else f"{value:.3g}" if value >= 1 else f"{value:.3f}",
        best=len(others) > 1 and value == best,
        about=about,
    )


def _legend(figures: list[Figure], rows: list[dict[str, dict[str, Any]]], direction: str) -> str:
    """What the numbers are, and of which direction and images."""
    if not figures:
        return ""
    splits = sorted({str(row[f.metric].get("split"))[:20] for f in figures for row in rows if f.metric in row})
    words = [text.COMPARE[f"legend_{figure.value}"] for figure in figures]
    return text.COMPARE["legend"].format(direction=direction, split=", ".join(splits), figures="; ".join(words))


def truth_of(example: Path) -> Path:
    """Where the true translation of an example lies, if it is known."""
    return example.parent / checkpoints.TRUTH / example.name


def truths(catalog: Catalog) -> ServerFunction:
    """The server function that answers a checkpoint and direction with its examples' `truths`, data URLs or null."""

    def truths(payload: Any) -> Answer:
        translator, direction = read_model(catalog, payload)
        # As in `Uploads.examples`, so that both lists are of the same examples.
        readable = [path for path in translator.examples_of(source(direction)) if _picture(path)]
        return {"truths": [_picture(truth_of(path)) for path in readable]}

    return truths


def _picture(path: Path) -> str | None:
    try:
        return to_live_url(i2i.open_image(path))
    except i2i.ImageError:
        return None


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
