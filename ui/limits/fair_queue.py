"""Whose question is answered next."""

import asyncio
from collections import Counter, OrderedDict, deque

Visitor = tuple[str, str]
"""Address and Gradio's session; the session is empty if a client names none."""


class QueueFull(Exception):
    """Too many questions wait already."""


class Superseded(Exception):
    """The visitor's newer questions pushed this one out of the queue."""


class FairQueue:
    """Questions that wait for a place among those that are answered at the same time.

    Places go round by address and then by session, so that nobody waits for a visitor who asks much. A visitor's
    questions beyond `waiting_each` push out the oldest waiting one: while somebody drags, only the newest questions
    count, and the others end before they cost anything.
    """

    def __init__(
        self,
        places: int = 8,
        places_each: int = 3,
        waiting: int = 128,
        waiting_address: int = 96,
        waiting_each: int = 6,
    ) -> None:
        self.places, self.places_each = places, places_each
        self.waiting, self.waiting_address, self.waiting_each = waiting, waiting_address, waiting_each
        self._running: Counter[Visitor] = Counter()
        self._asking: OrderedDict[str, OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()
        self._waiting = 0  # counted along: whoever ends the server asks from another thread, while the table changes

    @property
    def running(self) -> int:
        """Questions that are being answered."""
        return self._running.total()

    def __len__(self) -> int:
        """Questions that wait."""
        return self._waiting

    def ask(self, visitor: Visitor) -> asyncio.Future[None]:
        """Wait for a place. The future is done when the visitor has it; `leave` gives it back.

        The future ends with `Superseded` if the visitor's newer questions push this one out.

        Raises:
            QueueFull: too many wait already.
        """
        address, session = visitor
        own = self._asking.get(address, OrderedDict()).get(session, deque())
        if len(own) >= self.waiting_each:
            own.popleft().set_exception(Superseded())
            self._waiting -= 1
        elif len(self) >= self.waiting or self._waiting_at(address) >= self.waiting_address:
            raise QueueFull
        place = asyncio.get_running_loop().create_future()
        self._asking.setdefault(address, OrderedDict()).setdefault(session, deque()).append(place)
        self._waiting += 1
        self._fill()
        return place

    def give_up(self, visitor: Visitor, place: asyncio.Future[None]) -> None:
        """Stop waiting. A place that was given in the meantime is given back."""
        address, session = visitor
        own = self._asking.get(address, OrderedDict()).get(session, deque())
        if place in own:
            own.remove(place)
            self._waiting -= 1
            self._tidy(visitor)
        elif place.done() and place.exception() is None:
            self.leave(visitor)

    def leave(self, visitor: Visitor) -> None:
        """Give a place back, to whoever is next."""
        self._running[visitor] -= 1
        if not self._running[visitor]:
            del self._running[visitor]
        self._fill()

    def _fill(self) -> None:
        while self.running < self.places and (visitor := self._next()) is not None:
            address, session = visitor
            self._asking[address][session].popleft().set_result(None)
            self._waiting -= 1
            self._running[visitor] += 1
            # Behind the others of the address, and the address behind the others.
            self._asking[address].move_to_end(session)
            self._asking.move_to_end(address)
            self._tidy(visitor)

    def _next(self) -> Visitor | None:
        visitors = ((address, session) for address, sessions in self._asking.items() for session in sessions)
        return next((visitor for visitor in visitors if self._running[visitor] < self.places_each), None)

    def _tidy(self, visitor: Visitor) -> None:
        address, session = visitor
        if not self._asking[address][session]:
            del self._asking[address][session]
        if not self._asking[address]:
            del self._asking[address]

    def _waiting_at(self, address: str) -> int:
        return sum(map(len, self._asking.get(address, {}).values()))
