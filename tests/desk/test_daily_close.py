"""The daily close at the desk: what is due, what is missing, corrections, and trades past their expiry."""

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.book import Confirmation, ConfirmedLeg, Flow, FlowKind
from headframe.cli import main
from headframe.desk import (
    agenda,
    alerts,
    audit,
    closing,
    confirming,
    daily_close,
    days,
    designations,
    execution,
    flows,
    lifecycle,
    limits,
    money,
    pages,
    quotes,
    relationships,
    reviewing,
    settlement_prices,
    users,
    workspace,
)
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, Unreachable
from headframe.desk.valuation import Valuation, value_now
from headframe.lifecycle import MissingPrice, PriceKind, SettlementPrice, future_name, mined_on
from headframe.market import sample_market
from headframe.report import markdown
from headframe.risk import Course, Status
from headframe.units import BTC, USD, Money, booked
from headframe.wiring import open_office, trading

EXPIRY = date(2026, 10, 30)


@pytest.fixture(scope="module")
def dealt_mine(planned_mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """September's collar expiring 30 October, and October's and November's expiring 25 December."""
    folder = tmp_path_factory.mktemp("dealt") / "mine"
    shutil.copytree(planned_mine, folder)
    office = open_office(folder, user="trader")

    async def run() -> None:
        async with trading(office, folder) as line:
            for name in ("P-1", "P-2"):
                await execution.deal(line, name)

    asyncio.run(run())
    assert len(office.state().trades) == 2
    return folder


@pytest.fixture
def mine_dealt(dealt_mine: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "dealt"
    shutil.copytree(dealt_mine, folder)
    return folder


@pytest.fixture
def office(mine_dealt: Path) -> Office:
    return open_office(mine_dealt, user="treasurer")


@dataclass(frozen=True)
class Done:
    """What a command printed and left with."""

    exit_code: int
    stdout: str
    output: str


class Command:
    """The command line in this process, as its own program runs it."""

    def __init__(self, folder: Path, capsys: Any, monkeypatch: Any) -> None:
        self._folder, self._capsys, self._patch = folder, capsys, monkeypatch

    def __call__(self, *arguments: Any) -> Done:
        words = ["headframe", *map(str, arguments), "--workspace", str(self._folder)]
        self._patch.setattr(sys, "argv", words)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        return Done(int(left.value.code or 0), out, out + err)


@pytest.fixture
def command(mine_dealt: Path, capsys: Any, monkeypatch: Any) -> Command:
    return Command(mine_dealt, capsys, monkeypatch)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def price(day: date, figure: Any, **changes: Any) -> SettlementPrice:
    made = SettlementPrice(
        day=day,
        instrument="btc_usd",
        kind=PriceKind.DELIVERY,
        price=Decimal(str(figure)),
        source="deribit",
    )
    return replace(made, **changes)


def record(office: Office, first: date, last: date, figure: Any = 65_000) -> None:
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    settlement_prices.record(office, [price(day, figure) for day in every])


def advance(office: Office, day: date, hour: int = 9) -> None:
    workspace.advance_clock(office, at(day, hour))


def mined_and_sold(office: Office, first: date, last: date, coins: str = "3.00") -> None:
    rows: list[Flow] = []
    day, none = first, Money(USD, 0)
    while day <= last:
        amount = booked(coins, BTC)
        rows.append(
            Flow(
                id=f"p-{day}",
                kind=FlowKind.PAYOUT,
                at=at(day, 1),
                coins=amount,
                cash=none,
                fee=none,
                memo="",
            )
        )
        cash = booked(Decimal(coins) * 65_000, USD)
        rows.append(
            Flow(
                id=f"s-{day}",
                kind=FlowKind.SALE,
                at=at(day, 12),
                coins=amount,
                cash=cash,
                fee=none,
                memo="",
            )
        )
        day += timedelta(days=1)
    flows.take(office, rows, "test")


def test_days_are_closed_in_order_and_a_day_without_prices_stops_them(office: Office) -> None:
    advance(office, date(2026, 8, 27))
    record(office, date(2026, 8, 23), date(2026, 8, 24))
    record(office, date(2026, 8, 26), date(2026, 8, 27))
    run = daily_close.close_days(office)
    assert [one.day for one in run.closed] == [date(2026, 8, 23), date(2026, 8, 24)]
    assert run.through == date(2026, 8, 24)
    assert run.due == 3
    assert [str(one) for one in run.missing] == [
        "2026-08-25: index price of btc_usd for the value of coins"
    ]
    record(office, date(2026, 8, 25), date(2026, 8, 25))
    again = daily_close.close_days(office)
    assert again.missing == ()
    assert again.through == date(2026, 8, 27)
    assert daily_close.close_days(office).closed == (), "a day is closed once"
    assert daily_close.close_due(office) is None


def test_a_missing_price_is_fetched_once_and_recorded_with_its_source(office: Office) -> None:
    advance(office, date(2026, 8, 27))
    record(office, date(2026, 8, 23), date(2026, 8, 24))
    asked: list[list[str]] = []

    def fetch(missing: Sequence[MissingPrice]) -> Sequence[SettlementPrice]:
        asked.append([str(one.day) for one in missing])
        # The venue is a day ahead of the workspace: what has not closed here is left alone.
        days = [missing[0].day + timedelta(days=n) for n in range(4)]
        return [price(day, 65_000) for day in days]

    head = office.journal.head()
    dry = daily_close.close_days(office, dry_run=True, fetch=fetch)
    assert (office.journal.head(), asked) == (head, []), "a dry run asks nobody and writes nothing"
    assert dry.missing
    run = daily_close.close_days(office, fetch=fetch)
    assert run.missing == ()
    assert [one.day.day for one in run.closed] == [23, 24, 25, 26, 27]
    assert [one.day.day for one in run.prices] == [25, 26, 27]
    assert asked == [["2026-08-25"]], "what is recorded is asked of nobody"
    assert office.state().settlement_prices[price(date(2026, 8, 25), 1).key].source == "deribit"
    assert daily_close.close_due(office, fetch) is None
    assert len(asked) == 1


def test_a_venue_that_cannot_be_asked_or_believed_stops_the_close_and_is_told(
    office: Office,
) -> None:
    advance(office, date(2026, 8, 24))

    def silent(_missing: Sequence[MissingPrice]) -> Sequence[SettlementPrice]:
        raise Unreachable("no answer from the venue")

    def absurd(_missing: Sequence[MissingPrice]) -> Sequence[SettlementPrice]:
        return [price(date(2026, 8, 23), 6_500_000)]

    def ignorant(_missing: Sequence[MissingPrice]) -> Sequence[SettlementPrice]:
        return []

    troubles = ("no answer from the venue", "expected USD per coin near", "")
    for fetch, trouble in zip((silent, absurd, ignorant), troubles, strict=True):
        run = daily_close.close_due(office, fetch)
        assert run is not None
        assert run.missing
        assert run.closed == ()
        assert trouble in run.trouble
    assert office.state().closed_through is None


def test_a_dry_run_tells_the_same_and_writes_nothing(office: Office) -> None:
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    head = office.journal.head()
    dry = daily_close.close_days(office, dry_run=True)
    assert office.journal.head() == head
    assert office.state().closed_through is None
    wet = daily_close.close_days(office)
    assert dry.closed == wet.closed
    assert dry.through == wet.through == EXPIRY


def test_a_close_to_come_is_refused(office: Office) -> None:
    with pytest.raises(Invalid, match=r"until: expected a day whose close at 08:00 UTC has passed"):
        daily_close.close_days(office, date(2026, 8, 30))


def test_a_trade_past_its_expiry_is_outstanding_until_evidence_settles_it(office: Office) -> None:
    advance(office, EXPIRY, hour=7)
    stages = {one.name: one.stage for one in lifecycle.lives(office)}
    assert stages["T-1"] == "executed"
    advance(office, EXPIRY, hour=8)
    stages = {one.name: one.stage for one in lifecycle.lives(office)}
    assert stages["T-1"] == "expired, settlement outstanding"
    assert stages["T-2"] == "executed"
    with pytest.raises(
        Declined,
        match=r"expired 2026-10-30 08:00 UTC, settlement outstanding; fix: headframe close-day",
    ):
        closing.propose(office, "T-1", None)
    found = money.performance(office)
    assert found.outstanding == ("T-1",)
    row = next(one for one in found.trades if one.trade.id == "T-1")
    assert row.mark is None, "an expired trade is never marked as live"
    assert any("T-1 expired 2026-10-30" in one.words for one in agenda.shown(office, 14))
    page = markdown(pages.morning(office))
    assert "T-1 expired 2026-10-30, settlement outstanding" in page
    watched = {one.name: one.status for one in limits.watch(office)}
    assert watched["T-1 expired 2026-10-30, settlement outstanding"] is Status.AMBER
    advance(office, EXPIRY + timedelta(days=2))
    watched = {one.name: one.status for one in limits.watch(office)}
    assert watched["T-1 expired 2026-10-30, settlement outstanding"] is Status.BREACH
    look = alerts.look(office)
    raised = next(one for one in look.changes.raised if "settlement outstanding" in one.limit)
    assert raised.owner
    assert raised.deadline > office.now()


def test_settling_ends_it_and_releases_its_promises(office: Office) -> None:
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    daily_close.close_days(office)
    stages = {one.name: one.stage for one in lifecycle.lives(office)}
    assert stages["T-1"] == "exercised"
    state = office.state()
    trade = state.trades["T-1"]
    put = trade.legs[0]
    assert put.instrument.strike is not None
    paid = put.amount * (put.instrument.strike - 60_000) / 60_000
    exercised = [
        one for one in state.results.values() if one.trade == "T-1" and one.cause == "exercise"
    ]
    assert sum(one.coins.smallest for one in exercised) == booked(paid, BTC).smallest
    assert {str(one.month) for one in exercised} == {"2026-09"}
    assert float(state.ledger.balance("promises:firm:2026-09", BTC)) == 0.0
    assert audit.verify(office).sound
    assert lifecycle.history(office, "T-1")[-1].what.startswith("exercised: BTC-30OCT26-")


def test_a_corrected_delivery_price_is_an_adjusting_event(office: Office) -> None:
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    daily_close.close_days(office)
    before = office.state().ledger.balance("income:hedge:T-1", BTC)
    advance(office, EXPIRY + timedelta(days=3))
    done = settlement_prices.record(office, [price(EXPIRY, 61_000)])
    (fixed,) = [one for one in done.corrected if one.money.smallest]
    assert fixed.leg.trade == "T-1"
    trade = office.state().trades["T-1"]
    put = trade.legs[0]
    assert put.instrument.strike is not None
    old, new = (booked(put.amount * (put.instrument.strike - p) / p, BTC) for p in (60_000, 61_000))
    assert fixed.money == new - old
    state = office.state()
    assert state.ledger.balance("income:hedge:T-1", BTC) == before - fixed.money
    kinds = [one.kind for one in office.journal.read()]
    assert kinds.count("settlement_corrected") >= 1
    assert money.performance(office).bridge.holds
    assert audit.verify(office).sound
    again = settlement_prices.record(office, [price(EXPIRY, 61_000)])
    assert again.new == ()
    assert again.corrected == ()


def test_two_closers_at_once_close_each_day_once_and_both_end_well(mine_dealt: Path) -> None:
    """The other closes all that is left while the first is at its first day."""
    one, other = (open_office(mine_dealt, user="treasurer") for _ in range(2))
    last = date(2026, 9, 5)
    advance(one, last)
    record(one, date(2026, 8, 23), last, 60_000)
    theirs: list[daily_close.CloseRun] = []

    def meanwhile(_done: int, _all: int) -> None:
        theirs.append(daily_close.close_days(other))

    ours = daily_close.close_days(one, progress=meanwhile)
    assert (ours.due, ours.missing, ours.through) == (0, (), last)
    days = [*(each.day for each in ours.closed), *(each.day for each in theirs[0].closed)]
    assert days == [date(2026, 8, 23) + timedelta(days=n) for n in range(14)]
    assert audit.verify(one).sound


def _coins_of_put(office: Office, settled_at: Decimal) -> int:
    """What the put of T-1 pays at a delivery price, by hand, in smallest units."""
    put = office.state().trades["T-1"].legs[0]
    assert put.instrument.strike is not None
    inside = max(put.instrument.strike - settled_at, Decimal(0))
    return booked(put.amount * inside / settled_at, BTC).smallest


@pytest.mark.parametrize(
    "prices", [(61_000, 62_000, 60_000), (62_000, 60_000), (61_000, 80_000, 61_000, 59_000)]
)
def test_a_correction_may_be_corrected_again_or_taken_back(
    office: Office, prices: tuple[int, ...]
) -> None:
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    daily_close.close_days(office)
    first = office.state().ledger.balance("income:hedge:T-1", BTC).smallest
    paid = _coins_of_put(office, Decimal(60_000))
    advance(office, EXPIRY + timedelta(days=3))
    for figure in prices:
        settlement_prices.record(office, [price(EXPIRY, figure)])
        now = office.state().ledger.balance("income:hedge:T-1", BTC).smallest
        assert first - now == _coins_of_put(office, Decimal(figure)) - paid
    assert money.performance(office).bridge.holds
    assert audit.verify(office).sound


def test_the_price_that_a_close_would_take_decides_over_others(office: Office) -> None:
    """Another source than the venue changes nothing; the index and the future's own record count once."""
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    daily_close.close_days(office)
    first = office.state().ledger.balance("income:hedge:T-1", BTC).smallest
    elsewhere = replace(price(EXPIRY, 65_000), source="newspaper")
    assert settlement_prices.record(office, [elsewhere]).corrected == ()
    assert office.state().ledger.balance("income:hedge:T-1", BTC).smallest == first
    index = price(EXPIRY, 61_000)
    own = replace(index, instrument=future_name(office.state().trades["T-1"].legs[0].instrument))
    done = settlement_prices.record(office, [index, own])
    assert len([one for one in done.corrected if one.money.smallest]) == 1
    now = office.state().ledger.balance("income:hedge:T-1", BTC).smallest
    paid = _coins_of_put(office, Decimal(60_000))
    assert first - now == _coins_of_put(office, Decimal(61_000)) - paid


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day": date(2026, 8, 30)}, "expected a close that has passed"),
        ({"instrument": "eth_usd"}, "expected btc_usd or a future"),
        ({"instrument": "ETH-30OCT26", "kind": PriceKind.SETTLEMENT}, "a future of BTC"),
        ({"instrument": "BTC-30OCT26-70000-P", "kind": PriceKind.SETTLEMENT}, "a future of BTC"),
        (
            {"instrument": "BTC-30OCT26", "kind": PriceKind.DELIVERY},
            "on or before its expiry 2026-10-30",
        ),
        ({"price": Decimal("770.54")}, "near the 77,054"),
        ({"price": Decimal(7_705_400)}, "near the 77,054"),
    ],
)
def test_a_price_that_cannot_be_one_of_the_mine_is_refused_whole(
    office: Office, changes: Any, words: Any
) -> None:
    advance(office, date(2026, 8, 25))
    head = office.journal.head()
    good = price(date(2026, 8, 24), 77_000)
    with pytest.raises(Invalid, match=words):
        settlement_prices.record(
            office, [good, replace(price(date(2026, 8, 25), 77_000), **changes)]
        )
    assert office.journal.head() == head


