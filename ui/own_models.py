"""Visitors' own checkpoints that are open: a table of places, each with a deadline."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import i2i_models as i2i
from i2i_models.checkpoints import Info
from i2i_models.inference.engine import Engine
from i2i_models.networks.network import TranslationNetwork
from ui import text

OPEN_AT_ONCE = 6
"""Own checkpoints in memory at the same time, of all visitors together; one of each account."""
KEPT_SECONDS = 3600.0
"""How long one stays open after it was last asked for."""


class AccountError(i2i.I2IError):
    """A visitor is not logged in, or too many own checkpoints are open; the message is in the visitor's language."""


class OwnModel(i2i.Translator):
    """A visitor's own checkpoint.

    Gradio keeps whatever it rendered with it for as long as it likes; so closing empties it, and who holds it yet
    holds nothing.
    """

    def __init__(self, network: TranslationNetwork, info: Info, folder: Path, clean: Callable[[], object]) -> None:
        """
        Args:
            clean: deletes the folder.
        """
        super().__init__(network, info, folder)
        self.closing: list[Callable[[], object]] = [clean]
        """What is to be done when it closes."""
        self.deadline = time.monotonic() + KEPT_SECONDS

    @property
    def engine(self) -> Engine:
        """What runs the network, which stays open for longer now.

        Raises:
            AccountError: it was closed.
        """
        engine = self._engine
        if engine is None:
            raise AccountError(text.ACCOUNT["closed"])
        self.deadline = time.monotonic() + KEPT_SECONDS
        return engine

    def close(self) -> None:
        """Let go of the network, its answers and its files."""
        self._engine = self._discriminators = self.folder = None
        self.__dict__.pop("styles", None)
        while self.closing:
            self.closing.pop()()


class Place:
    """A place in the table: taken, and filled once the model is there."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.model: OwnModel | None = None

    def fill(self, model: OwnModel) -> OwnModel:
        """Put a model there."""
        self.model = model
        return model


class OwnModels:
    """The table. Any number of threads may use it at once; none waits for another's download."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._places)

    @contextlib.contextmanager
    def place(self, account: str) -> Iterator[Place]:
        """A place for an account's model, whose earlier one is closed; free again if it is not filled.

        Raises:
            AccountError: all are taken, or the account waits for another one already.
        """
        self.close_old()
        with self._lock:
            earlier = next((place for place in self._places if place.account == account), None)
            if earlier is not None and earlier.model is None:
                raise AccountError(text.ACCOUNT["opening"])
            if earlier is None and len(self._places) >= OPEN_AT_ONCE:
                raise AccountError(text.ACCOUNT["too_many"])
            if earlier is not None:
                self._places.remove(earlier)
            place = Place(account)
            self._places.append(place)
        if earlier is not None and earlier.model is not None:
            earlier.model.close()
        try:
            yield place
        finally:
            if place.model is None:
                with self._lock:
                    self._places.remove(place)

    def close_old(self) -> None:
        """Close what nobody asked for lately."""
        self._close(lambda model: model.deadline < time.monotonic())

    def close_all(self) -> None:
        """Close everything that is open."""
        self._close(lambda model: True)

    def _close(self, wanted: Callable[[OwnModel], bool]) -> None:
        with self._lock:
            closed = [place for place in self._places if place.model is not None and wanted(place.model)]
            self._places = [place for place in self._places if place not in closed]
        for place in closed:
            if place.model is not None:
                place.model.close()


own_models = OwnModels()
"""The process's table: memory is one, however many pages there are."""
