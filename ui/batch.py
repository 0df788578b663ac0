"""Several pictures at once: a visitor's files are translated one after the other, as the tab is set.

They go through Gradio's queue, a picture a step, so that the visitor can cancel and others who draw need not wait.
"""

import copy
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder

from i2i_models.directions import source
from ui import text
from ui.catalog import Catalog
from ui.errors import BadRequest, sentences
from ui.i18n import requested_language, speaking
from ui.limits.fair_queue import Visitor
from ui.limits.guard import ADDRESS
from ui.payload import read_mapping, read_seed, read_temperature
from ui.question import check_length, open_for, read_model
from ui.uploads import REDUCTIONS, shrink

MOST_FILES = 60
MAX_SIDE = 1024
"""Pixels of a result's longer side; the networks look at 128 or 256 of them."""
AT_ONCE, AT_ONCE_ADDRESS = 8, 4
"""Batches that are under way at the same time, of all visitors and of one address. They and those who draw take turns
at the networks, a picture each, so more of them only take longer."""
BAR = """<div class="progress"><progress value="{{value.done}}" max="{{value.count}}" aria-label="{{texts.progress}}">
</progress><span role="status">{{value.words}}</span></div>"""
BAR_CSS = """
.progress { display: flex; align-items: center; gap: .75rem; min-height: 2.5rem; }
progress { flex: 0 1 16rem; min-width: 6rem; accent-color: var(--color-accent); }
span { font-size: .875rem; font-variant-numeric: tabular-nums; }
"""

Update = dict[Any, Any]
"""New values by component."""


class Shares:
    """Who has batches under way: one a session, and one address leaves places for others."""

    def __init__(self, each_address: int) -> None:
        self.each_address = each_address
        self._taken: dict[Visitor, object] = {}
        self._lock = threading.Lock()

    def take(self, visitor: Visitor) -> Callable[[], None] | None:
        """What gives the share back, however often it is called; None if the visitor has its share already."""
        token = object()
        with self._lock:
            of_address = sum(address == visitor[0] for address, _ in self._taken)
            if visitor in self._taken or of_address >= self.each_address:
                return None
            self._taken[visitor] = token

        def give_back() -> None:
            with self._lock:
                if self._taken.get(visitor) is token:
                    del self._taken[visitor]

        return give_back


_shares = Shares(AT_ONCE_ADDRESS)
"""Of all tabs together."""


class Batch:
    """The files of one visitor, which go through a network one after the other.

    Args:
        settings: `checkpoint`, `direction`, `seed` and `temperature`, as the tab's translation view has them.

    Raises:
        BadRequest: a setting is not of its kind.
    """

    def __init__(self, catalog: Catalog, settings: Any) -> None:
        settings = read_mapping(settings)
        self.catalog = catalog
        self.translator, self.direction = read_model(catalog, settings)
        self.seed = read_seed(settings.get("seed"))
        self.temperature = read_temperature(settings.get("temperature"))
        self.done: list[str] = []
        self.log: list[dict[str, str]] = []
        self._translated = sentences(self._translate)
        self._noting = threading.Lock()

    def add(self, path: str) -> None:
        """Translate a file. One that cannot be used is skipped, and the log says why."""
        answer = self._translated(path)
        entry = {"file": Path(path).name}
        with self._noting:
            if "error" in answer:
                entry["skipped"] = answer["error"]
            else:
                entry["result"] = f"{len(self.log) + 1:02d}-{Path(path).stem}.png"
                self.done.append(answer["path"])
            self.log.append(entry)

    def so_far(self) -> "Batch":
        """A copy that stays as it is; a batch that was cancelled may still be at its last picture."""
        with self._noting:
            copied = copy.copy(self)
            copied.done, copied.log = list(self.done), list(self.log)
        return copied

    def _translate(self, path: str) -> dict[str, str]:
        image = check_length(open_for(self.translator, self.direction, Path(path)))
        kind = self.translator.info.domains[source(self.direction)].kind
        shrink(image, MAX_SIDE, kind)
        reduction = REDUCTIONS.get(kind)
        if reduction and not reduction.is_done(image):
            image = reduction.reduce(image)
        with self.catalog.pool.slot():
            result = self.translator.translate(image, self.direction, seed=self.seed, temperature=self.temperature)
        return {"path": processing_utils.save_pil_to_cache(result, get_upload_folder(), format="png")}

    @property
    def skipped(self) -> list[dict[str, str]]:
        """The log's entries of files that could not be used."""
        return [entry for entry in self.log if "skipped" in entry]

    def summary(self, count: int) -> str:
        """Markdown: how many of `count` files were translated, and which were skipped and why."""
        lines = [text.BATCH["summary"].format(done=len(self.done), count=count)]
        if self.skipped:
            lines.append(text.BATCH["skipped"].format(count=len(self.skipped)))
            # names and sentences come from outside: no markup of theirs is meant
            lines.extend(f"- `{_plain(entry['file'])}`: {_plain(entry['skipped'])}" for entry in self.skipped)
        return "\n\n".join(lines[:2]) + "".join(f"\n{line}" for line in lines[2:])

    def archive(self) -> str | None:
        """A ZIP of the results and `settings.json`, in Gradio's cache; its path, or None without a result."""
        if not self.done:
            return None
        settings = {"checkpoint": self.translator.info.name, "direction": self.direction, "seed": self.seed}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:  # stored: PNG is compressed already
            names = [entry["result"] for entry in self.log if "result" in entry]
            for name, path in zip(names, self.done, strict=True):
                file.write(path, name)
            content = {**settings, "temperature": self.temperature, "files": self.log}
            file.writestr("settings.json", json.dumps(content, indent=2, ensure_ascii=False))
        return processing_utils.save_bytes_to_cache(buffer.getvalue(), "results.zip", get_upload_folder())


