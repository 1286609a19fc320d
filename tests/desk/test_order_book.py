"""Small futures in a venue's order book: planned there, dealt fill or kill, found again after a crash."""

import asyncio
import json
import math
import shutil
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

from headframe.book import Accounts, MarginTerms
from headframe.cli.app import app
from headframe.desk import (
    adopting,
    approvals,
    audit,
    closing,
    days,
    execution,
    fencing,
    limits,
    policy,
    programme,
    tables,
)
from headframe.desk.office import Office
from headframe.desk.ports import Declined, NotFound, OutcomeUnknown, Unreachable
from headframe.desk.quotes import surface_in
from headframe.desk.valuation import value_now
from headframe.instrument import Kind
from headframe.rfq import RfqState
from headframe.risk import Course, leg_price
from headframe.units import BTC, year_fraction
from headframe.venue import DeribitBook
from headframe.wiring import back_up, open_office, restore, trading


@pytest.fixture
def small(mine: Path) -> Path:
    """A mine that hedges with futures alone, too small for blocks, in the order book."""
    return too_small(mine, "short_future")


def too_small(mine: Path, kind: str) -> Path:
    """A mine that hedges with one structure alone, in the order book: blocks would have to be larger."""
    path = mine / "mandate.toml"
    text = path.read_text()
    text = text.replace(
        'structures = ["short_future", "forward", "protective_put", "costless_collar"]   # M',
        f'structures = ["{kind}"]   # M',
    )
    text = text.replace(
        "[cover] ",
        f"""[[where]]
entity = "Kettle & Pecos Mining LLC"
venue = "paper-book"
structures = ["{kind}"]

[cover] """,
    )
    text = text.replace("future_block_min_usd = 200000.0", "future_block_min_usd = 20000000.0")
    text = text.replace("block_min_coins = 25.0 ", "block_min_coins = 1000.0 ")
    text = text.replace("stress_call_share_max = 0.40", "stress_call_share_max = 3.0")
    text = text.replace("distance_max = 0.006", "distance_max = 0.02")
    text = text.replace("# clip_coins_max = 60.0", "clip_coins_max = 2.0")
    path.write_text(text)
    office = open_office(mine, user="board")
    policy.sign(office)
    office.user = "treasurer"
    plan = programme.plan(office)
    office.user = "cfo"
    for proposal in plan.proposals:
        approvals.give(office, proposal.id)
    return mine


def deal(
    folder: Path, venue: str | None = "paper-book", change: Any = None, name: str = "P-1"
) -> Any:
    office = open_office(folder, user="trader")

    async def run() -> Any:
        async with trading(office, folder, venue=venue) as line:
            if change is not None:
                change(line.venue)
            return await execution.deal(line, name)

    return office, asyncio.run(run())


def test_a_future_too_small_for_a_block_is_planned_and_dealt_in_the_book(small: Path) -> None:
    state = open_office(small, user="x").state()
    proposal = state.proposals["P-1"]
    assert proposal.facts.venue == "paper-book"
    assert proposal.panel == ("paper-book",)
    assert all("too_small" not in str(b.rule) for b in proposal.verdict.breaches)
    office, dealt = deal(small)
    assert dealt.outcome == "filled"
    trade = dealt.trades[0]
    assert trade.dealer == "paper-book"
    assert trade.net_price >= dealt.request.limit, "we sell, and no lower than approved"
    assert trade.legs[0].amount == -dealt.request.amount
    assert trade.fee > 0
    assert 1.0 < trade.size <= 2.0 < proposal.size, "a clip"
    assert audit.verify(office).sound
    with pytest.raises(Declined, match=r"M-6\.5"):
        deal(small)


