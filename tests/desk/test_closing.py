"""Closing a hedge before its coins are sold: what it pays, what it releases, who may, and what stays."""

import asyncio
import shutil
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.test_order_book import deal as deal_in_book
from desk.test_order_book import small
from headframe.book import (
    Accounts,
    Designation,
    MarginTerms,
    Position,
    Trade,
    TradeLeg,
    closing_flows,
    released,
)
from headframe.desk import approvals, audit, closing, confirming, days, execution, money, programme
from headframe.desk.known import Confirmed
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Declined, Invalid, NotFound, Pending
from headframe.instrument import StructureKind, parse_instrument
from headframe.report import proposal_lines
from headframe.rfq import Direction
from headframe.risk import Course
from headframe.units import BTC, USD, Month, Wrong
from headframe.wiring import open_office, trading
from venues import FakeVenue, deal

__all__ = ["small"]


def closed(
    office: Office, coins: str | None = None, *, trade: str = "T-1", gap: float = 0.0
) -> Any:
    """The trade closed with the dealer it is with, as far as the street lets it."""
    office.user = "treasurer"
    made = closing.propose(office, trade, None if coins is None else Decimal(coins))
    office.user = "cfo"
    approvals.give(office, made.id)
    office.user = "trader"
    dealer = office.state().trades[trade].dealer

    class Street(FakeVenue):
        def fill(self, price: Any = None) -> Any:
            self.filled = replace(super().fill(price), venue_trade_id=f"CLOSE-{made.id}")
            return self.filled

    venue = Street(office.clock, prices=((dealer, gap),))
    asyncio.run(office.clock.wait_until(office.now() + timedelta(seconds=1)))
    return made, venue, deal(office, venue, made.id)


