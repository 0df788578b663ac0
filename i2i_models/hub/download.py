"""Checkpoints fetched from the Hugging Face Hub into a local cache."""

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from tqdm.auto import tqdm

from .. import checkpoints
from ..errors import CheckpointError, HubError
from .names import split_id
from .sentences import sentence

LAYOUT = (
    checkpoints.CONFIG,
    checkpoints.WEIGHTS,
    checkpoints.CARD,
    checkpoints.METRICS,
    checkpoints.STYLES,
    "samples.png",
    "examples/*.png",
)
"""All that is downloaded of a repo: what translating and the page need, so never code, pickles or discriminators."""
MOST_FILES = 200
"""Of a repo that is fetched within a limit."""
TIMEOUT = 10.0
"""Seconds until the Hub counts as not answering; a network that swallows packets must not hold up a start."""


def download(
    hub_id: str,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
    limit: int | None = None,
    seconds: float | None = None,
    check: Callable[[Path], object] = checkpoints.read_config,
) -> Path:
    """The local copy of a checkpoint on the Hub, fetched once; without network, what was fetched before.

    Args:
        hub_id: `owner/name` or `owner/name@revision`.
        token: as everywhere in huggingface_hub; by default that of the login or of HF_TOKEN.
        cache_dir: where copies are kept; by default huggingface_hub's cache.
        local_files_only: don't ask the Hub at all.
        force_download: fetch again what is there.
        limit: of all files together, in bytes; with it at most `MOST_FILES` are fetched.
        seconds: for all of it; what is not there by then is given up.
        check: raises CheckpointError for a folder whose config is none that can be used; called before anything else
            is fetched.

    Raises:
        HubError: it cannot be had, is none of ours, or arrives damaged; says what to do.
    """
    name, revision = split_id(hub_id)
    try:
        offline = local_files_only or not _answers(name, revision, token, cache_dir)
        progress = None if seconds is None else _deadline(hub_id, time.monotonic() + seconds)

        def fetch(wanted: tuple[str, ...], at: str | None, force: bool = force_download) -> Path:
            return Path(
                snapshot_download(
                    name, revision=at, token=token, cache_dir=cache_dir, allow_patterns=list(wanted),
                    local_files_only=offline, force_download=force and not offline, max_workers=4,
                    tqdm_class=progress,
                )
            )  # fmt: skip

        if limit is not None and not offline:
            revision = _check_size(hub_id, revision, token, cache_dir, limit)
        # The config first: a repo that is none of ours can be very large.
        folder = fetch((checkpoints.CONFIG,), revision)
        if not (folder / checkpoints.CONFIG).is_file():
            raise HubError(f"{hub_id} on the Hub has no {checkpoints.CONFIG}: it is no checkpoint of this program.")
        _check_config(folder, hub_id, check)
        commit = folder.name  # as the cache names it; all files are to be of one
        folder = fetch(LAYOUT, commit)
        weights = folder / checkpoints.WEIGHTS
        if not weights.is_file():
            raise HubError(
                f"{hub_id} on the Hub has no {checkpoints.WEIGHTS}: weights are read from safetensors only, "
                "never from pickles."
            )
        if _is_damaged(weights) and not offline:
            fetch((checkpoints.WEIGHTS,), folder.name, force=True)
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


def _check_config(folder: Path, hub_id: str, check: Callable[[Path], object]) -> None:
    try:
        check(folder)
    except CheckpointError as error:
        told = str(error).replace(str(folder / checkpoints.CONFIG), checkpoints.CONFIG)
        raise HubError(f"{hub_id} on the Hub is no checkpoint that this program reads: {told}") from None


def _check_size(
    hub_id: str, revision: str | None, token: str | bool | None, cache_dir: str | Path | None, limit: int
) -> str | None:
    """Refuse what is too much before any of it is fetched; the commit that was looked at."""
    files = snapshot_download(
        split_id(hub_id)[0], revision=revision, token=token, cache_dir=cache_dir, allow_patterns=list(LAYOUT),
        dry_run=True,
    )  # fmt: skip
    if sum(file.file_size or 0 for file in files) > limit:
        raise HubError(f"{hub_id} is larger than the {limit / 1e6:.0f} MB that can be opened here.")
    if len(files) > MOST_FILES:
        raise HubError(f"{hub_id} has more than the {MOST_FILES} files that can be opened here.")
    return files[0].commit_hash if files else revision


def _deadline(hub_id: str, end: float) -> type[tqdm]:
    """What huggingface_hub tells of each piece that arrived, and what ends the download after a time."""

    class Deadline(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            if time.monotonic() > end:
                raise HubError(f"{hub_id} takes too long to arrive: try again later.")
            return super().update(n)

    return Deadline


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
