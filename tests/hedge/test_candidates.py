from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.desk import programme, structures
from headframe.desk.office import Office
from headframe.hedge import (
    Bucket,
    FeeSchedule,
    Street,
    best,
    buckets,
    candidates,
    compare,
    hypothetical,
    score,
)
from headframe.instrument import Kind, StructureKind
from headframe.lifecycle import (
    total,
)
from headframe.lifecycle.performance import MonthResult
from headframe.mandate import Choice, Rule, Unwind
from headframe.market import sample_market
from headframe.mining import SalePolicy
from headframe.pricing import surface_of
from headframe.units import Month, expiry_label, parse_expiry

MARKET = sample_market()
STREET = Street(
    snapshot=MARKET,
    surface=surface_of(MARKET),
    fees=FeeSchedule(
        option_coins=0.0003,
        option_cap_share=0.125,
        future_share=0.0005,
        forward_spread=0.0004,
        financing_rate=0.08,
    ),
    sale_policy=SalePolicy.DAILY,
    unwind=Unwind.AS_SOLD,
    put_strike_share=0.9,
    debit_share_max=0.0,
    seed=1,
)
NOVEMBER = Bucket(
    expiry=parse_expiry("25-DEC-26"),
    listed=True,
    needs=((Month(2026, 10), 55.04), (Month(2026, 11), 52.33)),
)


def test_each_month_takes_the_first_expiry_after_its_last_sale(office: Office) -> None:
    rows = programme.situation(office, "treasurer")[0].rows
    found = {
        str(month): expiry_label(bucket.expiry)
        for bucket in buckets(rows, MARKET)
        for month, _ in bucket.needs
    }
    assert found == {
        "2026-09": "30-OCT-26", "2026-10": "25-DEC-26", "2026-11": "25-DEC-26", "2026-12": "26-MAR-27", "2027-01": "26-MAR-27",
        "2027-02": "26-MAR-27", "2027-03": "25-JUN-27", "2027-04": "25-JUN-27", "2027-05": "25-JUN-27", "2027-06": "01-SEP-27",
        "2027-07": "01-SEP-27", "2027-08": "01-SEP-27",
    }  # fmt: skip
    for bucket in buckets(rows, MARKET):
        assert all(bucket.expiry >= month.end for month, _ in bucket.needs)
        assert bucket.listed == (bucket.expiry != parse_expiry("01-SEP-27"))


def test_the_three_hedges_of_a_block() -> None:
    future, put, collar = candidates(STREET, NOVEMBER)
    assert NOVEMBER.size == Decimal("107.3")
    assert (future.kind, put.kind, collar.kind) == (
        StructureKind.SHORT_FUTURE,
        StructureKind.PROTECTIVE_PUT,
        StructureKind.COSTLESS_COLLAR,
    )
    assert future.amount % 10 == 0
    assert float(future.amount) == pytest.approx(107.3 * float(future.price), abs=5)
    assert future.floor_usd == future.ceiling_usd == pytest.approx(78_343, abs=30)
    assert put.floor_usd == collar.floor_usd == 71_000
    assert put.ceiling_usd is None
    assert put.upfront_usd > 4_000
    assert collar.upfront_usd <= 0.0005 * 78_343
    assert collar.price <= 0, "a costless collar costs nothing before fees"
    assert (collar.structure.strike(Kind.CALL) or 1) % 1000 == 0
    assert (collar.exact_call_strike or 0) >= (collar.ceiling_usd or 0) > 0
    for one in (future, put, collar):
        assert one.basis.tracking_error < 0.05
        assert one.cost_usd > 0


def test_beyond_the_listed_expiries_an_otc_forward_settles_in_dollars_and_says_so() -> None:
    bucket = Bucket(
        expiry=Month(2027, 8).end + timedelta(hours=8),
        listed=False,
        needs=((Month(2027, 8), 40.0),),
    )
    forward, put, collar = candidates(STREET, bucket)
    assert forward.kind is StructureKind.FORWARD
    assert {
        leg.instrument.settled_in for one in (forward, put, collar) for leg in one.structure.legs
    } == {"USD"}
    assert "extrapolated" in forward.source
    assert "extrapolated" in put.source
    assert collar.price <= 0