def test_a_confirmation_that_names_a_fixing_source_is_settled_at_it(office: Office) -> None:
    trade = office.state().trades["T-1"]
    given = Confirmation(
        reference="T-1",
        legs=tuple(
            ConfirmedLeg(instrument=leg.instrument.name, amount=leg.amount, price=leg.price)
            for leg in trade.legs
        ),
        fixing_source="cme-brr",
    )
    office.user = "risk"
    confirming.take(office, [given], "paper")
    office.user = "treasurer"
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    run = daily_close.close_days(office)
    assert [str(one) for one in run.missing] == [
        "2026-10-30: delivery price of BTC-30OCT26 from cme-brr for T-1"
    ]
    settlement_prices.record(office, [price(EXPIRY, 60_100, source="cme-brr")])
    daily_close.close_days(office)
    put = trade.legs[0]
    assert put.instrument.strike is not None
    paid = booked(put.amount * (put.instrument.strike - 60_100) / 60_100, BTC)
    exercised = [
        one
        for one in office.state().results.values()
        if (one.trade, one.cause) == ("T-1", "exercise")
    ]
    assert sum(one.coins.smallest for one in exercised) == paid.smallest


def test_designations_run_off_with_real_sales_and_what_is_left_over_counts(office: Office) -> None:
    advance(office, date(2026, 10, 1), hour=18)
    mined_and_sold(office, date(2026, 9, 1), date(2026, 9, 30))
    current = designations.month_so_far(valued(office))
    assert str(current.month) == "2026-10"
    (left,) = designations.residuals(office)
    assert (left.state.trade, str(left.state.month)) == ("T-1", "2026-09")
    assert left.state.residual == office.state().trades["T-1"].size
    assert not left.over_hedged, "its block is due in the first days of the month"
    assert left.owner == "treasurer"
    assert left.delta_coins < 0.0
    names = {one.name: one.status for one in limits.watch(office) if one.clause == "M-2.6"}
    assert names["over-hedged: hedges left over after their coins were sold"] is Status.OK
    advance(office, date(2026, 10, 6))
    (left,) = designations.residuals(office)
    assert left.over_hedged
    names = {one.name: one.status for one in limits.watch(office) if one.clause == "M-2.6"}
    assert names["over-hedged: hedges left over after their coins were sold"] is Status.BREACH
    assert any("speculative residual" in name for name in names)
    page = markdown(pages.morning(office))
    assert "beyond the coins to sell (speculative)" in page
    shown = valued(office)
    assert designations.month_so_far(shown).mined == 0.0