def test_what_was_dealt_in_the_book_after_a_backup_is_adopted(small: Path, tmp_path: Path) -> None:
    back_up(small, None, tmp_path / "kept.headframe")
    copy = tmp_path / "copy"
    shutil.copytree(small, copy)
    _, dealt = deal(small)
    target = tmp_path / "restored"
    restore(target, None, tmp_path / "kept.headframe")
    with pytest.raises(OutcomeUnknown, match="restored from a backup"):
        deal(target)
    shutil.copyfile(small / "street.jsonl", copy / "street.jsonl")
    with pytest.raises(OutcomeUnknown, match="under the approval of P-1"):
        deal(copy)
    for folder in (target, copy):
        office = open_office(folder, user="trader")

        async def adopt(folder: Path = folder, office: Office = office) -> Any:
            async with trading(office, folder) as line:
                return await adopting.adopt(line)

        found = {one.venue: one for one in asyncio.run(adopt())}
        assert found["paper"].adopted == ()
        assert found["paper-book"].adopted == (dealt.request.id,)
        (trade,) = office.state().trades.values()
        assert (trade.dealer, trade.legs) == ("paper-book", dealt.trades[0].legs)
        assert abs(trade.size - dealt.trades[0].size) < Decimal("0.05")
        assert audit.verify(office).sound


def test_margin_shows_the_portfolio_model_beside_the_standard_one(small: Path) -> None:
    from headframe.desk import limits, tables

    office, dealt = deal(small)
    view = limits.margin(office)
    assert view.portfolio is not None
    coins = float(dealt.request.amount) / view.spot
    assert view.portfolio.matrix_loss == pytest.approx(coins * (1.0 - 1.0 / 1.16), rel=1e-9)
    assert view.portfolio.worst_move == pytest.approx(0.16), "we are short"
    assert any(
        "By portfolio margin (BTC_USD, parameters of 2026-02-15)" in one
        for one in tables.margin_lines(view)
    )


