"""Perpetuals over loopback: prices and funding fetched through the adapter, closes held against the venue."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from desk.test_perpetuals import deal, workspace
from headframe.desk import approvals, daily_close, money, programme
from headframe.desk import workspace as workspace_desk
from headframe.feed import fetch_funding
from headframe.instrument import funding_rate_8h
from headframe.lifecycle import FlowCause, close_at
from headframe.units import Wrong
from headframe.wiring import compare_with_venue, open_office, price_fetcher
from venue.test_settlements_outside import Served, configure

NAME = "BTC-PERPETUAL"


@pytest.fixture(scope="module")
def dealt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = workspace(tmp_path_factory.mktemp("perpetual") / "mine")
    office = open_office(folder, user="treasurer")
    programme.plan(office)
    office.user = "cfo"
    approvals.give(office, "P-1")
    assert deal(folder, "P-1").outcome == "filled"
    return folder


def test_closes_fetch_funding_by_themselves_and_agree_with_the_venue(
    dealt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(dealt, folder)
    office = open_office(folder, user="treasurer")
    until = close_at(office.now().date() + timedelta(days=4)) + timedelta(hours=2)
    workspace_desk.advance_clock(office, until)
    served = Served(folder, until, 0.5)
    served.exchange.world.premium = 0.0012
    with served:
        configure(served, monkeypatch)
        office = open_office(folder, user="treasurer")
        fetch = price_fetcher(office.settings())
        run = daily_close.close_days(office, fetch=fetch)
        assert not run.missing, run.trouble
        assert len(run.closed) == 4
        held = compare_with_venue(office, folder)
    assert held is not None
    assert held.breaks == ()
    booked = {
        one.day: money.smallest
        for one in run.closed
        for _, cause, money in one.paid
        if cause == "funding"
    }
    theirs = {day: int(amount.scaleb(8)) for day, name, _, amount in held.funding if name == NAME}
    assert set(booked) == set(theirs)
    for day, amount in booked.items():
        assert abs(amount - theirs[day]) <= 1, day
        assert amount > 0, "a short receives at a premium"
    causes = {one.cause for one in office.state().results.values()}
    assert {FlowCause.FUNDING, FlowCause.VARIATION} <= causes
    assert money.performance(office).bridge.holds


def test_the_history_is_read_in_pages_hour_by_hour(dealt: Path) -> None:
    at = datetime(2026, 10, 31, 12, tzinfo=UTC)
    served = Served(dealt, at, 0.5)
    served.exchange.world.premium = -0.0009
    with served:
        url = served.url.replace("ws", "http", 1).removesuffix("/ws/api/v2")
        since = at - timedelta(days=45)
        found = fetch_funding(url, NAME, since, at)
    assert len(found) >= 45 * 24
    ends = [one.end for one in found]
    assert ends == sorted(set(ends))
    assert {one.end - one.start for one in found} == {timedelta(hours=1)}
    rate = funding_rate_8h(Decimal("0.9991"), Decimal(1)) / 8
    assert {one.rate for one in found} == {round(rate, 12)}
    assert found[0].rate < 0


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        ("0", "0"), ("0.0002", "0"), ("-0.00025", "0"), ("0.0005", "0.00025"),
        ("-0.0005", "-0.00025"), ("0.0012", "0.00095"), ("0.02", "0.005"), ("-0.02", "-0.005"),
    ],
)  # fmt: skip
def test_the_rate_is_the_premium_less_its_damper_within_the_cap(premium: str, rate: str) -> None:
    """Deribit, Funding Specifications: damper 0.025 %, the cap of BTC."""
    mark = 80_000 * (1 + Decimal(premium))
    assert funding_rate_8h(mark, Decimal(80_000)) == Decimal(rate)


def test_a_rate_needs_prices() -> None:
    with pytest.raises(Wrong):
        funding_rate_8h(Decimal(0), Decimal(1))


def test_the_ticker_and_the_chart_state_the_same_rate(dealt: Path) -> None:
    served = Served(dealt, datetime(2026, 10, 31, 12, tzinfo=UTC))
    served.exchange.world.premium = 0.001
    exchange = served.exchange

    def call(method: str, **params: Any) -> Any:
        from headframe.paper.session import Session

        return asyncio.run(exchange.call(Session(), method, params))

    ticker = call("public/ticker", instrument_name=NAME)
    chart = call("public/get_funding_chart_data", instrument_name=NAME, length="24h")
    assert ticker["funding_8h"] == chart["interest_8h"] == 0.00075
    assert ticker["mark_price"] == pytest.approx(1.001 * ticker["index_price"], abs=0.01)