def valued(office: Office) -> Valuation:
    return value_now(office)


def test_a_review_proposes_to_close_what_is_left_over(office: Office) -> None:
    advance(office, date(2026, 10, 6))
    mined_and_sold(office, date(2026, 9, 1), date(2026, 9, 30))
    later = replace(sample_market(), as_of=at(date(2026, 10, 6)), source="test")
    quotes.take(office, replace(later, index=later.index + 1.0))
    made = reviewing.hold(office).proposals
    closes = [one for one in made if one.closes]
    assert [one.closes for one in closes] == ["T-1"]
    assert closes[0].size == office.state().trades["T-1"].size
    assert all(one.closes for one in made), (
        "nothing new is hedged while a hedge is left over (M-2.6)"
    )


def test_the_current_month_is_in_the_exposure_table(
    command: Command, mine_dealt: Path, office: Office
) -> None:
    advance(office, date(2026, 9, 11), hour=18)
    mined_and_sold(office, date(2026, 9, 1), date(2026, 9, 10))
    del office
    done = command("pnl", "--json")
    assert done.exit_code == 0
    months = {row["month"]: row for row in json.loads(done.stdout)["realised"]}
    assert months["2026-09"]["sold_btc"] == "30.00000000"
    assert json.loads(done.stdout)["bridge"]["reconciles"] is True
    open_ = open_office(mine_dealt, user="treasurer")
    now = designations.month_so_far(valued(open_))
    assert (now.mined, now.sold) == (30.0, 30.0)
    assert now.hedged == float(open_.state().trades["T-1"].size)
    assert now.days_left == 20


