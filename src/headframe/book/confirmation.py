"""What the other side says was dealt, held against the trade field by field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from headframe.book.trade import Trade
from headframe.units import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedLeg:
    """One leg as confirmed: signed amount from our side, positive bought."""

    instrument: str
    amount: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A confirmation of one trade; what it does not state is None and is not compared.

    ``reference`` is the trade it means: our id or the venue's.
    """

    reference: str
    legs: tuple[ConfirmedLeg, ...]
    dealer: str | None = None
    day: date | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    fixing_source: str | None = None
    """Whose settlement prices the trade is fixed at."""
    value_date: date | None = None
    """On which day premium and fee settle."""

    def __post_init__(self) -> None:
        names = [leg.instrument for leg in self.legs]
        if not names:
            raise Wrong(f"the confirmation of {self.reference} has no leg")
        if len(set(names)) < len(names):
            raise Wrong(f"the confirmation of {self.reference} names a leg twice")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which the two sides do not agree."""

    field: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.field}: ours {self.ours}, theirs {self.theirs}"


def differences(trade: Trade, confirmed: Confirmation) -> tuple[Difference, ...]:
    """Every field that differs, legs first; none where the trade is confirmed as booked."""
    found: list[Difference] = []
    ours = {leg.instrument.name: leg for leg in trade.legs}
    theirs = {leg.instrument: leg for leg in confirmed.legs}
    for name, leg in ours.items():
        other = theirs.get(name)
        if other is None:
            found.append(Difference(f"leg {name}", f"{leg.amount:f} at {leg.price:f}", "none"))
            continue
        found += _unequal(f"{name} amount", leg.amount, other.amount)
        found += _unequal(f"{name} price", leg.price, other.price)
    found += [
        Difference(f"leg {name}", "none", f"{leg.amount:f} at {leg.price:f}")
        for name, leg in theirs.items()
        if name not in ours
    ]
    found += _unequal("fee", trade.fee, confirmed.fee)
    currency = trade.legs[0].instrument.settled_in
    for field, mine, stated in (
        ("fee currency", currency, confirmed.fee_currency),
        ("dealer", trade.dealer, confirmed.dealer),
        ("day", str(trade.at.date()), None if confirmed.day is None else str(confirmed.day)),
    ):
        if stated is not None and stated != mine:
            found.append(Difference(field, mine, stated))
    return tuple(found)


def _unequal(field: str, ours: Decimal, theirs: Decimal | None) -> Sequence[Difference]:
    if theirs is None or ours == theirs:
        return ()
    return (Difference(field, f"{ours:f}", f"{theirs:f}"),)
