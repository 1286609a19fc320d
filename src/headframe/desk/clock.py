"""A clock that jumps from one appointment to the next, so that waits cost nothing and stamps are exact."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

Task = Callable[[], Awaitable[None]]


class VirtualClock:
    """The paper workspace's time: it moves only when somebody waits.

    ``call_at`` makes an appointment; ``wait_until`` keeps all that fall due on the way, each at its
    own instant, and after each lets the settlers run: barriers that return when what an appointment
    sent has arrived.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._due: list[tuple[datetime, int, Task]] = []
        self._order = count()
        self.settlers: list[Task] = []

    def now(self) -> datetime:
        """The present instant."""
        return self._now

    def call_at(self, at: datetime, task: Task) -> None:
        """Do something when its instant comes; now, where that has passed."""
        heappush(self._due, (max(at, self._now), next(self._order), task))

    async def wait_until(self, at: datetime) -> None:
        """Move to an instant, keeping every appointment on the way."""
        while self._due and self._due[0][0] <= at:
            when, _, task = heappop(self._due)
            self._now = max(self._now, when)
            await task()
            for settle in self.settlers:
                await settle()
        self._now = max(self._now, at)
