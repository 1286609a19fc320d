"""The rule of delta: what it asks by expiry, and that it proposes and never deals."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.cli.app import app
from headframe.desk import rebalancing
from headframe.desk.office import Office
from headframe.desk.ports import Declined
from headframe.hedge import balances
from headframe.instrument import StructureKind, parse_instrument
from headframe.mandate import Rebalance
from headframe.risk import Mark
from headframe.units import Month, Wrong
from venues import FakeVenue, deal

RULE = Rebalance(delta_low=0.3, delta_target=0.5, delta_high=0.7, coins_max=20.0)
MONTH = Month(2026, 11)


def position(name: str, trade: str, coins: str) -> Position:
    one = parse_instrument(name)
    kind = StructureKind.PROTECTIVE_PUT if one.is_option else StructureKind.SHORT_FUTURE
    size = Decimal(coins)
    made = Trade(
        id=trade, proposal="P", rfq="r", structure=kind, dealer="amber", margin=MarginTerms.BILATERAL,
        at=one.expiry - timedelta(days=90), size=size, net_price=Decimal(1), price_currency="BTC", fee=Decimal(0), spot=Decimal(1),
        legs=(TradeLeg(instrument=one, amount=size, price=Decimal(1)),),
        designations=(Designation(month=MONTH, coins=size, words="", hedge_for_accounts=True),),
    )  # fmt: skip
    return Position(trade=made, remaining=((MONTH, size),))


def found(*held: tuple[str, str, str, float], rule: Rebalance = RULE) -> Any:
    positions = [position(name, trade, coins) for name, trade, coins, _ in held]
    marks = [Mark(trade=trade, value_usd=0.0, delta_coins=delta) for _, trade, _, delta in held]
    return balances(positions, marks, rule)


PUT, FUTURE = "BTC-25DEC26-70000-P", "BTC-25DEC26"


def test_below_the_band_futures_are_sold_up_to_the_target() -> None:
    (one,) = found((PUT, "T-1", "50", -10.0))
    assert one.delta == pytest.approx(0.2)
    assert one.sell == Decimal("15.0")
    assert one.buy_back == ()
    (much,) = found((PUT, "T-1", "500", -50.0))
    assert much.sell == 20, "no more than the mandate says at a time"


def test_above_the_band_the_oldest_futures_are_bought_back_and_no_more_than_are_on() -> None:
    (one,) = found(
        (PUT, "T-1", "50", -30.0), (FUTURE, "T-2", "6", -6.0), (FUTURE, "T-3", "9", -9.0)
    )
    assert one.delta == pytest.approx(0.9)
    assert one.buy_back == (("T-2", Decimal("6.0")), ("T-3", Decimal("9.0")))
    (none,) = found((PUT, "T-1", "50", -45.0))
    assert (none.sell, none.buy_back) == (Decimal(0), ())


def test_expiries_stand_alone_and_futures_without_options_ask_nothing() -> None:
    rows = found(
        (PUT, "T-1", "50", -10.0), ("BTC-26MAR27-70000-P", "T-2", "50", -25.0), ("BTC-30OCT26", "T-3", "9", -9.0)
    )  # fmt: skip
    assert [row.sell for row in rows] == [Decimal("15.0"), Decimal(0)]
    assert found((FUTURE, "T-1", "9", -9.0)) == ()


@given(st.floats(0.0, 1.0), st.floats(1.0, 500.0))
def test_what_is_asked_never_overshoots_the_target(delta: float, coins: float) -> None:
    size = f"{max(round(coins, 1), 0.1):.1f}"
    (one,) = found((PUT, "T-1", size, -delta * float(size)))
    assert 0 <= one.sell <= 20
    if one.sell:
        assert delta < RULE.delta_low
        assert delta + float(one.sell) / float(size) <= RULE.delta_target + 1e-9


def test_a_rule_that_contradicts_itself_is_refused() -> None:
    for low, target, high in ((0.5, 0.5, 0.7), (0.3, 0.8, 0.7), (-0.1, 0.5, 0.7), (0.3, 0.5, 1.1)):
        with pytest.raises(Wrong, match="delta_low < delta_target"):
            Rebalance(delta_low=low, delta_target=target, delta_high=high, coins_max=1.0)


def ruled(office: Office, rule: Rebalance | None, **others: Any) -> None:
    state = office.state()
    assert state.mandate is not None
    state.mandate = replace(state.mandate, rebalance=rule, **others)


def test_the_desk_proposes_within_the_mandate_and_deals_nothing(desk: Office) -> None:
    desk.user = "treasurer"
    with pytest.raises(Declined, match="M-11"):
        rebalancing.propose(desk)
    desk.user = "trader"
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    ruled(desk, Rebalance(delta_low=0.97, delta_target=0.98, delta_high=0.99, coins_max=5.0))
    before = len(desk.state().trades)
    made = rebalancing.propose(desk)
    assert made.balances[0].sell == 5
    assert made.refused == ()
    (one,) = made.proposals
    assert (one.kind, one.size) == (StructureKind.SHORT_FUTURE, Decimal(5))
    assert one.envelope.size == Decimal(5)
    assert one.id not in desk.state().approvals
    assert len(desk.state().trades) == before
    assert not desk.state().live_rfqs()


def test_where_the_mandate_has_no_room_the_clause_is_named(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    rules = Rebalance(delta_low=0.97, delta_target=0.98, delta_high=0.99, coins_max=1_000.0)
    ruled(desk, rules)
    made = rebalancing.propose(desk)
    sells = made.balances[0].sell
    assert sells > 0
    assert len(made.proposals) + len(made.refused) == 1
    state = desk.state()
    assert state.mandate is not None
    narrow = replace(state.mandate.cash, stress_call_share_max=0.0001)
    ruled(desk, rules, cash=narrow)
    again = rebalancing.propose(desk)
    assert again.proposals == ()
    assert "M-5.2" in again.refused[0]


def test_without_the_rule_the_command_says_so(approved: Any) -> None:
    done = CliRunner().invoke(app, ["rebalance", "--dry-run", "--workspace", str(approved)])
    assert "M-11" in str(done.exception)
