"""Payouts that turn out to be none: coins that moved between addresses of our own are taken out of income.

The booking stays in the journal; an event of its own takes it back on the day it is recognised.
"""

from collections.abc import Sequence
from dataclasses import replace

from headframe.book import Payout, coins_mined
from headframe.codec import to_json
from headframe.desk.office import Office
from headframe.desk.ports import Draft
from headframe.desk.state import State, postings_json
from headframe.lifecycle import MonthResult
from headframe.units import BTC, Month, Wrong


def reverse_transfers(office: Office, transfers: frozenset[str], source: str) -> tuple[str, ...]:
    """Take back payouts whose transactions spend coins of our own; what was done, in words.

    A payout whose coins are no longer there is only said: it must be looked at.
    """
    state = office.state()
    trial, taken, words = state.ledger.copy(), list[Payout](), list[str]()
    for one in state.payouts.values():
        if one.txid not in transfers:
            continue
        amount = f"{one.id} of {one.coins} {one.coins.currency.code}"
        said = f"{amount} was booked as a payout, but its transaction spends coins of our own: no income; "
        try:
            trial.post(coins_mined(-one.coins))
        except Wrong as error:
            words.append(f"{said}it cannot be taken back: {error}")
            continue
        taken.append(one)
        words.append(f"{said}taken back")
    if taken:
        office.record(Draft("payouts_reversed", _body(state, taken, source)))
    return tuple(words)


def _body(state: State, taken: Sequence[Payout], source: str) -> dict[str, object]:
    return {
        "source": source[:200],
        "payouts": [one.id for one in taken],
        "months": to_json(_months(state, taken)),
        "postings": postings_json(coins_mined(-one.coins) for one in taken),
    }


def _months(state: State, taken: Sequence[Payout]) -> list[MonthResult]:
    """Return the months whose mined coins fall; other coins than bitcoin count when they are sold."""
    found: dict[Month, MonthResult] = {}
    for one in taken:
        month = None if one.at is None else Month.of(one.at)
        row = None if month is None else found.get(month) or state.months.get(month)
        if month is not None and row is not None and one.coins.currency == BTC:
            found[month] = replace(row, mined=round(row.mined - float(one.coins), 8))
    return [row for _, row in sorted(found.items())]