def test_scenarios_and_recorded_coins_share_one_timeline(office: Office) -> None:
    advance(office, date(2026, 9, 4), hour=18)
    mined_and_sold(office, date(2026, 9, 1), date(2026, 9, 4))
    record(office, date(2026, 8, 23), date(2026, 9, 4), 76_000)
    daily_close.close_days(office)
    days.walk(office, Course.BEAR, date(2026, 9, 10))
    state = office.state()
    assert state.closed_through == date(2026, 9, 11)
    assert state.forecast is not None
    invented = float(mined_on(state.forecast, Course.BEAR, date(2026, 9, 5)))
    assert float(state.ledger.balance("income:mined", BTC)) == pytest.approx(
        -12.0 - 6 * invented, abs=1e-6
    )
    with pytest.raises(Declined, match="closed with coins of its own"):
        mined_and_sold(office, date(2026, 9, 8), date(2026, 9, 8))
    advance(office, date(2026, 9, 13), hour=18)
    mined_and_sold(office, date(2026, 9, 11), date(2026, 9, 12))
    record(office, date(2026, 9, 12), date(2026, 9, 13), 74_000)
    run = daily_close.close_days(office)
    assert run.through == date(2026, 9, 13)
    assert audit.verify(office).sound
    assert money.performance(office).bridge.holds