def test_at_expiry_instead_of_as_sold_strays_further() -> None:
    held = candidates(replace(STREET, unwind=Unwind.AT_EXPIRY), NOVEMBER)
    sold = candidates(STREET, NOVEMBER)
    for one, two in zip(held, sold, strict=True):
        assert one.basis.tracking_error > 2 * two.basis.tracking_error


def test_without_a_two_sided_put_only_the_future_is_left() -> None:
    none = replace(MARKET, typed=(), options=())
    broken = replace(STREET, snapshot=replace(none, typed=MARKET.typed, options=_one_sided()))
    assert [one.kind for one in candidates(broken, NOVEMBER)] == [StructureKind.SHORT_FUTURE]


def _one_sided() -> Any:
    from headframe.market import OptionQuote

    return (
        OptionQuote(
            expiry=NOVEMBER.expiry,
            strike=71_000.0,
            is_call=False,
            bid=0.05,
            ask=None,
            mark=0.05,
            vol=0.43,
            open_interest=1.0,
        ),
    )


def test_a_hypothetical_position_is_the_block_with_its_signs() -> None:
    future, _, collar = candidates(STREET, NOVEMBER)
    short = hypothetical(future, "amber", MARKET.as_of)
    assert short.trade.legs[0].amount == -future.amount
    put, call = hypothetical(collar, "amber", MARKET.as_of).trade.legs
    assert (put.amount, call.amount) == (collar.size, -collar.size)
    assert short.coins == collar.size


def test_the_largest_floor_is_refused_for_its_margin_and_the_collar_chosen(office: Office) -> None:
    compared = compare(programme.situation(office, "treasurer")[0])
    for _, rated in compared:
        verdicts = {
            row.candidate.kind: {b.rule for b in row.verdict.breaches if b.blocks} for row in rated
        }
        linear = verdicts.get(StructureKind.SHORT_FUTURE, verdicts.get(StructureKind.FORWARD))
        assert linear == {Rule.MARGIN_STRESS}
        assert verdicts[StructureKind.COSTLESS_COLLAR] == set()
        chosen = best([(row.candidate, row.verdict, row.score_usd) for row in rated])
        assert chosen is not None
        assert rated[chosen].candidate.kind is StructureKind.COSTLESS_COLLAR


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (Choice.FLOOR_LESS_COST, StructureKind.SHORT_FUTURE), (Choice.LARGEST_FLOOR, StructureKind.SHORT_FUTURE),
        (Choice.LEAST_COST, StructureKind.SHORT_FUTURE), (Choice.LEAST_MARGIN, StructureKind.PROTECTIVE_PUT),
    ],
)  # fmt: skip
def test_the_criterion_is_a_setting(choice: Any, kind: Any) -> None:
    some = candidates(STREET, NOVEMBER)
    calls = {
        StructureKind.SHORT_FUTURE: 5e6,
        StructureKind.PROTECTIVE_PUT: 0.0,
        StructureKind.COSTLESS_COLLAR: 2e6,
    }
    scores = {one.kind: score(one, one.cost_usd, calls[one.kind], choice) for one in some}
    assert max(scores, key=lambda one: scores[one]) is kind


def test_totals_of_a_programme() -> None:
    def month(number: Any, sold: Any, spot: Any, hedge: Any, cash: Any, bare: Any) -> Any:
        return MonthResult(
            month=Month(2026, number),
            mined=sold,
            sold=sold,
            spot_usd=sold * spot,
            hedge_usd=hedge,
            costs_usd=0.0,
            margin_usd=0.0,
            cash_usd=cash,
            cash_unhedged_usd=bare,
        )

    both = total((month(9, 100.0, 50_000, 1e6, 5.0, 4.0), month(10, 100.0, 70_000, -5e5, 3.0, 6.0)))
    assert both.spot_price == 60_000
    assert both.realised_price == 62_500
    assert (both.cash_low_usd, both.cash_low_unhedged_usd) == (3.0, 4.0)
    assert total(()).sold == 0.0


