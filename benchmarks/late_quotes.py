"""Decisions that end without an award when dealers are late, by the mandate's rule: ``make late``.

First the built-in paper street over its own protocol, whose dealers keep their habits; then a venue that
fills the best price itself, with dealers whose delays are drawn from seeds (tests/late_makers.py).
"""

import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import faults
import workspaces
from headframe.desk import execution
from headframe.desk.ports import Stopped
from headframe.mandate import LateQuotes
from headframe.paper import street
from headframe.wiring import open_office, trading
from late_makers import HEAD, count, punctual

RULES: dict[str, dict[str, Any]] = {
    "refuse": {"late_quotes": LateQuotes.REFUSE},
    "wait": {"late_quotes": LateQuotes.WAIT, "window_seconds": 240},
    "exclude, 2 requests": {"late_quotes": LateQuotes.EXCLUDE, "window_seconds": 240, "requests_max": 2},
    "exclude, 3 requests": {"late_quotes": LateQuotes.EXCLUDE, "window_seconds": 240, "requests_max": 3},
    "accept": {"late_quotes": LateQuotes.ACCEPT, "window_seconds": 240},
}  # fmt: skip


def mine(folder: Path) -> Path:
    """Return the sample mine with its proposals approved."""
    workspaces.signed(folder)
    workspaces.approved(workspaces.planned(open_office(folder, user="treasurer")))
    return folder


def simulated(folder: Path, decisions: int, share: float, *, directs: bool = True) -> None:
    """Print a row for each rule."""
    office = open_office(folder, user="trader")
    where = "dealers asked by name" if directs else "no dealer can be left out"
    print(f"\npanel of 5, {share:.0%} of the answers up to 3 s late, {where}\n{HEAD}")
    for name, rules in RULES.items():
        base = faults.template(office, resting=False, **rules)
        found = count(base, range(decisions), punctual(share), directs=directs)
        print(found.line(name), flush=True)


def on_the_street(folder: Path, decisions: int, name: str, rules: dict[str, Any]) -> None:
    """Print what requests on the paper street came to, its dealers drawn anew for each."""
    base = faults.template(open_office(folder, user="trader"), resting=False, **rules)
    outcomes: Counter[str] = Counter()
    requests, twice = 0, 0
    for number in range(decisions):
        place = folder.parent / f"{folder.name}-{number}"
        shutil.copytree(folder, place)
        real = street.answer
        with (
            mock.patch.object(street, "answer", partial(_drawn, real, number)),
            faults.priced_once(base),
        ):
            outcome = asyncio.run(_dealt(place))
        state = open_office(place, user="auditor").state()
        requests += len(state.rfqs)
        twice += max(len(state.trades) - 1, 0)
        late = " came " in outcome or "late quote" in outcome
        outcomes["a late quote" if late else outcome] += 1
        shutil.rmtree(place)
    without = decisions - outcomes.pop("filled", 0)
    print(
        f"| {name} | {decisions} | {without} | {outcomes['a late quote']} | {requests / decisions:.2f} "
        f"| {twice} | " + "; ".join(f"{words} {times}" for words, times in outcomes.items()),
        flush=True,
    )


def _drawn(real: Any, offset: int, dealer: str, *, seed: int, **named: Any) -> Any:
    return real(dealer, seed=seed + 1_000 * (offset + 1), **named)


async def _dealt(folder: Path) -> str:
    office = open_office(folder, user="trader")
    async with trading(office, folder) as line:
        try:
            return (await execution.deal(line, "P-1")).outcome
        except Stopped as stopped:
            return str(stopped)


def main() -> None:
    """Every table, for so many decisions."""
    decisions = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with tempfile.TemporaryDirectory() as place:
        folder = mine(Path(place) / "mine")
        print(
            "\nthe paper street\n| rule | requests | without | late | requests each | dealt twice | others |"
        )
        for name, rules in RULES.items():
            on_the_street(folder, max(decisions // 10, 1), name, rules)
        for share in (0.25, 0.5):
            simulated(folder, decisions, share)
        simulated(folder, decisions, 0.25, directs=False)


if __name__ == "__main__":
    main()
