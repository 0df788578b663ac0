"""The server functions of the list of trainings. Each asks first whether the visitor may train."""

import functools
from collections.abc import Callable
from typing import Any

import gradio as gr

import i2i_models as i2i
from i2i_models.networks.methods import METHODS
from ui import text
from ui.catalog import Catalog
from ui.errors import Answer, BadRequest, explain
from ui.payload import read_mapping, read_whole, to_data_url
from ui.tabs import tab_of
from ui.training import jobs
from ui.training.rights import check
from ui.training.shown import can, shown

LONGEST_SIDE = 1200
"""Pixels of a sample grid as it is sent."""

Function = Callable[[Any, gr.Request, gr.OAuthProfile | None, gr.OAuthToken | None], Answer]


def run_functions(catalog: Catalog) -> list[Function]:
    """`jobs`, `act`, `sample` and `log`; the catalog has the models that the other tabs list."""

    return [
        *(_told("jobs", functools.partial(listed, catalog)), _told("act", act)),
        *(_told("sample", sample), _told("log", log)),
    ]


def _told(name: str, function: Callable[[Any, str | None], Answer]) -> Function:
    """Make a function answer those who may train, and everybody with a sentence where something is wrong."""

    def answer(
        payload: Any, request: gr.Request, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None
    ) -> Answer:
        try:
            check(request, profile)
            return function(payload, token.token if token is not None else None)
        except Exception as error:
            return {"error": explain(error, name)}

    answer.__name__ = name
    return answer


def listed(catalog: Catalog, payload: Any, token: str | None) -> Answer:
    """All jobs as the page shows them, the newest first; a supervisor if one is due."""
    jobs.see_to_it()
    found = jobs.all_jobs()
    for job in found:
        if job.request.get("backend") == "hub" and job.state["state"] == "running":
            jobs.on_hub(job, "sync", token)
    waiting = [job.id for job in reversed(found) if job.state["state"] == "waiting"]
    return {"jobs": [_shown(catalog, job, waiting) for job in found]}


def _shown(catalog: Catalog, job: jobs.Job, waiting: list[str]) -> dict[str, Any]:
    method = job.request.get("method", "")
    title = METHODS[method].title if method in METHODS else str(method)
    listed = catalog.listed.get(str(job.request["name"]))
    tab = tab_of(listed).name if listed is not None else ""
    return shown(job, waiting.index(job.id) + 1 if job.id in waiting else 0, title, tab)


def act(payload: Any, token: str | None) -> Answer:
    """Carry a wish to a job: one of `jobs.WISHES`, or `longer` with what that takes; `export` asks for a snapshot,
    `exported` whether it is there."""
    payload = read_mapping(payload)
    job, wish = jobs.named(payload.get("id")), payload.get("wish")
    if wish == "exported":
        return {"ready": not (job.run / "export").exists()}
    allowed = can(job)
    if wish == "export" and "try" in allowed:
        job.ask_for_snapshot()
    elif wish == "longer" and wish in allowed:
        jobs.go_on_longer(job, payload)
        jobs.see_to_it()
    elif wish in ("discard", "forget", "run") and wish in allowed and job.request.get("backend") == "hub":
        jobs.on_hub(job, {"discard": "cancel", "forget": "forget", "run": "start"}[wish], token)
    elif wish in jobs.WISHES and wish in allowed:
        job.wish(wish)
        jobs.see_to_it()
    elif wish in (*jobs.WISHES, "export", "longer"):
        raise jobs.JobError(text.TRAINING["not_now"])
    else:
        raise BadRequest(text.SERVER["bad_request"])
    return {}


def log(payload: Any, token: str | None) -> Answer:
    """The last that a job has printed."""
    return {"said": jobs.named(read_mapping(payload).get("id")).said()}


def sample(payload: Any, token: str | None) -> Answer:
    """The sample grid of a job's step, as a data URL."""
    payload = read_mapping(payload)
    job, step = jobs.named(payload.get("id")), read_whole(payload.get("step"), 0, 10**9)
    path = job.run / f"samples-{step:07d}.png"
    if not path.is_file():
        raise jobs.JobError(text.TRAINING["no_job"])
    image = i2i.open_image(path)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return {"image": to_data_url(image, "WEBP", quality=85)}
