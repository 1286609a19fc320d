"""A perpetual from the plan to its last day: proposed, dealt, funded at each close, dealt back."""

import asyncio
import shutil
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe.book import Accounts, MarginTerms
from headframe.cli import main
from headframe.counterparty import Step
from headframe.desk import (
    approvals,
    audit,
    checkpoint,
    closing,
    counterparties,
    daily_close,
    execution,
    funding,
    limits,
    money,
    policy,
    programme,
    settlement_prices,
)
from headframe.desk import workspace as workspace_desk
from headframe.desk.ports import Invalid
from headframe.desk.valuation import value_now
from headframe.hedge import Proposal, rate_again
from headframe.instrument import StructureKind
from headframe.lifecycle import (
    FlowCause,
    FundingRate,
    MissingPrice,
    PriceKind,
    SettlementPrice,
    close_at,
    closes_after,
    index_name,
)
from headframe.mandate import Rule
from headframe.market import ForwardQuote, sample_market
from headframe.risk import marks
from headframe.units import BTC, NO_EXPIRY, Money
from headframe.wiring import create_office, open_office, trading
from workspaces import DEALERS

NAME = "BTC-PERPETUAL"


def workspace(folder: Path, *, named: bool = True) -> Path:
    """A mine whose market quotes the perpetual; its mandate and dealers name it, or not."""
    market = sample_market()
    quote = ForwardQuote(expiry=NO_EXPIRY, price=market.index * 1.0004, open_interest=50_000.0)
    office = create_office(folder, replace(market, perpetual=quote), user="board")
    plain = '"short_future", "forward", "protective_put", "costless_collar"]'
    dealers = '["forward", "short_future", "protective_put", "costless_collar"]'
    kinds = '"short_perpetual"]' if named else '"short_future"]'
    for name, old, new in (
        ("mandate.toml", f"[{plain}", f"[{kinds}"),
        ("mandate.toml", "stress_call_share_max = 0.40", "stress_call_share_max = 9.0"),
        ("counterparties.toml", dealers, dealers.replace("]", ', "short_perpetual"]')),
    ):
        path = folder / name
        assert old in path.read_text(), (name, old)
        path.write_text(path.read_text().replace(old, new))
    policy.sign(office)
    for name in DEALERS:
        office.user = "treasurer"
        counterparties.add(office, name)
        office.user = "risk"
        counterparties.review(office, name, Step.APPROVE)
    return folder


def deal(folder: Path, name: str) -> Any:
    office = open_office(folder, user="trader")

    async def run() -> Any:
        async with trading(office, folder) as line:
            return await execution.deal(line, name)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def sold_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = workspace(tmp_path_factory.mktemp("perpetual") / "mine")
    office = open_office(folder, user="treasurer")
    programme.plan(office)
    office.user = "cfo"
    approvals.give(office, "P-1")
    assert deal(folder, "P-1").outcome == "filled"
    return folder


@pytest.fixture
def sold(sold_once: Path, tmp_path: Path) -> Path:
    shutil.copytree(sold_once, tmp_path / "mine")
    return tmp_path / "mine"


def prices(day: date, mark: Any, index: Any = 78_000) -> tuple[SettlementPrice, ...]:
    return tuple(
        SettlementPrice(day=day, instrument=name, kind=kind, price=Decimal(price), source="deribit")
        for name, kind, price in (
            (index_name("BTC"), PriceKind.DELIVERY, index),
            (NAME, PriceKind.SETTLEMENT, mark),
        )
    )


def rates(day: date, rate: str, index: Any = 78_000) -> list[FundingRate]:
    begin = close_at(day) - timedelta(days=1)
    return [
        FundingRate(
            instrument=NAME, start=begin + timedelta(hours=n), end=begin + timedelta(hours=n + 1),
            rate=Decimal(rate), index=Decimal(index), source="deribit",
        )
        for n in range(24)
    ]  # fmt: skip


def closed(folder: Path, days: int, rate: str = "0.00002") -> Any:
    """So many days closed on invented prices; the office afterwards."""
    office = open_office(folder, user="treasurer")
    begin = office.now().date() + timedelta(days=1)
    workspace_desk.advance_clock(
        office, close_at(begin + timedelta(days=days - 1)) + timedelta(hours=1)
    )
    for n in range(days):
        day = begin + timedelta(days=n)
        settlement_prices.record(office, prices(day, 78_000 + 250 * (n + 1)))
        funding.record(office, rates(day, rate))
    run = daily_close.close_days(office)
    assert not run.missing
    return office


