"""Checkpoints fetched from the Hugging Face Hub into a local cache."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

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
TIMEOUT = 10.0
"""Seconds until the Hub counts as not answering; a network that swallows packets must not hold up a start."""


def download(
    hub_id: str,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
    limit: int | None = None,
    check: Callable[[Path], object] = checkpoints.read_config,
) -> Path:
    """The local copy of a checkpoint on the Hub, fetched once; without network, what was fetched before.

    Args:
        hub_id: `owner/name` or `owner/name@revision`.
        token: as everywhere in huggingface_hub; by default that of the login or of HF_TOKEN.
        cache_dir: where copies are kept; by default huggingface_hub's cache.
        local_files_only: don't ask the Hub at all.
        force_download: fetch again what is there.
        limit: of the weights, in bytes.
        check: raises CheckpointError for a folder whose config is none that can be used; called before anything else
            is fetched.

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
        folder = fetch((checkpoints.CONFIG,), revision)
        if not (folder / checkpoints.CONFIG).is_file():
            raise HubError(f"{hub_id} on the Hub has no {checkpoints.CONFIG}: it is no checkpoint of this program.")
        _check_config(folder, hub_id, check)
        commit = folder.name  # as the cache names it; all files are to be of one
        if limit is not None and not offline:
            _check_size(hub_id, commit, token, cache_dir, limit)
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


def _check_size(hub_id: str, commit: str, token: str | bool | None, cache_dir: str | Path | None, limit: int) -> None:
    files = snapshot_download(
        split_id(hub_id)[0], revision=commit, token=token, cache_dir=cache_dir, allow_patterns=[checkpoints.WEIGHTS],
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
