"""The envelope of terms that was approved: what the award must lie inside."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from headframe.instrument import Kind, Structure, StructureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Structure, expiry, size and the worst terms that were signed for.

    ``price_worst`` is the net price per coin in the quote currency of the structure: the most that
    may be paid when it is bought, the least that must be received when it is sold. ``spot_low``
    and ``spot_high`` are the spot prices beyond which the approval is void.
    """

    proposal: str
    structure: StructureKind
    expiry: datetime
    settled_in: str
    size: Decimal
    floor_min: Decimal
    ceiling_min: Decimal | None
    price_worst: Decimal
    valid_until: datetime
    spot_low: Decimal
    spot_high: Decimal
    replaces: str = ""
    """The trade that is closed by the same request, where one hedge replaces another."""


class Outside(StrEnum):
    """How terms can lie outside their envelope."""

    STRUCTURE = "another structure, expiry or settlement than approved"
    SIZE = "larger than approved"
    FLOOR = "floor below the approved one"
    CEILING = "ceiling below the approved one"
    PRICE = "price worse than approved"
    TOO_LATE = "the approval's life is over"
    SPOT_MOVED = "spot left the range the approval holds for"


def outside(
    envelope: Envelope,
    structure: Structure,
    *,
    size: Decimal,
    price: Decimal | None,
    bought: bool,
    spot: Decimal,
    at: datetime,
) -> tuple[Outside, ...]:
    """Every way in which terms leave the envelope; none means they are what was approved.

    ``price`` may be None before quotes are in.
    """
    found: list[Outside] = []
    settled = {leg.instrument.settled_in for leg in structure.legs}
    same = (structure.kind, structure.expiry, settled)
    if same != (envelope.structure, envelope.expiry, {envelope.settled_in}):
        found.append(Outside.STRUCTURE)
    if not 0 < size <= envelope.size:
        found.append(Outside.SIZE)
    floor, ceiling = structure.strike(Kind.PUT), structure.strike(Kind.CALL)
    if floor is not None and floor < envelope.floor_min:
        found.append(Outside.FLOOR)
    if ceiling is not None and (envelope.ceiling_min is None or ceiling < envelope.ceiling_min):
        found.append(Outside.CEILING)
    if price is not None and _worse(price, envelope.price_worst, bought=bought):
        found.append(Outside.PRICE)
    if at >= envelope.valid_until:
        found.append(Outside.TOO_LATE)
    if not envelope.spot_low <= spot <= envelope.spot_high:
        found.append(Outside.SPOT_MOVED)
    return tuple(found)


def _worse(price: Decimal, worst: Decimal, *, bought: bool) -> bool:
    if price.is_nan():
        return True
    return price > worst if bought else price < worst
