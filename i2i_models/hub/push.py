"""A checkpoint folder → a model repo on the Hugging Face Hub, in one commit that is there whole or not at all."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from .. import checkpoints
from ..errors import CheckpointError, HubError
from .download import LAYOUT
from .names import is_hub_id
from .sentences import causes, retry_after, sentence

Operation = CommitOperationAdd | CommitOperationDelete

PUSHED = (*LAYOUT, checkpoints.DISCRIMINATOR)
"""What a checkpoint's repo holds; other files there are left alone."""
WAITS = (2.0, 8.0, 30.0)
"""Seconds before the second, third and last try, where the Hub does not name its own."""
LONGEST_WAIT = 300.0
"""Seconds; if the Hub asks for more, giving up with a sentence serves better than a silent wait."""
TRANSIENT = (408, 409, 412, 425, 429, 500, 502, 503, 504)
"""Answers that another try can change: the Hub is busy, or somebody else committed in between."""


def push(
    folder: Path,
    repo_id: str,
    message: str = "Push a checkpoint",
    private: bool | None = None,
    branch: str | None = None,
    token: str | None = None,
    check: Callable[[Path], object] = checkpoints.read_info,
    waits: Iterable[float] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> str:
    """Make a model repo hold what a checkpoint folder holds: created if missing, one commit, only changed files.

    Args:
        folder: the checkpoint.
        repo_id: `owner/name`.
        message: of the commit.
        private: for a repo that does not exist yet; None: as the owner's account has it.
        branch: made if missing; None for main.
        token: by default that of the login or of HF_TOKEN.
        check: raises CheckpointError for a folder that shall not be published; `networks.methods.read` looks at every
            tensor.
        waits: seconds before each further try; `WAITS` if None.
        sleep: how to wait.

    Returns:
        The commit's address.

    Raises:
        CheckpointError: the folder is no whole checkpoint.
        HubError: the Hub refuses, or all tries failed; nothing half-done is visible there.
    """
    check(folder)
    here = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    wanted = {name: path for name, path in here.items() if _is_ours(name)}

    def operations(api: HfApi, parent: str) -> list[Operation]:
        gone = [name for name in api.list_repo_files(repo_id, revision=parent) if _is_ours(name) and name not in wanted]
        additions = [_addition(name, path, repo_id) for name, path in wanted.items()]
        return [*additions, *map(CommitOperationDelete, gone)]

    def attempt() -> str:
        api = HfApi(token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        if branch is not None:
            api.create_branch(repo_id, branch=branch, exist_ok=True)
        return commit(api, repo_id, operations, message, branch=branch)

    check_name(repo_id)
    return with_retries(attempt, repo_id, waits, sleep, token)


def check_name(repo_id: str) -> None:
    """Raise HubError for what is no `owner/name`."""
    if not is_hub_id(repo_id) or "@" in repo_id:
        raise HubError(f"{repo_id!r} is no name on the Hub: give owner/name; a branch has an option of its own.")


def check_login(token: str | None = None) -> None:
    """Raise HubError if there is no token to push with."""
    if not (token or get_token()):
        raise HubError(sentence(LocalTokenNotFoundError(), ""))


def commit(
    api: HfApi,
    repo_id: str,
    operations: Callable[[HfApi, str], list[Operation]],
    message: str,
    branch: str | None = None,
    repo_type: str = "model",
) -> str:
    """Commit on top of the newest commit, and only there: two pushes at once never mix their files.

    Args:
        operations: what to commit, from the API and the hash of the commit that it stands on.

    Returns:
        The commit's address.
    """
    parent = api.repo_info(repo_id, repo_type=repo_type, revision=branch).sha
    info = api.create_commit(
        repo_id,
        operations(api, parent or "main"),
        commit_message=message,
        revision=branch,
        repo_type=repo_type,
        parent_commit=parent,
    )
    return info.commit_url


def with_retries(
    attempt: Callable[[], str],
    repo_id: str,
    waits: Iterable[float] | None = None,
    sleep: Callable[[float], object] = time.sleep,
    token: str | None = None,
) -> str:
    """Try until it succeeds, the tries are used up, or the Hub refuses for good.

    Raises:
        HubError: one sentence about the last failure.
    """
    check_login(token)
    with _quiet_library():
        for wait in (*(WAITS if waits is None else waits), None):
            try:
                return attempt()
            except CheckpointError:
                raise
            except Exception as error:
                pause = _pause(error, wait)
                if pause is None:
                    said = sentence(error, repo_id)
                    raise HubError(said.replace(token, "…") if token else said) from None
                sleep(pause)
        raise AssertionError("the last wait is None")


@contextlib.contextmanager
def _quiet_library() -> Iterator[None]:
    """Keep the library from logging addresses of uploads, which carry signatures; what matters is said by us."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "httpx2")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _pause(error: Exception, wait: float | None) -> float | None:
    """Seconds until another try, `wait` or what the Hub asks for; None if there is no point, or no try left."""
    if wait is None:
        return None
    for cause in causes(error):
        if isinstance(cause, HfHubHTTPError):
            if cause.response.status_code not in TRANSIENT:
                return None
            asked = retry_after(cause)
            pause = wait if asked is None else max(wait, asked)
            return pause if pause <= LONGEST_WAIT else None
        if isinstance(cause, httpx2.TransportError):
            return wait
    return None


def _is_ours(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in PUSHED)


def _addition(name: str, path: Path, repo_id: str) -> CommitOperationAdd:
    """A file of the folder; in the card, the lines to load it name the repo in place of the folder."""
    if name != checkpoints.CARD:
        return CommitOperationAdd(name, path)
    card = path.read_text(encoding="utf-8").replace(f'"checkpoints/{path.parent.name}"', f'"{repo_id}"')
    return CommitOperationAdd(name, card.encode())