def test_the_watch_closes_what_is_due_by_itself(
    command: Command, mine_dealt: Path, office: Office
) -> None:
    advance(office, date(2026, 8, 25))
    record(office, date(2026, 8, 23), date(2026, 8, 24), 77_000)
    done = command("watch", "--once")
    assert "closed 2026-08-23 08:00 UTC" in done.output
    assert "not closed: 2026-08-25: index price of btc_usd" in done.output
    assert open_office(mine_dealt, user="x").state().closed_through == date(2026, 8, 24)


def test_the_command_says_what_is_missing_with_its_status(
    command: Command, mine_dealt: Path, office: Office, tmp_path: Path
) -> None:
    advance(office, EXPIRY)
    done = command(
        "close-day",
    )
    assert done.exit_code == 6
    assert "missing: 2026-08-23: index price of btc_usd" in done.output
    assert "headframe market deliveries import" in done.output
    table = tmp_path / "prices.csv"
    lines = ["date,instrument,price"]
    day = date(2026, 8, 23)
    while day <= EXPIRY:
        lines.append(f"{day},btc_usd,{64_000}")
        day += timedelta(days=1)
    table.write_text("\n".join(lines) + "\n")
    done = command("market", "deliveries", "import", str(table), "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["new"]) == len(lines) - 1
    head = office.journal.head()
    done = command("close-day", "--dry-run", "--json")
    assert done.exit_code == 0
    assert office.journal.head() == head
    done = command("close-day", "--json")
    answer = json.loads(done.stdout)
    assert answer["through"] == "2026-10-30"
    assert ["T-1", "exercised"] in answer["closed"][-1]["ended"]
    done = command(
        "market",
        "deliveries",
        "add",
        "--date",
        "2026-10-30",
        "--instrument",
        "btc_usd",
        "--price",
        "64100",
        "--source",
        "prices.csv",
    )
    assert "corrected from 64000 to 64100" in done.output
    done = command(
        "market",
        "deliveries",
        "list",
    )
    assert "64,100.00" in done.output


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("date,price\n2026-08-23,1\n", "expected the columns"),
        ("date,instrument,price\n23.08.2026,btc_usd,77000\n", "date: expected YYYY-MM-DD"),
        (
            "date,instrument,price\n2026-08-23,btc_usd,77000\n2026-08-23,btc_usd,77001\n",
            "expected one price of",
        ),
        ("date,instrument,price,kind\n2026-08-23,btc_usd,77000,close\n", "kind: expected one of"),
        ("date,instrument,price\n2026-08-23,btc_usd,nan\n", "a plain finite number"),
        ("date,instrument,price\n", "expected rows of prices"),
    ],
)
def test_a_bad_table_of_prices_is_one_clear_error(
    command: Command, mine_dealt: Path, office: Office, tmp_path: Path, body: Any, words: Any
) -> None:
    advance(office, date(2026, 8, 25))
    head = office.journal.head()
    table = tmp_path / "bad.csv"
    table.write_text(body)
    done = command("market", "deliveries", "import", str(table))
    assert done.exit_code == 2, done.output
    assert words in done.output
    assert office.journal.head() == head


