"""A training's model in use, before it has ended or after: opened below, compared with before, downloaded, pushed."""

import contextlib
import dataclasses
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder

import i2i_models as i2i
from i2i_models.hub.push import push
from i2i_models.networks import methods
from ui import text
from ui.answers import Answers
from ui.compare import compare_tab
from ui.errors import told
from ui.i18n import requested_language, speaking
from ui.tab_parts import HIDDEN
from ui.tabs import tab_of
from ui.training import jobs
from ui.training.rights import check

KEPT_SECONDS = 3600
"""How long a model stays open after its visitor's last click."""


class Opened(NamedTuple):
    """Models that a visitor tries, and the language in which their controls are built; two are compared."""

    translators: list[i2i.Translator]
    language: str


def trial_panel(name: str, runs: gr.HTML, answers: Answers) -> None:
    """Build the panel under the current block.

    Args:
        name: what the ids of the elements begin with.
        runs: the list of trainings, whose events `try_now`, `compare`, `zip` and `push` name a job.
    """
    said = gr.Markdown(elem_id=f"{name}-trial-said")
    file = gr.DownloadButton(text.TRAINING["download"], visible=False, size="sm", elem_id=f"{name}-zip")
    with gr.Row(visible=False, elem_classes="settings") as pushing:
        repo = gr.Textbox(label=text.TRAINING["repo"], max_length=96, elem_id=f"{name}-repo", scale=3, min_width=220)
        private = gr.Checkbox(True, label=text.TRAINING["private"], container=False, elem_id=f"{name}-private")
        go = gr.Button(text.TRAINING["push"], elem_id=f"{name}-push", scale=0, min_width=120)
    chosen = gr.State(None)
    opened = gr.State(None, time_to_live=KEPT_SECONDS)
    _show_opened(opened, answers)

    def open_now(event: gr.EventData, request: gr.Request, profile: gr.OAuthProfile | None) -> tuple[Any, str]:
        return _open(lambda: [newest(jobs.named(event.id))], request, profile)

    def open_both(event: gr.EventData, request: gr.Request, profile: gr.OAuthProfile | None) -> tuple[Any, str]:
        return _open(lambda: before_and_now(jobs.named(event.id)), request, profile)

    def zipped(event: gr.EventData, request: gr.Request, profile: gr.OAuthProfile | None) -> tuple[Any, str]:
        paths: list[str] = []

        def pack() -> str:
            paths.append(archive(jobs.named(event.id)))
            return text.TRAINING["packed"]

        words = _told(pack, request, profile)
        return gr.update(value=paths[0] if paths else None, visible=bool(paths)), words

    def ask_where(event: gr.EventData) -> tuple[Any, Any]:
        with contextlib.suppress(jobs.JobError):
            return jobs.named(event.id).id, gr.update(visible=True)
        return None, gr.update(visible=False)

    def push_there(
        id: str,
        repo: str,
        private: bool,
        request: gr.Request,
        profile: gr.OAuthProfile | None,
        token: gr.OAuthToken | None,
    ) -> str:
        def push_it() -> str:
            job = jobs.named(id)
            if not job.is_done:
                raise jobs.JobError(text.TRAINING["not_now"])
            allowed = token.token if token is not None else None
            url = push(job.output, repo.strip(), "Push a checkpoint", private, token=allowed, check=methods.read)
            return text.TRAINING["pushed"].format(name=repo.strip(), url=url)

        return _told(push_it, request, profile)

    runs.try_now(open_now, None, [opened, said], concurrency_limit=2, **HIDDEN)
    runs.compare(open_both, None, [opened, said], concurrency_limit=2, **HIDDEN)
    runs.zip(zipped, None, [file, said], concurrency_limit=2, **HIDDEN)
    runs.push(ask_where, None, [chosen, pushing], queue=False, **HIDDEN)
    go.click(push_there, [chosen, repo, private], said, concurrency_limit=2, **HIDDEN)


def _show_opened(opened: gr.State, answers: Answers) -> None:
    """Build the models' own tab under the current block, whenever there are any."""

    @gr.render(inputs=opened)
    def show(open_now: Opened | None) -> None:
        if open_now is None:
            return
        found = {t.info.name: t for t in open_now.translators}
        catalog = answers.catalog.only(open_now.translators[0])
        catalog.translators = found
        with speaking(open_now.language), gr.Column(elem_id="trial") as column:
            # The builders take a tab for its id alone.
            column.id = "trial"
            build = compare_tab if len(found) > 1 else tab_of(open_now.translators[0]).build
            build(column, Answers(catalog, room=1 / 8), open_now.translators)


def newest(job: jobs.Job) -> i2i.Translator:
    """What a job has learned so far, or at last.

    Raises:
        JobError: nothing yet.
        CheckpointError: its checkpoint is damaged.
    """
    if job.is_done:
        return i2i.load(job.output)
    if job.snapshots:
        return _snapshot(job, job.snapshots[-1])
    raise jobs.JobError(text.TRAINING["nothing_yet"])


def before_and_now(job: jobs.Job) -> list[i2i.Translator]:
    """What a training had learned before, or began with, and what it has learned now.

    Raises:
        JobError: there is nothing before.
    """
    earlier = job.before
    if earlier is None:
        raise jobs.JobError(text.TRAINING["nothing_before"])
    now = newest(job)
    return [_snapshot(job, earlier) if earlier in job.snapshots else i2i.load(earlier), now]


def _snapshot(job: jobs.Job, folder: Path) -> i2i.Translator:
    network, info = methods.read(folder)
    step = int(folder.name.rpartition("-")[2])
    named = f"{job.request['name']}, {text.TRAINING['at_step'].format(step=step)}"
    return i2i.Translator(network, dataclasses.replace(info, name=named), folder)


def archive(job: jobs.Job) -> str:
    """A ZIP of a finished checkpoint, in Gradio's cache; its path."""
    if not job.is_done:
        raise jobs.JobError(text.TRAINING["not_now"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:  # stored: weights and PNG do not get smaller
        for path in sorted(job.output.rglob("*")):
            if path.is_file():
                file.write(path, f"{job.output.name}/{path.relative_to(job.output).as_posix()}")
    return processing_utils.save_bytes_to_cache(buffer.getvalue(), f"{job.output.name}.zip", get_upload_folder())


def _open(
    find: Callable[[], list[i2i.Translator]], request: gr.Request, profile: gr.OAuthProfile | None
) -> tuple[Any, str]:
    found: list[i2i.Translator] = []

    def load() -> str:
        found.extend(find())
        names = " · ".join(t.info.name for t in found)
        return text.TRAINING["opened"].format(name=names)

    words = _told(load, request, profile)
    return (Opened(found, requested_language(request.headers)) if found else gr.skip()), words


def _told(work: Callable[[], str], request: gr.Request, profile: gr.OAuthProfile | None) -> str:
    """What `work` returns, or the sentence of its error, in the language of the request."""

    def allowed() -> str:
        check(request, profile)
        return work()

    return told(request.headers, allowed, "a training's model")
