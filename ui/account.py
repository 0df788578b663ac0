"""The tab "Yours": log in with Hugging Face, open own checkpoints that nobody else sees, copy shown ones.

It is offered on a Space only, where the Hub vouches for who is logged in. Its events run in Gradio's queue, outside of
the request that asked for them: each takes the language from the request itself.
"""

import contextlib
import dataclasses
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.utils import get_space
from huggingface_hub import HfApi

import i2i_models as i2i
from i2i_models import hub
from i2i_models.hub.push import check_name, push
from i2i_models.networks import methods
from i2i_models.networks.cost import cost_of
from ui import text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import told
from ui.i18n import requested_language, speaking
from ui.own_models import AccountError, OwnModel, own_models
from ui.tabs import tab_of

log = logging.getLogger(__name__)

CHOOSE_LINKED_JS = """(chosen) => {
    const link = new URLSearchParams(location.hash.slice(1));
    return (link.get("tab") === "own" && link.get("model")) || chosen;
}"""
"""A link to an own model names it in the choice. A click opens the model, with the rights of whoever clicks."""
MAX_BYTES = 300_000_000
"""Of all files of each."""
DOWNLOAD_SECONDS = 180.0
"""In which they must have arrived."""
MOST_MULTIPLY_ADDS, MOST_MAP_BYTES = 400e9, 200_000_000
"""Of one translation, and of one operation in it (`i2i_models.networks.cost`): a few seconds, and a fraction of memory.
A network of the papers' size at 512 pixels has 200·10⁹ and 134 MB."""
HIDDEN: dict[str, Any] = {"api_visibility": "private"}


class Opened(NamedTuple):
    """A visitor's own checkpoint, and the language in which its controls are built."""

    model: OwnModel
    language: str


def is_offered() -> bool:
    """Whether this runs as a Space with log-in (`hf_oauth: true`), and with what Gradio needs for that."""
    return on_space() and bool(os.environ.get("OAUTH_CLIENT_ID")) and find_spec("authlib") is not None


def on_space() -> bool:
    """Whether this runs as a Hugging Face Space."""
    return get_space() is not None


def duplicate_button() -> None:
    """A button that makes a copy of this Space in the visitor's account, below the page."""
    with gr.Row():
        gr.DuplicateButton(text.ACCOUNT["duplicate"], variant="secondary", scale=0, min_width=180, elem_id="duplicate")


def account_tab(tab: gr.Tab, answers: Answers, translators: Sequence[i2i.Translator]) -> None:
    """Build what is in the tab, under the current block: log-in, own models, copies of `translators`."""
    with gr.Row():
        gr.LoginButton(
            text.ACCOUNT["login"],
            logout_value=text.ACCOUNT["logout"],
            size="md",
            scale=0,
            min_width=300,
            elem_id="login",
        )
    gr.Markdown(text.ACCOUNT["explained"])
    with gr.Row(elem_classes="settings"):
        choice = gr.Dropdown(
            [], label=text.ACCOUNT["choose"], allow_custom_value=True, elem_id="own-choice", scale=4, min_width=220
        )
        button = gr.Button(text.ACCOUNT["open"], elem_id="own-open", scale=0, min_width=120)
    said = gr.Markdown(elem_id="own-said")
    opened = gr.State(None)
    _show_opened(tab, opened, answers)
    _copies(answers.catalog, translators)
    tab.select(fn=None, js=CHOOSE_LINKED_JS, inputs=choice, outputs=choice)
    tab.select(_list_own, None, [choice, said], **HIDDEN)
    button.click(_open_own, choice, [opened, said], **HIDDEN)


def _show_opened(tab: gr.Tab, opened: gr.State, answers: Answers) -> None:
    """Build the tab of the session's own checkpoint under the current block, whenever it has one."""

    @gr.render(inputs=opened)
    def show(own: Opened | None) -> None:
        if own is None:
            return
        # Answers of its own, in components of this session alone, so that nobody else can name it. The caches too:
        # names are unique within one catalog only.
        alone = Answers(answers.catalog.only(own.model), room=1 / 8)
        own.model.closing.append(alone.forget)
        with speaking(own.language):
            # Every tab has its component in the same place; if not, Gradio would give its script another one's value.
            tab_of(own.model).build(tab, alone, [own.model])


def _copies(catalog: Catalog, translators: Sequence[i2i.Translator]) -> None:
    with gr.Accordion(text.ACCOUNT["copy"], open=False, elem_id="copy"):
        models = [(f"{t.info.title} ({t.capabilities.title})", t.info.name) for t in translators if t.folder]
        with gr.Row(elem_classes="settings"):
            which = gr.Dropdown(models, label=text.ACCOUNT["copy_which"], elem_id="copy-which", min_width=220)
            name = gr.Textbox(label=text.ACCOUNT["copy_name"], elem_id="copy-name", max_length=96, min_width=220)
        with gr.Row(elem_classes="settings"):
            private = gr.Checkbox(True, label=text.ACCOUNT["copy_private"], elem_id="copy-private", container=False)
            button = gr.Button(text.ACCOUNT["copy_go"], elem_id="copy-go", scale=0, min_width=120)
        said = gr.Markdown(elem_id="copy-said")

    def copy_there(
        which: str,
        name: str,
        private: bool,
        request: gr.Request,
        profile: gr.OAuthProfile | None,
        token: gr.OAuthToken | None,
    ) -> str:
        return _told(request, lambda: copy_to(catalog.named(which), name, private, profile, token))

    button.click(copy_there, [which, name, private], said, concurrency_limit=2, **HIDDEN)


