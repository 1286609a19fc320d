"""Stepping the paper clock along a course of the price: each day closes as one event."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from headframe.codec import Settings, to_json
from headframe.desk.office import Office
from headframe.desk.opening import cash_at_opening
from headframe.desk.ports import Declined, Draft, Invalid, Json, Moved, NotFound
from headframe.desk.programme import fee_schedule
from headframe.desk.quotes import show
from headframe.desk.state import State, postings_json
from headframe.hedge import (
    index_of,
)
from headframe.instrument import parse_instrument
from headframe.lifecycle import (
    DayEnd,
    DayStart,
    FlowCause,
    HedgeFlow,
    LegSettlement,
    close_day,
    mined_on,
)
from headframe.mandate import Unwind
from headframe.pricing import Surface
from headframe.risk import Course, course_prices
from headframe.units import CURRENCIES, Money, Month, booked

Progress = Callable[[int, int], None]


def walk(
    office: Office, course: Course, until: date, progress: Progress = lambda _done, _all: None
) -> None:
    """Close every day up to and including ``until`` along a course.

    The course begins at the market's price on the day after the clock and ends with the forecast's
    horizon; a workspace that has begun one course stays on it.
    """
    state = office.state()
    first, last = _span(state)
    if state.course and state.course != course:
        raise Declined(
            f"this workspace walks the {state.course} course; it cannot change to {course}"
        )
    called = [one.number for one in state.margin_calls if one.open]
    if called:
        raise Declined(f"call {called[0]} is open: settle it before the clock calls by itself")
    _fixed_until(state)
    if until > last:
        raise Invalid(f"the forecast ends {last}; a course cannot be walked to {until}")
    seen = show(office)
    prices = dict(_prices(state, course, last))
    settings = office.settings()
    day = first if state.closed_through is None else max(first, state.closed_through)
    if until < first:
        raise Invalid(f"a course begins {first} and cannot be walked to {until}")
    if until < day:
        raise Invalid(f"days up to {day - timedelta(days=1)} are closed already (asked {until})")
    _priced_from(day, state)
    total = (until - day) // timedelta(days=1) + 1
    for number in range(total):
        _close(office, settings, seen.surface, course, prices, day + timedelta(days=number))
        progress(number + 1, total)


def _priced_from(day: date, state: State) -> None:
    """Raise Declined where open days lie before the scenario, which begins after the market in force."""
    begins = _scenario(state)[0]
    if day < begins:
        raise Declined(
            f"course: expected days from {begins}, after the market in force, got {day}; fix: close the "
            "days before it on their own prices (headframe close-day), or run headframe forecast "
            "again (those days then stay unclosed)"
        )


def _fixed_until(state: State) -> None:
    """Raises Declined where a contract's day is over and nobody fixed it: the course does not know it."""
    assert state.clock is not None
    for one in state.held_contracts():
        if one.fixes_at(one.days_left[0]) <= state.clock:
            raise Declined(
                f"{one.contract.id} is not fixed for {one.days_left[0]}: headframe contract fix it first"
            )


def horizon(state: State) -> date:
    """The last day a course can be walked to."""
    return _span(state)[1]


def _span(state: State) -> tuple[date, date]:
    forecast = state.forecast
    if forecast is None:
        raise NotFound("there is no forecast to walk along; run headframe forecast")
    return forecast.months[0].month.start.date(), forecast.months[-1].month.last_day


def _prices(state: State, course: Course, last: date) -> tuple[tuple[date, float], ...]:
    assert state.market is not None
    first, start = _scenario(state)
    return course_prices(course, start=start, first=first, last=last, seed=state.seed)


def _anchor(state: State) -> tuple[date, float]:
    """Return the day and the price at which a scenario that begins now begins: the last price known."""
    assert state.market is not None
    first = state.market.as_of.date() + timedelta(days=1)
    if state.spot is None or state.closed_through is None:
        return first, state.market.index
    return max(first, state.closed_through), state.spot


def _close(
    office: Office,
    settings: Settings,
    surface: Surface,
    course: Course,
    prices: dict[date, float],
    day: date,
) -> None:
    """Close one day; when somebody wrote meanwhile, again on what is true now."""
    spot = Decimal(repr(prices[day]))
    while True:
        state = office.state()
        if state.last_day is not None and day <= state.last_day:
            raise Declined(f"{day} was closed by another program meanwhile")
        start = start_of_day(state, settings, surface, course, day, spot)
        try:
            draft = closed(start, close_day(start), course, anchor=_scenario(state))
            office.record(draft, at=start.closes_at)
        except Moved:
            continue
        return


def _scenario(state: State) -> tuple[date, float]:
    """Return the day and price at which the scenario of this workspace began, or begins now."""
    if state.scenario_from is not None:
        return state.scenario_from, state.scenario_start
    return _anchor(state)