def test_a_mandate_that_names_no_perpetual_refuses_it(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "mine", named=False)
    office = open_office(folder, user="treasurer")
    found = programme.plan(office)
    kinds = {one.candidate.kind for _, rated in found.blocks for one in rated}
    assert StructureKind.SHORT_PERPETUAL not in kinds
    situation, _ = programme.situation(office, "treasurer")
    street = replace(situation.street, perpetuals=True)
    bucket = found.blocks[0][0]
    rated = rate_again(replace(situation, street=street), bucket, StructureKind.SHORT_PERPETUAL)
    assert rated is not None
    assert Rule.STRUCTURE_NOT_ALLOWED in {one.rule for one in rated.verdict.breaches}


def test_a_perpetual_is_proposed_approved_and_dealt_like_a_future(sold: Path) -> None:
    office = open_office(sold, user="risk")
    state = office.state()
    proposal: Proposal = state.proposals["P-1"]
    assert proposal.kind is StructureKind.SHORT_PERPETUAL
    (trade,) = state.trades.values()
    (leg,) = trade.legs
    assert (leg.instrument.name, trade.margin) == (NAME, MarginTerms.VENUE)
    assert leg.amount < 0
    assert leg.amount % 10 == 0
    posted = float(state.ledger.balance(Accounts.coins_posted("paper"), BTC))
    size = float(trade.size)
    assert posted == pytest.approx((0.02 + 0.00005 * size) * size, abs=1e-8)
    now = value_now(office)
    (mark,) = marks(now.positions, now.surface, now.at)
    assert mark.delta_coins == pytest.approx(float(leg.amount) / float(leg.price), rel=1e-3)
    assert audit.verify(office).sound
    assert limits.margin(office).today.initial_usd > 0


def test_a_day_without_its_funding_is_not_closed_and_says_so(sold: Path) -> None:
    office = open_office(sold, user="treasurer")
    day = office.now().date() + timedelta(days=1)
    workspace_desk.advance_clock(office, close_at(day) + timedelta(hours=1))
    settlement_prices.record(office, prices(day, 78_500))
    run = daily_close.close_days(office)
    assert run.missing == (MissingPrice(day, PriceKind.FUNDING, NAME, "", ("T-1",)),)
    assert not run.closed
    funding.record(office, rates(day, "0.00002"))
    run = daily_close.close_days(office)
    assert [cause for _, cause, _ in run.closed[0].paid] == ["variation", "funding"]


def test_variation_and_funding_are_what_a_hand_calculation_says(sold: Path) -> None:
    office = closed(sold, 3)
    state = office.state()
    trade = state.trades["T-1"]
    (leg,) = trade.legs
    amount, entry, start = Fraction(leg.amount), Fraction(leg.price), trade.at
    variation = funded = 0
    day = min(
        date.fromisoformat(r.body["close"]) for r in office.journal.read() if r.kind == "day_closed"
    )
    for n in range(3):
        price = Fraction(78_000 + 250 * (n + 1))
        variation += round(amount * (1 / entry - 1 / price) * 10**8)
        begin = max(start, close_at(day + timedelta(days=n - 1)))
        held = Fraction(int((close_at(day + timedelta(days=n)) - begin).total_seconds()), 3600)
        funded += round(-amount / 78_000 * Fraction("0.00002") * held * 10**8)
        entry = price
    by_cause: dict[FlowCause, int] = {}
    for one in state.results.values():
        by_cause[one.cause] = by_cause.get(one.cause, 0) + one.coins.smallest
    assert by_cause[FlowCause.VARIATION] == variation
    assert by_cause[FlowCause.FUNDING] == pytest.approx(funded, abs=1)
    assert by_cause[FlowCause.FUNDING] > 0, "a short receives a positive rate"
    found = money.performance(office)
    assert found.bridge.holds
    assert sum(one.funding.smallest for one in found.realised) > 0
    assert audit.verify(office).sound
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert again.funding_rates == state.funding_rates


