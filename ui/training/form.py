"""The form of a new training, in three steps: pictures, "is this what you mean?", what is to be made of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import torch

import i2i_models as i2i
from i2i_models.networks.methods import METHODS
from ui import text
from ui.catalog import Catalog
from ui.errors import explain
from ui.i18n import requested_language, speaking
from ui.payload import to_live_url
from ui.tab_parts import HIDDEN, PRIVATE
from ui.training import jobs, options, scope
from ui.training.rights import check, may_name_folders

SIZES = (64, 128, 256, 512)
USUAL_SIZE = 128
MINUTES = (1, 240, 20)
"""Least, most and usual budget."""
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,59}")
BATCH = {True: 4, False: 2}
"""Images in a step, with pairs and without: what the shipped checkpoints were trained with, about."""
RANDOM = "random"
SHEET = """<figure class="sheet">
<img src="${value.sheet}" alt="${value.alt}"><figcaption>${value.rows}</figcaption></figure>"""
SHEET_CSS = """
.sheet { margin: 0; display: grid; gap: .4rem; }
.sheet img { width: 100%; max-width: 50rem; border-radius: 8px; }
figcaption { font-size: .875rem; color: var(--body-text-color-subdued); }
"""

Update = dict[Any, Any]
"""New values by component."""


class Form:
    """The components of the form, under the current block."""

    def __init__(self, name: str, catalog: Catalog, translators: Sequence[i2i.Translator]) -> None:
        """
        Args:
            name: what the ids of the elements begin with.
            catalog: in whose folder new checkpoints will lie.
            translators: the models that a training may begin with.
        """
        self.name, self.catalog = name, catalog
        self.starts = {t.info.name: t for t in translators if t.folder is not None}
        self.draft = gr.State(None)
        self.found = gr.State(None)
        self.started = gr.State(0)
        self._pictures()
        with gr.Column(visible=False, elem_id=f"{name}-seen") as self.seen:
            self._seen()
            self._settings()
        self.said = gr.Markdown(elem_id=f"{name}-said")
        self._connect()

    def _pictures(self) -> None:
        gr.Markdown(text.TRAINING["intro"], elem_id=f"{self.name}-intro")
        with gr.Row(equal_height=True):
            self.files_a = self._file("pictures_a", "a")
            self.files_b = self._file("pictures_b", "b")
        with gr.Row(elem_classes="settings"):
            self.named = gr.Textbox(
                label=text.TRAINING["named"], placeholder=text.TRAINING["named_example"], max_length=300,
                elem_id=f"{self.name}-named", scale=4, min_width=220,
            )  # fmt: skip
            self.look = gr.Button(text.TRAINING["look"], elem_id=f"{self.name}-look", scale=0, min_width=150)

    def _file(self, label: str, pile: str) -> gr.File:
        # No file_types: one wrong file would be refused together with all the others.
        # Side by side on a phone, a label of three lines would lie over the arrow below it.
        return gr.File(
            file_count="multiple", label=text.TRAINING[label], height=150, elem_id=f"{self.name}-files-{pile}",
            min_width=300,
        )  # fmt: skip

    def _seen(self) -> None:
        self.sheet = gr.HTML(
            {"sheet": "", "alt": "", "rows": ""}, html_template=SHEET, css_template=SHEET_CSS, js_on_load=None,
            apply_default_css=False, elem_id=f"{self.name}-sheet",
        )  # fmt: skip
        with gr.Row(elem_classes="settings"):
            self.paired = gr.Radio(
                [(text.TRAINING["pairs"], True), (text.TRAINING["piles"], False)], label=text.TRAINING["meant"],
                elem_id=f"{self.name}-paired",
            )  # fmt: skip

    def _settings(self) -> None:
        with gr.Row(elem_classes="settings"):
            self.method = gr.Radio([], label=text.CONTROLS["method"], elem_id=f"{self.name}-method")
        self.about = gr.Markdown(elem_id=f"{self.name}-about")
        with gr.Row(elem_classes="settings"):
            self.checkpoint = gr.Textbox(label=text.TRAINING["name"], max_length=60, elem_id=f"{self.name}-name")
            self.name_a = gr.Textbox("A", label=text.TRAINING["name_a"], max_length=40, elem_id=f"{self.name}-name-a")
            self.name_b = gr.Textbox("B", label=text.TRAINING["name_b"], max_length=40, elem_id=f"{self.name}-name-b")
        with gr.Row(elem_classes="settings"):
            self.size = gr.Radio(
                [(f"{size} px", size) for size in SIZES], value=USUAL_SIZE, label=text.TRAINING["size"],
                elem_id=f"{self.name}-size",
            )  # fmt: skip
            low, high, usual = MINUTES
            self.minutes = gr.Slider(
                low, high, usual, step=1, label=text.TRAINING["budget"], buttons=[], elem_id=f"{self.name}-minutes"
            )
        with gr.Accordion(text.TRAINING["more"], open=False, elem_id=f"{self.name}-more"):
            with gr.Row(elem_classes="settings"):
                self.start_from = gr.Dropdown(
                    [(text.TRAINING["random_weights"], RANDOM)], value=RANDOM, label=text.TRAINING["start_from"],
                    elem_id=f"{self.name}-from",
                )  # fmt: skip
                kinds = [(text.TRAINING[f"kind_{kind}"], kind) for kind in ("picture", "outline", "paint", "labels")]
                self.kind_a, self.kind_b = (
                    gr.Dropdown(kinds, value="picture", label=text.TRAINING[key], elem_id=f"{self.name}-{key}")
                    for key in ("kind_a", "kind_b")
                )
            with gr.Row(elem_classes="settings"):
                places = [(text.TRAINING[f"on_{place}"], place) for place in ("local", "ray", "hub")]
                self.place = gr.Radio(places, value="local", label=text.TRAINING["where"], elem_id=f"{self.name}-where")
                self.gpus = gr.Number(1, label=text.TRAINING["gpus"], precision=0, minimum=1, maximum=64)
                self.address = gr.Textbox("auto", label=text.TRAINING["address"], max_length=200, visible=False)
                self.flavor = gr.Textbox("t4-small", label=text.TRAINING["flavor"], max_length=40, visible=False)
            self.options = options.drawer(f"{self.name}-options")
        self.start = gr.Button(text.TRAINING["start"], variant="primary", elem_id=f"{self.name}-start")

    @property
    def _everything(self) -> list[Any]:
        own = [
            self.draft,
            self.found,
            self.said,
            self.seen,
            self.sheet,
            self.paired,
            self.method,
            self.about,
            self.start_from,
        ]
        return [*own, self.checkpoint, self.options, self.look, self.started, self.size]

    def _connect(self) -> None:
        picked = [self.files_a, self.files_b, self.named]
        shared = {"concurrency_limit": 2, "concurrency_id": "look", **HIDDEN}
        self.look.click(self._look, picked, self._everything, **shared)
        self.paired.input(self._look_again, [self.draft, self.paired], self._everything, **shared)
        chosen = [self.method, self.found]
        self.method.change(self._offer, chosen, [self.start_from, self.options, self.size], **PRIVATE)
        self.place.change(self._where, self.place, [self.gpus, self.address, self.flavor], **PRIVATE)
        form = [
            *(self.draft, self.found, self.method, self.checkpoint, self.name_a, self.name_b, self.size, self.minutes),
            *(self.start_from, self.kind_a, self.kind_b, self.place, self.gpus, self.address, self.flavor),
            *(self.options, self.started),
        ]
        self.start.click(self._start, form, self._everything, concurrency_limit=1, **HIDDEN)

    def _look(
        self,
        a: list[str] | None,
        b: list[str] | None,
        named: str,
        request: gr.Request,
        profile: gr.OAuthProfile | None,
    ) -> Iterator[Update]:
        def draft() -> Path:
            check(request, profile)
            place = named.strip()
            is_hub_id = place.count("/") == 1 and not place.startswith((".", "/", "~"))
            if place and not is_hub_id and not may_name_folders():
                raise jobs.JobError(text.TRAINING["no_folders_here"])
            files = {pile: [(path, Path(path).name) for path in paths or []] for pile, paths in (("a", a), ("b", b))}
            return jobs.new_draft({**files, "named": place})

        yield from self._looked(draft, None, request)

    def _look_again(
        self, draft: str | None, paired: bool, request: gr.Request, profile: gr.OAuthProfile | None
    ) -> Iterator[Update]:
        def same() -> Path:
            check(request, profile)
            return jobs.draft_named(draft)

        yield from self._looked(same, paired, request)

    def _looked(self, draft: Callable[[], Path], paired: bool | None, request: gr.Request) -> Iterator[Update]:
        # Nothing is yielded while a language is spoken: Gradio takes each step in a context of its own.
        language = requested_language(request.headers)
        found: dict[str, Any] = {}
        try:
            with speaking(language):
                path, words = draft(), text.TRAINING["looking"]
            yield {self.said: words, self.look: gr.update(interactive=False)}
            for told in jobs.look(path, paired):
                found = told or {}
                if not found:
                    yield {self.said: words}
            with speaking(language):
                last = self._show(path, found)
        except Exception as error:
            with speaking(language):
                last = {self.said: explain(error, "a look at pictures")}
        yield {**last, self.look: gr.update(interactive=True)}

    def _show(self, draft: Path, found: dict[str, Any]) -> Update:
        left_out = options.left_out(found)
        if "error" in found:
            said = text.TRAINING.get(f"bad_{found['error']}", text.TRAINING["bad_unexpected"])
            keep = found["error"] == "no_common_names"
            return {self.said: f"{said.format_map(found['values'])}\n\n{left_out}", self.seen: gr.update(visible=keep)}
        methods = [(cls.title, name) for name, cls in METHODS.items() if cls.paired == found["paired"]]
        order = ["pix2pix", "cyclegan", "unit", "munit", "discogan"]
        methods.sort(key=lambda choice: order.index(choice[1]) if choice[1] in order else len(order))
        method = methods[0][1]
        counts = {"a": found["a"], "b": found["b"]}
        key = "seen_side_by_side" if found["side_by_side"] else "seen_pairs" if found["paired"] else "seen_piles"
        words = text.TRAINING[key].format(**counts)
        sheet = to_live_url(i2i.open_image(draft / "look.jpg"))
        two_piles = not found["side_by_side"] and Path(found["data"]) == draft / "data"
        return {
            self.draft: draft.name,
            self.found: found,
            self.said: left_out,
            self.seen: gr.update(visible=True),
            self.sheet: {"sheet": sheet, "alt": words, "rows": f"{words} {text.TRAINING['seen_rows']}"},
            self.paired: gr.update(value=found["paired"], visible=two_piles),
            self.checkpoint: self._free_name(),
            self.method: gr.update(choices=methods, value=method),
            self.about: _about(methods),
            **self._offers(method, found),
        }

    def _free_name(self) -> str:
        number = 1
        while (self.catalog.folder / f"my-model-{number}").exists():
            number += 1
        return f"my-model-{number}"

    def _offer(self, method: str, found: dict[str, Any] | None) -> Update:
        if found is None or method not in METHODS:
            return {self.size: gr.skip()}
        return self._offers(method, found)

    def _where(self, place: str) -> Update:
        """What a place asks for."""
        asks = {self.gpus: ("local", "ray"), self.address: ("ray",), self.flavor: ("hub",)}
        return {component: gr.update(visible=place in places) for component, places in asks.items()}

    def _offers(self, method: str, found: dict[str, Any]) -> Update:
        """What depends on the method: where it may begin, its options, the sizes that memory has room for."""
        starts = [(text.TRAINING["random_weights"], RANDOM)]
        starts += [(f"{t.info.title} ({name})", name) for name, t in self.starts.items() if t.info.method == method]
        sizes = [size for size in SIZES if options.fits(found, method, size)] or [SIZES[0]]
        info = "" if len(sizes) == len(SIZES) else text.TRAINING["memory"].format(size=sizes[-1])
        return {
            self.start_from: gr.update(choices=starts, value=RANDOM),
            self.options: options.table(found, method, BATCH[found["paired"]]),
            self.size: gr.update(
                choices=[(f"{size} px", size) for size in sizes], value=min(USUAL_SIZE, sizes[-1]), info=info or None
            ),
        }

    def _start(
        self,
        draft: str | None,
        found: dict[str, Any] | None,
        method: str,
        checkpoint: str,
        name_a: str,
        name_b: str,
        size: int,
        minutes: float,
        start_from: str,
        kind_a: str,
        kind_b: str,
        place: str,
        gpus: float,
        address: str,
        flavor: str,
        table: Any,
        started: int,
        request: gr.Request,
        profile: gr.OAuthProfile | None,
        token: gr.OAuthToken | None,
    ) -> Update:
        with speaking(requested_language(request.headers)):
            try:
                check(request, profile)
                path = jobs.draft_named(draft)
                if found is None or not NAME.fullmatch(checkpoint.strip()):
                    raise jobs.JobError(text.TRAINING["bad_name"])
                if place == "hub" and scope.is_missing(token):
                    raise jobs.JobError(text.TRAINING["need_scope"].format(url=scope.LOGIN))
                if place == "local" and gpus and gpus > max(1, count := torch.cuda.device_count()):
                    raise jobs.JobError(text.TRAINING["few_gpus"].format(count=count))
                arguments = ["--size", str(size), "--minutes", f"{minutes:g}"]
                for option, value in (("--name-a", name_a), ("--name-b", name_b)):
                    arguments += [option, value.strip()[:40] or option[-1].upper()]
                arguments += ["--kind-a", kind_a, "--kind-b", kind_b]
                changed = options.arguments(found, method, table)
                if "--palette" in changed and not may_name_folders():
                    raise jobs.JobError(text.TRAINING["no_folders_here"])
                if ("labels" in (kind_a, kind_b)) != ("--palette" in changed):
                    raise jobs.JobError(text.TRAINING["need_palette"])
                if start_from != RANDOM:
                    translator = self.catalog.named(start_from)
                    changed = options.of_checkpoint(translator, changed, size)
                    arguments += ["--start-from", str(translator.folder)]
                settings = {
                    "local": {"gpus": int(gpus or 1)},
                    "ray": {"address": address.strip() or "auto", "gpus": gpus or 0},
                    "hub": {"flavor": flavor.strip(), "minutes": minutes},
                }[place]
                job = jobs.start(
                    path,
                    {
                        "method": method,
                        "name": checkpoint.strip(),
                        "output": str(self.catalog.folder.resolve() / checkpoint.strip()),
                        "data": found["data"],
                        "arguments": [*arguments, *changed],
                        "backend": place,
                        "settings": settings,
                        "evaluate": found["held_out"],
                    },
                    token.token if token is not None else None,
                )
            except Exception as error:
                return {self.said: explain(error, "starting a training")}
            return {
                self.said: text.TRAINING["started"].format(name=job.request["name"]),
                self.seen: gr.update(visible=False),
                self.draft: None,
                self.found: None,
                self.started: started + 1,
            }


def _about(methods: list[tuple[str, str]]) -> str:
    """Markdown: a sentence for each method, by title and name."""
    told = [(title, text.TRAINING.get(f"about_{name}", "")) for title, name in methods]
    return "\n".join(f"- **{title}**: {about}" for title, about in told) if len(told) > 1 else told[0][1]


def form(name: str, catalog: Catalog, translators: Sequence[i2i.Translator]) -> gr.State:
    """Build the form under the current block; a state that counts the trainings started with it.

    Args:
        name: what the ids of the elements begin with.
        catalog: in whose folder new checkpoints will lie.
        translators: the models that a training may begin with.
    """
    return Form(name, catalog, translators).started