def closed(
    start: DayStart, end: DayEnd, course: Course, anchor: tuple[date, float] | None = None
) -> Draft:
    """Return the event of a closed day; ``anchor`` is where its scenario began."""
    body = {
        "day": start.day.isoformat(),
        "course": str(course),
        "spot": float(start.spot),
        "positions": changed_positions(start, end),
        "marks": [
            [position.trade.id, str(position.last_mark)]
            for position in end.positions
            if position.last_mark is not None
        ],
        "month": to_json(end.result),
        "settled": list(end.settled),
        "flows_by_month": flows_by_month(end.flows),
        "shortfalls": [end.shortfall] if end.shortfall else [],
        "postings": net_postings(postings_json(end.entries)),
    }
    if anchor is not None:
        body["scenario"] = [anchor[0].isoformat(), anchor[1]]
    if end.fixed:
        body["fixed"] = to_json(end.fixed)
    if end.ended:
        body["ended"] = [list(one) for one in end.ended]
    if end.transit:
        body["transit"] = to_json(end.transit)
    if end.calls:
        body["calls"] = to_json(end.calls)
    return Draft("day", body)


def start_of_day(
    state: State, settings: Settings, surface: Surface, course: Course, day: date, spot: Decimal
) -> DayStart:
    """What a day begins with, as the books stand."""
    assert state.forecast is not None
    assert state.market is not None
    closes = datetime(day.year, day.month, day.day, 8, tzinfo=state.forecast.as_of.tzinfo)
    month = Month.of(day)
    mandate = state.mandate
    opening = cash_at_opening(state, settings)
    return DayStart(
        day=day,
        spot=spot,
        mined=_mined(state, course, day),
        positions=state.positions(),
        ledger=state.ledger,
        surface=surface.at_spot(float(spot), closes + timedelta(days=1)),
        terms={name: dossier.collateral for name, dossier in state.dossiers.items()},
        operation=settings.operation,
        power_usd=state.forecast.of(month).power_usd,
        fees=fee_schedule(settings.venue),
        option_spread=2.0 * state.market.half_spread,
        unwind=Unwind.MONTHLY if mandate is None else mandate.cover.unwind,
        so_far=state.months.get(month),
        cash_unhedged_usd=opening if state.cash_unhedged is None else state.cash_unhedged,
        venue=settings.venue.name,
        closed_usd=state.closed_usd,
        spot_before=None
        if state.last_day is None or state.spot is None
        else Decimal(repr(state.spot)),
        rule_sets=settings.rule_sets,
        bank=settings.bank,
        transit=tuple(state.transit),
        payments=tuple(state.payments_due),
        calls=tuple(state.calls),
        others={
            (name, ours): counted
            for name in state.dossiers
            for ours in (True, False)
            if (counted := state.others_usd(name, ours=ours)[1])
        },
        contracts=state.held_contracts(),
        index=index_of(state.forecast, course),
    )


def _mined(state: State, course: Course, day: date) -> Decimal:
    """Return the coins a scenario mines on a day: none from where real coins are recorded."""
    assert state.forecast is not None
    if state.recorded_through is not None and day <= state.recorded_through:
        return Decimal(0)
    return mined_on(state.forecast, course, day)


def changed_positions(start: DayStart, end: DayEnd) -> list[list[str]]:
    """Coins left by trade and month, where a day changed them."""
    before = {position.trade.id: dict(position.remaining) for position in start.positions}
    return [
        [position.trade.id, str(month), format(coins, "f")]
        for position in end.positions
        for month, coins in position.remaining
        if before[position.trade.id][month] != coins
    ]


def net_postings(postings: list[list[str]]) -> list[list[str]]:
    """A day's postings summed by account and currency, in the order they first appear."""
    sums: dict[tuple[str, str], int] = {}
    for account, code, text in postings:
        key = (account, code)
        sums[key] = sums.get(key, 0) + int(text.replace(".", ""))
    rows: list[list[str]] = []
    for (account, code), smallest in sums.items():
        if smallest:
            rows.append([account, code, str(Money(CURRENCIES[code], smallest))])
    return rows


def flows_by_month(flows: Iterable[HedgeFlow]) -> list[object]:
    """Return what hedges paid by trade, cause, currency and designated month, summed, as JSON."""
    sums: dict[tuple[str, str, str], dict[Month, int]] = {}
    for flow in flows:
        if not flow.money.smallest:
            continue
        row = sums.setdefault((flow.trade, str(flow.cause), flow.money.currency.code), {})
        for month, part in flow.months:
            row[month] = row.get(month, 0) + part.smallest
    return [
        [
            trade,
            cause,
            code,
            [[str(m), str(Money(CURRENCIES[code], n))] for m, n in sorted(row.items())],
        ]
        for (trade, cause, code), row in sums.items()
    ]


def settlement_json(one: LegSettlement) -> Json:
    """Return a settled leg as the journal writes it: fast, since a close may settle thousands."""
    return {
        "trade": one.trade,
        "cause": one.cause.value,
        "instrument": one.instrument.name,
        "quantity": format(one.quantity, "f"),
        "entry": format(one.entry, "f"),
        "price": format(one.price, "f"),
        "amount": [one.amount.currency.code, str(one.amount)],
        "coins": [[str(month), format(coins, "f")] for month, coins in one.coins],
    }


def settlement_of(row: Json) -> LegSettlement:
    """Return a settled leg as it was written."""
    code, text = row["amount"]
    return LegSettlement(
        trade=row["trade"],
        cause=FlowCause(row["cause"]),
        instrument=parse_instrument(row["instrument"]),
        quantity=Decimal(row["quantity"]),
        entry=Decimal(row["entry"]),
        price=Decimal(row["price"]),
        amount=booked(text, CURRENCIES[code]),
        coins=tuple((Month.parse(month), Decimal(coins)) for month, coins in row["coins"]),
    )
