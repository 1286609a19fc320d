"""Contracts settled on a schedule: hashprice sold forward day by day, options on the mean of fixings.

A contract is dealt with a dealer under its agreement. It hedges coins by month, fewer with every day that is
fixed; a fixing is booked once, in the order of the days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal
from fractions import Fraction

from headframe.book.entries import hedge_flow, promise
from headframe.book.ledger import Entry
from headframe.book.trade import Designation, MarginTerms, Trade, TradeLeg
from headframe.instrument import AveragedOption, HashpriceForward, Instrument, Kind, StructureKind
from headframe.units import BTC, CURRENCIES, USD, Money, Month, Wrong, booked

_SAT = Decimal("0.00000001")
_CENT, _ONE_DAY = Decimal("0.01"), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """What is agreed but its price: hashrate sold forward, or options on one schedule of fixings."""

    kind: StructureKind
    coin: str
    forward: HashpriceForward | None = None
    """Its ``fixed`` is the least that is accepted until it is dealt, then what was dealt."""
    options: tuple[AveragedOption, ...] = ()

    def __post_init__(self) -> None:
        if self.kind is StructureKind.HASHPRICE_FORWARD:
            if self.forward is None or self.options:
                raise Wrong("a hashprice forward sells some PH/s and has no options")
            if self.forward.phs < 0:
                raise Wrong(
                    f"a producer sells hashrate, was {self.forward.phs} PH/s: close to buy back"
                )
            return
        if self.kind not in {StructureKind.AVERAGE_PUT, StructureKind.AVERAGE_COLLAR}:
            raise Wrong(f"a {self.kind} is no contract on a schedule")
        if self.forward is not None or not self.options:
            raise Wrong(f"an {self.kind} is made of options on a mean")
        _hedges(self.kind, self.options)

    @property
    def days(self) -> tuple[date, ...]:
        """The days it is fixed on."""
        return self.options[0].days if self.forward is None else self.forward.days

    @property
    def coins(self) -> Decimal:
        """Coins its options are of; none of a hashprice forward, whose coins the forecast says."""
        return self.options[0].coins if self.options else Decimal(0)

    @property
    def in_coin(self) -> bool:
        """Whether it is fixed and settled in coin."""
        return self.forward is not None and self.forward.in_coin

    @property
    def settled_in(self) -> str:
        """The currency it settles in."""
        return self.coin if self.in_coin else "USD"


def _hedges(kind: StructureKind, options: tuple[AveragedOption, ...]) -> None:
    """Raises Wrong unless the options are a producer's: a put bought, and of a collar a call sold."""
    put, sold = options[0], options[1:]
    if put.coins % _CENT:
        raise Wrong(f"coins are dealt in hundredths, was {put.coins}")
    if put.kind is not Kind.PUT or put.coins < 0:
        raise Wrong("a producer buys the put")
    if kind is StructureKind.AVERAGE_PUT:
        if sold:
            raise Wrong("an average_put is one put")
        return
    if len(sold) != 1 or sold[0].kind is not Kind.CALL or sold[0].coins != -put.coins:
        raise Wrong("an average_collar sells one call of as many coins as its put")
    if (sold[0].first, sold[0].last) != (put.first, put.last):
        raise Wrong("put and call of a collar share their fixings")
    if sold[0].strike < put.strike:
        raise Wrong("a collar's call is struck at its put or above")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract as dealt: terms, with whom, and which coins of which months it hedges."""

    id: str
    dealer: str
    at: datetime
    terms: ContractTerms
    price: Decimal
    """USD or coins per PH/s and day; or USD of premium per coin, below zero where it was received."""
    designations: tuple[Designation, ...]
    spot: Decimal
    fee: Decimal = Decimal(0)
    """In USD."""

    @property
    def size(self) -> Decimal:
        """Coins it was designated to hedge."""
        return sum((part.coins for part in self.designations), Decimal(0))

    @property
    def premium(self) -> Decimal:
        """USD paid for it at once; received where negative."""
        return self.price * self.size if self.terms.options else Decimal(0)

    @property
    def trade(self) -> Trade:
        """The whole of it as the trade it stands beside: for premiums spent, profit and tables."""
        return Trade(
            id=self.id,
            proposal=self.id,
            rfq="",
            structure=self.terms.kind,
            dealer=self.dealer,
            margin=MarginTerms.BILATERAL,
            at=self.at,
            size=self.size,
            net_price=self.price,
            price_currency=self.terms.settled_in,
            legs=tuple(self._legs()),
            designations=self.designations,
            fee=self.fee,
            spot=self.spot,
        )

    def _legs(self) -> Iterator[TradeLeg]:
        """Its options, the premium on the first; or its coins sold at what the forward fixes for them."""
        terms, price = self.terms, self.price
        ends = datetime.combine(terms.days[-1], time(8), self.at.tzinfo)
        for one in terms.options:
            instrument = Instrument(
                kind=one.kind, coin=terms.coin, settled_in="USD", expiry=ends, strike=one.strike
            )
            yield TradeLeg(instrument=instrument, amount=one.coins, price=price)
            price = Decimal(0)
        if terms.forward is not None:
            each = Decimal(0)
            if not terms.in_coin:
                fixed = terms.forward.fixed * terms.forward.phs * len(terms.days)
                each = (fixed / self.size).quantize(_SAT)
            instrument = Instrument(
                kind=Kind.FORWARD, coin=terms.coin, settled_in="USD", expiry=ends + _ONE_DAY
            )
            yield TradeLeg(instrument=instrument, amount=-self.size, price=each)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldContract:
    """A contract and its fixings so far, in the order of its days; ``closed`` where it was closed out."""

    contract: Contract
    fixings: tuple[tuple[date, Decimal], ...] = ()
    closed: bool = False

    @property
    def days_left(self) -> tuple[date, ...]:
        """Days that are still to be fixed."""
        return () if self.closed else self.contract.terms.days[len(self.fixings) :]

    @property
    def remaining(self) -> tuple[tuple[Month, Decimal], ...]:
        """Coins it still hedges by month: of each month, the share of its days that is left."""
        left, every = _by_month(self.days_left), _by_month(self.contract.terms.days)
        return tuple(
            (part.month, _share(part.coins, left[part.month], every[part.month]))
            for part in self.contract.designations
            if left.get(part.month)
        )

    @property
    def coins(self) -> Decimal:
        """Coins it still hedges."""
        return sum((coins for _, coins in self.remaining), Decimal(0))

    def fixes_at(self, day: date) -> datetime:
        """When a day's fixing is known: a mean's price at 08:00 UTC, a hashprice with the next morning's."""
        at = datetime.combine(day, time(8), self.contract.at.tzinfo)
        return at if self.contract.terms.options else at + _ONE_DAY

    def fixed(self, day: date, fixing: Decimal) -> tuple["HeldContract", Fraction]:
        """The contract with its next day fixed, and what that pays us in the currency it settles in.

        Raises:
            Wrong: where the day is not the next one, or the fixing is none.
        """
        left, terms = self.days_left, self.contract.terms
        if not left:
            raise Wrong(f"every day of {self.contract.id} is fixed")
        if day != left[0]:
            raise Wrong(f"the next day of {self.contract.id} to be fixed is {left[0]}, was {day}")
        after = replace(self, fixings=(*self.fixings, (day, fixing)))
        if terms.forward is not None:
            return after, Fraction(terms.forward.settle(day, fixing))
        if not (fixing.is_finite() and fixing > 0):
            raise Wrong(f"a fixing lies above 0, was {fixing}")
        if after.days_left:
            return after, Fraction(0)
        known = dict(after.fixings)
        return after, sum((one.settle(known) for one in terms.options), Fraction(0))