def _list_own(request: gr.Request, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> tuple[Any, str]:
    """The choices and a sentence about them. The choice keeps its value, which may have been typed meanwhile."""
    found: list[str] = []

    def find() -> str:
        found.extend(own_checkpoints(profile, token))
        return text.ACCOUNT["found"].format(count=len(found)) if found else text.ACCOUNT["none"]

    said = _told(request, find)
    return gr.update(choices=found), said


def _open_own(
    name: str | None, request: gr.Request, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None
) -> tuple[Opened | None, str]:
    opened: list[Opened] = []

    def load() -> str:
        model = open_own(name or "", profile, token)
        opened.append(Opened(model, requested_language(request.headers)))
        return text.ACCOUNT["opened"].format(title=model.info.title)

    said = _told(request, load)
    return (opened[0] if opened else None), said


def own_checkpoints(profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> list[str]:
    """The ids of the checkpoints of whoever is logged in, private ones included.

    Raises:
        AccountError: nobody is logged in.
        HubError: the Hub refuses.
    """
    profile, allowed = _account(profile, token)
    with _hub_sentences(profile.username, allowed):
        models = HfApi(token=allowed).list_models(author=profile.username, filter="i2i_models")
        return sorted(model.id for model in models)


def open_own(name: str, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> OwnModel:
    """Load a checkpoint with a visitor's own rights, into a folder that is deleted when it closes.

    The common cache does not hold it: what lies there is given to anybody when the Hub cannot be asked. Whatever the
    account had open before is closed.

    Raises:
        AccountError: nobody is logged in, or too many are open.
        I2IError: the checkpoint cannot be had, or is too much for a page that others use.
    """
    profile, allowed = _account(profile, token)
    with own_models.place(profile.username) as place:
        kept = tempfile.TemporaryDirectory(prefix="own-", ignore_cleanup_errors=True)
        try:
            folder = hub.download(
                name.strip(),
                token=allowed,
                cache_dir=Path(kept.name),
                limit=MAX_BYTES,
                seconds=DOWNLOAD_SECONDS,
                check=_check_cost,
            )
            network, info = methods.read(folder)
            return place.fill(OwnModel(network, dataclasses.replace(info, name=name.strip()), folder, kept.cleanup))
        except BaseException:
            kept.cleanup()
            raise


def _check_cost(folder: Path) -> None:
    """Refuse a network that would keep the server busy for long or fill its memory."""
    cost = cost_of(folder)
    if cost.multiply_adds > MOST_MULTIPLY_ADDS or cost.bytes > MOST_MAP_BYTES:
        raise i2i.CheckpointError(
            f"its size or width asks for {cost.multiply_adds / 1e9:,.0f} billion multiplications and layers of "
            f"{cost.bytes / 1e6:,.0f} MB, where {MOST_MULTIPLY_ADDS / 1e9:.0f} and {MOST_MAP_BYTES / 1e6:.0f} MB fit."
        )


def copy_to(
    translator: i2i.Translator,
    name: str,
    private: bool,
    profile: gr.OAuthProfile | None,
    token: gr.OAuthToken | None,
) -> str:
    """Push a served checkpoint to a new repo in the account of whoever is logged in, and say where it is.

    Raises:
        AccountError: nobody is logged in, or there is a repo of that name.
        HubError: the Hub refuses.
    """
    profile, allowed = _account(profile, token)
    assert translator.folder is not None
    repo_id = f"{profile.username}/{name.strip()}"
    check_name(repo_id)
    with _hub_sentences(repo_id, allowed):
        taken = HfApi(token=allowed).repo_exists(repo_id)
    if taken:
        raise AccountError(text.ACCOUNT["taken"].format(name=repo_id))
    comment = f"Copy of {translator.info.name}"
    push(translator.folder, repo_id, comment, private, token=allowed, check=methods.read, waits=(2.0,))
    return text.ACCOUNT["copied"].format(name=repo_id, url=f"{HfApi().endpoint}/{repo_id}")


@contextlib.contextmanager
def _hub_sentences(name: str, allowed: str) -> Iterator[None]:
    """Turn whatever the Hub's library raises into a sentence about a repo or account, without the token."""
    try:
        yield
    except Exception as error:
        raise i2i.HubError(hub.sentence(error, name).replace(allowed, "…")) from None


def _allowed(token: gr.OAuthToken | None) -> str:
    """The token's text, by which the Hub knows the visitor's rights."""
    if token is None:
        raise AccountError(text.ACCOUNT["log_in_first"])
    return token.token


def _account(profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> tuple[gr.OAuthProfile, str]:
    """Who is logged in, and the token's text."""
    allowed = _allowed(token)
    if profile is None:
        raise AccountError(text.ACCOUNT["log_in_first"])
    return profile, allowed


def _told(request: gr.Request, work: Callable[[], str]) -> str:
    """What `work` returns, or the sentence of its error, in the language of the request."""
    return told(request.headers, work, "an account")
