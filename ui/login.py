"""Logged in with Hugging Face: a visitor's own checkpoints, opened for them alone, and copies to their account.

On a Space only, where the Hub vouches for who is logged in.
"""

import dataclasses
import logging
import os
import secrets
import tempfile
import threading
import weakref
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_space
from huggingface_hub import HfApi

import i2i_models as i2i
from i2i_models import checkpoint, hub
from i2i_models.push import push
from ui import text
from ui.multimodal import style_studio
from ui.serving import Catalog
from ui.studio import studio

log = logging.getLogger(__name__)

TAB = "own"
CHOOSE_LINKED_JS = """(chosen) => {
    const link = new URLSearchParams(location.hash.slice(1));
    return [(link.get("tab") === "own" && link.get("model")) || chosen];
}"""
"""A link to one's own model names it in the choice; the model itself is opened by a click, with one's own rights."""
OPEN_AT_ONCE = 6
"""Visitors' own checkpoints in memory at the same time, of all visitors together …"""
MAX_WEIGHTS = 300_000_000
"""… and bytes of weights of each."""
KEPT_SECONDS = 3600
"""How long one stays open after its visitor's last click."""
HIDDEN: dict[str, Any] = {"api_visibility": "private"}

_open: "weakref.WeakSet[i2i.Translator]" = weakref.WeakSet()
_opening = threading.Lock()


class Full(i2i.I2IError):
    """As many visitors' own checkpoints are open as fit."""


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


def account_tab(catalog: Catalog, max_file_bytes: int) -> None:
    """Build the visitor's tab inside the current `gr.Tabs`: log-in, own models, copies of those here."""
    with gr.Tab(text.ACCOUNT["tab"], id=TAB, elem_id=f"tab-{TAB}") as tab:
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
        opened = gr.State(None, time_to_live=KEPT_SECONDS)
        _studio_of(opened, catalog, max_file_bytes)
        _copies(catalog)
    tab.select(_list_own, choice, [choice, said], js=CHOOSE_LINKED_JS, **HIDDEN)
    button.click(_open_own, choice, [opened, said], **HIDDEN)


def _studio_of(opened: gr.State, catalog: Catalog, max_file_bytes: int) -> None:
    """Under the current block, a view for the session's own translator whenever it has one."""

    @gr.render(inputs=opened)
    def show(translator: i2i.Translator | None) -> None:
        if translator is not None:
            # In the components of this session, so that nobody else can name it.
            alone = catalog.alone(translator)
            build_studio = style_studio if alone.multimodal() else studio
            # Both have their component in the same place; if not, Gradio would give its script another one's value.
            build_studio(alone, [translator], TAB, max_file_bytes)


def _copies(catalog: Catalog) -> None:
    with gr.Accordion(text.ACCOUNT["copy"], open=False, elem_id="copy"):
        models = [
            (f"{t.info.title} ({t.abilities.title})", name) for name, t in catalog.translators.items() if t.folder
        ]
        with gr.Row(elem_classes="settings"):
            which = gr.Dropdown(models, label=text.ACCOUNT["copy_which"], elem_id="copy-which", min_width=220)
            name = gr.Textbox(label=text.ACCOUNT["copy_name"], elem_id="copy-name", max_length=96, min_width=220)
        with gr.Row(elem_classes="settings"):
            private = gr.Checkbox(True, label=text.ACCOUNT["copy_private"], elem_id="copy-private", container=False)
            button = gr.Button(text.ACCOUNT["copy_go"], elem_id="copy-go", scale=0, min_width=120)
        said = gr.Markdown(elem_id="copy-said")

    def copy_there(
        which: str, name: str, private: bool, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None
    ) -> str:
        translator = catalog.named(which)
        return _told(lambda: copy_to(translator, name, private, profile, token))

    button.click(copy_there, [which, name, private], said, concurrency_limit=2, **HIDDEN)


def _list_own(chosen: str | None, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> tuple[Any, str]:
    found: list[str] = []

    def find() -> str:
        found.extend(own_checkpoints(profile, token))
        return text.ACCOUNT["found"].format(count=len(found)) if found else text.ACCOUNT["none"]

    said = _told(find)
    return gr.Dropdown(choices=found, value=chosen), said


def _open_own(name: str | None, token: gr.OAuthToken | None) -> tuple[i2i.Translator | None, str]:
    opened: list[i2i.Translator] = []

    def load() -> str:
        opened.append(open_own(name or "", token))
        return text.ACCOUNT["opened"].format(title=opened[0].info.title)

    said = _told(load)
    return (opened[0] if opened else None), said


def own_checkpoints(profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> list[str]:
    """The ids of the checkpoints of whoever is logged in, private ones included.

    Raises:
        I2IError: nobody is logged in, or the Hub refuses.
    """
    profile, allowed = _logged_in(profile, token)
    try:
        models = HfApi(token=allowed).list_models(author=profile.username, filter="i2i_models")
        return sorted(model.id for model in models)
    except Exception as error:
        raise i2i.HubError(hub.sentence(error, profile.username).replace(allowed, "…")) from None


def open_own(name: str, token: gr.OAuthToken | None) -> i2i.Translator:
    """Load a checkpoint with a visitor's own rights, into a folder that goes when the translator goes.

    The common cache is no place for it: what lies there is given without asking the Hub when that does not answer.

    Raises:
        I2IError: nobody is logged in, it cannot be had, or too many are open.
    """
    _, allowed = _logged_in(None, token, profile_needed=False)
    with _opening:
        if len(_open) >= OPEN_AT_ONCE:
            raise Full(text.ACCOUNT["too_many"])
        kept = tempfile.TemporaryDirectory(prefix="own-", ignore_cleanup_errors=True)
        try:
            folder = hub.download(name.strip(), token=allowed, cache_dir=Path(kept.name), limit=MAX_WEIGHTS)
            network, info = checkpoint.read(folder)
        except BaseException:
            kept.cleanup()
            raise
        translator = i2i.Translator(network, dataclasses.replace(info, name=name.strip()), folder)
        weakref.finalize(translator, kept.cleanup)
        _open.add(translator)
        return translator


def copy_to(
    translator: i2i.Translator,
    name: str,
    private: bool,
    profile: gr.OAuthProfile | None,
    token: gr.OAuthToken | None,
) -> str:
    """Push a served checkpoint to the account of whoever is logged in, and say where it is.

    Raises:
        I2IError: nobody is logged in, or the Hub refuses.
    """
    profile, allowed = _logged_in(profile, token)
    assert translator.folder is not None
    repo_id = f"{profile.username}/{name.strip()}"
    push(translator.folder, repo_id, f"Copy of {translator.info.name}", private, token=allowed, waits=(2.0,))
    return text.ACCOUNT["copied"].format(name=repo_id, url=f"{HfApi().endpoint}/{repo_id}")


def _logged_in(
    profile: gr.OAuthProfile | None, token: gr.OAuthToken | None, profile_needed: bool = True
) -> tuple[gr.OAuthProfile, str]:
    if token is None or (profile is None and profile_needed):
        raise i2i.HubError(text.ACCOUNT["log_in_first"])
    return profile, token.token  # type: ignore[return-value]


def _told(work: Callable[[], str]) -> str:
    """What work says, or in one sentence why it could not be done."""
    try:
        return work()
    except i2i.I2IError as error:
        return str(error)
    except Exception:
        number = secrets.token_hex(3)
        log.exception("error %s with an account", number)
        return text.SERVER["unexpected"].format(id=number)
