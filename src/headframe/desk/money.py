"""What was traded, booked and earned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from headframe.book import Accounts, Ledger, Position, Trade, TrialLine
from headframe.codec import Settings
from headframe.desk.dated import dated_postings
from headframe.desk.month_cash import month_ends
from headframe.desk.office import Office
from headframe.desk.run_off import delivered, states_of
from headframe.desk.state import State
from headframe.desk.valuation import value_now
from headframe.hedge import (
    By,
    Sum,
    TradePnl,
)
from headframe.hedge import added_up as sums
from headframe.lifecycle import (
    Bridge,
    MonthResult,
    RealisedMonth,
    Total,
    bridge,
    month_result,
    realised_months,
    sum_of,
    total,
)
from headframe.risk import Mark, marks
from headframe.units import BTC, USD, USDC, Money, Month, booked

_PAID = ("collateral", "loan", "credit_line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Interest in USD that closes accrued: received and paid on collateral, paid on loan and credit line."""

    received: Money
    collateral: Money
    loan: Money
    credit_line: Money

    @property
    def net(self) -> Money:
        """Received less paid."""
        return self.received - self.collateral - self.loan - self.credit_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Programme P&L: by trade, by month of delivery, and in all."""

    at: datetime
    spot: float
    coins: float
    """Coins on hand: free, pledged, and posted as margin, where gains of inverse futures lie."""
    trades: tuple[TradePnl, ...]
    months: tuple[MonthResult, ...]
    """Months of production that have sold coins: their own sales, their own hedges."""
    total: Total
    realised: tuple[RealisedMonth, ...]
    """The same exact, months that have only hedges among them."""
    bridge: Bridge
    """Production, cash and P&L, reconciled to the cent."""
    interest: Interest
    """Interest that daily closes have accrued, apart from the hedges."""
    outstanding: tuple[str, ...]
    """Trades that have expired and are not settled: what they will pay is in no figure."""


def added_up(office: Office, by: By) -> tuple[Sum, ...]:
    """Profit added up; the sums of every way are the programme's profit."""
    found = performance(office)
    return sums(found.trades, found.spot, by)


def trades(office: Office) -> tuple[Trade, ...]:
    """Every trade, oldest first."""
    return tuple(office.state().trades.values())


def closings(office: Office) -> tuple[tuple[str, Trade], ...]:
    """Every closing with the trade it closes, oldest first."""
    state = office.state()
    return tuple((state.closes[name], one) for name, one in state.closings.items())


def trial_balance(office: Office, as_of: datetime | None = None) -> tuple[TrialLine, ...]:
    """Balances now, or of all that had happened by an earlier instant, whenever it was recorded."""
    if as_of is None:
        return tuple(office.state().ledger.trial_balance())
    ledger = Ledger()
    for part in dated_postings(office.journal.read()):
        if part.at <= as_of:
            ledger.replay(
                (account, code, int(text.replace(".", ""))) for account, code, text in part.postings
            )
    return tuple(ledger.trial_balance())


def performance(office: Office) -> Performance:
    """Programme P&L at the present price."""
    now = value_now(office)
    state = now.state
    left = {position.trade.id: position for position in now.positions}
    marked = {one.trade: one for one in marks(now.positions, now.surface, now.at)}
    rows = tuple(
        _pnl(state, trade, left.get(trade.id), marked.get(trade.id))
        for trade in state.booked().values()
    )
    own = realised_of(state, now.settings)
    months = _months_of(office, state, own)
    price = Fraction(repr(now.surface.spot))
    unrealised = booked(sum(one.value_usd for one in marked.values()), USD)
    return Performance(
        at=now.at,
        spot=now.surface.spot,
        coins=float(state.ledger.total("assets:coins:", BTC)),
        trades=rows,
        months=months,
        total=total(months),
        realised=own,
        bridge=bridge(own, state.month_books, state.results.values(), price, unrealised),
        interest=interest_of(state),
        outstanding=tuple(one.trade.id for one in now.outstanding),
    )


def interest_of(state: State) -> Interest:
    """Return the interest that daily closes have accrued."""
    paid = (
        state.ledger.balance(Accounts.expense(f"interest {name}"), USD)
        for name in ("collateral", "loan", "credit line")
    )
    received = -state.ledger.balance(Accounts.INTEREST, USD)
    return Interest(received=received, **dict(zip(_PAID, paid, strict=True)))


def realised_of(state: State, settings: Settings) -> tuple[RealisedMonth, ...]:
    """Return every month by production, exact."""
    return realised_months(
        state.month_books,
        delivered(state, settings),
        state.results.values(),
        states_of(state, settings),
        state.booked(),
    )


def _months_of(
    office: Office, state: State, own: Sequence[RealisedMonth]
) -> tuple[MonthResult, ...]:
    """Return months that have mined, sold or paid anything, as figures.

    Cash and margin of a month are those of its end by the ledger; months that a price scenario walked
    keep what it stood at on their last day.
    """
    rows = [
        month_result(one, state.month_books.get(one.month), state.months.get(one.month))
        for one in own
        if one.mined.smallest or one.sold.smallest or one.month in state.month_books
    ]
    walked = None if state.last_day is None else Month.of(state.last_day)
    real = [one.month for one in rows if walked is None or one.month > walked]
    ends = month_ends(office, real) if real else {}
    return tuple(
        replace(one, cash_usd=end.cash_usd, margin_usd=end.margin_usd)
        if (end := ends.get(one.month))
        else one
        for one in rows
    )


def _pnl(state: State, trade: Trade, position: Position | None, marked: Mark | None) -> TradePnl:
    account = Accounts.hedge(trade.id)
    return TradePnl(
        trade=trade,
        position=position,
        realised_coins=-state.ledger.balance(account, BTC),
        realised_usd=_realised_usd(state, trade.id),
        mark=marked,
    )


def _realised_usd(state: State, name: str) -> Money:
    """Return what a trade brought in dollars; those of USDC count at par, as its results do."""
    account = Accounts.hedge(name)
    if not state.ledger.balance(account, USDC).smallest:
        return -state.ledger.balance(account, USD)
    return sum_of(one.usd for one in state.results.values() if one.trade == name)
