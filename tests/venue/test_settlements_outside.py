"""The venue's own records over loopback: prices fetched, closes compared, breaks kept until they agree."""

import asyncio
import json
import shutil
import sys
import threading
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import pytest

from headframe.cli import main
from headframe.desk import (
    approvals,
    audit,
    closing,
    daily_close,
    execution,
    limits,
    pages,
    policy,
    programme,
    settlement_prices,
    venue_settlements,
    workspace,
)
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office
from headframe.desk.ports import NotFound
from headframe.desk.state import State
from headframe.lifecycle import PriceKind, SettlementPrice, VenueSettlement
from headframe.market import sample_market
from headframe.paper import Exchange, Fees, StreetMemory, StreetServer, World
from headframe.pricing import surface_of
from headframe.report import markdown
from headframe.web.process import DeskProcess
from headframe.wiring import MEMORY, compare_with_venue, open_office, price_fetcher, trading
from waiting import LIMIT, until_async

EXPIRY = date(2026, 10, 30)
FEES = Fees(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004)


@pytest.fixture(scope="module")
def dealt(planned_mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collar that expires on 30 October, dealt on a street that remembers it."""
    folder = tmp_path_factory.mktemp("dealt") / "mine"
    shutil.copytree(planned_mine, folder)
    office = open_office(folder, user="trader")

    async def run() -> None:
        async with trading(office, folder) as line:
            await execution.deal(line, "P-1")

    asyncio.run(run())
    assert office.state().trades["T-1"].expiry.date() == EXPIRY
    return folder


class Served:
    """The street that dealt it, served on loopback in a thread, its clock at any instant."""

    def __init__(self, folder: Path, at: datetime, vol: float = 0.0) -> None:
        market = sample_market()
        self._clock = VirtualClock(market.as_of)
        world = World(self._clock, market, surface_of(market), FEES, 7, vol)
        keys: list[tuple[str, str, str | None]] = [("headframe", "paper", None)]
        self.exchange = Exchange(world, StreetMemory(folder / MEMORY), keys)
        self._at, self._ready, self._ended = at, threading.Event(), threading.Event()
        self.url = ""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        await self._clock.wait_until(self._at)
        async with StreetServer(self.exchange) as server:
            self.url = server.url
            self._ready.set()
            await asyncio.to_thread(self._ended.wait)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(LIMIT)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(LIMIT)


@pytest.fixture
def folder(dealt: Path, tmp_path: Path) -> Path:
    target = tmp_path / "mine"
    shutil.copytree(dealt, target)
    return target


@pytest.fixture
def office(folder: Path) -> Office:
    made = open_office(folder, user="treasurer")
    workspace.advance_clock(made, datetime(2026, 10, 31, 9, tzinfo=UTC))
    return made


def configure(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFRAME_VENUE_URL", served.url)
    monkeypatch.setenv("HEADFRAME_VENUE_CLIENT_ID", "headframe")
    monkeypatch.setenv("HEADFRAME_VENUE_SECRET", "paper")


@pytest.fixture
def street(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Served]:
    with Served(folder, datetime(2026, 10, 31, 12, tzinfo=UTC)) as served:
        configure(served, monkeypatch)
        yield served


@pytest.fixture
def command(folder: Path, capsys: Any, monkeypatch: Any) -> Any:
    def run(*words: str) -> tuple[int, Any]:
        monkeypatch.setattr(
            sys, "argv", ["headframe", *words, "--workspace", str(folder), "--json"]
        )
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), json.loads(capsys.readouterr().out)

    return run


def test_a_close_fetches_what_it_lacks_and_agrees_with_the_venue(
    office: Office, street: Served, command: Any
) -> None:
    status, answer = command("close-day", "--no-fetch", "--as", "treasurer")
    assert (status, answer["fetched"]) == (6, 0)
    status, answer = command("close-day", "--venue", "--as", "treasurer")
    assert status == 0, answer
    assert answer["fetched"] > 60
    assert answer["venue"]["breaks"] == []
    assert len(answer["venue"]["agreed"]) == 2, "both legs of the collar"
    state = office.state()
    assert state.ended["T-1"]
    assert {one.source for one in state.settlement_prices.values() if one.kind is PriceKind.DELIVERY} == {"deribit"}  # fmt: skip
    # What was booked is what a plain computation says of the trade's terms.
    index = Fraction(str(sample_market().index))
    leg = next(one for one in state.trades["T-1"].legs if str(one.instrument.kind) == "put")
    value = max(Fraction(leg.instrument.strike or 0) - index, Fraction(0)) / index
    log = command("venue", "log", "--days", "365")[1]["entries"]
    delivered = {one["instrument"]: Decimal(one["change"]) for one in log if one["kind"] == "delivery"}  # fmt: skip
    assert delivered[leg.instrument.name] == pytest.approx(
        Decimal(float(Fraction(leg.amount) * value)), abs=Decimal("1e-8")
    )
    head = office.journal.head()
    status, again = command("venue", "settlements", "--as", "treasurer")
    assert (status, again["recorded"]) == (0, False)
    assert office.journal.head() == head, "agreement that is known writes nothing"
    trades = command("venue", "trades", "--days", "365")[1]["trades"]
    assert {one["instrument"] for one in trades} == set(delivered)
    assert command("market", "deliveries", "fetch", "--days", "5", "--as", "treasurer")[1]["new"]
    assert audit.verify(office).sound


def test_a_settlement_that_differs_is_a_break_until_it_agrees(
    folder: Path, office: Office, street: Served, command: Any
) -> None:
    close = date(2026, 10, 29)
    fetch = price_fetcher(office.settings())
    daily_close.close_days(office, close, fetch=fetch)
    wrong = SettlementPrice(
        day=EXPIRY, instrument="btc_usd", kind=PriceKind.DELIVERY, price=Decimal(61_000), source="deribit"
    )  # fmt: skip
    settlement_prices.record(office, [wrong])
    daily_close.close_days(office, EXPIRY)
    status, answer = command("venue", "settlements", "--as", "treasurer")
    assert status == 4
    assert len(answer["breaks"]) == 2
    put = next(one for one in answer["breaks"] if one["account"].endswith("-P"))
    assert "at 61000" in put["ours"]
    assert "at 61000" not in put["theirs"]
    assert put["owner"] == "cfo"
    assert command("statement")[0] == 4
    row = next(one for one in limits.watch(office) if one.name == "breaks against statements")
    assert (row.clause, row.used) == ("I16", 2.0)
    page = markdown(pages.morning(office))
    assert "break of paper settlement 2026-10-30" in page
    assert "owner cfo" in page
    found = compare_with_venue(office, folder)
    assert found is not None
    assert not found.recorded
    # The venue's own price corrects it: an adjusting event, and then both agree.
    assert fetch is not None
    right = replace(wrong, price=Decimal(str(sample_market().index)))
    assert settlement_prices.record(office, [right]).corrected
    status, answer = command("venue", "settlements", "--as", "treasurer")
    assert (status, answer["breaks"]) == (0, [])
    assert office.state().breaks == {}
    assert "break of paper settlement" not in markdown(pages.morning(office))
    assert audit.verify(office).sound


def test_what_only_the_venue_or_only_the_books_have_is_a_break(
    office: Office, folder: Path, street: Served
) -> None:
    daily_close.close_days(office, fetch=price_fetcher(office.settings()))
    (account,) = street.exchange.accounts.all()
    kept = account.fills[:]
    account.fills.clear()
    found = compare_with_venue(office, folder)
    assert found is not None
    assert {one.theirs for one in found.breaks} == {"nothing"}
    assert len(found.breaks) == 2
    account.fills.extend(kept)
    stray = kept[0]
    account.fills.append(
        replace(stray, name="BTC-30OCT26", terms=replace(stray.terms, kind=type(stray.terms.kind).FUTURE, strike=None), amount=Fraction(10), price=Fraction(70_000))
    )  # fmt: skip
    found = compare_with_venue(office, folder)
    assert found is not None
    assert {one.ours for one in found.breaks} == {"nothing"}
    assert {one.account.split()[-1] for one in found.breaks} == {"BTC-30OCT26"}
    # The venue's index stands still here, so only the first session and the delivery can move cash.
    assert len(found.breaks) >= 60
    account.fills.pop()
    found = compare_with_venue(office, folder)
    assert found is not None
    assert found.breaks == ()
    assert office.state().breaks == {}


def test_a_bilateral_trade_and_a_workspace_without_a_venue_are_not_compared(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADFRAME_VENUE_URL", raising=False)
    assert price_fetcher(office.settings()) is None
    with pytest.raises(NotFound, match="built in"):
        compare_with_venue(office, folder)
    assert venue_settlements.first_instant(office) is None, "no day is closed"
    days = [date(2026, 8, 23) + timedelta(days=n) for n in range(69)]
    settlement_prices.record(
        office,
        [SettlementPrice(day=day, instrument="btc_usd", kind=PriceKind.DELIVERY, price=Decimal(70_000), source="deribit") for day in days],
    )  # fmt: skip
    daily_close.close_days(office, EXPIRY)
    rfq = office.state().trades["T-1"].rfq
    nothing: tuple[VenueSettlement, ...] = ()
    assert len(venue_settlements.hold(office, nothing).breaks) == 2
    spoken = office.state()
    spoken.rfqs[rfq] = replace(spoken.rfqs[rfq], venue="voice")

    def as_spoken(_office: Office) -> State:
        return spoken

    monkeypatch.setattr(Office, "state", as_spoken)
    held = venue_settlements.hold(office, nothing)
    assert held.agreed, "what was kept of it has gone: it was never the venue's"


@pytest.fixture
def sold(mine: Path) -> Path:
    """A mine that sold a future by block and bought a part of it back in the same session."""
    path = mine / "mandate.toml"
    text = path.read_text()
    text = text.replace('choice = "floor_less_cost"', 'choice = "largest_floor"')
    path.write_text(text.replace("stress_call_share_max = 0.40", "stress_call_share_max = 3.0"))
    office = open_office(mine, user="board")
    policy.sign(office)
    office.user = "treasurer"
    programme.plan(office)
    for name in ("P-1", ""):
        office.user = "treasurer"
        proposal = name or closing.propose(office, "T-1", Decimal(30)).id
        office.user = "cfo"
        approvals.give(office, proposal)
        assert deal(mine, proposal).outcome == "filled"
    return mine


def deal(folder: Path, proposal: str) -> Any:
    office = open_office(folder, user="trader")

    async def run() -> Any:
        async with trading(office, folder, venue="paper") as line:
            await office.clock.wait_until(office.now() + timedelta(minutes=1))
            return await execution.deal(line, proposal)

    return asyncio.run(run())


def test_variation_of_a_future_agrees_with_the_venue_day_by_day(
    sold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(sold, user="treasurer")
    workspace.advance_clock(office, datetime(2026, 9, 4, 9, tzinfo=UTC))
    with Served(sold, datetime(2026, 9, 4, 12, tzinfo=UTC), vol=0.6) as served:
        configure(served, monkeypatch)
        fetch = price_fetcher(office.settings())
        run = daily_close.close_days(office, fetch=fetch)
        assert run.missing == ()
        settled = [one for one in run.prices if one.kind is PriceKind.SETTLEMENT]
        assert len({one.price for one in settled}) == 13, "the index moves from day to day"
        found = compare_with_venue(office, sold)
        assert found is not None
        assert [(one.account, one.ours, one.theirs) for one in found.breaks] == []
        assert len(found.agreed) == 13
        # A price that was wrong for a day in between nets out the day after: both days agree again.
        key = next(one for one in settled if one.day == date(2026, 8, 27))
        settlement_prices.record(office, [replace(key, price=key.price + 100)])
        found = compare_with_venue(office, sold)
        assert found is not None
        assert {one.at.day for one in found.breaks} == {27, 28}
        settlement_prices.record(office, [key])
        found = compare_with_venue(office, sold)
        assert found is not None
        assert found.breaks == ()
    assert audit.verify(office).sound


def test_the_running_desk_asks_the_venue_and_survives_its_silence(
    folder: Path, office: Office, street: Served
) -> None:
    process = DeskProcess(folder, None, office)

    async def look() -> str:
        task = asyncio.create_task(process._close_days())
        await until_async(
            lambda: process._compared is not None or process.readiness.closing != "", "a close"
        )
        task.cancel()
        return process.readiness.closing

    assert asyncio.run(look()) == ""
    state = open_office(folder, user="treasurer").state()
    assert state.closed_through == date(2026, 10, 31)
    assert state.breaks == {}


def test_a_silent_venue_is_told_and_the_running_desk_goes_on(
    folder: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADFRAME_VENUE_URL", "ws://127.0.0.1:9/ws/api/v2")
    process = DeskProcess(folder, None, office)

    async def look() -> bool:
        task = asyncio.create_task(process._close_days())
        await until_async(lambda: process.readiness.closing != "", "the trouble to be told")
        alive = not task.done()
        task.cancel()
        return alive

    assert asyncio.run(look()), "trouble ends nothing"
    assert "127.0.0.1:9" in process.readiness.closing
    assert open_office(folder, user="treasurer").state().closed_through is None