def _share(coins: Decimal, left: int, every: int) -> Decimal:
    """What a month still has, a satoshi at least while a day of it is left."""
    return (coins * left / every).quantize(_SAT, rounding=ROUND_UP)


def _by_month(days: tuple[date, ...]) -> dict[Month, int]:
    counts: dict[Month, int] = {}
    for day in days:
        counts[Month.of(day)] = counts.get(Month.of(day), 0) + 1
    return counts


def contract_paid(contract: Contract, amount: Fraction, memo: str) -> tuple[Entry, ...]:
    """What a contract pays us, or we pay, booked; nothing where it rounds to nothing."""
    money = booked(amount, CURRENCIES[contract.terms.settled_in])
    return (hedge_flow(contract.id, money, memo),) if money.smallest else ()


def contract_dealt(contract: Contract) -> tuple[Entry, ...]:
    """Premium, fee and the coins it promises."""
    flows = (("premium", -contract.premium), ("fee", -contract.fee))
    paid = [(memo, booked(amount, USD)) for memo, amount in flows]
    return (
        *(hedge_flow(contract.id, money, memo) for memo, money in paid if money.smallest),
        *_promised(contract, {part.month: part.coins for part in contract.designations}),
    )


def contract_cost(before: HeldContract, after: HeldContract) -> tuple[Decimal, Decimal]:
    """Premium and fee in USD of the coins that a step of a contract no longer hedges."""
    contract = before.contract
    share = (before.coins - after.coins) / contract.size
    return share * contract.premium, share * contract.fee


def contract_released(before: HeldContract, after: HeldContract) -> tuple[Entry, ...]:
    """The promises of what a step of it no longer hedges."""
    left = dict(after.remaining)
    gone = {month: left.get(month, Decimal(0)) - coins for month, coins in before.remaining}
    return _promised(before.contract, gone)


def _promised(contract: Contract, coins: dict[Month, Decimal]) -> tuple[Entry, ...]:
    firm = not contract.terms.kind.keeps_upside
    moved: list[tuple[Month, Money]] = [(month, booked(part, BTC)) for month, part in coins.items()]
    return tuple(
        promise(month, money, firm=firm, memo=contract.id)
        for month, money in moved
        if money.smallest
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedContract:
    """A contract as the dealer's confirmation states it."""

    dealer: str
    terms: ContractTerms
    price: Decimal
    fee: Decimal


def contract_differences(contract: Contract, stated: StatedContract) -> tuple[str, ...]:
    """Every field in which a confirmation differs from a contract as booked, in words; none: it agrees."""
    ours, theirs = _told(contract.terms), _told(stated.terms)
    ours |= {"dealer": contract.dealer, "price": contract.price, "fee": contract.fee}
    theirs |= {"dealer": stated.dealer, "price": stated.price, "fee": stated.fee}
    return tuple(
        f"{name}: booked {ours.get(name, 'none')}, confirmed {theirs.get(name, 'none')}"
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    )


def _told(terms: ContractTerms) -> dict[str, object]:
    """The fields of terms by name."""
    found: dict[str, object] = {
        "kind": str(terms.kind),
        "coin": terms.coin,
        "settled in": terms.settled_in,
        "first day": terms.days[0],
        "last day": terms.days[-1],
    }
    if terms.forward is not None:
        found["PH/s"] = terms.forward.phs
    for one in terms.options:
        found[f"{one.kind} strike"] = one.strike
        found[f"{one.kind} coins"] = one.coins
    return found
