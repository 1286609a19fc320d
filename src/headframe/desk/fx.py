"""Rates of other currencies: who set them, of when; the books stay in each currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from headframe.book import CASH, COINS_FREE, Accounts, AtCost, FxRate, at_cost, at_hand
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.dated import dated_postings
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.desk.price_checks import check_rates
from headframe.desk.state import State
from headframe.units import BTC, CURRENCIES, USD, Money, booked, iso


@serialised
def put(office: Office, rates: Sequence[FxRate]) -> tuple[FxRate, ...]:
    """Keep rates; one of the same currency and instant that is kept already must agree."""
    users.allowed(office, users.Action.PREPARE)
    state, at = office.state(), office.now()
    late = [one for one in rates if one.at > at]
    if late:
        raise Invalid(
            f"the rate of {late[0].currency} is of {iso(late[0].at)}, after our {iso(at)}"
        )
    check_rates(state, office.settings(), rates)
    fresh: list[FxRate] = []
    for one in rates:
        held = {known.at: known for known in state.fx.get(one.currency, ())}.get(one.at)
        if held is None:
            fresh.append(one)
        elif held != one:
            raise Declined(
                f"the rate of {one.currency} of {iso(one.at)} is kept as {held.usd} already"
            )
    if fresh:
        office.record(Draft("fx", {"rates": to_json(fresh)}), at=at)
    return tuple(fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCurrency:
    """Cash in a currency: its last rate, what it cost and brought; None where a rate was missing."""

    money: Money
    rate: FxRate | None
    at_cost: AtCost | None

    @property
    def unrealised_usd(self) -> float | None:
        """The gain on what is held at the last rate."""
        if self.rate is None or self.at_cost is None:
            return None
        return float(self.at_cost.unrealised_usd(self.rate.usd))


def held(office: Office) -> tuple[HeldCurrency, ...]:
    """Cash in every currency but dollars, and other coins at hand, with the last rate of each, and the cost.

    What comes in costs what it was worth when it was booked, at the rate of then.
    """
    users.allowed(office, users.Action.READ)
    state = office.state()
    moves = _moves(office, state)
    codes = [code for code in CURRENCIES if code in state.fx or moves.get(code)]
    return tuple(
        HeldCurrency(
            money=at_hand(state.ledger, CURRENCIES[code]),
            rate=state.fx[code][-1] if code in state.fx else None,
            at_cost=at_cost(moves.get(code, ())),
        )
        for code in codes
        if code not in {"USD", "BTC"}
    )


def _cash(account: str) -> bool:
    """Whether it is cash at hand, or collateral: what is posted is still ours, what is held is not."""
    lying = (Accounts.cash_posted(""), Accounts.cash_held(""))
    return account in {CASH, COINS_FREE} or account.startswith(lying)


def _moves(office: Office, state: State) -> dict[str, list[tuple[Money, Decimal | None]]]:
    """Moves of cash in other currencies, each with its rate of the day it happened."""
    bank = office.settings().bank
    found: dict[str, list[tuple[Money, Decimal | None]]] = {}
    for part in dated_postings(office.journal.read()):
        for account, code, text in part.postings:
            if code in {USD.code, BTC.code} or not _cash(account):
                continue
            money = booked(Decimal(text), CURRENCIES[code])
            one = state.usd_of(Money(CURRENCIES[code], CURRENCIES[code].scale), part.at, bank)
            found.setdefault(code, []).append((money, None if one is None else Decimal(repr(one))))
    return found
