"""The clock of a street that serves: it starts where it is told and runs so many times as fast as ours."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta


class PacedClock:
    """Stamps are the street's own; only waits are shorter at a higher speed."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        """The present instant, to the millisecond."""
        gone = (time.monotonic() - self._began) * self._speed
        return self._start + timedelta(milliseconds=int(gone * 1000.0))

    async def wait_until(self, at: datetime) -> None:
        """Return when the instant has come."""
        left = (at - self.now()).total_seconds()
        if left > 0.0:
            await asyncio.sleep(left / self._speed + 0.001)  # never a moment too early

    def call_at(self, at: datetime, task: Callable[[], Awaitable[None]]) -> None:
        """Do something when its instant comes."""

        async def later() -> None:
            await self.wait_until(at)
            await task()

        made = asyncio.get_running_loop().create_task(later())
        self._tasks.add(made)
        made.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """Forget what was to come."""
        for task in list(self._tasks):
            task.cancel()
