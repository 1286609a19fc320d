"""Whole programmes in one kind of hedge, from mandate to settlement over the wire."""

import asyncio
from pathlib import Path

import pytest

from headframe.book import MarginTerms
from headframe.counterparty import Step
from headframe.desk import (
    approvals,
    audit,
    counterparties,
    days,
    execution,
    limits,
    money,
    policy,
    programme,
)
from headframe.desk.office import Office
from headframe.hedge import as_dealt, floor_usd, stress_call, upfront_usd
from headframe.market import sample_market
from headframe.risk import Course
from headframe.units import BTC, USD
from headframe.wiring import create_office, fork_office, trading


def opened(folder: Path, kinds: str) -> Office:
    """A workspace whose mandate allows only these hedges, with room for their margin and premium."""
    office = create_office(folder, sample_market(), user="board")
    file = folder / "mandate.toml"
    text = file.read_text()
    start = text.index("structures = [")
    text = text[:start] + f"structures = [{kinds}" + text[text.index("]", start) :]
    text = text.replace("stress_call_share_max = 0.40", "stress_call_share_max = 2.0")
    file.write_text(
        text.replace("premium_budget_usd = 2000000.0", "premium_budget_usd = 9000000.0")
    )
    policy.sign(office)
    for name in ("amber", "basalt", "cobalt", "dolomite", "emery"):
        office.user = "treasurer"
        counterparties.add(office, name)
        office.user = "risk"
        counterparties.review(office, name, Step.APPROVE)
    office.user = "treasurer"
    proposals = programme.plan(office).proposals
    office.user = "cfo"
    for one in proposals:
        approvals.give(office, one.id)
    office.user = "trader"

    async def run() -> None:
        async with trading(office, folder) as at_work:
            for one in proposals:
                dealt = await execution.deal(at_work, one.id)
                if dealt.trade is None:
                    await execution.deal(at_work, one.id)

    asyncio.run(run())
    return office


@pytest.mark.parametrize("kinds", ['"short_future", "forward"', '"protective_put"'])
def test_a_programme_of_one_kind_runs_to_its_end(kinds: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    office = opened(folder, kinds)
    dealt = money.trades(office)
    assert len(dealt) == 5
    for trade in dealt:
        legs, _ = as_dealt([office.state().proposals[trade.proposal]])
        planned = {leg.instrument: leg for leg in legs}
        for leg in trade.legs:
            share = float(trade.size / office.state().proposals[trade.proposal].size)
            one = planned[leg.instrument]
            assert one.amount * share == pytest.approx(float(leg.amount), rel=2e-3)
            assert (one.netting == "venue") == (trade.margin is MarginTerms.VENUE)
            assert (one.margined > 0.0) == (trade.sells_upside and leg.amount < 0)
    futures = [trade for trade in dealt if trade.margin is MarginTerms.VENUE]
    posted = float(office.state().ledger.balance("assets:coins:posted:paper", BTC))
    held = sum(float(trade.size) for trade in futures)
    assert posted == pytest.approx((0.02 + 0.00005 * held) * held, abs=1e-7)
    assert all(leg.amount < 0 for trade in futures for leg in trade.legs), "futures are sold"
    for trade in dealt:
        assert floor_usd(trade) > 65_000
        assert (upfront_usd(trade) < -1e5) == (kinds == '"protective_put"')
    ahead, _ = programme.situation(office, "trader")
    (rally,) = (row for row in limits.watch(office) if row.clause == "M-5.2")
    assert rally.used == pytest.approx(stress_call(ahead, ())), "one call in planning and watching"
    assert (rally.used > 1e7) == bool(futures), "a put is paid for and never called"
    results = {}
    for course in Course:
        copy = fork_office(office, folder, tmp_path / course)
        days.walk(copy, course, days.horizon(copy.state()))
        assert audit.verify(copy).sound
        books = copy.state().ledger
        assert not copy.state().positions()
        for prefix, currency in (
            ("assets:coins:posted", BTC),
            ("assets:cash:posted", USD),
            ("liabilities:collateral", USD),
            ("promises:firm", BTC),
        ):
            assert float(books.total(prefix, currency)) == 0.0, (course, prefix)
        found = money.performance(copy).total
        results[course] = found.realised_price - found.spot_price
    assert results[Course.BEAR] > 3_000
    if kinds != '"protective_put"':
        assert results[Course.BULL] < -5_000, "a locked price gives the rally away"
    else:
        assert -4_000 < results[Course.BULL] < 0, "a put costs its premium and no more"
