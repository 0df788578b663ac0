"""Errors as sentences for visitors, in the language of the request."""

import functools
import logging
import secrets
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers

import i2i_models as i2i
from ui import i18n, text

log = logging.getLogger(__name__)

Answer = dict[str, Any]
"""What a server function returns to the browser, as JSON."""


class BadRequest(i2i.I2IError):
    """A payload that no visitor's click can produce."""


class Forgotten(i2i.I2IError):
    """A question named a picture by its key, and its codes are not cached any more: the page must send the picture."""


def explain(error: Exception, where: str) -> str:
    """The sentence that a visitor reads about an error.

    An error that is no mistake of the visitor is logged in full under a short id, and the sentence names the id.

    Args:
        where: what failed, for the log.
    """
    if isinstance(error, i2i.I2IError):
        return i18n.sentence(error)
    return text.SERVER["unexpected"].format(id=report(error, where))


def told(headers: Headers, work: Callable[[], str], where: str) -> str:
    """What `work` returns, or the sentence of its error, in the language of a request's headers.

    Args:
        where: what failed, for the log.
    """
    with i18n.speaking(i18n.requested_language(headers)):
        try:
            return work()
        except Exception as error:
            return explain(error, where)


def report(error: Exception, where: str) -> str:
    """Log an error with its stack trace under a short id, and return the id."""
    number = secrets.token_hex(3)
    log.error("error %s in %s", number, where, exc_info=error)
    return number


def sentences(function: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """Make a server function return its errors: `{"error": sentence}`, and `{"forgotten": True}` for `Forgotten`."""

    @functools.wraps(function)
    def answer(payload: Any) -> Answer:
        try:
            return function(payload)
        except Forgotten:
            return {"forgotten": True}
        except Exception as error:
            return {"error": explain(error, function.__name__)}

    return answer
