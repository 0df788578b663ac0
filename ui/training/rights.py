"""Who may train here: a training takes the machine, so its owner decides.

I2I_TRAIN=on lets everybody who reaches the page, off nobody. Without it: on one's own machine whoever sits at it; on a
Space whoever is logged in as its owner, which in a copy of the Space is whoever made it.
"""

import ipaddress
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.account import is_offered as has_login
from ui.account import on_space

HOME = Path(__file__).resolve().parents[2]
"""Of the project, where `python -m train` is found."""
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers by which a proxy says that the visitor sits elsewhere."""


class NotAllowed(i2i.I2IError):
    """A visitor without the right to train; the message is in the visitor's language."""


def is_offered() -> bool:
    """Whether the page has the tab: the training is installed, and there may be somebody who is allowed to."""
    setting = os.environ.get("I2I_TRAIN", "")
    installed = (HOME / "train" / "jobs").is_dir() and find_spec("accelerate") is not None
    return installed and setting != "off" and (setting == "on" or not on_space() or has_login())


def check(request: Any, profile: gr.OAuthProfile | None) -> None:
    """Raise NotAllowed for whoever may not train.

    Args:
        request: of the visitor, Gradio's or Starlette's.
        profile: of whoever is logged in.
    """
    if not _is_allowed(request, profile):
        raise NotAllowed(text.TRAINING["not_allowed_space" if on_space() else "not_allowed"])


def may_name_folders() -> bool:
    """Whether whoever may train may also name folders of the machine: not on a Space, where there are none to name."""
    return not on_space()


def _is_allowed(request: Any, profile: gr.OAuthProfile | None) -> bool:
    setting = os.environ.get("I2I_TRAIN", "")
    if setting in ("on", "off"):
        return setting == "on"
    if on_space():
        owner = os.environ.get("SPACE_AUTHOR_NAME") or os.environ.get("SPACE_ID", "").partition("/")[0]
        return profile is not None and bool(owner) and profile.username == owner
    if any(request.headers.get(name) for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except (AttributeError, ValueError):
        return False
