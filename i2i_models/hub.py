"""Checkpoints on the Hugging Face Hub: which names mean one, how one is fetched, and what is said when that fails."""

import errno
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, get_token, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from . import checkpoint
from .errors import CheckpointError, HubError

log = logging.getLogger(__name__)

LAYOUT = (
    checkpoint.CONFIG,
    checkpoint.WEIGHTS,
    checkpoint.CARD,
    checkpoint.METRICS,
    checkpoint.STYLES,
    "samples.png",
    "examples/*.png",
)
"""All that is downloaded of a repo: what translating and the page need, so never code, pickles or discriminators."""
TIMEOUT = 10.0
"""Seconds until the Hub counts as not answering; a network that swallows packets must not hold up a start."""

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


def download(
    hub_id: str,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
    limit: int | None = None,
) -> Path:
    """The local copy of a checkpoint on the Hub, fetched once; without network, what was fetched before.

    Args:
        hub_id: `owner/name` or `owner/name@revision`.
        token: as everywhere in huggingface_hub; by default that of the login or of HF_TOKEN.
        cache_dir: where copies are kept; by default huggingface_hub's cache.
        local_files_only: don't ask the Hub at all.
        force_download: fetch again what is there.
        limit: of the weights, in bytes.

    Raises:
        HubError: it cannot be had, is none of ours, or arrives damaged; says what to do.
    """
    name, revision = split_id(hub_id)
    try:
        offline = local_files_only or not _answers(name, revision, token, cache_dir)

        def fetch(wanted: tuple[str, ...], at: str | None, force: bool = force_download) -> Path:
            return Path(
                snapshot_download(
                    name, revision=at, token=token, cache_dir=cache_dir, allow_patterns=list(wanted),
                    local_files_only=offline, force_download=force and not offline, max_workers=4,
                )
            )  # fmt: skip

        # The config first: a repo that is none of ours can be very large.
        folder = fetch((checkpoint.CONFIG,), revision)
        if not (folder / checkpoint.CONFIG).is_file():
            raise HubError(f"{hub_id} on the Hub has no {checkpoint.CONFIG}: it is no checkpoint of this program.")
        _check_config(folder, hub_id)
        commit = folder.name  # as the cache names it; all files are to be of one
        if limit is not None and not offline:
            _check_size(hub_id, commit, token, cache_dir, limit)
        folder = fetch(LAYOUT, commit)
        weights = folder / checkpoint.WEIGHTS
        if not weights.is_file():
            raise HubError(
                f"{hub_id} on the Hub has no {checkpoint.WEIGHTS}: weights are read from safetensors only, "
                "never from pickles."
            )
        if _is_damaged(weights) and not offline:
            fetch((checkpoint.WEIGHTS,), folder.name, force=True)
        if _is_damaged(weights):
            raise HubError(f"{weights} is not what {hub_id} holds: delete {folder} and load it again with network.")
        return folder
    except HubError:
        raise
    except Exception as error:
        # The library and its transports raise many kinds; each becomes a sentence.
        raise HubError(sentence(error, hub_id)) from None


