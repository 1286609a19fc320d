"""What is asked, what is answered, what was dealt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from headframe.instrument import Instrument, Structure
from headframe.mandate import Approval
from headframe.rfq.envelope import Envelope, Outside, outside
from headframe.units import Wrong

_LEAST = Decimal("0.00000001")


class Direction(StrEnum):
    """The taker's side of the structure."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeLeg:
    """A future that changes hands with the structure at a price set beforehand; bought where positive."""

    instrument: Instrument
    amount: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One account's part of a block: its name, the venue's id of it, its amount."""

    account: str
    user_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for quotes; ``structure`` has its first leg bought, ``direction`` says our side.

    ``id`` is our own, made before anything is sent. ``reference`` is the model's mid of the net
    price and ``gross`` the sum of the legs' absolute prices, both per coin in the quote currency.
    """

    id: str
    approval: Approval
    envelope_sha256: str
    structure: Structure
    direction: Direction
    size: Decimal
    amount: Decimal
    panel: tuple[str, ...]
    disclosed: bool
    opened_at: datetime
    respond_by: datetime
    limit: Decimal
    reference: float
    gross: float
    forward: float
    accounts: tuple["Part", ...] = ()
    """How the block is shared out to accounts at the venue; none: all to the key's own."""
    hedge: HedgeLeg | None = None

    def asked(self, part: Decimal) -> dict[str, Decimal]:
        """Every instrument's signed amount that a part of the amount deals, the hedge leg's among them."""
        side = 1 if self.direction is Direction.BUY else -1
        legs = {leg.instrument.name: part * leg.ratio * side for leg in self.structure.legs}
        if self.hedge is not None:
            share = self.hedge.amount * part / self.amount
            legs[self.hedge.instrument.name] = share.quantize(_LEAST)
        return legs

    @property
    def buys(self) -> bool:
        """Whether we buy the structure."""
        return self.direction is Direction.BUY

    @property
    def in_usd(self) -> bool:
        """Whether the net price is in USD; options settled in coin are priced in coin."""
        return not any(
            leg.instrument.is_option and leg.instrument.inverse for leg in self.structure.legs
        )

    @property
    def tick(self) -> Decimal:
        """The least step of a price of ours, in its own unit: no finer than any venue's block tick."""
        return Decimal("0.5") if self.in_usd else Decimal("0.0001")

    def __post_init__(self) -> None:
        if self.approval.envelope_sha256 != self.envelope_sha256:
            raise Wrong("the request's terms are not the ones approved")
        if not self.panel or len(set(self.panel)) != len(self.panel):
            raise Wrong("a request names each dealer once, at least one")
        hedge = self.hedge
        if hedge is not None and hedge.instrument in {
            leg.instrument for leg in self.structure.legs
        }:
            raise Wrong("the hedge leg is no leg of the structure")
        if self.accounts and sum(part.amount for part in self.accounts) != self.amount:
            raise Wrong("the accounts' parts add up to the amount")
        if self.respond_by <= self.opened_at:
            raise Wrong("the response time must lie after the opening")


def open_request(  # noqa: PLR0913 - the terms of a request, by name
    envelope: Envelope,
    envelope_sha256: str,
    approval: Approval,
    structure: Structure,
    *,
    request_id: str,
    direction: Direction,
    size: Decimal,
    amount: Decimal,
    panel: tuple[str, ...],
    disclosed: bool,
    at: datetime,
    response_seconds: int,
    reference: float,
    gross: float,
    forward: float,
    spot: Decimal,
    accounts: tuple[Part, ...] = (),
    hedge: HedgeLeg | None = None,
) -> Request | tuple[Outside, ...]:
    """A request within its approved envelope, or every way in which it would leave it."""
    bought = direction is Direction.BUY
    wrong = outside(envelope, structure, size=size, price=None, bought=bought, spot=spot, at=at)
    if at >= approval.expires_at and Outside.TOO_LATE not in wrong:
        wrong = (*wrong, Outside.TOO_LATE)
    if wrong:
        return wrong
    return Request(
        id=request_id,
        approval=approval,
        envelope_sha256=envelope_sha256,
        structure=structure,
        direction=direction,
        size=size,
        amount=amount,
        panel=panel,
        disclosed=disclosed,
        opened_at=at,
        respond_by=at + timedelta(seconds=response_seconds),
        limit=envelope.price_worst,
        reference=reference,
        gross=gross,
        forward=forward,
        accounts=accounts,
        hedge=hedge,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A dealer's answer: net price per coin, size, and how long it stands."""

    dealer: str
    direction: Direction
    price: float
    size: float
    received_at: datetime
    good_until: datetime | None
    all_or_none: bool
    id: str | None = None
    """The quote's id, where the venue gives one: what is hit at venues that are taken by the quote."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What is taken, for every style of venue.

    Those that match read the price; those where an order is crossed the dealer at that price; those
    where a quote is hit its id.
    """

    price: Decimal
    dealer: str
    quote_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What the venue says was dealt: one trade id, the winning dealers, every leg with its price."""

    venue_trade_id: str
    dealer: str
    price: Decimal
    amount: Decimal
    legs: tuple[tuple[str, Decimal, Decimal], ...]
    """Instrument name, signed amount, price, one for each leg."""
    fee: Decimal
    fee_currency: str
    at: datetime