def test_the_plan_shows_what_every_way_of_reducing_a_hedge_strays_and_costs(office: Office) -> None:
    plan = programme.plan(office, propose=False)
    assert len(plan.unwinds) == len(plan.blocks)
    for rated, costs in plan.unwinds:
        sold, monthly, held = costs
        assert [one.unwind for one in costs] == list(Unwind)
        assert sold.tracking_error < monthly.tracking_error < held.tracking_error
        assert held.closing_usd == 0.0 < monthly.closing_usd
        assert held.obstacle == ""
        assert sold.obstacle.startswith("no standing order; needed: a standing")
        chosen = {one.unwind: one for one in costs}[plan.situation.mandate.cover.unwind]
        assert chosen.tracking_error == rated.candidate.basis.tracking_error
        blocks = list(monthly.dealt.split(", "))
        sizes = [float(part.split(" coins on ")[0]) for part in blocks]
        assert bool(monthly.obstacle) == (min(sizes) < 25.0), "the least block of options"
        assert sum(sizes) == pytest.approx(float(rated.candidate.size), abs=0.1 * len(sizes))


def test_closing_a_future_costs_half_the_spread_and_the_fee() -> None:
    """0.02 % half spread and 0.05 % fee of a forward near 77,700: 54 USD a coin, whatever the path."""
    future, put, collar = candidates(replace(STREET, unwind=Unwind.MONTHLY), NOVEMBER)
    assert future.basis.closing_usd == pytest.approx(0.0007 * 77_700, rel=0.02)
    assert 0.0 < put.basis.closing_usd < collar.basis.closing_usd


def collar_of(street: Any, bucket: Any = NOVEMBER) -> Any:
    return next(
        (one for one in candidates(street, bucket) if one.kind is StructureKind.COSTLESS_COLLAR),
        None,
    )


@pytest.mark.parametrize("fee", [0.0, 0.0003, 0.0015])
@pytest.mark.parametrize("debit", [0.0, 0.002, 0.01])
def test_a_collar_meets_the_mandates_debit_with_fees_in(fee: float, debit: float) -> None:
    fees = replace(STREET.fees, option_coins=fee)
    found = collar_of(replace(STREET, fees=fees, debit_share_max=debit))
    assert found is not None
    assert found.debit_share <= debit + 1e-9
    assert found.ceiling_usd >= found.forward_usd
    looser = collar_of(replace(STREET, fees=fees, debit_share_max=debit + 0.002))
    assert looser.ceiling_usd >= found.ceiling_usd or looser.floor_usd > found.floor_usd


def test_a_lower_put_is_tried_before_puts_alone() -> None:
    """At 97 % of the forward no call above the forward pays for the put; a lower floor is paid."""
    street = replace(STREET, put_strike_share=1.0)
    found = collar_of(street)
    assert found is not None
    assert found.floor_usd < found.forward_usd
    assert found.debit_share == 0.0
    put = next(
        one for one in candidates(street, NOVEMBER) if one.kind is StructureKind.PROTECTIVE_PUT
    )
    assert found.floor_usd <= put.floor_usd


def test_plan_and_collar_find_the_same_exact_call(office: Office) -> None:
    for bucket, rated in programme.plan(office, propose=False).blocks:
        collar = next(
            (one.candidate for one in rated if one.candidate.kind is StructureKind.COSTLESS_COLLAR),
            None,
        )
        if collar is None:
            continue
        solved = structures.collar(
            office, put_strike=collar.floor_usd, expiry=bucket.expiry, lower_strike=None
        )
        assert solved.pair.exact_call_strike == pytest.approx(collar.exact_call_strike, rel=1e-9)


def test_an_envelope_allows_no_price_that_the_mandate_forbids(office: Office) -> None:
    mandate = office.mandate()
    spot = office.market().index
    collars = [
        one for one in programme.plan(office).proposals if one.kind is StructureKind.COSTLESS_COLLAR
    ]
    assert collars
    for one in collars:
        worst = float(one.envelope.price_worst)
        upfront = worst * spot if one.price_currency == "BTC" else worst / one.forward_usd * spot
        fee = STREET.fees.option_fee(0.05) * 2 * spot if one.listed else 0.0
        tick = 0.0001 * spot if one.price_currency == "BTC" else 1.0
        assert upfront + fee <= mandate.cash.debit_share_max * one.forward_usd + tick + 1e-6