def test_the_venues_saved_answer_must_be_whole(
    command: Command, mine_dealt: Path, office: Office, tmp_path: Path
) -> None:
    advance(office, date(2026, 8, 25))
    rows = [
        {"date": "2026-08-24", "delivery_price": 77_100.5},
        {"date": "2026-08-23", "delivery_price": 77_000.0},
    ]
    part, whole = tmp_path / "part.json", tmp_path / "whole.json"
    part.write_text(json.dumps({"jsonrpc": "2.0", "result": {"data": rows, "records_total": 57}}))
    whole.write_text(json.dumps({"jsonrpc": "2.0", "result": {"data": rows, "records_total": 2}}))
    done = command(
        "market",
        "deliveries",
        "import",
        str(part),
    )
    assert done.exit_code == 2
    assert "expected all 57 delivery prices, got 2" in done.output
    done = command(
        "market",
        "deliveries",
        "import",
        str(whole),
    )
    assert done.exit_code == 0
    kept = open_office(mine_dealt, user="x").state().settlement_prices
    assert {str(one.price) for one in kept.values()} == {"77100.5", "77000.0"}
    assert {one.source for one in kept.values()} == {"deribit"}


def test_a_hedge_that_ended_without_a_coin_sold_has_no_effectiveness(office: Office) -> None:
    advance(office, EXPIRY)
    record(office, date(2026, 8, 23), EXPIRY, 60_000)
    daily_close.close_days(office)
    found, out = relationships.measured(office)
    assert "T-1" not in {one.trade.id for one in found}
    assert ("T-1", "it ended, and none of its designated coins was sold") in {
        (one.trade, one.reason) for one in out
    }