def test_what_is_dealt_back_between_closes_is_funded_to_its_own_instant(sold: Path) -> None:
    office = open_office(sold, user="treasurer")
    workspace_desk.advance_clock(office, office.now() + timedelta(minutes=15))
    made = closing.propose(office, "T-1", None)
    office.user = "cfo"
    approvals.give(office, made.id)
    assert deal(sold, made.id).outcome == "filled"
    office = open_office(sold, user="treasurer")
    (due,) = office.state().funding_due
    assert due.quantity == office.state().trades["T-1"].legs[0].amount
    assert not office.state().positions()
    assert timedelta(minutes=14) < due.end - due.start
    day = closes_after(due.end)
    workspace_desk.advance_clock(office, close_at(day) + timedelta(hours=1))
    settlement_prices.record(office, prices(day, 78_500))
    assert daily_close.close_days(office).missing
    funding.record(office, rates(day, "0.00002"))
    run = daily_close.close_days(office)
    ((_, cause, paid),) = run.closed[-1].paid
    hours = Fraction(int((due.end - due.start).total_seconds()), 3600)
    exact = -Fraction(due.quantity) / 78_000 * Fraction("0.00002") * hours
    assert (cause, paid) == ("funding", Money(BTC, round(exact * 10**8)))
    assert office.state().funding_due == []
    assert money.performance(office).bridge.holds


def test_a_late_rate_is_an_adjusting_event(sold: Path) -> None:
    office = closed(sold, 2)
    state = office.state()
    day = state.closed_through
    assert day is not None
    before = sum(r.coins.smallest for r in state.results.values() if r.cause is FlowCause.FUNDING)
    found = funding.record(office, rates(day, "0.00003"))
    (corrected,) = found.corrected
    assert corrected.close == day
    after = sum(
        r.coins.smallest for r in office.state().results.values() if r.cause is FlowCause.FUNDING
    )
    assert after - before == corrected.money.smallest > 0
    assert corrected.money.smallest == pytest.approx(corrected.before.smallest / 2, abs=2)
    assert money.performance(office).bridge.holds
    assert audit.verify(office).sound
    assert funding.record(office, rates(day, "0.00003")).new == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"index": Decimal(7)}, "index: expected"),
        ({"instrument": "ETH-PERPETUAL"}, "perpetual of BTC"),
    ],
)
def test_rates_of_another_coin_or_of_the_future_are_refused(
    sold: Path, changes: Any, words: str
) -> None:
    office = open_office(sold, user="treasurer")
    day = office.now().date()
    wrong = [replace(one, **changes) for one in rates(day, "0.0001")]
    head = office.state().head
    with pytest.raises(Invalid, match=words):
        funding.record(office, wrong)
    with pytest.raises(Invalid, match="has ended"):
        funding.record(office, rates(day + timedelta(days=2), "0.0001"))
    assert office.state().head == head


def test_the_commands_import_type_and_list_rates(
    sold: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    office = open_office(sold, user="treasurer")
    day = office.now().date()
    file = tmp_path / "funding.csv"
    file.write_text(f"date,instrument,rate,index\n{day},BTC-PERPETUAL,0.0003,78000\n")
    saved = tmp_path / "funding.json"
    stamp = int(close_at(day).timestamp() * 1000)
    hour = '"interest_1h": 0.0000125, "interest_8h": 0.0001'
    index = '"index_price": 78100.5, "prev_index_price": 77900.5'
    saved.write_text(f'{{"result": [{{"timestamp": {stamp}, {hour}, {index}}}]}}')

    def run(*words: Any) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["headframe", *map(str, words), "--workspace", str(sold)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out + err

    assert run("market", "funding", "import", file) == (
        0, "1 funding rates recorded, 0 known already\n",
    )  # fmt: skip
    assert run("market", "funding", "import", saved)[0] == 0
    code, _ = run(
        "market",
        "funding",
        "add",
        "--date",
        day,
        "--rate",
        "0.0001",
        "--index",
        "78000",
        "--source",
        "me",
    )
    assert code == 0
    code, listed = run("market", "funding", "list")
    assert code == 0
    assert "0.00125" in listed
    assert "78,000.50" in listed
    code, said = run("market", "funding", "add", "--rate", "1", "--index", "1", "--source", "me")
    assert code != 0
    assert "expected --date" in said
    rows = office.state().funding_rates.values()
    assert {one.source for one in rows} == {"funding.csv", "deribit", "me"}


READS = (
    ("trades",), ("pnl",), ("agenda",), ("margin",), ("ledger",), ("effectiveness",),
)  # fmt: skip


def test_every_page_shows_a_perpetual(sold: Path, capsys: Any, monkeypatch: Any) -> None:
    closed(sold, 2)
    for words in READS:
        where = ["--workspace", str(sold), "--as", "treasurer"]
        monkeypatch.setattr(sys, "argv", ["headframe", *words, *where])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert left.value.code in {0, None, 4}, (words, err)
        assert "2140" not in out, words
        if words == ("pnl",):
            assert "funding" in out.lower(), words