def batch_panel(catalog: Catalog, view: gr.HTML, elem_id: str) -> None:
    """Build the panel inside the current `gr.Blocks`.

    Args:
        view: its value has the settings that are used.
        elem_id: what the ids of the panel's elements begin with.
    """
    with gr.Accordion(text.BATCH["title"], open=False, elem_id=f"{elem_id}-batch", elem_classes="batch"):
        # No file_types: one wrong file would be refused together with all the others.
        files = gr.File(file_count="multiple", label=text.BATCH["files"], height=150, elem_id=f"{elem_id}-batch-files")
        with gr.Row(elem_classes="settings"):
            start = gr.Button(text.BATCH["start"], interactive=False, elem_id=f"{elem_id}-batch-start", scale=0)
            cancel = gr.Button(text.BATCH["cancel"], interactive=False, elem_id=f"{elem_id}-batch-cancel", scale=0)
            bar = gr.HTML(
                _bar(0, 1, ""),
                html_template=BAR,
                css_template=BAR_CSS,
                js_on_load=None,
                apply_default_css=False,
                elem_id=f"{elem_id}-batch-bar",
                texts={"progress": text.BATCH["progress"]},
                visible=False,
            )
        note = gr.Markdown(elem_id=f"{elem_id}-batch-note")
        gallery = gr.Gallery(
            label=text.BATCH["results"],
            columns=6,
            height="auto",
            object_fit="contain",
            visible=False,
            elem_id=f"{elem_id}-batch-gallery",
        )
        download = gr.DownloadButton(text.BATCH["zip"], visible=False, size="sm", elem_id=f"{elem_id}-batch-zip")
        under_way = gr.State(None)

    everything = [start, cancel, bar, note, gallery, download, under_way]

    def finished(batch: Batch, count: int) -> Update:
        batch = batch.so_far()
        archive = batch.archive()
        return {
            start: gr.update(interactive=True),
            cancel: gr.update(interactive=False),
            bar: gr.update(visible=False),
            note: batch.summary(count),
            download: gr.update(value=archive, visible=archive is not None),
            under_way: None,
        }

    def run(paths: list[str] | None, settings: Any, request: gr.Request) -> Iterator[Update]:
        language = requested_language(request.headers)
        give_back = _shares.take((request.headers.get(ADDRESS.decode(), ""), request.session_hash or ""))
        with speaking(language):
            if give_back is None:
                raise gr.Error(text.BATCH["under_way"], print_exception=False)
        try:
            yield from translate_all(paths or [], settings, language, give_back)
        finally:
            give_back()

    def translate_all(
        paths: list[str], settings: Any, language: str, give_back: Callable[[], None]
    ) -> Iterator[Update]:
        taken = paths[:MOST_FILES]
        with speaking(language):
            try:
                batch = Batch(catalog, settings)
            except BadRequest as error:
                raise gr.Error(str(error), print_exception=False) from None
        yield {
            start: gr.update(interactive=False),
            cancel: gr.update(interactive=True),
            bar: gr.update(visible=True, value=_bar(0, len(taken), "")),
            note: "",
            gallery: gr.update(value=[], visible=True),
            download: gr.update(visible=False),
            under_way: (batch, len(paths), give_back),
        }
        for i, path in enumerate(taken, 1):
            with speaking(language):
                batch.add(path)
                words = text.BATCH["doing"].format(done=i, count=len(taken))
            yield {bar: gr.update(value=_bar(i, len(taken), words)), gallery: list(batch.done)}
        with speaking(language):
            too_many = [text.BATCH["too_many"].format(limit=MOST_FILES)] if len(paths) > MOST_FILES else []
            last = finished(batch, len(paths))
        yield {**last, note: "\n\n".join([*too_many, last[note]])}

    def stop(running: tuple[Batch, int, Callable[[], None]] | None) -> Update:
        if running is None:
            return {under_way: None}
        batch, count, give_back = running
        give_back()
        last = finished(batch, count)
        return {**last, note: f"{text.BATCH['cancelled']} {last[note]}"}

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    job = start.click(run, [files, view], everything, concurrency_limit=AT_ONCE, concurrency_id="batch", **hidden)
    cancel.click(stop, under_way, everything, cancels=[job], queue=False, **hidden)
    gr.on(
        [files.upload, files.delete, files.clear],
        lambda paths: gr.update(interactive=bool(paths)),
        files,
        start,
        queue=False,
        **hidden,
    )


def _bar(done: int, count: int, words: str) -> dict[str, Any]:
    return {"done": done, "count": max(count, 1), "words": words}


def _plain(words: str) -> str:
    return words.replace("`", "'").replace("<", "‹").replace("[", "(")
