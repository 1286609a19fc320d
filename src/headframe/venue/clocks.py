"""Clocks that run by themselves: ours, and that of a paper venue which has one of its own."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

SKEW_SECONDS = 1.0


class SystemClock:
    """Our own time, UTC: what live money is traded by."""

    def now(self) -> datetime:
        """The present instant, to the millisecond."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def wait_until(self, at: datetime) -> None:
        """Return when the instant has come."""
        left = (at - datetime.now(UTC)).total_seconds()
        if left > 0.0:
            await asyncio.sleep(left + 0.001)


class FollowedClock:
    """A paper venue's own time, which may start anywhere and run at any speed: we follow what it says.

    Between two sights of it the last speed is taken to go on; it never runs backwards.
    """

    def __init__(self, first: datetime) -> None:
        self._said, self._heard = first, time.monotonic()
        self._speed = 1.0
        self._latest = first

    def saw(self, said: datetime) -> None:
        """The venue has just said what time it is."""
        heard = time.monotonic()
        gone = heard - self._heard
        if gone > 0.05:
            self._speed = max((said - self._said).total_seconds() / gone, 0.0)
            self._said, self._heard = said, heard

    def now(self) -> datetime:
        """The present instant, to the millisecond."""
        gone = (time.monotonic() - self._heard) * self._speed
        reckoned = self._said + timedelta(milliseconds=int(gone * 1000.0))
        self._latest = max(self._latest, reckoned)
        return self._latest

    async def wait_until(self, at: datetime) -> None:
        """Return when the instant has come, as far as the venue's speed is known."""
        while (left := (at - self.now()).total_seconds()) > 0.0:  # noqa: ASYNC110 - of another's clock
            await asyncio.sleep(min(max(left / max(self._speed, 1e-3), 0.002), 0.25))