def test_a_collar_is_dealt_back_in_part_with_its_dealer(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    state = desk.state()
    trade = state.trades["T-1"]
    before, promised = state.ledger.copy(), state.ledger.total("promised:", BTC)
    made, venue, dealt = closed(desk, "30")
    assert made.panel == ("amber",), "a bilateral trade is closed with its dealer"
    assert dealt.request.direction is Direction.SELL
    assert dealt.request.size == 30
    assert {leg[0]: leg[1] for leg in venue.filled.legs} == {
        leg.instrument.name: -30 * leg.amount / trade.size for leg in trade.legs
    }
    state = desk.state()
    (one,) = state.closings.values()
    assert (one.id, state.closes[one.id], one.size) == ("C-1", "T-1", Decimal(30))
    (position,) = state.positions()
    assert position.coins == trade.size - 30
    net = Fraction(dealt.trades[0].net_price) * 30
    paid = state.ledger.balance(Accounts.hedge("T-1"), BTC) - before.balance(
        Accounts.hedge("T-1"), BTC
    )
    assert Fraction(str(paid)) == -(net - Fraction("0.01")), "what it fetched less the fee"
    assert state.ledger.total("promised:", BTC) == promised
    assert audit.verify(desk).sound


def test_all_that_is_left_can_be_closed_and_nothing_after(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    size = desk.state().trades["T-1"].size
    closed(desk)
    state = desk.state()
    assert state.positions() == ()
    assert sum(one.size for one in state.closings.values()) == size
    desk.user = "treasurer"
    with pytest.raises(Declined, match="nothing is left"):
        closing.propose(desk, "T-1", None)
    with pytest.raises(NotFound, match="known: T-1"):
        closing.propose(desk, "T-9", None)
    for month in (Month(2026, 9), Month(2026, 10), Month(2026, 11)):
        assert state.ledger.balance(Accounts.firm(month), BTC).smallest == 0


def test_closing_needs_the_same_steps_as_opening(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    for coins in ("0", "0.05", "1000", "-3"):
        with pytest.raises(Invalid, match="close between"):
            closing.propose(desk, "T-1", Decimal(coins))
    made = closing.propose(desk, "T-1", Decimal(30))
    with pytest.raises(Declined):
        approvals.give(desk, made.id)  # its preparer
    desk.user = "trader"
    with pytest.raises(Pending):
        deal(desk, FakeVenue(desk.clock), made.id)
    desk.user = "stranger"
    with pytest.raises(Declined, match=r"M-8\.1"):
        closing.propose(desk, "T-1", Decimal(30))


def test_a_closing_may_be_confirmed_and_is_found_by_the_venues_id(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    _, venue, _ = closed(desk, "30")
    desk.user = "risk"
    state = desk.state()
    assert state.filled_as[venue.filled.venue_trade_id] == "C-1"
    line = Trading(desk, venue)
    found = asyncio.run(_ask(line, "C-1"))
    assert [(one.trade, one.differences) for one in found] == [("C-1", ())]


async def _ask(line: Trading, name: str) -> Any:
    state = line.office.state()
    state.confirmed["T-1"] = Confirmed("T-1", "x", "risk", "a paper", line.office.now(), ())
    assert name in state.closings
    return await confirming.ask(line)


def test_trades_show_what_closed_them(desk: Office, approved: Path) -> None:
    from click.testing import CliRunner

    from headframe.cli.app import app

    deal(desk, FakeVenue(desk.clock))
    closed(desk, "30")
    done = CliRunner().invoke(app, ["trades", "--workspace", str(approved)])
    assert "C-1 closed 30 coins of T-1 with amber" in done.output
    done = CliRunner().invoke(app, ["rfq", "P-1", "--all", "--live", "--workspace", str(approved)])
    assert "leave --live out" in str(done.exception)


def test_a_plan_after_a_closing_sees_the_coins_as_open_again(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    covered = sum(row.covered for row in programme.plan(desk, propose=False).situation.rows)
    closed(desk, "30")
    desk.user = "treasurer"
    after = sum(row.covered for row in programme.plan(desk, propose=False).situation.rows)
    assert covered - after == pytest.approx(30.0)


def test_a_day_earns_what_a_closing_brought_once(
    desk: Office, approved: Path, tmp_path: Path
) -> None:
    deal(desk, FakeVenue(desk.clock))
    _, _, dealt = closed(desk, "30")
    state = desk.state()
    trade = state.trades["T-1"]
    spot = float(trade.spot)
    net = float(dealt.trades[0].net_price - trade.net_price) * 30 * spot
    fees = 0.01 * spot * (1 + 30 / float(trade.size))
    assert state.closed_usd == pytest.approx(net - fees, abs=0.02)
    copy = tmp_path / "copy"
    shutil.copytree(approved, copy)
    without = open_office(copy, user="treasurer")
    without.state().closed_usd = 0.0
    months: list[float] = []
    for office in (desk, without):
        office.user = "treasurer"
        days.walk(office, Course.STABLE, date(2026, 9, 2))
        after = office.state()
        assert after.closed_usd == 0.0, "counted by the first day, and never again"
        months.append(after.months[Month(2026, 9)].hedge_usd)
    assert months[0] - months[1] == pytest.approx(net - fees, abs=0.02)


def test_a_future_is_bought_back_in_the_order_book_and_its_margin_comes_back(small: Path) -> None:
    office, dealt = deal_in_book(small)
    state = office.state()
    trade = state.trades["T-1"]
    posted = state.ledger.balance(Accounts.coins_posted("paper"), BTC)
    assert posted.smallest > 0
    office.user = "treasurer"
    made = closing.propose(office, "T-1", None)
    assert made.bought, "what was sold is bought back"
    assert made.facts.venue == "paper-book"
    office.user = "cfo"
    approvals.give(office, made.id)
    office.user = "trader"

    async def run() -> Any:
        async with trading(office, small, venue="paper-book") as line:
            return await execution.deal(line, made.id)

    done = asyncio.run(run())
    assert done.outcome == "filled"
    state = office.state()
    assert state.positions() == ()
    assert state.ledger.balance(Accounts.coins_posted("paper"), BTC).smallest == 0
    sold, bought = Fraction(trade.net_price), Fraction(done.trades[0].net_price)
    amount = Fraction(dealt.request.amount)
    fees = Fraction(trade.fee) + Fraction(done.trades[0].fee)
    expected = -amount * (1 / sold - 1 / bought) - fees
    realised = -Fraction(str(state.ledger.balance(Accounts.hedge("T-1"), BTC)))
    assert abs(realised - expected) < Fraction(1, 10**7)
    assert audit.verify(office).sound
    shown = {one.trade.id: one for one in money.performance(office).trades}["T-1"]
    assert shown.position is None
    assert Fraction(str(shown.realised_coins)) == realised
    assert state.ledger.balance(Accounts.firm(trade.designations[0].month), USD).smallest == 0


def test_clips_of_a_closing_keep_their_pause(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    state = desk.state()
    assert state.mandate is not None
    rules = replace(state.mandate.rfq, clip_coins_max=20.0, clip_minutes=10)
    state.mandate = replace(state.mandate, rfq=rules)
    made, venue, dealt = closed(desk, "40")
    assert dealt.request.size == Decimal(20)
    assert not desk.state().traded(made.id)
    with pytest.raises(Declined, match=r"M-6\.5"):
        deal(desk, venue, made.id)


def test_margin_that_comes_back_pays_the_loss_of_the_same_closing(small: Path) -> None:
    """No free coin is left: the loss is booked all the same, since a fill is a fact."""
    from headframe.book import COINS_FREE, Entry, Posting, coins_sold
    from headframe.desk import booking
    from headframe.units import Money

    office, _ = deal_in_book(small)
    state = office.state()
    free = state.ledger.balance(COINS_FREE, BTC)
    state.ledger.post(coins_sold(free, Money(USD, 0)))
    hedge, margin = Accounts.hedge("T-1"), Accounts.coins_posted("paper")
    loss, back = Money(BTC, 100), Money(BTC, 300)
    entries = [
        Entry("loss", (Posting(COINS_FREE, -loss), Posting(hedge, loss))),
        Entry("margin", (Posting(COINS_FREE, back), Posting(margin, -back))),
    ]
    ordered = booking.funded(office, state, entries, Decimal(77_000))
    assert [entry.memo for entry in ordered] == ["margin", "loss"], "and nothing is bought for it"
    for entry in ordered:
        state.ledger.post(entry)
    assert state.ledger.balance(COINS_FREE, BTC).smallest == 200


# ---- the arithmetic, by itself -------------------------------------------------------
def held(
    name: str, amount: str, price: str, left: tuple[str, ...], *, last: str | None = None
) -> Position:
    months = [Month(2026, 9 + place) for place in range(len(left))]
    size = sum((Decimal(one) for one in left), Decimal(0))
    trade = Trade(
        id="T-1", proposal="P-1", rfq="r", structure=StructureKind.SHORT_FUTURE, dealer="amber",
        margin=MarginTerms.VENUE, at=parse_instrument(name).expiry - timedelta(days=30), size=size,
        net_price=Decimal(price), price_currency="USD", fee=Decimal(0), spot=Decimal(70_000),
        legs=(TradeLeg(instrument=parse_instrument(name), amount=Decimal(amount), price=Decimal(price)),),
        designations=tuple(
            Designation(month=month, coins=Decimal(one), words="", hedge_for_accounts=True)
            for month, one in zip(months, left, strict=True)
        ),
    )  # fmt: skip
    remaining = tuple(zip(months, (Decimal(one) for one in left), strict=True))
    return Position(
        trade=trade, remaining=remaining, last_mark=None if last is None else Decimal(last)
    )


@given(st.integers(1, 9_000))
def test_what_is_closed_is_shared_out_by_what_is_left_and_adds_up(tenths: int) -> None:
    position = held("BTC-25DEC26", "-70000000", "78000", ("300", "0", "600"))
    coins = Decimal(tenths) / 10
    gone = released(position, coins)
    assert sum(gone.values()) == coins
    assert set(gone) == {Month(2026, 9), Month(2026, 11)}
    assert float(gone[Month(2026, 9)]) == pytest.approx(float(coins) / 3, abs=1e-7)
    for bad in (Decimal(0), Decimal("900.1"), Decimal(-1)):
        with pytest.raises(Wrong, match="cannot be closed"):
            released(position, bad)


def test_a_future_pays_from_its_last_mark_and_a_strange_leg_is_refused() -> None:
    position = held("BTC-25DEC26", "-700000", "78000", ("9",), last="80000")
    dealt = replace(
        position.trade,
        legs=(TradeLeg(instrument=position.trade.legs[0].instrument, amount=Decimal(700_000), price=Decimal(75_000)),),
    )  # fmt: skip
    flows = closing_flows(position, dealt)
    assert flows == {"BTC": Fraction(-700_000) * (Fraction(1, 80_000) - Fraction(1, 75_000))}
    other = replace(dealt.legs[0], instrument=parse_instrument("BTC-26MAR27"))
    with pytest.raises(Wrong, match="no leg"):
        closing_flows(position, replace(dealt, legs=(other,)))


def test_what_a_request_adds_to_margin_is_known_before_it_is_sent(desk: Office) -> None:
    from headframe.desk import limits

    before = limits.margin(desk)
    head = desk.state().head
    dealer, then = limits.margin_with(desk, "P-1")
    assert desk.state().head == head, "nothing is sent, nothing written"
    assert dealer in desk.state().proposals["P-1"].panel
    calls = [
        (now.call_usd, after.call_usd)
        for now, after in zip(before.stresses, then.stresses, strict=True)
    ]
    assert all(after >= now for now, after in calls)
    assert calls[-1] == (0.0, 0.0), "below the minimum transfer amount nothing is called"
    _, larger = limits.margin_with(desk, "P-2")
    rally = larger.stresses[-1].call_usd
    least = min(one.collateral.minimum_transfer_usd for one in desk.state().dossiers.values())
    assert rally >= least > 0.0, "a larger collar is called in a rally"
    trade = deal(desk, FakeVenue(desk.clock)).trades[0]
    dealt = limits.margin(desk)
    for most, found, first in zip(then.stresses, dealt.stresses, before.stresses, strict=True):
        assert found.call_usd <= most.call_usd + 2e4, "the dealer whose terms ask most was assumed"
        threshold = desk.state().dossiers[trade.dealer].collateral.threshold_usd
        worst = desk.state().dossiers[dealer].collateral.threshold_usd
        if most.call_usd > 0.0:
            assert found.call_usd == pytest.approx(
                max(most.call_usd - (threshold - worst), 0.0), abs=5e4
            )
        assert first.hedge_usd == 0.0
    desk.user = "treasurer"
    made = closing.propose(desk, "T-1", Decimal(30))
    with pytest.raises(Declined, match="margin comes back"):
        limits.margin_with(desk, made.id)
    with pytest.raises(NotFound):
        limits.margin_with(desk, "P-99")
    with pytest.raises(Declined, match="dealt already"):
        limits.margin_with(desk, "P-1")
    for name in ("1e99", "-1e99"):
        with pytest.raises(Wrong, match="more than any trade has"):
            closing.propose(desk, "T-1", Decimal(name))


@pytest.mark.parametrize(("asked", "dealable"), [("30.34", "30.3"), ("30", "30")])
def test_what_is_dealable_and_what_stays_is_said_before_and_is_what_is_booked(
    desk: Office, asked: str, dealable: str
) -> None:
    deal(desk, FakeVenue(desk.clock))
    old = desk.state().trades["T-1"]
    made, _, dealt = closed(desk, asked)
    assert made.size == made.envelope.size == Decimal(dealable)
    assert made.asked_coins == Decimal(asked)
    assert made.stays_until == old.expiry
    assert dealt.request.size == made.size == desk.state().dealt(made.id)
    left = desk.state().remaining["T-1"]
    assert dict(made.stays) == {month: coins for month, coins in left.items() if coins}
    assert sum(coins for _, coins in made.stays) == old.size - made.size
    said = proposal_lines(made)[-1]
    rest = format(sum((coins for _, coins in made.stays), Decimal(0)).normalize(), "f")
    until = f"{old.expiry:%d-%b-%y}".upper()
    assert (
        f"asked {asked} BTC, {dealable} dealable; {rest} BTC stays with T-1 until {until}" in said
    )


def test_a_whole_close_leaves_nothing_and_says_so(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    made, _, _ = closed(desk)
    assert (made.stays, made.stays_until) == ((), None)
    assert proposal_lines(made)[-1].endswith("nothing stays with T-1")


def test_a_bilateral_trade_is_not_closed_in_an_order_book(desk: Office) -> None:
    """Its dealer's exposure would stay on, and a second position would stand at the venue."""
    deal(desk, FakeVenue(desk.clock))
    assert desk.state().trades["T-1"].margin is MarginTerms.BILATERAL
    desk.user = "treasurer"
    made = closing.propose(desk, "T-1", Decimal(30))
    desk.user = "cfo"
    approvals.give(desk, made.id)
    desk.user = "trader"
    head = desk.journal.head()
    with pytest.raises(Declined, match="is a bilateral trade with amber: expected its own dealer"):
        execution.judged(desk, made.id, "paper-book")
    assert desk.journal.head() == head


def test_a_closing_that_nobody_deals_is_refused_before_it_is_approved(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    head = desk.journal.head()
    with pytest.raises(
        Declined, match=r"expected a block of at least 25 coins, got 10; fix: close more"
    ):
        closing.propose(desk, "T-1", Decimal(10))
    assert desk.journal.head() == head
