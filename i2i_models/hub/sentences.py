"""What is wrong with a repo on the Hub and what to do, in one sentence that never holds a token."""

import errno
import re
from collections.abc import Iterator

import httpx2
from huggingface_hub import constants, get_token
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
