"""Languages: the words of ui/text.py in the language of whoever asked, English where there is no translation.

A language is one file, `ui/locales/CODE.json`: section → key → words, with the placeholders of the English ones.
Gradio's own I18n translates single labels in the browser. It does not reach the texts, templates and choices of this
page's components, nor what the server says; so the request's Accept-Language decides here, for all of them alike.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

import i2i_models as i2i

ENGLISH = "en"
LOCALES: dict[str, dict[str, dict[str, str]]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "locales").glob("*.json"))
}
"""By language other than English: section → key → words."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


class Words(Mapping[str, str]):
    """A section of ui/text.py; reading it gives the words in the present language."""

    def __init__(self, section: str, english: Mapping[str, str]) -> None:
        self.section, self.english = section, english

    def __getitem__(self, key: str) -> str:
        translated = LOCALES.get(_language.get(), {}).get(self.section, {})
        return translated.get(key) or self.english[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.english)

    def __len__(self) -> int:
        return len(self.english)


def language() -> str:
    """The present language: that of the request which is being answered, English outside of one."""
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Inside, `Words` are in this language."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def preferred(accept_language: str) -> str:
    """The language of ours that an Accept-Language header likes best, English if it names none."""
    wishes: list[tuple[float, str]] = []
    for wish in accept_language.split(","):
        tag, _, quality = wish.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wishes.append((weight, tag.strip().lower().partition("-")[0]))
    known = [(weight, tag) for weight, tag in wishes if weight > 0 and (tag == ENGLISH or tag in LOCALES)]
    return max(known, key=lambda wish: wish[0])[1] if known else ENGLISH


def requested_language(headers: Mapping[str, str]) -> str:
    """The language that a request's headers ask for; events in Gradio's queue run outside of `SpeakLanguage`."""
    return preferred(headers.get("accept-language", ""))


class SpeakLanguage:
    """ASGI middleware: a request is answered in the language that its browser asks for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        with speaking(requested_language(Headers(scope=scope))):
            await self.app(scope, receive, send)


def sentence(error: i2i.I2IError) -> str:
    """What an error says, in the present language.

    The errors of `i2i_models` speak English: in another language their kind has a sentence, in section ERRORS.
    """
    kinds = LOCALES.get(_language.get(), {}).get("ERRORS", {})
    return kinds.get(type(error).__name__, str(error))
