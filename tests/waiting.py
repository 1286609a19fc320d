"""How long tests wait: for a condition, with one generous limit that only a hang reaches.

A limit is there to end a test that would never end, not to measure the machine. HEADFRAME_TEST_PATIENCE
multiplies it (default 1) on a machine slower still.
"""

import asyncio
import os
import time
from collections.abc import Callable

LIMIT = 900.0 * float(os.environ.get("HEADFRAME_TEST_PATIENCE", "1"))
"""Seconds after which a subprocess, a connection or a condition counts as hanging."""


def until(condition: Callable[[], object], what: str, *, every: float = 0.05) -> None:
    """Return as soon as the condition holds; fail, naming it, if it never does."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited {LIMIT:.0f} s in vain for {what}"
        time.sleep(every)


async def until_async(condition: Callable[[], object], what: str, *, every: float = 0.02) -> None:
    """Do the same inside an event loop, which goes on with its other work."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited {LIMIT:.0f} s in vain for {what}"
        await asyncio.sleep(every)
