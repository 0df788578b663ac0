"""Which texts name checkpoints: Hub ids, collections of the Hub, folders."""

import logging
import re
from pathlib import Path

from huggingface_hub import HfApi

from .. import checkpoints
from ..errors import HubError
from .sentences import sentence

log = logging.getLogger(__name__)

HUB_ID = re.compile(r"(?P<name>[\w][\w.-]*/[\w][\w.-]*)(@(?P<revision>[\w./-]+))?")
COLLECTION = re.compile(r"(https?://[^/]+/collections/)?(?P<slug>[\w.-]+/[\w.-]+-[0-9a-f]{24})/?")


def is_hub_id(text: str) -> bool:
    """Whether a text has the form `owner/name` or `owner/name@revision`."""
    return HUB_ID.fullmatch(text) is not None


def split_id(hub_id: str) -> tuple[str, str | None]:
    """`owner/name@revision` → name and revision (None: the newest).

    Raises:
        HubError: it has another form.
    """
    match = HUB_ID.fullmatch(hub_id)
    if match is None:
        raise HubError(f"{hub_id!r} is no Hub id: give owner/name, or owner/name@revision.")
    return match["name"], match["revision"]


def sources(text: str) -> list[str]:
    """What `I2I_CHECKPOINTS` names, separated by commas: Hub ids, collections there, checkpoints' folders or theirs.

    A collection that cannot be had is left out with one logged line.
    """
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = COLLECTION.fullmatch(part)
        if match is None or Path(part).exists():
            folder = Path(part)
            inside = [] if (folder / checkpoints.CONFIG).exists() else checkpoints.find_checkpoints(folder)
            found += map(str, inside) if inside else [part]
            continue
        try:
            items = HfApi().get_collection(match["slug"]).items
        except Exception as error:
            log.warning("left out the collection %s: %s", part, sentence(error, match["slug"]))
        else:
            found += [item.item_id for item in items if item.item_type == "model"]
    return list(dict.fromkeys(found))
