"""The Paired tab: methods that learned from pairs of images (pix2pix)."""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.canvas import Sheet, easel, sheet_key
from ui.serving import MAX_SEED, Catalog, card_markdown, sentences, to_data_url

PAPER_LABEL, PEN_LABEL = "facade", "window"
"""A sheet of wall with a window for a first stroke: two rectangles already make a house."""

PRIVATE: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
"""Events that serve the page alone: answered at once, no part of the API."""


def paired_tab(catalog: Catalog, max_file_bytes: int) -> None:
    """Build the tab inside the current `gr.Blocks`."""
    translators = {t.info.name: t for t in catalog.paired()}
    if not translators:
        gr.Markdown(text.PAGE["no_checkpoints"].format(folder=catalog.folder.name))
        return
    directions = {name: t.directions[0] for name, t in translators.items()}
    first = next(iter(translators))
    checkpoint = gr.Radio(
        [(t.info.title, name) for name, t in translators.items()],
        value=first,
        label=text.PAGE["model"],
        show_label=False,
        container=False,
        elem_id="paired-model",
    )
    canvas = easel(
        {sheet_key(name, d): sheet(t, d) for name, t in translators.items() for d in t.directions},
        {"checkpoint": first, "direction": directions[first], "seed": None},
        sentences(catalog.translate),
        sentences(catalog.open_picture),
        max_file_bytes,
        elem_id="paired-easel",
    )
    with gr.Row(elem_classes="settings"):
        dropout = gr.Checkbox(
            False, label=text.PAGE["dropout"], info=text.PAGE["dropout_info"], elem_id="paired-dropout", scale=3
        )
        seed = gr.Number(
            0, label=text.PAGE["seed"], precision=0, minimum=0, maximum=MAX_SEED, elem_id="paired-seed", visible=False
        )
        another = gr.Button(text.PAGE["another_seed"], elem_id="paired-another", visible=False, scale=1)
    with gr.Accordion(text.PAGE["card"], open=False, elem_id="paired-card") as accordion:
        card = gr.Markdown()

    gr.on(
        [checkpoint.change, dropout.change, seed.change],
        fn=None,
        js=settings_js(directions),
        inputs=[checkpoint, dropout, seed],
        outputs=canvas,
    )
    dropout.change(lambda on: (gr.update(visible=on), gr.update(visible=on)), dropout, [seed, another], **PRIVATE)
    another.click(fn=None, js="() => Math.floor(Math.random() * 10000)", outputs=seed)

    def show_card(name: str) -> str:
        return card_markdown(translators[name]) or text.PAGE["no_card"]

    # The card waits until somebody opens it: its pictures are heavier than the rest of the page.
    accordion.expand(show_card, checkpoint, card, **PRIVATE)
    checkpoint.change(lambda: gr.Accordion(open=False), outputs=accordion, **PRIVATE)


def settings_js(directions: Mapping[str, str]) -> str:
    """JavaScript that turns the controls' values into the easel's settings; the seed counts with dropout on alone."""
    return f"""(name, dropout, seed) => ({{
        checkpoint: name,
        direction: {json.dumps(directions)}[name],
        seed: dropout ? Math.min(Math.max(Math.trunc(seed) || 0, 0), {MAX_SEED}) : null,
    }})"""


def sheet(translator: i2i.Translator, direction: str) -> Sheet:
    """What the easel needs to know of a translator: what is drawn on, with what, and the examples."""
    domain = translator.info.domains[direction[0]]
    palette = {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in domain.palette.items()}
    colours = list(palette.values()) or ["#ffffff", "#000000"]
    return Sheet(
        kind=domain.kind,
        size=translator.info.size,
        paper=palette.get(PAPER_LABEL, colours[0]),
        pen=palette.get(PEN_LABEL, colours[-1]),
        palette=palette,
        examples=_examples(translator) if direction.startswith("A") else [],
    )


def _examples(translator: i2i.Translator) -> list[str]:
    """The checkpoint's example inputs, small enough to travel with the page; a broken one is left out."""
    urls = []
    for path in translator.examples:
        try:
            urls.append(to_data_url(i2i.open_image(path)))
        except i2i.ImageError:
            continue
    return urls
