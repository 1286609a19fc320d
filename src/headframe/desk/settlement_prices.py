"""Settlement and delivery prices into the journal: imported, fetched or typed, each with its source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from headframe.codec import to_json
from headframe.desk import corrections, users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Invalid
from headframe.desk.state import State
from headframe.instrument import parse_instrument
from headframe.lifecycle import PriceKind, SettlementPrice, close_at, future_name, index_name
from headframe.units import Wrong

_FAR = Decimal(3)
"""A price further than this factor from the last known one is in another unit, or of another coin."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Prices that were new, how many were known, and what was corrected."""

    new: tuple[SettlementPrice, ...]
    known: int
    corrected: tuple[corrections.Correction, ...]


@serialised
def record(office: Office, prices: Iterable[SettlementPrice]) -> Recorded:
    """Record settlement and delivery prices; a changed price of a closed day becomes an adjusting event.

    Raises Invalid where a price is of another coin, of the future, or out of proportion.
    """
    users.allowed(office, users.Action.PREPARE)
    return _record(office, prices)


@serialised
def record_official(office: Office, prices: Iterable[SettlementPrice]) -> Recorded:
    """Record prices that the desk itself fetched from the venue, on nobody's behalf, as ``record`` does."""
    return _record(office, prices)


def _record(office: Office, prices: Iterable[SettlementPrice]) -> Recorded:
    state, now = office.state(), office.now()
    coin = office.settings().operation.coin
    rows = list({price.key: price for price in prices}.values())
    new: list[SettlementPrice] = []
    for price in rows:
        _check(state, price, coin)
        if close_at(price.day) > now:
            raise Invalid(
                f"{price.instrument} {price.day}: expected a close that has passed at {now:%Y-%m-%dT%H:%MZ}, "
                f"got one at {close_at(price.day):%Y-%m-%dT%H:%MZ}; fix: record it after 08:00 UTC of its day"
            )
        known = state.settlement_prices.get(price.key)
        if known is None or known.price != price.price:
            new.append(price)
    if not new:
        return Recorded((), len(rows), ())
    found = corrections.needed(office, state, new)
    drafts = [Draft("settlement_prices", {"rows": to_json(new)})]
    drafts += [corrections.draft(one) for one in found]
    office.record(*drafts, at=now)
    return Recorded(tuple(new), len(rows) - len(new), tuple(found))


def _check(state: State, price: SettlementPrice, coin: str) -> None:
    """Raise Invalid where a price cannot be one of the mine's coin."""
    name, where = price.instrument, f"{price.instrument} {price.day}"
    if name != index_name(coin):
        try:
            instrument = parse_instrument(name)
        except Wrong as error:
            raise Invalid(
                f"instrument: expected {index_name(coin)} or a future such as {coin}-26MAR27, got {name!r}"
            ) from error
        if instrument.coin != coin or instrument.is_option or future_name(instrument) != name:
            raise Invalid(
                f"instrument: expected {index_name(coin)} or a future of {coin} settled in coin, got {name!r}"
            )
        expiry = instrument.expiry.date()
        if price.day > expiry or (price.kind is PriceKind.DELIVERY and price.day != expiry):
            raise Invalid(
                f"{where}: expected a {price.kind} price on or before its expiry {expiry}, got {price.day}"
            )
    near = _nearest(state, price.day)
    if near is not None and not near / _FAR <= price.price <= near * _FAR:
        raise Invalid(
            f"{where}: expected USD per coin near the {near:,.2f} last known, got {price.price}; "
            "fix: check the unit and the coin of the file"
        )


def _nearest(state: State, day: date) -> Decimal | None:
    """Return the known price nearest to a day: of the market in force, or recorded."""
    known = [
        (abs((one.day - day).days), one.price)
        for one in state.settlement_prices.values()
        if abs((one.day - day).days) <= 31
    ]
    if state.market is not None:
        off = abs((state.market.as_of.date() - day).days)
        known.append((off, Decimal(repr(state.market.index))))
    return min(known)[1] if known else None
