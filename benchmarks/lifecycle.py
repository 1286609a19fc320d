"""The daily close: a day of 10,000 positions, and a year of 200, against a year of a price scenario."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from measure import line

from headframe.book import (
    Designation,
    MarginTerms,
    Trade,
    TradeLeg,
    opening,
    promise,
)
from headframe.chain import chain_of, latest, retargets
from headframe.codec import Settings, from_json, read_counterparties, read_settings, to_json
from headframe.counterparty import Dossier
from headframe.desk.daily_close import close_on_state
from headframe.desk.days import closed, start_of_day
from headframe.desk.fold import fold
from headframe.desk.known import Version
from headframe.desk.ports import Record
from headframe.desk.state import State
from headframe.desk.workspace import sample_file
from headframe.instrument import StructureKind, parse_instrument
from headframe.lifecycle import PriceKind, SettlementPrice, close_day
from headframe.market import Snapshot, sample_market
from headframe.mining import estimate, forecast, start_of
from headframe.pricing import surface_of
from headframe.risk import Course
from headframe.units import BTC, USD, Money, Month, booked

FIRST, EXPIRY = date(2026, 8, 23), date(2027, 6, 25)
AT = datetime(2026, 8, 22, 16, tzinfo=UTC)


def trade(number: int) -> Trade:
    """Every second a short future at the venue, else a collar with a dealer."""
    future = number % 2 == 0
    legs = (
        (("BTC-25JUN27", "-70000", "80104"),)
        if future
        else (("BTC-25JUN27-72000-P", "1", "0.1"), ("BTC-25JUN27-89000-C", "-1", "0.1"))
    )
    month = Month(2027, 1 + number % 5)
    return Trade(
        id=f"T-{number + 1}", proposal="P-1", rfq="r", dealer="amber", at=AT, size=Decimal(1),
        structure=StructureKind.SHORT_FUTURE if future else StructureKind.COSTLESS_COLLAR,
        margin=MarginTerms.VENUE if future else MarginTerms.BILATERAL, net_price=Decimal(0), price_currency="BTC",
        legs=tuple(TradeLeg(instrument=parse_instrument(name), amount=Decimal(size), price=Decimal(price)) for name, size, price in legs),
        designations=(Designation(month=month, coins=Decimal(1), words="", hedge_for_accounts=True),),
        fee=Decimal(0), spot=Decimal(77_054),
    )  # fmt: skip


def dealer() -> Dossier:
    """The sample's first dealer, whose agreement the scenario's collateral follows."""
    found = read_counterparties(sample_file("counterparties.toml"))
    return next(one for one in found if isinstance(one, Dossier) and one.name == "amber")


def version(settings: Settings) -> Version:
    """A forecast in force, made from the sample mine."""
    past = (*retargets(), latest())
    start = start_of(chain_of("BTC"), past, estimate(past))
    made = forecast(settings.operation, Month(2026, 9), as_of=AT, start=start, months=12, paths=500)
    return Version(
        id="F-1", at=AT, forecast=made, sha256="", inputs_sha256="", prepared_by="bench", source="", case=None
    )  # fmt: skip


def book_of(positions: int) -> tuple[State, Settings]:
    """A state with so many open positions, their promises and plenty of coins."""
    settings = read_settings(sample_file("headframe.toml"))
    assert isinstance(settings, Settings)
    state = State(mode="live", clock=AT)
    state.market = from_json(Snapshot, to_json(sample_market()))
    state.surface = surface_of(state.market)
    state.ledger.post(
        opening(
            cash=booked("1e9", USD),
            free=booked("1e6", BTC),
            pledged=Money(BTC, 0),
            loan=Money(USD, 0),
        )
    )
    for number in range(positions):
        made = trade(number)
        state.trades[made.id] = made
        state.remaining[made.id] = {part.month: part.coins for part in made.designations}
        for part in made.designations:
            state.ledger.post(promise(part.month, booked(part.coins, BTC), firm=True, memo=made.id))
    return state, settings


def priced(state: State, last: date) -> None:
    """A price of the index and of the future for every close."""
    day = FIRST
    while day <= last:
        index = Decimal(77_000 + 40 * (day.toordinal() % 97))
        rows: tuple[tuple[str, PriceKind, Decimal], ...] = (
            ("btc_usd", PriceKind.DELIVERY, index),
            ("BTC-25JUN27", PriceKind.SETTLEMENT, index * Decimal("1.03")),
        )
        for name, kind, price in rows:
            one = SettlementPrice(
                day=day, instrument=name, kind=kind, price=round(price, 2), source="deribit"
            )
            state.settlement_prices[one.key] = one
        day += timedelta(days=1)


def seconds_of_closes(positions: int, last: date) -> float:
    """Seconds to close every day up to the last, on a state of its own."""
    state, settings = book_of(positions)
    priced(state, last)
    begun = time.perf_counter()
    while state.closed_through is None or state.closed_through < last:
        done = close_on_state(state, settings, last)
        assert not isinstance(done, tuple), done
    return time.perf_counter() - begun


def seconds_of_scenario(positions: int, days: int) -> float:
    """Seconds of as many days of a price scenario, as the paper clock walks them."""
    state, settings = book_of(positions)
    surface = state.surface
    assert surface is not None
    state.dossiers = {"amber": dealer()}
    state.versions["F-1"], state.forecast_in_force = version(settings), "F-1"
    begun = time.perf_counter()
    for number in range(days):
        day = date(2026, 9, 1) + timedelta(days=number)
        start = start_of_day(state, settings, surface, Course.STABLE, day, Decimal(77_000))
        draft = closed(start, close_day(start), Course.STABLE)
        fold(
            state,
            [Record(state.head.count + 1, start.closes_at, "bench", draft.kind, draft.body, "")],
        )
    return time.perf_counter() - begun


def main() -> None:
    """Print the figures of the daily close, against a price scenario's days of the same book."""
    one = min(seconds_of_closes(10_000, FIRST) for _ in range(3))
    line(
        "close a day, 10,000 positions",
        f"{one:.2f} s",
        f"{10_000 / one:,.0f} positions a second",
        "1 s",
    )
    year = seconds_of_closes(200, EXPIRY)
    days = (EXPIRY - FIRST).days + 1
    walked = seconds_of_scenario(200, 30) / 30.0
    line(
        "close a year, 200 positions",
        f"{year:.1f} s",
        f"{days} days, {year / days / walked:.2f} x a scenario's day of the same book",
        "10 s",
    )


if __name__ == "__main__":
    main()
