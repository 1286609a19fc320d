"""The live ladder of a request in a terminal: best first, how far from mid, how old, how long good.

The rule says who would win; a person says when, by typing the size and pressing Enter. Where nothing may
be accepted the reason stands in its place.
"""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from headframe.desk.awarding import Said, View
from headframe.desk.clock import VirtualClock
from headframe.desk.ports import Clock
from headframe.rfq import Award
from headframe.units import Wrong, parse_decimal

LOOKS_SECONDS = 0.25
_END, _ERASE = {"\r", "\n"}, {"\x7f", "\b"}
_LEAVE = {"q", "\x03", "\x1b"}


class TerminalWatch:
    """One person at one terminal."""

    def __init__(self, live: Any) -> None:  # noqa: ANN401 - rich is imported where a terminal is
        self._live = live
        self._typed = ""
        self._word = ""
        self._said = Said.NOTHING
        self._view: View | None = None

    def keys(self, text: str) -> None:
        """What was typed."""
        for key in text:
            if key in _LEAVE:
                self._said = Said.LEAVE
            elif key in _END:
                self._entered()
            elif key in _ERASE:
                self._typed = self._typed[:-1]
            elif key in "0123456789." and len(self._typed) < 20:
                self._typed += key

    def _entered(self) -> None:
        view, typed, self._typed = self._view, self._typed, ""
        if view is None:
            return
        if not isinstance(view.decision, Award):
            self._word = f"nothing to accept: {view.decision}"
            return
        try:
            size = parse_decimal(typed)
        except Wrong:
            self._word = f"type the size, {view.request.size}, and press Enter"
            return
        if size != view.request.size:
            self._word = f"{size} is not the size of the request: type {view.request.size}"
            return
        self._said = Said.ACCEPT

    def look(self, view: View) -> Said:
        """Show the ladder; what the person has said since."""
        self._view = view
        self._live.update(self.drawn(view))
        said, self._said = self._said, Said.NOTHING
        return said

    async def pause(self, clock: Clock) -> None:
        """A quarter of a second of ours; a clock that jumps is led through it."""
        await asyncio.sleep(LOOKS_SECONDS)
        if isinstance(clock, VirtualClock):
            await clock.wait_until(clock.now() + timedelta(seconds=LOOKS_SECONDS))

    def drawn(self, view: View) -> Any:  # noqa: ANN401
        """The ladder as it is shown."""
        from rich.console import Group
        from rich.text import Text

        left = max((view.ends - view.at).total_seconds(), 0.0)
        answers = max((view.request.respond_by - view.at).total_seconds(), 0.0)
        head = (
            f"we {view.request.direction} {view.request.size} coins, limit {view.request.limit}, mid "
            f"{view.request.reference:.6g}; answers {answers:.0f} s more, ends in {left:.0f} s"
        )
        if isinstance(view.decision, Award):
            winner = view.decision.winner
            foot = (
                f"by the rule {winner.dealer} at {winner.price:g}: type the size "
                f"({view.request.size}) and press Enter to accept; q leaves: {self._typed}"
            )
        else:
            foot = f"accept is off: {view.decision}; q leaves"
        return Group(Text(head, style="bold"), _table(view), Text(foot), Text(self._word))


def _table(view: View) -> Any:  # noqa: ANN401
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("dealer", "net price", "to mid bp", "age s", "good for s", "size"):
        drawn.add_column(name, justify="left" if name == "dealer" else "right")
    drawn.add_column("status")
    scale = 1e4 / (view.request.forward if view.request.in_usd else 1.0)
    for rung in view.ladder.rungs:
        quote = rung.quote
        if str(rung.rejection) == "the dealer's other side":
            continue
        good = "-" if quote.good_until is None else f"{_seconds(quote.good_until, view):.0f}"
        drawn.add_row(
            quote.dealer,
            f"{quote.price:g}",
            f"{(quote.price - view.request.reference) * scale:.1f}",
            f"{-_seconds(quote.received_at, view):.0f}",
            good,
            "all or none" if quote.all_or_none else "any part",
            "can win" if rung.rejection is None else f"cannot win: {rung.rejection}",
        )
    return drawn


def _seconds(at: Any, view: View) -> float:  # noqa: ANN401
    return float((at - view.at).total_seconds())


@contextmanager
def watching() -> Generator[TerminalWatch]:
    """A live ladder on this terminal, its keys heard one by one; the terminal is left as it was."""
    from rich.console import Console
    from rich.live import Live

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    loop = asyncio.get_running_loop()
    with Live(console=Console(highlight=False), refresh_per_second=8, transient=True) as live:
        watch = TerminalWatch(live)
        tty.setcbreak(handle)
        quiet = termios.tcgetattr(handle)
        quiet[3] &= ~termios.ISIG  # Ctrl-C leaves the ladder, and the request is ended at the venue
        termios.tcsetattr(handle, termios.TCSANOW, quiet)
        loop.add_reader(handle, lambda: watch.keys(os.read(handle, 64).decode("utf-8", "replace")))
        try:
            yield watch
        finally:
            loop.remove_reader(handle)
            termios.tcsetattr(handle, termios.TCSADRAIN, before)
