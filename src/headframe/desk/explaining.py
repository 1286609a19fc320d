"""P&L of a period explained day by day: market moves on what was on, deals, deliveries, fees, the rest."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from headframe.book import Accounts, Position, Trade
from headframe.desk import users
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound, Record
from headframe.desk.quotes import surface_in
from headframe.desk.state import State
from headframe.desk.valuation import value_now
from headframe.hedge import ProductionMoved, production_moved
from headframe.lifecycle import close_at
from headframe.mining import Forecast
from headframe.pricing import Surface
from headframe.risk import Explained, Moved, added_days, explained_trade, position_value_usd
from headframe.risk import explained as explain_all
from headframe.units import BTC, USD, Month, iso, year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A period, its two prices, and every trade that was on or dealt in it."""

    since: datetime
    until: datetime
    spot_before: float
    spot_after: float
    trades: tuple[Explained, ...]
    production: ProductionMoved | None = None
    """What the period did to the months still to come; none without a forecast on both sides of it."""


def explained(office: Office, since: datetime) -> Explanation:
    """The time from an instant to now, trade by trade: every day by itself, added up.

    A day ends with its last event, at the market that was known then or the price of its close, whenever the
    close was booked.
    """
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    if since >= now.at:
        raise Invalid(f"a period begins before {iso(now.at)}, was {iso(since)}")
    days = _days(office, since)
    first = next(days)
    sums, last = _Sums(first), first
    for day in days:
        sums.add(last, day)
        last = day
    end = _Books.of(now.state, now.surface, now.at, now.positions)
    sums.add(last, end)
    return Explanation(
        since=since,
        until=now.at,
        spot_before=first.surface.spot,
        spot_after=now.surface.spot,
        trades=sums.rows(end),
        production=_production(
            first.forecast,
            now.state.forecast,
            (first.surface, first.at),
            (now.surface, now.at),
        ),
    )


def _days(office: Office, since: datetime) -> Iterator["_Books"]:
    """The books at an instant, and at the end of every day with events after it but the last."""
    state, at, begun = State(), since, False
    for happened, record in _by_time(office.journal.read()):
        if happened > since:
            if not begun or happened.date() > at.date():
                yield _books(state, at)
            begun, at = True, happened
        fold(state, [record])
    if not begun:
        yield _books(state, at)


def _by_time(records: Iterable[Record]) -> Iterator[tuple[datetime, Record]]:
    """Yield events with the instant they are of: a daily close at 08:00 UTC of its day, however late booked.

    All others keep the journal's order; a close stands before the first of them that is later than it.
    """
    kept = list(records)
    closes = deque(one for one in kept if one.kind == "day_closed")
    for record in kept:
        if record.kind != "day_closed":
            while closes and _closed_at(closes[0]) <= record.at:
                yield _closed_at(closes[0]), closes.popleft()
            yield record.at, record
    for close in closes:
        yield _closed_at(close), close


def _closed_at(record: Record) -> datetime:
    return close_at(date.fromisoformat(record.body["close"]))


def _books(state: State, at: datetime) -> "_Books":
    if state.market is None:
        raise NotFound(f"no market was known at {iso(at)}")
    spot = state.spot if state.spot is not None else state.market.index
    surface = surface_in(state).at_spot(spot, at)
    return _Books.of(
        state, surface, at, (*state.live_positions(at), *state.contract_positions(surface, at))
    )


