"""Figures of dealing, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from headframe.rfq import (
    Heard,
    Told,
    costs_by_kind,
    costs_of,
    impact_usd,
    quality_of,
    scorecards,
    sweep_price,
)

AT = datetime(2026, 8, 24, 10, tzinfo=UTC)


def heard(dealer: str, price: float, seconds: float, rejection: str | None = None) -> Heard:
    return Heard(
        dealer=dealer, price=price, cost=price, received_at=AT + timedelta(seconds=seconds), good_until=None, rejection=rejection
    )  # fmt: skip


TOLD = Told(
    id="a", proposal="P-1", venue="paper", structure="+1 x", sign=1, coins=50.0, usd=80_000.0, forward=80_000.0, panel=("amber", "basalt", "cobalt", "emery"), disclosed=True,
    opened_at=AT, respond_by=AT + timedelta(seconds=45),
    quotes=(heard("amber", 0.0010, 5.0), heard("basalt", 0.0012, 8.0), heard("cobalt", 0.0009, 50.0, "received after the response time")),
    awarded="amber", winner="amber", price=0.0010, cover=0.0012, filled_at=AT + timedelta(seconds=56), mid_asked=0.0005, mid_awarded=0.0006,
    mids_after={1: 0.0006, 60: 0.0009}, marks={}, sweep=0.0020, fee_usd=100.0, criterion="best_all_in", preparer="t", approver="c", outcome="T-1 with amber",
)  # fmt: skip


def test_the_figures_of_one_request() -> None:
    found = quality_of(TOLD)
    per = 50.0 * 80_000.0
    assert found.responded == 3
    assert found.silent == ("emery",)
    assert found.first_seconds == 5.0
    assert found.to_mid_usd == pytest.approx(0.0004 * per)
    assert found.to_mid_bps == pytest.approx(4.0)
    assert found.saved_on_cover_usd == pytest.approx(0.0002 * per)
    assert found.saved_on_sweep_usd == pytest.approx(0.0010 * per)
    assert found.leakage_usd == pytest.approx(0.0001 * per), "the mid moved against us"
    assert found.best_worst_usd == pytest.approx(0.0002 * per)
    assert found.slippage_usd == pytest.approx(0.0)
    assert found.after_usd == {1: pytest.approx(0.0), 60: pytest.approx(0.0003 * per)}


def test_selling_turns_every_sign() -> None:
    turned = replace(
        TOLD, sign=-1, price=-0.0010, cover=-0.0012, mid_asked=-0.0005, mid_awarded=-0.0006, sweep=-0.0020, mids_after={1: -0.0006, 60: -0.0009},
        quotes=tuple(replace(one, price=-one.price) for one in TOLD.quotes),
    )  # fmt: skip
    one, other = quality_of(TOLD), quality_of(turned)
    assert other == replace(one)


def test_what_is_not_known_is_none() -> None:
    bare = replace(
        TOLD, quotes=(), winner=None, price=None, cover=None, mid_awarded=None, sweep=None, mids_after={}
    )  # fmt: skip
    found = quality_of(bare)
    assert (found.to_mid_usd, found.to_mid_bps, found.saved_on_cover_usd) == (None, None, None)
    assert (found.first_seconds, found.best_worst_usd, found.leakage_usd) == (None, None, None)
    assert found.silent == TOLD.panel


def test_scorecards_count_what_each_dealer_did() -> None:
    second = replace(
        TOLD, id="b", winner="amber+basalt", quotes=(heard("amber", 0.0011, 7.0), heard("basalt", float("nan"), 1.0, "not a price"), heard("basalt", 0.5, 3.0, "ten times off the model"))
    )  # fmt: skip
    cards = {one.dealer: one for one in scorecards((TOLD, second))}
    amber = cards["amber"]
    assert (amber.asked, amber.answered, amber.won) == (2, 2, 2)
    assert amber.seconds_median == 6.0
    assert amber.to_mid_bps_mean == pytest.approx(5.5)
    assert amber.behind_bps_mean == pytest.approx(0.5)
    assert (cards["basalt"].off, cards["basalt"].won) == (2, 1)
    assert cards["cobalt"].late == 1
    assert (cards["emery"].answered, cards["emery"].hit_ratio) == (0, 0.0)
    assert scorecards(()) == ()


def test_costs_add_up_over_a_period() -> None:
    empty = replace(TOLD, id="c", price=None, winner=None)
    costs = costs_of((TOLD, replace(TOLD, id="b"), empty))
    assert (costs.asked, costs.filled) == (3, 2)
    assert costs.notional_usd == 2 * 50 * 80_000
    assert costs.to_mid_bps == pytest.approx(4.0)
    assert costs.fees_usd == 200.0
    assert costs_of(()).to_mid_bps is None


def test_sweeping_a_book_and_working_an_order() -> None:
    levels = [(100.0, 10.0), (101.0, 10.0), (105.0, 100.0)]
    assert sweep_price(levels, 10.0) == 100.0
    assert sweep_price(levels, 25.0) == pytest.approx((1000 + 1010 + 525) / 25)
    assert sweep_price(levels, 121.0) is None
    assert sweep_price([], 1.0) is None
    assert impact_usd(1e6, daily_vol=0.02, share_of_day=0.04) == pytest.approx(4_000.0)
    assert impact_usd(1e6, daily_vol=0.02, share_of_day=0.0) == 0.0


def test_kinds_are_never_mixed_and_an_implausible_cost_is_a_break() -> None:
    future = replace(TOLD, id="f", kind="short_future")
    option = replace(TOLD, id="o", kind="protective_put")
    assert [kind for kind, _ in costs_by_kind((future, option, future))] == [
        "short_future",
        "protective_put",
    ]
    assert TOLD.price is not None
    wild = replace(
        TOLD,
        id="w",
        kind="short_future",
        price=TOLD.mid_asked + TOLD.sign * 0.2 * TOLD.forward / TOLD.usd,
    )
    wild = replace(wild, mid_awarded=TOLD.mid_asked)
    assert quality_of(wild).implausible
    both = costs_of((future, wild))
    alone = costs_of((future,))
    assert both.breaks == ("w",)
    assert both.to_mid_usd == alone.to_mid_usd
    assert both.to_mid_bps == alone.to_mid_bps
    assert both.filled == 2