def _answers(name: str, revision: str | None, token: str | bool | None, cache_dir: str | Path | None) -> bool:
    """Whether the Hub can be asked for a repo now; if not, the local copy has to do.

    Raises:
        HfHubHTTPError: it answers, and refuses this repo.
    """
    try:
        HfApi(token=token).model_info(name, revision=revision, timeout=TIMEOUT)
    except (httpx2.TransportError, OfflineModeIsEnabled):
        return False
    except HfHubHTTPError as error:
        if error.response.status_code != 429 and error.response.status_code < 500:
            raise
        if not (Path(cache_dir or constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}").is_dir():
            raise
        return False
    return True


def _check_config(folder: Path, hub_id: str) -> None:
    try:
        checkpoint.read_config(folder)
    except CheckpointError as error:
        told = str(error).replace(str(folder / checkpoint.CONFIG), checkpoint.CONFIG)
        raise HubError(f"{hub_id} on the Hub is no checkpoint that this program reads: {told}") from None


def _check_size(hub_id: str, commit: str, token: str | bool | None, cache_dir: str | Path | None, limit: int) -> None:
    files = snapshot_download(
        split_id(hub_id)[0], revision=commit, token=token, cache_dir=cache_dir, allow_patterns=[checkpoint.WEIGHTS],
        dry_run=True,
    )  # fmt: skip
    if sum(file.file_size or 0 for file in files) > limit:
        raise HubError(f"{hub_id} is larger than the {limit / 1e6:.0f} MB that can be opened here.")


def _is_damaged(path: Path) -> bool:
    """Whether a file in the cache is not what the Hub named it by: large ones are stored under their SHA-256.

    Where the cache has no links (Windows without developer mode) the name is not kept; sizes were checked on arrival.
    """
    stored = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
    if not re.fullmatch(r"[0-9a-f]{64}", stored):
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() != stored


def sources(text: str) -> list[str]:
    """What `I2I_CHECKPOINTS` names, separated by commas: Hub ids, collections there, checkpoints' folders or theirs.

    A collection that cannot be had is left out with one logged line.
    """
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = COLLECTION.fullmatch(part)
        if match is None or Path(part).exists():
            folder = Path(part)
            inside = [] if (folder / checkpoint.CONFIG).exists() else checkpoint.find_checkpoints(folder)
            found += map(str, inside) if inside else [part]
            continue
        try:
            items = HfApi().get_collection(match["slug"]).items
        except Exception as error:
            log.warning("left out the collection %s: %s", part, sentence(error, match["slug"]))
        else:
            found += [item.item_id for item in items if item.item_type == "model"]
    return list(dict.fromkeys(found))


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from: the library wraps the refusal of an upload in a RuntimeError."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def sentence(error: BaseException, name: str) -> str:
    """What is wrong with a repo on the Hub and what to do, in one sentence without any token."""
    for cause in causes(error):
        if isinstance(cause, HFValidationError):
            return f"{name!r} is no name on the Hub: it takes owner/name of letters, digits, '-', '_' and '.'."
        if isinstance(cause, LocalTokenNotFoundError):
            return "Nobody is logged in to the Hub: run `hf auth login`, or set HF_TOKEN."
        if str(cause).startswith("Invalid metadata in README.md"):
            return f"The Hub refuses the front matter of {name}'s README.md: {redact(' '.join(str(cause).split()[4:]))}"
        if isinstance(cause, HfHubHTTPError):
            return _refusal(cause, name)
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk is full: make room in {constants.HF_HUB_CACHE}, then try {name} again."
        if isinstance(cause, (httpx2.TransportError, OfflineModeIsEnabled)):
            return f"The Hub could not be reached for {name}: check the network, then try again."
    if isinstance(error, LocalEntryNotFoundError):
        return f"{name} is not whole in the local cache, and the Hub cannot be reached: try again with network."
    return f"{name}: {redact(str(error).splitlines()[0] if str(error) else type(error).__name__)}"


def _refusal(error: HfHubHTTPError, name: str) -> str:
    status, said = error.response.status_code, redact(error.server_message or "")
    said = f" ({said.splitlines()[0][:200].rstrip('.')})" if said else ""
    if isinstance(error, RevisionNotFoundError):
        return f"{name} on the Hub has no such revision: check what stands after '@'."
    if isinstance(error, GatedRepoError):
        return f"{name} asks for consent first: open its page on the Hub, accept, and load it logged in."
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return f"{name} is not on the Hub, or private: check the name; a private one needs `hf auth login` or HF_TOKEN."
    if status == 401:
        return f"The Hub does not accept the token: log in again with `hf auth login`, or renew HF_TOKEN{said}."
    if status == 403:
        return f"This login may not do that with {name}: use a token with the right to write there{said}."
    if status in (409, 412):
        return f"{name} was changed by somebody else at the same time: try again{said}."
    if status == 429:
        seconds = retry_after(error)
        return f"The Hub asks to wait{f' {seconds:.0f} s' if seconds is not None else ''} before {name} is tried again."
    if status >= 500:
        return f"The Hub has trouble of its own ({status}) with {name}: try again later."
    return f"The Hub refuses {name} ({status}){said}."


def retry_after(error: HfHubHTTPError) -> float | None:
    """The seconds that the Hub asks to wait, by `Retry-After` or its rate limit's header; None if it asks nothing."""
    headers = error.response.headers
    if (given := headers.get("Retry-After", "").strip()).isdigit():
        return float(given)
    if limit := re.search(r"\br=0\s*;\s*t=(\d+)", headers.get("RateLimit", "").replace(" ", "")):
        return float(limit[1])
    return None


def redact(text: str) -> str:
    """A text without tokens: neither that of the login nor anything of a token's form."""
    if token := get_token():
        text = text.replace(token, "…")
    return re.sub(r"\b(hf_\w{6,}|eyJ[\w-]+\.[\w.-]+)", "…", text)