def _production(
    old: Forecast | None,
    new: Forecast | None,
    began: tuple[Surface, datetime],
    ended: tuple[Surface, datetime],
) -> ProductionMoved | None:
    if old is None or new is None:
        return None

    def forward(market: tuple[Surface, datetime]) -> Callable[[Month], float]:
        surface, at = market
        return lambda month: surface.forward(
            max(year_fraction(at, month.start + (month.end - month.start) / 2), 0.0)
        )

    return production_moved(old, new, Month.of(ended[1]), forward(began), forward(ended))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """What was on at an instant, and what every trade has brought and cost by then, coins and dollars."""

    at: datetime
    surface: Surface
    forecast: Forecast | None
    held: Mapping[str, Position]
    brought: Mapping[str, tuple[float, float]]
    fees: Mapping[str, tuple[float, float]]

    @classmethod
    def of(
        cls, state: State, surface: Surface, at: datetime, positions: Iterable[Position]
    ) -> "_Books":
        """Read off a state, which may change afterwards."""
        booked = state.booked()
        fees = {name: [one] for name, one in booked.items()}
        for closing, one in state.closings.items():
            fees[state.closes[closing]].append(one)
        return cls(
            at=at,
            surface=surface,
            forecast=state.forecast,
            held={one.trade.id: one for one in positions},
            brought={name: _brought(state, name) for name in booked},
            fees={name: _fees(paid) for name, paid in fees.items()},
        )


def _brought(state: State, name: str) -> tuple[float, float]:
    account = Accounts.hedge(name)
    coins, dollars = (-float(state.ledger.balance(account, one)) for one in (BTC, USD))
    return coins, dollars


def _fees(paid: Iterable[Trade]) -> tuple[float, float]:
    """Fees of a trade and of its closings, as they were paid: coins and dollars."""
    coins = dollars = 0.0
    for one in paid:
        if one.legs[0].instrument.settled_in == "BTC":
            coins += float(one.fee)
        else:
            dollars += float(one.fee)
    return coins, dollars


class _Sums:
    """Parts of every trade's profit, day after day."""

    def __init__(self, begin: _Books) -> None:
        self._begin = begin
        self._parts: dict[str, list[Explained]] = {}
        self._coins: dict[str, list[tuple[float, float]]] = {}

    def add(self, before: _Books, after: _Books) -> None:
        """One day: what was on moved with the market; deals, deliveries and fees at its last price."""
        began, ended = (before.surface, before.at), (after.surface, after.at)
        moves = explain_all(before.held.values(), *began, *ended)
        moved = dict(zip(before.held, moves, strict=True))
        for name, brought in after.brought.items():
            was = before.brought.get(name)
            if was == brought and name not in before.held and name not in after.held:
                continue
            coins, dollars = _less(brought, was)
            fee_coins, fee_dollars = _less(after.fees[name], before.fees.get(name))
            self._coins.setdefault(name, []).append((coins, after.surface.spot))
            left = after.held.get(name)
            self._parts.setdefault(name, []).append(
                explained_trade(
                    name,
                    moved.get(name, Moved()),
                    flows=coins * after.surface.spot + dollars,
                    worth_before=_worth(before.held.get(name), began, known=was is not None),
                    worth_after=0.0 if left is None else position_value_usd(left, *ended),
                    fees=-(fee_coins * after.surface.spot + fee_dollars),
                )
            )

    def rows(self, end: _Books) -> tuple[Explained, ...]:
        """Return each trade's days added up; coins it brought, also before, are revalued to now."""
        found: list[Explained] = []
        for name in end.brought:
            parts = self._parts.get(name, [])
            had, _ = self._begin.brought.get(name, (0.0, 0.0))
            coins = [(had, self._begin.surface.spot), *self._coins.get(name, [])]
            revalued = sum(amount * (end.surface.spot - spot) for amount, spot in coins)
            if parts or revalued:
                found.append(added_days(name, parts, revalued))
        return tuple(found)


def _less(one: tuple[float, float], other: tuple[float, float] | None) -> tuple[float, float]:
    return one if other is None else (one[0] - other[0], one[1] - other[1])


def _worth(held: Position | None, at: tuple[Surface, datetime], *, known: bool) -> float | None:
    """What was on was worth; None where the trade was not dealt yet."""
    if not known:
        return None
    return 0.0 if held is None else position_value_usd(held, *at)
