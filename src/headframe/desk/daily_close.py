"""The daily close on recorded prices: each day since the last, at 08:00 UTC, in order, or why not."""

import gc
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from headframe.book import CREDIT_LINE, LOAN, Position
from headframe.codec import Settings, to_json
from headframe.desk import funding, settlement_prices, users
from headframe.desk.days import changed_positions, flows_by_month, net_postings, settlement_json
from headframe.desk.fold import fold
from headframe.desk.fold_lifecycle import next_close
from headframe.desk.office import Office
from headframe.desk.ports import Broken, Declined, Draft, Invalid, Json, Moved, NotFound, Record
from headframe.desk.programme import fee_schedule
from headframe.desk.quotes import surface_in
from headframe.desk.state import State, postings_json
from headframe.lifecycle import (
    ClosedDay,
    ClosePrices,
    DayEnd,
    DayStart,
    FundingDue,
    FundingRate,
    FundingRecords,
    MissingPrice,
    PriceRecords,
    SettlementPrice,
    bears_interest,
    close_at,
    funding_dues,
    last_close,
    missing_funding,
    prices_for,
    settle_day,
)
from headframe.mandate import Unwind
from headframe.units import USD, Money, iso

Progress = Callable[[int, int], None]
Fetched = SettlementPrice | FundingRate
Fetch = Callable[[Sequence[MissingPrice]], Sequence[Fetched]]
"""Ask the venue for prices that are missing; Broken where it cannot be asked."""
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRun:
    """What a run closed, up to when, and what stopped it."""

    closed: tuple[ClosedDay, ...]
    through: date | None
    due: int
    """Days that are still to be closed."""
    missing: tuple[MissingPrice, ...]
    written: bool
    fetched: tuple[Fetched, ...] = ()
    """Prices and funding rates that were missing and came from the venue."""
    trouble: str = ""
    """Why the venue could not be asked, or its prices not be used."""

    @property
    def prices(self) -> tuple[SettlementPrice, ...]:
        """Prices among what was fetched."""
        return tuple(one for one in self.fetched if isinstance(one, SettlementPrice))


def close_days(
    office: Office,
    until: date | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _done, _all: None,
    fetch: Fetch | None = None,
) -> CloseRun:
    """Close every day since the last close, up to and including ``until`` or the last 08:00 UTC.

    A price that is missing is asked for by ``fetch``, except in a dry run, which records nothing. A day
    whose prices are still missing is not closed, nor any after it; what is missing is returned.
    """
    users.allowed(office, users.Action.PREPARE)
    work = partial(_run, office, until, dry_run=dry_run, progress=progress)
    return work() if fetch is None or dry_run else _fetching(office, work, fetch)


def close_due(office: Office, fetch: Fetch | None = None) -> CloseRun | None:
    """Close what is due on behalf of a person, who needs the right to prepare; None where nothing is due.

    Nothing is due without an open trade, and nothing is closed without its prices, which ``fetch`` asks
    for where they are missing.
    """
    if not _is_due(office):
        return None
    users.allowed(office, users.Action.PREPARE)
    return close_due_itself(office, fetch)


def close_due_itself(office: Office, fetch: Fetch | None = None) -> CloseRun | None:
    """Close what is due as ``close_due`` does, on nobody's behalf: for the running desk alone."""
    if not _is_due(office):
        return None
    work = partial(_run, office, None, dry_run=False, progress=lambda _done, _all: None)
    return work() if fetch is None else _fetching(office, work, fetch)


def _is_due(office: Office) -> bool:
    state = office.state()
    first = next_close(state)
    if first is None or first > last_close(office.now()):
        return False
    return bool(state.positions() or state.transit or state.calls)


