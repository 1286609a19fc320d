"""Rates of other currencies: who set them, of when; the books stay in each currency."""

from collections.abc import Sequence

from headframe.book import CASH, FxRate
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.units import CURRENCIES, Money, iso


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


def held(office: Office) -> tuple[tuple[Money, FxRate | None], ...]:
    """Cash in every currency but dollars, with the last rate of each that has one."""
    users.allowed(office, users.Action.READ)
    state = office.state()
    codes = [code for code in CURRENCIES if code in state.fx or _has(office, code)]
    return tuple(
        (
            state.ledger.balance(CASH, CURRENCIES[code]),
            state.fx[code][-1] if code in state.fx else None,
        )
        for code in codes
        if code != "USD"
    )


def _has(office: Office, code: str) -> bool:
    return office.state().ledger.balance(CASH, CURRENCIES[code]).smallest != 0