def test_the_command_goes_where_the_plan_says_and_says_where_else(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main(
            [*words, "--workspace", str(small), "--as", "trader", "--json"], standalone_mode=False
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, ways = run("routes", "P-1")
    assert status == 0
    rows = {one["name"]: one for one in ways["routes"]}
    assert "M-6.2" in rows["block at paper"]["closed"]
    assert rows["lit book at once, paper-book"]["closed"] == ""
    status, dealt = run("rfq", "P-1", "--venue", "best")
    assert status == 0
    assert dealt["venue"] == "paper-book"
    assert dealt["trade"]["dealer"] == "paper-book"


@pytest.mark.parametrize("kind", ["protective_put", "costless_collar"])
def test_options_too_small_for_a_block_are_dealt_in_the_book_and_margined_there(
    mine: Path, kind: str
) -> None:
    office, dealt = deal(too_small(mine, kind))
    assert dealt.outcome == "filled", dealt
    (trade,) = dealt.trades
    assert trade.dealer == "paper-book"
    assert trade.margin is MarginTerms.VENUE
    legs = {leg.instrument.kind: leg for leg in trade.legs}
    assert legs[Kind.PUT].amount == trade.size
    net = sum(leg.price * (1 if leg.amount > 0 else -1) for leg in trade.legs)
    assert net == trade.net_price
    assert net <= dealt.request.limit, "we pay, and no more than approved"
    state = office.state()
    asked = float(state.ledger.balance(Accounts.coins_posted("paper"), BTC))
    if kind == "protective_put":
        assert asked == 0.0, "what is bought is paid for"
    else:
        call = legs[Kind.CALL]
        surface = surface_in(state)
        years = year_fraction(office.now(), trade.expiry)
        strike = float(call.instrument.strike or 0)
        away = strike / surface.forward(years) - 1.0
        mark = leg_price(call.instrument, surface, office.now())
        exact = max(0.15 - max(away, 0.0), 0.10) + mark
        assert asked == pytest.approx(exact * float(trade.size), abs=2e-8)
    assert limits.margin(office).today.initial_usd == pytest.approx(
        asked * surface_in(state).spot, abs=0.01
    )
    assert audit.verify(office).sound
    _half_is_dealt_back(mine, office, trade)


def _half_is_dealt_back(mine: Path, office: Any, trade: Any) -> None:
    """A coin of it is dealt back in the book: its share of the margin comes back."""
    office.user = "treasurer"
    proposal = closing.propose(office, trade.id, Decimal("1.0"))
    office.user = "cfo"
    approvals.give(office, proposal.id)
    posted = office.state().ledger.balance(Accounts.coins_posted("paper"), BTC)

    async def run() -> Any:
        line_office = open_office(mine, user="trader")
        async with trading(line_office, mine, venue="paper-book") as line:
            return await execution.deal(line, proposal.id)

    dealt = asyncio.run(run())
    assert dealt.outcome == "filled", dealt
    (closed,) = dealt.trades
    assert {leg.instrument: -leg.amount / closed.size for leg in closed.legs} == {
        leg.instrument: leg.amount / trade.size for leg in trade.legs
    }
    state = office.state()
    left = state.ledger.balance(Accounts.coins_posted("paper"), BTC)
    share = float((trade.size - closed.size) / trade.size)
    assert float(left) == pytest.approx(float(posted) * share, abs=1e-6)
    assert state.positions()[0].coins == trade.size - closed.size
    assert audit.verify(office).sound


def test_the_book_is_closed_unless_the_mandate_opens_it_and_to_what_is_not_listed(
    approved: Path, mine: Path
) -> None:
    with pytest.raises(Declined, match=r"M-1\.4.*costless_collar at paper-book"):
        deal(approved)
    proposals = open_office(approved, user="x").state().proposals.values()
    unlisted = next(one.id for one in proposals if not one.listed)
    with pytest.raises(Declined, match="order books deal what is listed"):
        deal(approved, name=unlisted)
    with pytest.raises(NotFound, match="known: paper"):
        deal(approved, "elsewhere-book")
    office = open_office(mine, user="treasurer")
    plan = programme.plan(office, propose=False)
    assert {one.facts.venue for _, rows in plan.blocks for one in rows} == {"paper"}


class Cut:
    """A line that breaks when the order has been sent."""

    def __init__(self, real: Any, *, arrives: bool) -> None:
        self.real, self.arrives = real, arrives

    async def fill_or_kill(self, *args: Any, **kwargs: Any) -> Any:
        if self.arrives:
            await self.real.fill_or_kill(*args, **kwargs)
        raise Unreachable("no answer in time")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def test_a_combination_whose_answer_was_lost_is_found_leg_by_leg(mine: Path) -> None:
    def cut(venue: Any) -> None:
        venue._account = Cut(venue._account, arrives=True)

    folder = too_small(mine, "costless_collar")
    with pytest.raises(OutcomeUnknown):
        deal(folder, change=cut)
    office = open_office(folder, user="trader")

    async def settle() -> None:
        async with trading(office, folder) as line:
            await fencing.reconcile(line, lambda _: None)

    asyncio.run(settle())
    (trade,) = office.state().trades.values()
    (record,) = office.state().rfqs.values()
    assert record.state is RfqState.FILLED
    assert [leg.amount for leg in trade.legs] == [trade.size, -trade.size]
    assert audit.verify(office).sound


@pytest.mark.parametrize("arrives", [True, False])
def test_an_order_whose_answer_was_lost_is_read_from_the_trades_when_none_can_follow(
    small: Path, arrives: bool
) -> None:
    def cut(venue: Any) -> None:
        assert isinstance(venue, DeribitBook)
        venue._account = Cut(venue._account, arrives=arrives)  # type: ignore[assignment]

    with pytest.raises(OutcomeUnknown):
        deal(small, change=cut)
    office = open_office(small, user="trader")
    (record,) = office.state().live_rfqs()
    assert record.state is RfqState.UNKNOWN

    async def settle() -> None:
        async with trading(office, small) as line:
            await fencing.reconcile(line, lambda _: None)

    asyncio.run(settle())
    state = office.state()
    assert state.rfqs[record.request.id].state is (
        RfqState.FILLED if arrives else RfqState.NOT_FILLED
    )
    assert len(state.trades) == (1 if arrives else 0)
    assert office.now() >= record.request.opened_at + timedelta(seconds=9) or arrives
    assert audit.verify(office).sound


def test_an_order_that_comes_too_late_is_refused_by_the_venue(small: Path) -> None:
    office = open_office(small, user="trader")

    async def run() -> None:
        async with trading(office, small, venue="paper-book") as line:
            venue = line.venue
            assert isinstance(venue, DeribitBook)
            with pytest.raises(Unreachable, match="in time"):
                await venue._account.fill_or_kill(
                    "sell", "BTC-25DEC26", amount=Decimal(100), price=Decimal(1000), label="late",
                    until=office.now() - timedelta(seconds=1),
                )  # fmt: skip
            since = office.now() - timedelta(hours=1)
            assert await venue._account.trades("BTC-25DEC26", "late", since) == ()

    asyncio.run(run())


def test_one_price_is_worth_what_several_were() -> None:
    from fractions import Fraction

    from headframe.venue.deribit.book import _mean

    prices, sizes = [Decimal(70_000), Decimal(70_010)], [Decimal(300), Decimal(100)]
    coins = sum(
        (Fraction(size) / Fraction(price) for price, size in zip(prices, sizes, strict=True)),
        Fraction(0),
    )
    assert abs(Fraction(400) / Fraction(_mean(prices, sizes, inverse=True)) - coins) < Fraction(
        1, 10**12
    )
    assert _mean(prices, sizes, inverse=False) == Decimal("70002.50000000")
    assert _mean(prices[:1], sizes[:1], inverse=True) == Decimal(70_000)


def test_other_venues_are_named_apart_and_futures_stay_at_one(small: Path) -> None:
    from headframe.codec import read_settings

    path = small / "headframe.toml"
    text = path.read_text()
    other = """
[[venues]]
name = "second"
url = "ws://127.0.0.1:1/ws"
client_id = "x"
option_fee_coins = 0.0003
option_fee_cap_share = 0.125
future_fee_share = 0.0005
forward_spread = 0.0004
spread_median = 0.0375
financing_rate = 0.08
"""
    path.write_text(text + other)
    office = open_office(small, user="trader")
    assert [one.name for one in office.settings().venues] == ["second"]
    found = office.settings().venue_of("second-book")
    assert found is not None
    assert found.name == "second"
    with pytest.raises(Declined, match="margined by a venue is at one"):
        execution.judged(office, "P-1", "second")
    for bad in (
        other.replace("second", "paper"),
        other.replace("second", "x-book"),
        other.replace("url", "# url"),
    ):
        assert isinstance(read_settings(text + bad), tuple)


def test_what_is_open_elsewhere_says_where_to_ask(small: Path) -> None:
    def cut(venue: Any) -> None:
        venue._account = Cut(venue._account, arrives=True)

    with pytest.raises(OutcomeUnknown):
        deal(small, change=cut)
    office = open_office(small, user="trader")

    async def elsewhere() -> None:
        async with trading(office, small) as line:
            apart = replace(line, others={})
            await fencing.reconcile(apart, lambda _: None)

    with pytest.raises(OutcomeUnknown, match="rfq --venue paper-book"):
        asyncio.run(elsewhere())


def anonymous(folder: Path, clip: float | None = 4.0) -> Any:
    """The desk under a mandate that hides who asks, with blocks of futures large enough."""
    office = open_office(folder, user="trader")
    state = office.state()
    assert state.mandate is not None
    rules = replace(
        state.mandate.rfq, disclosed=False, future_block_min_usd=200_000.0, clip_coins_max=clip
    )
    state.mandate = replace(state.mandate, rfq=rules)

    async def run() -> Any:
        async with trading(office, folder, venue="paper") as line:
            return await execution.deal(line, "P-1")

    return office, asyncio.run(run())


def test_futures_may_be_asked_anonymously_and_what_draws_on_a_line_may_not(
    small: Path, approved: Path
) -> None:
    office, dealt = anonymous(small)
    assert not dealt.request.disclosed
    assert {rung.quote.dealer for rung in dealt.ladder.rungs} == {"ANONYMOUS"}
    assert dealt.outcome == "filled"
    assert dealt.trades[0].dealer in {*dealt.request.panel, "ANONYMOUS"}, (
        "as the venue's tape has it"
    )
    assert audit.verify(office).sound
    with pytest.raises(Declined, match=r"names no dealer.*M-4\.2"):
        anonymous(approved, clip=None)


def test_too_few_dealers_to_hide_among_is_said_before_anything_is_sent(small: Path) -> None:
    from headframe.counterparty import Step
    from headframe.desk import counterparties

    office = open_office(small, user="risk")
    counterparties.review(office, "emery", Step.SUSPEND)
    with pytest.raises(Declined, match="hides who asks from 5 dealers on, not 4"):
        anonymous(small)
    state = open_office(small, user="x").state()
    assert [one.state for one in state.rfqs.values()] == [RfqState.NOT_FILLED]


RULES = """
[[margin_rules]]
name = "after-august"
since = 2026-08-01
initial = 0.05
maintenance = 0.03
per_coin = 0.001
option_initial = 0.2
option_least = 0.12
option_maintenance = 0.08
"""


def test_margin_rules_of_the_file_are_those_that_count(small: Path) -> None:
    from headframe.codec import read_settings
    from headframe.risk import RULE_SETS, rule_set

    path = small / "headframe.toml"
    text = path.read_text()
    path.write_text(text + RULES)
    office, dealt = deal(small)
    coins = float(dealt.trades[0].size)
    posted = float(office.state().ledger.balance(Accounts.coins_posted("paper"), BTC))
    assert posted == pytest.approx((0.05 + 0.001 * coins) * coins, abs=1e-8)
    view = limits.margin(office)
    assert (view.rules, view.rules_in_force) == ("after-august", True)
    assert view.today.initial_usd == pytest.approx(posted * view.spot, abs=1.0)
    account = view.account
    assert account is not None
    assert account.initial == pytest.approx(posted, abs=1e-8)
    assert account.maintenance == pytest.approx((0.03 + 0.001 * coins) * coins, abs=1e-8)
    assert (account.open_orders, account.market_maker) == (0.0, 0.0)
    assert account.liquidation_above is not None
    assert account.liquidation_below is None
    lines = "\n".join(tables.margin_lines(view))
    assert f"maintenance {account.maintenance:,.4f}" in lines
    assert f"Liquidated, if nothing is added: above {account.liquidation_above:,.0f} USD" in lines
    names = {one.name: one for one in limits.watch(office)}
    kept = names["maintenance margin at the venue"]
    assert kept.used == pytest.approx(account.maintenance * view.spot)
    assert kept.allowed == pytest.approx(account.equity * view.spot)
    path.write_text(text + RULES + "mmp_coins = 50.0\n")
    making = limits.margin(office).account
    assert making is not None
    assert making.market_maker == pytest.approx(1.5)
    assert making.required == pytest.approx(account.initial + 1.5)
    both = RULES + RULES.replace("after-august", "other").replace("2026-08-01", "2026-09-01")
    for bad, words in (
        (both, "both in force on 2026-09-01"),
        (RULES.replace("0.05", "5"), "between 0 and 1"),
        (RULES + "until = 2026-07-01", "not after it begins"),
        (RULES + "unknown = 1", "unknown"),
    ):
        problems = read_settings(text + bad)
        assert isinstance(problems, tuple), words
        assert any(words in str(one) for one in problems), problems
    (known,) = RULE_SETS
    day = known.since
    assert rule_set(day) == (known, True)
    assert rule_set(day - timedelta(days=1)) == (known, False), "not in force yet"
    assert known.until is not None
    assert rule_set(known.until) == (known, False), "in force no more"


PORTFOLIO = """
[[margin_rules]]
name = "portfolio-after-august"
since = 2026-08-01
initial = 0.10
maintenance = 0.03
per_coin = 0.0
option_initial = 0.25
option_least = 0.12
option_maintenance = 0.08
[margin_rules.portfolio]
price_range = 0.16
buckets = 4
vol_up = 0.5
vol_down = 0.25
short_power = 0.3
long_power = 0.13
least_vol_up = 0.5
extended_factor = 1.0
dampener_usd = 100000
delta_free_usd = 20000000
delta_per_coin = 0.00005
greatest_delta = 0.1
move_risk = 0.075
least_move = 0.01
maintenance = 0.8
"""


@pytest.mark.parametrize("kind", ["short_future", "costless_collar"])
def test_an_account_under_portfolio_margin_is_planned_booked_and_closed_by_it(
    mine: Path, kind: str
) -> None:
    from headframe.desk import tables

    folder = too_small(mine, kind)
    path = folder / "headframe.toml"
    path.write_text(path.read_text() + PORTFOLIO)
    office, dealt = deal(folder)
    view = limits.margin(office)
    assert (view.rules, view.rules_in_force) == ("portfolio-after-august", True)
    assert view.portfolio is not None
    posted = float(office.state().ledger.balance(Accounts.coins_posted("paper"), BTC))
    assert posted == pytest.approx(view.portfolio.initial, rel=0.002), (
        "booked at the trade's own spot"
    )
    assert view.today.initial_usd == pytest.approx(view.portfolio.initial * view.spot, rel=1e-9)
    assert any("which is in force here" in one for one in tables.margin_lines(view))
    coins = float(dealt.trades[0].size)
    if kind == "short_future":
        assert view.portfolio.matrix_loss == pytest.approx(coins * (1 - 1 / 1.16), rel=0.01)
    up = next(row for row in view.stresses if row.move > 0.5)
    assert up.call_usd > view.today.initial_usd
    office.user = "treasurer"
    days.walk(office, Course.BEAR, date(2026, 9, 10))
    after = limits.margin(office)
    assert after.portfolio is not None
    now = float(office.state().ledger.balance(Accounts.coins_posted("paper"), BTC))
    assert now == pytest.approx(after.portfolio.initial, rel=0.02)
    rules = office.settings().margin_rules[0]
    assert rules.portfolio is not None
    assert rules.greatest == pytest.approx(0.16 / 0.84 + math.expm1(0.075)), "on the engine's paths"


def test_contract_months_are_margined_by_shares_of_their_own(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from headframe.codec import read_settings

    months = 'months = [{ first = "2026-09", last = "2027-12", initial = 0.42 }]\n'
    path = small / "headframe.toml"
    text = path.read_text()
    path.write_text(text + RULES + months)
    office, dealt = deal(small)
    coins = float(dealt.trades[0].size)
    posted = float(office.state().ledger.balance(Accounts.coins_posted("paper"), BTC))
    assert posted == pytest.approx((0.42 + 0.001 * coins) * coins, abs=1e-8)
    assert limits.margin(office).today.initial_usd == pytest.approx(
        posted * limits.margin(office).spot, abs=1.0
    )
    twice = months.replace("]", ', { first = "2027-12", last = "2028-01", initial = 0.3 }]')
    for bad, words in (
        (twice, "two shares for the contract month 2027-12"),
        (months.replace("0.42", "1.42"), "lies between 0 and 1"),
        (months.replace("2027-12", "2026-01"), "contract months run from 2026-09 to 2026-01"),
    ):
        problems = read_settings(text + RULES + bad)
        assert isinstance(problems, tuple), words
        assert any(words in str(one) for one in problems), problems
    file = small / "cme.csv"
    file.write_text("product code,start period,end period,maintenance\nMBT,2026-09,2027-12,40%\n")
    told_by = ["margin", "--outright", str(file), "--as-rules", "--workspace", str(small)]
    app.main(told_by, standalone_mode=False)
    told = capsys.readouterr().out
    assert '{ first = "2026-09", last = "2027-12", initial = 0.44 }' in told
    assert not isinstance(read_settings(text + RULES + told), tuple), "it is taken as it is told"
    with pytest.raises(click.UsageError):
        app.main(["margin", "--as-rules", "--workspace", str(small)], standalone_mode=False)


@pytest.mark.parametrize("course", [Course.BULL, Course.BEAR])
def test_a_collar_margined_at_the_venue_runs_to_its_end_and_leaves_nothing_there(
    mine: Path, course: Course
) -> None:
    office, dealt = deal(too_small(mine, "costless_collar"))
    (trade,) = dealt.trades
    days.walk(office, course, date(2026, 9, 20))
    state = office.state()
    posted = float(state.ledger.balance(Accounts.coins_posted("paper"), BTC))
    (position,) = state.positions()
    call = next(leg for leg in trade.legs if leg.instrument.kind is Kind.CALL)
    surface = value_now(office).surface
    years = year_fraction(office.now(), trade.expiry)
    away = float(call.instrument.strike or 0) / surface.forward(years) - 1.0
    mark = leg_price(call.instrument, surface, office.now())
    expected = (max(0.15 - max(away, 0.0), 0.10) + mark) * float(position.coins)
    assert posted == pytest.approx(expected, rel=0.02), "moved every day with the market"
    assert state.ledger.balance(Accounts.coins_posted("paper"), BTC).smallest > 0
    days.walk(office, course, date(2026, 10, 3))
    state = office.state()
    assert state.positions() == ()
    assert state.ledger.balance(Accounts.coins_posted("paper"), BTC).smallest == 0
    assert not state.shortfalls
    assert audit.verify(office).sound
