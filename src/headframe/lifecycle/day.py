"""One day of a hedged mine: coins mined and sold, hedges reduced and settled, margin moved, costs paid.

The day closes at 08:00 UTC of the next morning, when venues settle. Everything that changes hands
is booked through balanced entries; model figures enter the books only through the one rounding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import (
    CASH,
    COINS_FREE,
    CREDIT_LINE,
    Accounts,
    Entry,
    Funding,
    Ledger,
    MarginTerms,
    PendingCall,
    Position,
    TradeLeg,
    Transit,
    coins_mined,
    coins_sold,
    costs_paid,
    fund,
    hedge_flow,
    promise,
    repay,
    still,
)
from headframe.hedge.exposure import fee_usd, upfront_usd
from headframe.instrument import cash_flow, payoff
from headframe.lifecycle.contract_day import ContractsDay, contracts_of_day
from headframe.lifecycle.daily_margin import margin_of_day
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.performance import MonthResult
from headframe.mining import Forecast
from headframe.risk import (
    Course,
    leg_price,
    stand_ins,
)
from headframe.units import BTC, CURRENCIES, USD, Currency, Money, Month, booked

_SAT = Decimal("0.00000001")
_ZERO = Decimal(0)
_KEEP_USD = 1_000_000
"""Cash kept before the credit line is paid back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """What a day leaves behind: entries in order, changed positions, marks, and the month so far."""

    entries: tuple[Entry, ...]
    positions: tuple[Position, ...]
    result: MonthResult
    settled: tuple[str, ...]
    shortfall: str
    transit: tuple[Transit, ...] = ()
    calls: tuple[PendingCall, ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    """Trades whose last coins went today: exercised, expired, or settled."""
    fixed: tuple[tuple[str, date, Decimal], ...] = ()
    """Days of contracts that were fixed: which contract, which day, at what."""


@dataclass
class _Till:
    """The day's flows while they are gathered."""

    spot: Fraction
    hedges: list[Entry]
    coins: Fraction
    dollars: Fraction
    settled: list[str]
    fees: Fraction = Fraction(0)
    basis: Fraction = Fraction(0)

    def flow(
        self, trade: str, code: str, amount: Fraction, memo: str, at_spot: Fraction | None = None
    ) -> None:
        """A hedge pays or is paid; the booked amount is what counts from here on.

        ``at_spot`` is what it would have paid at spot prices alone: the rest is basis.
        """
        unit = Fraction(1) if code == USD.code else self.spot
        if memo == "fee":
            self.fees += amount * unit
        elif at_spot is not None:
            self.basis += (amount - at_spot) * unit
        money = booked(amount, CURRENCIES[code])
        if not money.smallest:
            return
        self.hedges.append(hedge_flow(trade, money, memo))
        exact = Fraction(money.smallest, money.currency.scale)
        if money.currency == USD:
            self.dollars += exact
        else:
            self.coins += exact


def close_day(start: DayStart) -> DayEnd:
    """Everything a day does, in the order the money moves."""
    till = _Till(Fraction(start.spot), [], Fraction(0), Fraction(0), [])
    after = tuple(_hedge(start, position, till) for position in start.positions)
    mined = booked(start.mined, BTC)
    before = start.so_far or MonthResult.empty(start.month, start.cash_unhedged_usd)
    unsold = Fraction(Decimal(repr(round(before.mined - before.sold, 8)))) + Fraction(start.mined)
    sold = unsold if start.sells else Fraction(0)
    costs = _costs(start)
    contracts = _contracts(start, till)
    secured = margin_of_day(start, (*after, *_left_of(start, contracts)))
    entries = [coins_mined(mined)] if mined.smallest else []
    trial = start.ledger.copy()
    _posted_all(trial, entries)
    paid = _pay(start, trial, till, sold, (*costs, *secured.entries))
    spot_usd = float(sold * Fraction(start.spot))
    premium, fees = _premium(start, after)
    premium, fees = premium + contracts.premium_usd, fees + contracts.fees_usd
    hedge_usd = float(till.dollars + till.coins * Fraction(start.spot)) + premium + fees
    hedge_usd += start.closed_usd
    costs_usd = sum(float(entry.postings[0].money) for entry in costs)
    result = replace(
        before,
        mined=round(before.mined + float(start.mined), 8),
        sold=round(before.sold + float(sold), 8),
        spot_usd=before.spot_usd + spot_usd,
        hedge_usd=before.hedge_usd + hedge_usd,
        premium_usd=before.premium_usd + premium,
        fees_usd=before.fees_usd + fees + float(till.fees),
        basis_usd=before.basis_usd + float(till.basis),
        costs_usd=before.costs_usd + costs_usd,
        margin_usd=_posted(trial, start.spot),
        cash_usd=_cash(trial),
        cash_unhedged_usd=start.cash_unhedged_usd + spot_usd - costs_usd,
    )
    return DayEnd(
        entries=(*entries, *paid.entries),
        positions=after,
        result=result,
        settled=tuple(till.settled),
        shortfall=paid.shortfall,
        transit=paid.transit,
        calls=secured.calls,
        fixed=contracts.fixed,
        ended=tuple(
            _ended(start, before, left)
            for before, left in zip(start.positions, after, strict=True)
            if left.coins == 0
        ),
    )


def _contracts(start: DayStart, till: _Till) -> ContractsDay:
    """Contracts that the day fixes: what they pay is paid, what they promise no longer is released."""
    found = contracts_of_day(start)
    for name, code, amount in found.paid:
        till.flow(name, code, amount, "settled", amount)
    till.hedges += found.released
    return found


def _left_of(start: DayStart, contracts: ContractsDay) -> tuple[Position, ...]:
    """What is left of contracts at the day's close, for collateral."""
    if not contracts.after:
        return ()
    assert start.index is not None
    return stand_ins(contracts.after, start.surface, start.closes_at, start.index)


def _ended(start: DayStart, before: Position, left: Position) -> tuple[str, str]:
    """How a trade ended: options at their expiry are exercised where one of them pays, else they expire."""
    trade = left.trade
    options = [leg for leg in trade.legs if leg.instrument.is_option]
    if trade.expiry > start.closes_at or not options:
        return trade.id, "settled"
    spot = Fraction(start.spot)
    paid = [
        payoff(leg.instrument, Fraction(before.amount(leg)), spot, Fraction(before.entry(leg)))
        for leg in options
    ]
    return trade.id, "exercised" if any(paid) else "expired"


def _premium(start: DayStart, after: tuple[Position, ...]) -> tuple[float, float]:
    """Premium and fee of the coins delivered today: paid at the trade, counted with its coins."""
    premium = fees = 0.0
    for before, left in zip(start.positions, after, strict=True):
        share = float((before.coins - left.coins) / before.trade.size)
        fee = fee_usd(before.trade)
        premium += share * (upfront_usd(before.trade) + fee)
        fees -= share * fee
    return premium, fees


@dataclass(frozen=True, slots=True)
class _Paid:
    """What was booked, what could not be found, and dollars that are not there yet."""

    entries: tuple[Entry, ...]
    shortfall: str
    transit: tuple[Transit, ...]


def _pay(
    start: DayStart, trial: Ledger, till: _Till, sold: Fraction, owed: tuple[Entry, ...]
) -> _Paid:
    """Everything that comes in, then the sale, then what is owed, funded before it is paid.

    Coins a hedge brings are sold with the day's sale and coins it costs are withheld from it, or
    bought where the sale is too small: the coins kept stay what they were. Dollars that are not there
    yet pay for nothing.
    """
    selling = booked(sold + till.coins, BTC)
    proceeds = booked(Fraction(selling.smallest, BTC.scale) * Fraction(start.spot), USD)
    line = booked(start.operation.treasury.credit_line_usd, USD)
    flows = (*till.hedges, *owed)
    comes_in = [entry for entry in flows if not _out(entry)]
    coin_losses = [entry for entry in till.hedges if _taken(entry, BTC) > 0]
    rest = [entry for entry in flows if _out(entry) and entry not in coin_losses]
    out = _posted_all(trial, comes_in)
    trade = [coins_sold(selling, proceeds)] if selling.smallest else []
    transit = (
        *still(start.transit, start.closes_at.date()),
        *_on_the_way(start, comes_in, proceeds),
    )
    away = Money(USD, sum(one.usd.smallest for one in transit))
    first: Funding | None = None
    if selling.smallest < 0:
        first = fund(
            trial,
            coins=Money(BTC, 0),
            dollars=away - proceeds,
            spot=Fraction(start.spot),
            line=line,
        )
        out += _posted_all(trial, [*first.entries, *trade, *coin_losses])
    else:
        out += _posted_all(trial, [*coin_losses, *trade])
    second = fund(
        trial,
        coins=Money(BTC, sum(_taken(entry, BTC) for entry in rest)),
        dollars=away + Money(USD, sum(_taken(entry, USD) for entry in rest)),
        spot=Fraction(start.spot),
        line=line,
    )
    out += _posted_all(trial, [*second.entries, *rest])
    out += _posted_all(trial, repay(trial, keep=away + booked(Decimal(_KEEP_USD), USD)))
    short = second.short if first is None else first.short + second.short
    words = f"{start.day}: {short} USD could not be found" if short.smallest else ""
    return _Paid(tuple(out), words, transit)


def _on_the_way(start: DayStart, comes_in: Sequence[Entry], proceeds: Money) -> Iterator[Transit]:
    """What comes in today by bank and is there later: of hedges and collateral by dealer, of the sale."""
    if start.settles_on <= start.closes_at.date():
        return
    venue = MarginTerms.VENUE
    dealers = {
        one.trade.id: start.venue if one.trade.margin is venue else one.trade.dealer
        for one in start.positions
    } | {one.contract.id: one.contract.dealer for one in start.contracts}
    sums: dict[str, int] = {"sale": max(proceeds.smallest, 0)}
    for entry in comes_in:
        other = next(one.account for one in entry.postings if one.account != CASH)
        name = other.rpartition(":")[2]
        source = dealers.get(name, name)
        sums[source] = sums.get(source, 0) + max(-_taken(entry, USD), 0)
    for source, smallest in sums.items():
        if smallest:
            yield Transit(source=source, usd=Money(USD, smallest), there=start.settles_on)


def _out(entry: Entry) -> bool:
    return _taken(entry, BTC) > 0 or _taken(entry, USD) > 0


def _taken(entry: Entry, currency: Currency) -> int:
    """What an entry takes out of free coins or cash, in smallest units."""
    account = CASH if currency == USD else COINS_FREE
    return -sum(
        posting.money.smallest
        for posting in entry.postings
        if posting.account == account and posting.money.currency == currency
    )


def _posted_all(ledger: Ledger, entries: Sequence[Entry]) -> list[Entry]:
    for entry in entries:
        ledger.post(entry)
    return list(entries)


def _posted(ledger: Ledger, spot: Decimal) -> float:
    dollars = float(ledger.total("assets:cash:posted:", USD))
    return dollars + float(ledger.total("assets:coins:posted:", BTC)) * float(spot)


def _cash(ledger: Ledger) -> float:
    """Cash less what is drawn or overdue."""
    owed = ledger.balance(CREDIT_LINE, USD) + ledger.balance(Accounts.OVERDUE, USD)
    return float(ledger.balance(CASH, USD) + owed)


def _hedge(start: DayStart, position: Position, till: _Till) -> Position:
    """Settle what expires, mark futures, and reduce what hedges the coins sold today."""
    trade = position.trade
    marked = _variation(start, position, till)
    if trade.expiry <= start.closes_at:
        _expire(start, position, till)
        return _reduced(marked, {month: _ZERO for month, _ in position.remaining}, till)
    if not (start.as_sold and start.sells):
        return marked
    left = _left(start, position)
    closed = sum((coins - left[month] for month, coins in position.remaining), _ZERO)
    if closed > 0:
        _close(start, position, closed, till)
    return _reduced(marked, left, till)


def _left(start: DayStart, position: Position) -> dict[Month, Decimal]:
    """Coins still to be hedged after today's sale, by month: past months none, this one by days left."""
    dealt = {part.month: part.coins for part in position.trade.designations}
    left: dict[Month, Decimal] = {}
    for month, coins in position.remaining:
        if month < start.month:
            left[month] = _ZERO
        elif month == start.month:
            share = Decimal(month.days - start.day.day) / month.days
            kept = (dealt[month] * share).quantize(_SAT, rounding=ROUND_HALF_EVEN)
            left[month] = min(coins, kept)
        else:
            left[month] = coins
    return left


def _reduced(position: Position, left: Mapping[Month, Decimal], till: _Till) -> Position:
    """The position with its promises released for the coins delivered."""
    firm = position.trade.sells_upside
    for month, coins in position.remaining:
        gone = booked(coins - left[month], BTC)
        if gone.smallest:
            till.hedges.append(promise(month, -gone, firm=firm, memo=position.trade.id))
    return replace(position, remaining=tuple(left.items()))


def _variation(start: DayStart, position: Position, till: _Till) -> Position:
    """Futures settle daily against the forward; other hedges are marked but nothing is paid."""
    if position.trade.margin is not MarginTerms.VENUE:
        return position
    new = position.last_mark
    for leg in (one for one in position.trade.legs if not one.instrument.is_option):
        forward = leg_price(leg.instrument, start.surface, start.closes_at)
        new = Decimal(repr(forward)).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
        gain = payoff(
            leg.instrument,
            Fraction(position.amount(leg)),
            Fraction(new),
            Fraction(position.entry(leg)),
        )
        till.flow(
            position.trade.id,
            leg.instrument.settled_in,
            gain,
            "variation",
            payoff(
                leg.instrument,
                Fraction(position.amount(leg)),
                Fraction(start.spot),
                Fraction(start.spot_of(position)),
            ),
        )
    return replace(position, last_mark=new)


def _expire(start: DayStart, position: Position, till: _Till) -> None:
    """What is left at expiry settles exactly on the day's price; futures have settled already."""
    till.settled.append(position.trade.id)
    venue = position.trade.margin is MarginTerms.VENUE
    for leg in position.trade.legs:
        if venue and not leg.instrument.is_option:
            continue
        amount = Fraction(position.amount(leg))
        paid = payoff(leg.instrument, amount, Fraction(start.spot), Fraction(position.entry(leg)))
        till.flow(position.trade.id, leg.instrument.settled_in, paid, "settled at expiry", paid)


def _close(start: DayStart, position: Position, closed: Decimal, till: _Till) -> None:
    """Deal the hedge of the coins sold today back, at mark less the cost of dealing."""
    trade = position.trade
    for leg in trade.legs:
        share = Fraction(leg.amount) * Fraction(closed) / Fraction(trade.size)
        code, venue = leg.instrument.settled_in, trade.margin is MarginTerms.VENUE
        if venue and not leg.instrument.is_option:
            cost = abs(share) * Fraction(repr(start.fees.future_share)) / Fraction(start.spot)
            till.flow(trade.id, code, -cost, "fee")
            continue
        back = _back(start, position, leg, share)
        entry = Fraction(position.entry(leg))
        at_spot = payoff(leg.instrument, share, Fraction(start.spot), entry)
        till.flow(trade.id, code, back, "reduced", at_spot)
        if venue:
            price = leg_price(leg.instrument, start.surface, start.closes_at)
            till.flow(trade.id, code, -abs(share) * Fraction(start.fees.option_fee(price)), "fee")


def _back(start: DayStart, position: Position, leg: TradeLeg, share: Fraction) -> Fraction:
    """What dealing a share of a leg back brings: options at bid or ask, forwards at their value."""
    price = Fraction(repr(round(leg_price(leg.instrument, start.surface, start.closes_at), 10)))
    if leg.instrument.is_option:
        half = Fraction(repr(0.5 * start.option_spread))
        dealt = price * (1 - half) if share > 0 else price * (1 + half)
        return cash_flow(leg.instrument, -share, dealt)
    return payoff(leg.instrument, share, price, Fraction(position.entry(leg)))


def _costs(start: DayStart) -> tuple[Entry, ...]:
    """Cash costs, all on one day at the month's end."""
    if not start.pays_costs:
        return ()
    costs, month = start.operation.costs, start.month
    named = (
        ("power", start.power_usd),
        ("fixed", costs.fixed_usd_month),
        ("debt service", costs.debt_service_usd_month),
        ("capex", costs.capex_usd.get(month, 0.0)),
    )
    paid = ((what, booked(Decimal(repr(amount)), USD)) for what, amount in named)
    return tuple(costs_paid(what, money) for what, money in paid if money.smallest > 0)


def mined_on(forecast: Forecast, course: Course, day: date) -> Decimal:
    """Coins of a day: the month's median in a stable market, fewer in a rally, more in a fall.

    Difficulty follows price: a rally brings the middle of P10 and P50, a fall that of P50 and P90.
    """
    row = forecast.of(Month.of(day))
    band = row.coins
    coins = {
        Course.STABLE: band.p50,
        Course.BULL: 0.5 * (band.p10 + band.p50),
        Course.BEAR: 0.5 * (band.p50 + band.p90),
    }[course]
    exact = Decimal(repr(coins)) / row.month.days
    return exact.quantize(_SAT, rounding=ROUND_HALF_EVEN)