def test_a_month_without_production_is_over_hedged_when_it_is_over(office: Office) -> None:
    """Three coins were mined and sold in September, 57.2 are hedged to the end of October."""
    advance(office, date(2026, 9, 30))
    mined_and_sold(office, date(2026, 9, 10), date(2026, 9, 10))
    before = {row.clause: row for row in limits.watch(office)}["M-2.6"]
    assert before.used == 3.0
    advance(office, date(2026, 10, 20))
    rows = {one.name: one.used for one in limits.watch(office) if one.clause == "M-2.6"}
    designated = float(office.state().trades["T-1"].size)
    assert designated in [pytest.approx(one) for one in rows.values()], rows


def test_where_there_are_users_nobody_closes_without_a_token(
    command: Command, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADFRAME_TOKEN", raising=False)
    last = date(2026, 8, 25)
    advance(office, last)
    record(office, date(2026, 8, 23), last, 60_000)
    users.put(office, "root", ("administrator",), "long enough!", lambda word: word)
    head = office.journal.head()
    for words in (["close-day"], ["watch", "--once"], ["clock", "--to", "2026-08-26"]):
        done = command(*words)
        assert done.exit_code == 4, done.output
        assert "act with your token" in done.output
    assert office.journal.head() == head
    with pytest.raises(Declined, match="act with your token"):
        daily_close.close_due(office)
    run = daily_close.close_due_itself(office)
    assert run is not None, "the running desk closes by itself"
    assert run.through == last