def _fetching(office: Office, work: Callable[[], CloseRun], fetch: Fetch) -> CloseRun:
    """Close, fetch what is missing and close on, until nothing is missing or nothing new comes."""
    run = work()
    closed: tuple[ClosedDay, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    trouble = ""
    while run.missing:
        try:
            new = record_fetched(office, fetch(run.missing))
        except (Broken, Invalid) as error:
            trouble = str(error)
            break
        if not new:
            break
        fetched, closed = fetched + new, closed + run.closed
        run = work()
    return replace(run, closed=closed + run.closed, fetched=fetched, trouble=trouble)


def record_fetched(office: Office, prices: Sequence[Fetched]) -> tuple[Fetched, ...]:
    """Record prices and funding rates that came from the venue and return those that are new."""
    # A venue's clock may be ahead of the workspace's: what has not closed here is left for later.
    now = office.now()
    usable = [
        one for one in prices if isinstance(one, SettlementPrice) and close_at(one.day) <= now
    ]
    rates = [one for one in prices if isinstance(one, FundingRate) and one.end <= now]
    return (
        *settlement_prices.record_official(office, usable).new,
        *funding.record_official(office, rates).new,
    )


def _run(office: Office, until: date | None, *, dry_run: bool, progress: Progress) -> CloseRun:
    first, last = _span(office, until)
    closed: list[ClosedDay] = []
    missing: tuple[MissingPrice, ...] = ()
    trial = office.state().copy() if dry_run else None
    while first is not None and first <= last and not missing:
        done = _close_next(office, trial, last)
        if done is None:
            break
        if isinstance(done, tuple):
            missing = done
            break
        closed.append(done)
        progress(len(closed), len(closed) + (last - done.day).days)
        first = done.day + timedelta(days=1)
    state = office.state() if trial is None else trial
    first = next_close(state)
    due = 0 if first is None else max((last - first).days + 1, 0)
    return CloseRun(
        closed=tuple(closed),
        through=state.closed_through,
        due=due,
        missing=missing,
        written=not dry_run,
    )


def _span(office: Office, until: date | None) -> tuple[date | None, date]:
    """Return the first day to close, if any, and the last."""
    state, now = office.state(), office.now()
    known = last_close(now)
    if until is not None and until > known:
        raise Invalid(
            f"until: expected a day whose close at 08:00 UTC has passed, at most {known}, got {until}; "
            "fix: leave --until away, or close later"
        )
    return next_close(state), known if until is None else until


def _close_next(
    office: Office, trial: State | None, last: date
) -> ClosedDay | tuple[MissingPrice, ...] | None:
    """Close the next day, again on what is true now where somebody wrote meanwhile.

    None where nothing is left to close, because somebody else closed it.
    """
    settings = office.settings()
    if trial is not None:
        return close_on_state(trial, settings, last)
    for _ in range(_ATTEMPTS):
        with office.deciding(), _uncollected():
            state = office.state()
            due = next_close(state)
            if due is not None and due > last:
                return None
            prepared = _prepared(state, settings, last)
            if not isinstance(prepared, _Close):
                return prepared
            end = settle_day(prepared.start, prepared.prices)
            try:
                office.record(_draft(prepared, end))
            except Moved:
                continue
            return _told(prepared, end)
    raise Declined("the workspace is too busy: others keep writing; try again")


def close_on_state(
    state: State, settings: Settings, last: date
) -> ClosedDay | tuple[MissingPrice, ...]:
    """Close the next day on a state of its own, as a dry run does; nothing is written anywhere.

    Args:
        state: folded further by the close.
        settings: the operation's file.
        last: last day that may be closed.
    """
    with _uncollected():
        prepared = _prepared(state, settings, last)
        if not isinstance(prepared, _Close):
            return prepared
        end = settle_day(prepared.start, prepared.prices)
        draft, count = _draft(prepared, end), state.head.count + 1
        at = state.clock or close_at(prepared.prices.day)
        fold(state, [Record(count, at, "dry run", draft.kind, draft.body, "")])
        return _told(prepared, end)


@contextmanager
def _uncollected() -> Generator[None]:
    """Leave the search for reference cycles to the end: a close makes none, and a large one is half of it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Close:
    """One close made ready: what it begins with, and its prices."""

    first: date
    start: DayStart
    prices: ClosePrices


def _prepared(state: State, settings: Settings, last: date) -> _Close | tuple[MissingPrice, ...]:
    """Gather what the next close needs; days on which nothing is open are passed over together."""
    first = next_close(state)
    if first is None:
        raise NotFound("there is no trade to close a day for; deal one first: headframe plan")
    positions = state.positions()
    day = _next_with_positions(state, settings, positions, first, last)
    at = close_at(day)
    held = [one for one in positions if one.trade.at < at]
    records = PriceRecords(state.settlement_prices.values(), settings.operation.coin)
    fixings = {
        name: one.fixing_source for name, one in state.confirmed.items() if one.fixing_source
    }
    prices = prices_for(day, held, records, fixings)
    rates = FundingRecords(state.funding_rates.values())
    unknown = missing_funding(day, funding_dues(day, held, state.funding_due), rates)
    if isinstance(prices, tuple) or unknown:
        return (*(prices if isinstance(prices, tuple) else ()), *unknown)
    later = tuple(one for one in positions if one.trade.at >= at)
    return _Close(first, _start(state, settings, day, prices, (tuple(held), later)), prices)


def _under_way(state: State) -> bool:
    """Return whether money is on its way or due, so that every day is closed by itself."""
    return bool(state.transit or state.calls or state.funding_due or state.payments_due)


def _accrues(state: State, settings: Settings) -> bool:
    """Return whether anything bears interest from day to day."""
    treasury = settings.operation.treasury
    loans = (
        treasury.loan_rate * -float(state.ledger.balance(LOAN, USD)),
        treasury.credit_line_rate * -float(state.ledger.balance(CREDIT_LINE, USD)),
    )
    return any(loans) or any(
        bears_interest(dossier.collateral, state.ledger, name)
        for name, dossier in state.dossiers.items()
    )


def _next_with_positions(
    state: State, settings: Settings, positions: Sequence[Position], first: date, last: date
) -> date:
    """Return the first day on which something is open or under way; the last day where none is."""
    if _under_way(state) or _accrues(state, settings):
        return first
    opened = [one.trade.at for one in positions]
    if not opened:
        return last
    begin = min(opened)
    day = begin.date() if begin < close_at(begin.date()) else begin.date() + timedelta(days=1)
    return min(max(first, day), last)


def _start(
    state: State,
    settings: Settings,
    day: date,
    prices: ClosePrices,
    positions: tuple[tuple[Position, ...], tuple[Position, ...]],
) -> DayStart:
    """Return what a recorded close begins with, as the books stand."""
    held, later = positions
    spot = prices.index if prices.index is not None else Decimal(repr(_last_spot(state)))
    at = close_at(day)
    return DayStart(
        day=day - timedelta(days=1),
        spot=spot,
        mined=Decimal(0),
        positions=held,
        later=later,
        ledger=state.ledger,
        surface=surface_in(state).at_spot(float(spot), at),
        terms={name: dossier.collateral for name, dossier in state.dossiers.items()},
        operation=settings.operation,
        power_usd=0.0,
        fees=fee_schedule(settings.venue),
        option_spread=0.0 if state.market is None else 2.0 * state.market.half_spread,
        unwind=Unwind.AT_EXPIRY,
        so_far=None,
        cash_unhedged_usd=0.0,
        funding=FundingRecords(state.funding_rates.values()),
        dealt_back=tuple(state.funding_due),
        payments=tuple(state.payments_due),
        venue=settings.venue.name,
        spot_before=None if state.spot is None else Decimal(repr(state.spot)),
        rule_sets=settings.rule_sets,
        bank=settings.bank,
        transit=tuple(state.transit),
        calls=tuple(state.calls),
        others={
            (name, ours): counted
            for name in state.dossiers
            for ours in (True, False)
            if (counted := state.others_usd(name, ours=ours)[1])
        },
        moves_collateral=state.mode == "paper",
        apart=frozenset(one.dealer for one in state.margin_calls if one.open),
    )


def _last_spot(state: State) -> float:
    if state.spot is not None:
        return state.spot
    return 1.0 if state.market is None else state.market.index


def _draft(close: _Close, end: DayEnd) -> Draft:
    """Return the event of a closed day."""
    body: Json = {
        "close": close.prices.day.isoformat(),
        "first": close.first.isoformat(),
        "index": None if close.prices.index is None else format(close.prices.index, "f"),
        "sources": list(close.prices.sources),
        "settlements": [settlement_json(f.settlement) for f in end.flows if f.settlement],
        "flows_by_month": flows_by_month(end.flows),
        "positions": changed_positions(close.start, end),
        "marks": _changed_marks(close.start.positions, end.positions),
        "ended": [list(one) for one in end.ended],
        "shortfalls": [end.shortfall] if end.shortfall else [],
        "transit": to_json(end.transit),
        "calls": to_json(end.calls),
        "postings": net_postings(postings_json(end.entries)),
    }
    funded = [
        _funding_json(one)
        for one in funding_dues(close.prices.day, close.start.positions, close.start.dealt_back)
    ]
    if funded:
        body["funding"] = funded
    return Draft("day_closed", body)


def _funding_json(one: FundingDue) -> list[object]:
    """Return what accrued funding at a close: everything needed to compute it again from the rates."""
    return [
        one.trade,
        one.instrument.name,
        format(one.quantity, "f"),
        iso(one.start),
        iso(one.end),
        [[str(month), format(coins, "f")] for month, coins in one.coins],
    ]


def _changed_marks(before: Iterable[Position], after: Iterable[Position]) -> list[list[str]]:
    pairs = zip(before, after, strict=True)
    return [
        [new.trade.id, format(new.last_mark, "f")]
        for old, new in pairs
        if new.last_mark is not None and new.last_mark != old.last_mark
    ]


def _told(close: _Close, end: DayEnd) -> ClosedDay:
    sums: dict[tuple[str, str, str], Money] = {}
    for flow in end.flows:
        if not flow.money.smallest:
            continue
        key = (flow.trade, str(flow.cause), flow.money.currency.code)
        sums[key] = sums[key] + flow.money if key in sums else flow.money
    return ClosedDay(
        day=close.prices.day,
        first=close.first,
        index=close.prices.index,
        sources=close.prices.sources,
        paid=tuple((trade, cause, money) for (trade, cause, _), money in sums.items()),
        ended=end.ended,
        shortfall=end.shortfall,
    )
