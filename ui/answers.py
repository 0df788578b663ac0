"""Answers to questions: a cache is asked, a slot is taken, networks run, a picture is packed."""

from typing import Any

import i2i_models as i2i
from i2i_models.directions import opposite
from ui import text
from ui.cache import Cache
from ui.catalog import Catalog
from ui.errors import Answer, Forgotten
from ui.payload import to_live_url
from ui.pool import Stopwatch
from ui.question import Input, Question, read_question

CODE_BYTES, CODES = 48_000_000, 1000
"""Bounds of the cache of codes; a picture's codes take about half a megabyte."""
ANSWER_BYTES, ANSWERS = 16_000_000, 4000
"""Bounds of the cache of answers; one takes about ten kilobytes."""
DRAFT_QUALITY, QUALITY = 75, 92
"""JPEG quality of a draft and of any other result."""


class Answers:
    """Answers from the checkpoints of a catalog, with a cache of codes and one of whole answers.

    All visitors share both caches. Values are found by a hash of the picture's bytes, not by who asked, so nobody finds
    a picture here who does not have it already.
    """

    def __init__(self, catalog: Catalog, room: float = 1.0) -> None:
        """
        Args:
            room: the share of the usual bytes that the caches may take.
        """
        self.catalog = catalog
        self._codes: Cache[i2i.Codes] = Cache(int(CODE_BYTES * room), CODES, lambda codes: codes.tensor.nbytes)
        self._answers: Cache[Answer] = Cache(int(ANSWER_BYTES * room), ANSWERS, _characters)

    def forget(self) -> None:
        """Empty both caches."""
        self._codes.clear()
        self._answers.clear()

    def translate(self, payload: Any) -> Answer:
        """The server function of the drawing editor: the payload is that of `read_question`, the rest `answer`."""
        return self.answer(read_question(self.catalog, payload))

    def answer(self, question: Question) -> Answer:
        """Answer a question, from the cache if the same was asked before. Drafts are not cached: none is asked twice.

        Returns:
            `image`, a data URL of the input's size; `ms`, the time that networks took; `key`, and where there is a
            second input `second_key`; `back`, a data URL, where the way back was asked for.

        Raises:
            Forgotten: a key alone was sent, and its codes are not cached (any more).
        """
        if question.draft:
            return self._make(question)
        return self._answers.get_or_make(question.by_key(), lambda: self._make(question))

    def codes_of(self, question: Question, watch: Stopwatch | None = None) -> i2i.Codes:
        """The codes that a question is about, mixed where it has two inputs; `watch` and errors as `encode`."""
        codes = self.encode(question.input, watch)
        if question.second is None:
            return codes
        return codes.mixed(self.encode(question.second, watch), question.share)

    def encode(self, input: Input, watch: Stopwatch | None = None) -> i2i.Codes:
        """What the network's encoder finds in an input, cached for the next question about it.

        Args:
            watch: adds up the encoder's time, if it has to run.

        Raises:
            Forgotten: as `answer`.
        """
        image = input.image
        if image is None:
            codes = self._codes.get(input)
            if codes is None:
                raise Forgotten(text.SERVER["forgotten"])
            return codes

        def run() -> i2i.Codes:
            with self.catalog.pool.slot(watch):
                return input.translator.encode(image, input.direction)

        return self._codes.get_or_make(input.by_key(), run)

    def _make(self, question: Question) -> Answer:
        watch = Stopwatch()
        translator, direction = question.input.translator, question.input.direction
        codes = self.codes_of(question, watch)
        with self.catalog.pool.slot(watch):
            result = translator.decode(codes, **question.decoding, draft=question.draft)
        answer: Answer = {
            **question.keys,
            "image": to_live_url(result, DRAFT_QUALITY if question.draft else QUALITY),
        }
        if question.way_back:
            with self.catalog.pool.slot(watch):
                back = translator.translate(result, opposite(direction))
            answer["back"] = to_live_url(back)
        return {**answer, "ms": watch.shown}


def _characters(answer: Answer) -> int:
    return sum(len(value) for value in answer.values() if isinstance(value, str))
