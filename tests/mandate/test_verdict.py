import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from headframe.codec import from_json, read_mandate, to_json
from headframe.desk.workspace import sample_file
from headframe.instrument import StructureKind
from headframe.mandate import (
    Approval,
    Band,
    DealerFacts,
    Facts,
    Lender,
    Mandate,
    MonthFacts,
    NoApproval,
    QuietWindow,
    Rule,
    Stage,
    StandingOrder,
    SublimitFacts,
    Unwind,
    approve,
    judge,
)
from headframe.units import Month, Wrong

SAMPLE = sample_file("mandate.toml")
_READ = read_mandate(SAMPLE)
assert isinstance(_READ, Mandate)
MANDATE = _READ
NOON = datetime(2026, 8, 24, 12, tzinfo=UTC)
SEPTEMBER = MonthFacts(
    month=Month(2026, 9), ahead=1, p50=100.0, p10_cumulative=88.0, proposed=60.0, covered=60.0, firm_cumulative=60.0, puts_only=0.0
)  # fmt: skip
DEALERS = tuple(
    DealerFacts(name=name, approved=True, line_share=0.2, programme_share=0.2, tenor_months=13)
    for name in ("amber", "basalt", "cobalt")
)
GOOD = Facts(
    at=NOON,
    mandate_signed=True,
    preparer="treasurer",
    structure=StructureKind.COSTLESS_COLLAR,
    venue="paper",
    months=(SEPTEMBER,),
    free_coins=10.0,
    hedged_share=0.4,
    size_coins=60.0,
    notional_usd=4.6e6,
    tracking_error=0.02,
    r2=0.95,
    tenor_months=3,
    dealers=DEALERS,
    premium_usd=0.0,
    premium_spent_usd=0.0,
    debit_share=0.0,
    initial_margin_usd=0.0,
    stress_call_usd=1e6,
    liquidity_usd=2e7,
    live_rfq=False,
    repeated=False,
    market_age_minutes=5.0,
    spread_ratio=1.0,
    spot_move=0.0,
    open_interest_share=0.01,
)


def month(**changes: Any) -> Any:
    return {"months": (replace(SEPTEMBER, **changes),)}


def dealer(**changes: Any) -> Any:
    return {"dealers": (*DEALERS, replace(DEALERS[0], name="quartz", **changes))}


# rule, stage at which it first speaks, what breaks it
CASES = [
    (Rule.NOT_SIGNED, Stage.PROPOSE, {"mandate_signed": False}),
    (Rule.NOT_IN_FORCE, Stage.PROPOSE, {"at": datetime(2029, 1, 1, 12, tzinfo=UTC)}),
    (Rule.VENUE_NOT_ALLOWED, Stage.PROPOSE, {"venue": "elsewhere"}),
    (Rule.LENDER_MOST, Stage.PROPOSE, {"hedged_share": 0.61}),
    (Rule.BEYOND_HORIZON, Stage.PROPOSE, month(ahead=13)),
    (Rule.ABOVE_CEILING, Stage.PROPOSE, month(covered=75.1)),
    (Rule.FIRM_ABOVE_P10, Stage.PROPOSE, month(firm_cumulative=98.1)),
    (Rule.PUTS_ABOVE_P50, Stage.PROPOSE, month(puts_only=100.1)),
    (Rule.OVER_HEDGED, Stage.PROPOSE, {"over_hedged_coins": 0.51}),
    (Rule.OVER_HEDGED, Stage.PROPOSE, {"over_hedged_coins": float("nan")}),
    (Rule.TRACKING_TOO_LOOSE, Stage.PROPOSE, {"tracking_error": 0.071}),
    (Rule.TRACKING_TOO_LOOSE, Stage.PROPOSE, {"tracking_error": float("nan")}),
    (Rule.R2_TOO_LOW, Stage.PROPOSE, {"r2": 0.59}),
    (Rule.R2_TOO_LOW, Stage.PROPOSE, {"r2": float("nan")}),
    (Rule.DEALER_NOT_APPROVED, Stage.PROPOSE, dealer(approved=False)),
    (Rule.LINE_EXCEEDED, Stage.PROPOSE, dealer(line_share=0.96)),
    (Rule.LINE_EXCEEDED, Stage.PROPOSE, dealer(line_share=float("nan"))),
    (Rule.CONCENTRATION, Stage.PROPOSE, dealer(programme_share=0.46)),
    (Rule.TENOR_TOO_LONG, Stage.PROPOSE, {"tenor_months": 14}),
    (Rule.TENOR_TOO_LONG, Stage.PROPOSE, dealer(tenor_months=2)),
    (Rule.SUBLIMIT_EXCEEDED, Stage.PROPOSE, dealer(sublimits=(SublimitFacts(name="forward", used_usd=2e6, allowed_usd=1e6),))),
    (Rule.SUBLIMIT_EXCEEDED, Stage.PROPOSE, dealer(sublimits=(SublimitFacts(name="forward", used_usd=float("nan"), allowed_usd=1e6),))),
    (Rule.PREMIUM_BUDGET, Stage.PROPOSE, {"premium_usd": 1.5e6, "premium_spent_usd": 0.6e6}),
    (Rule.MARGIN_STRESS, Stage.PROPOSE, {"stress_call_usd": 8.1e6}),
    (Rule.MARGIN_STRESS, Stage.PROPOSE, {"stress_call_usd": float("nan")}),
    (Rule.MARGIN_NOT_FUNDED, Stage.PROPOSE, {"initial_margin_usd": 2.1e7}),
    (Rule.RESIDUAL_DEBIT, Stage.PROPOSE, {"debit_share": 0.001}),
    (Rule.TOO_FEW_DEALERS, Stage.PROPOSE, {"dealers": DEALERS[:2]}),
    (Rule.BLOCK_TOO_SMALL, Stage.PROPOSE, {"size_coins": 24.9}),
    (Rule.RFQ_ALREADY_LIVE, Stage.PROPOSE, {"live_rfq": True}),
    (Rule.REPEATED_TRADE, Stage.PROPOSE, {"repeated": True}),
    (Rule.CLIP_TOO_SOON, Stage.PROPOSE, {"clip_age_minutes": 9.0}),
    (Rule.LAST_LOOK_REJECTIONS, Stage.PROPOSE, dealer(rejection_share=0.3)),
    (Rule.NOT_A_PREPARER, Stage.PROPOSE, {"preparer": "nobody"}),
    (Rule.MARKET_STALE, Stage.ASK, {"market_age_minutes": 31.0}),
    (Rule.MARKET_STALE, Stage.ASK, {"market_age_minutes": -1.0}),
    (Rule.QUIET_WINDOW, Stage.ASK, {"at": datetime(2026, 8, 24, 7, 30, tzinfo=UTC)}),
    (Rule.MACRO_EVENT, Stage.ASK, {"at": datetime(2026, 9, 16, 18, 59, tzinfo=UTC)}),
    (Rule.SPREAD_TOO_WIDE, Stage.ASK, {"spread_ratio": 2.1}),
    (Rule.SPREAD_TOO_WIDE, Stage.ASK, {"spread_ratio": None}),
    (Rule.SPOT_MOVED, Stage.ASK, {"spot_move": -0.011}),
    (Rule.OPEN_INTEREST, Stage.ASK, {"open_interest_share": 0.051}),
    (Rule.OPEN_INTEREST, Stage.ASK, {"open_interest_share": None}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "stage", "change"), CASES)
def test_each_rule_is_broken_alone_and_named_with_its_clause(
    rule: Any, stage: Any, change: Any
) -> None:
    verdict = judge(MANDATE, replace(GOOD, **change), stage)
    assert {breach.rule for breach in verdict.breaches} == {rule}
    assert not verdict.allowed
    assert str(verdict.breaches[0]).startswith(f"{rule.clause} {rule}")
    if stage is Stage.ASK:
        assert judge(MANDATE, replace(GOOD, **change), Stage.PROPOSE).allowed


def test_what_breaks_nothing_is_allowed_at_both_stages_and_limits_are_inclusive() -> None:
    for stage in Stage:
        assert judge(MANDATE, GOOD, stage).breaches == ()
    edge = replace(
        GOOD,
        tracking_error=0.05,
        r2=0.80,
        stress_call_usd=8e6,
        premium_usd=2e6,
        debit_share=0.0005,
        size_coins=25.0,
        market_age_minutes=30.0,
        spread_ratio=2.0,
        spot_move=0.01,
        open_interest_share=0.05,
        **month(covered=75.0, firm_cumulative=98.0, puts_only=100.0),
    )
    assert judge(MANDATE, edge, Stage.ASK).breaches == ()
    assert judge(
        MANDATE, replace(GOOD, at=datetime(2026, 8, 24, 8, 30, tzinfo=UTC)), Stage.ASK
    ).allowed


def test_rules_that_depend_on_other_settings() -> None:
    puts_only = replace(
        MANDATE, scope=replace(MANDATE.scope, structures=(StructureKind.PROTECTIVE_PUT,))
    )
    assert [b.rule for b in judge(puts_only, GOOD, Stage.ASK).breaches] == [
        Rule.STRUCTURE_NOT_ALLOWED
    ]
    needy = replace(MANDATE, lender=Lender(least_hedged=0.5, most_hedged=0.6))
    short = judge(needy, GOOD, Stage.ASK)
    assert [b.rule for b in short.breaches] == [Rule.LENDER_LEAST]
    assert short.allowed
    named = replace(needy.lender, least_hedged=0.0, structures=(StructureKind.FORWARD,))
    other = judge(replace(MANDATE, lender=named), GOOD, Stage.ASK)
    assert [b.rule for b in other.breaches] == [Rule.LENDER_STRUCTURE]
    assert not other.allowed
    grouped = replace(
        MANDATE, counterparties=replace(MANDATE.counterparties, group_line_usd_max=5e6)
    )
    much = replace(GOOD, **dealer(group_usd=5.1e6))
    assert [b.rule for b in judge(grouped, much, Stage.ASK).breaches] == [Rule.GROUP_LINE]
    assert judge(MANDATE, much, Stage.ASK).breaches == ()
    half = replace(MANDATE, cover=replace(MANDATE.cover, firm_p10_share_max=0.5))
    assert [b.rule for b in judge(half, GOOD, Stage.ASK).breaches] == [Rule.FIRM_ABOVE_P10]
    elsewhere = replace(MANDATE, where=(replace(MANDATE.where[0], entity="Another LLC"),))
    assert [b.rule for b in judge(elsewhere, GOOD, Stage.ASK).breaches] == [Rule.VENUE_NOT_ALLOWED]
    no_weekends = replace(MANDATE, asking=replace(MANDATE.asking, weekends=False))
    saturday = replace(GOOD, at=datetime(2026, 8, 22, 12, tzinfo=UTC))
    assert [b.rule for b in judge(no_weekends, saturday, Stage.ASK).breaches] == [Rule.WEEKEND]
    quiet = ((date(2026, 8, 20), date(2026, 8, 24)),)
    inside = replace(MANDATE, asking=replace(MANDATE.asking, blackouts=quiet))
    assert [b.rule for b in judge(inside, GOOD, Stage.ASK).breaches] == [Rule.BLACKOUT]
    future = replace(
        GOOD, structure=StructureKind.SHORT_FUTURE, size_coins=1.0, notional_usd=199_999.0
    )
    assert [b.rule for b in judge(MANDATE, future, Stage.ASK).breaches] == [Rule.BLOCK_TOO_SMALL]


def test_no_rule_goes_untested() -> None:
    elsewhere = {
        Rule.STRUCTURE_NOT_ALLOWED,
        Rule.WEEKEND,
        Rule.BLACKOUT,
        Rule.UNWIND_NOT_DEALABLE,
        Rule.LENDER_LEAST,
        Rule.LENDER_STRUCTURE,
        Rule.BELOW_FLOOR,
        Rule.GROUP_LINE,
    }
    assert {rule for rule, _, _ in CASES} | elsewhere == set(Rule)
    assert not {rule for rule, _, _ in CASES} & elsewhere


def test_below_the_floor_is_said_but_does_not_block() -> None:
    verdict = judge(MANDATE, replace(GOOD, **month(covered=30.0)), Stage.PROPOSE)
    assert [breach.rule for breach in verdict.breaches] == [Rule.BELOW_FLOOR]
    assert verdict.allowed


def test_breaches_come_most_serious_first() -> None:
    many = replace(GOOD, mandate_signed=False, repeated=True, r2=0.1, preparer="nobody")
    order = [list(Rule).index(breach.rule) for breach in judge(MANDATE, many, Stage.ASK).breaches]
    assert order == sorted(order)
    assert len(order) == 4


def test_facts_survive_the_journal_so_that_a_verdict_can_be_replayed() -> None:
    again = from_json(Facts, to_json(GOOD))
    assert again == GOOD
    assert judge(MANDATE, again, Stage.ASK) == judge(MANDATE, GOOD, Stage.ASK)


def test_every_rule_is_documented_and_every_documented_clause_exists() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "mandate.md").read_text()
    rows = {
        (cells[1].strip(), cells[2].strip().strip("`"))
        for line in text.splitlines()
        if line.startswith("| M-") and len(cells := line.split("|")) > 3
    }
    assert rows == {(rule.clause, str(rule)) for rule in Rule}
    assert len({rule.clause for rule in Rule}) == len(Rule)


def given_approval(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "proposal": "P-1",
        "preparer": "treasurer",
        "approver": "cfo",
        "envelope_sha256": "a" * 64,
        "mandate_sha256": "b" * 64,
        "at": NOON,
    }
    verdict = judge(MANDATE, GOOD, Stage.PROPOSE)
    return approve(verdict, MANDATE.people, **(given | changes))


def test_another_person_approves_and_only_the_mandate_makes_approvals() -> None:
    approval = given_approval()
    assert isinstance(approval, Approval)
    assert (approval.expires_at - NOON).total_seconds() == 240 * 60
    assert from_json(Approval, to_json(approval)) == approval
    assert given_approval(approver="treasurer") is NoApproval.NOT_AN_APPROVER
    people = replace(MANDATE.people, approvers=("treasurer", "cfo"))
    verdict = judge(MANDATE, GOOD, Stage.PROPOSE)
    same = approve(
        verdict,
        people,
        proposal="P-1",
        preparer="Treasurer ",
        approver="treasurer",
        envelope_sha256="a",
        mandate_sha256="b",
        at=NOON,
    )
    assert same is NoApproval.SAME_PERSON
    refused = judge(MANDATE, replace(GOOD, repeated=True), Stage.PROPOSE)
    assert (
        approve(refused, MANDATE.people, proposal="P-1", preparer="treasurer", approver="cfo", envelope_sha256="a", mandate_sha256="b", at=NOON)
        is NoApproval.VERDICT_REFUSES
    )  # fmt: skip
    with pytest.raises(AssertionError):
        replace(approval, seal=object())


def test_settings_cannot_contradict_themselves() -> None:
    with pytest.raises(Wrong, match="0 <= floor <= target <= ceiling <= 1"):
        Band(first=1, last=3, floor=0.7, target=0.6, ceiling=0.5)
    with pytest.raises(Wrong):
        QuietWindow(start=time(9), end=time(8))
    with pytest.raises(Wrong, match="month 2 ahead"):
        replace(MANDATE.cover, bands=(Band(first=1, last=1, floor=0, target=0, ceiling=1), Band(first=3, last=4, floor=0, target=0, ceiling=1)))  # fmt: skip
    with pytest.raises(Wrong):
        replace(MANDATE.people, preparers=("cfo",), approvers=("cfo",))
    with pytest.raises(Wrong):
        replace(MANDATE.rfq, responses_min=9)
    with pytest.raises(Wrong):
        replace(MANDATE.scope, valid_until=date(2020, 1, 1))


STANDING_ORDER = """[cover.as_sold]
venue = "paper-book"
coins_day_max = 5.0
spread_max = 0.01
slippage_max = 0.002

[[cover.bands]]"""
BOOK_ROW = """[[where]]
entity = "Kettle & Pecos Mining LLC"
venue = "paper-book"
structures = ["short_future"]

[cover]"""


def mandate_file(**changes: str) -> str:
    """Return the sample file with texts replaced: ``unwind``, ``bands`` (its first table), ``cover``."""
    text = re.sub('unwind = "[a-z_]+"', f'unwind = "{changes.get("unwind", "monthly")}"', SAMPLE)
    text = text.replace("[[cover.bands]]", changes.get("bands", "[[cover.bands]]"), 1)
    return text.replace("[cover] ", changes.get("cover", "[cover] ") + " ", 1)


@pytest.mark.parametrize("unwind", list(Unwind))
def test_each_way_of_reducing_a_hedge_is_read_from_the_file(unwind: Unwind) -> None:
    mandate = read_mandate(mandate_file(unwind=unwind))
    assert isinstance(mandate, Mandate)
    assert mandate.cover.unwind is unwind
    assert from_json(Mandate, to_json(mandate)) == mandate


def test_a_standing_order_is_read_with_its_limits() -> None:
    mandate = read_mandate(mandate_file(bands=STANDING_ORDER, cover=BOOK_ROW))
    assert isinstance(mandate, Mandate)
    assert mandate.cover.as_sold == StandingOrder(
        venue="paper-book",
        coins_day_min=0.1,
        coins_day_max=5.0,
        spread_max=0.01,
        slippage_max=0.002,
    )
    assert from_json(Mandate, to_json(mandate)) == mandate


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (mandate_file(unwind="daily"), "daily"),
        (mandate_file(bands=STANDING_ORDER), r"expected a venue of \[\[where\]\]"),
        (mandate_file(bands=STANDING_ORDER.replace("-book", "")), "expected an order book"),
        (mandate_file(bands=STANDING_ORDER.replace("5.0", "0.05")), "coins_day_max"),
        (mandate_file(bands=STANDING_ORDER.replace("0.002", "inf")), "slippage_max"),
        (mandate_file(bands=STANDING_ORDER.replace("spread_max = 0.01", "")), "spread_max"),
    ],
)
def test_a_standing_order_that_cannot_be_carried_out_is_refused(text: str, message: str) -> None:
    problems = read_mandate(text)
    assert isinstance(problems, tuple)
    assert re.search(message, "\n".join(str(problem) for problem in problems))


def test_a_mandate_stored_before_standing_orders_still_reads() -> None:
    stored = to_json(MANDATE)
    del stored["cover"]["as_sold"]
    assert from_json(Mandate, stored) == MANDATE


ORDER = StandingOrder(
    venue="paper-book", coins_day_max=5.0, spread_max=0.01, slippage_max=0.002, coins_day_min=0.1
)
AS_SOLD = replace(
    MANDATE,
    cover=replace(MANDATE.cover, unwind=Unwind.AS_SOLD, as_sold=ORDER),
    where=(
        *MANDATE.where,
        replace(
            MANDATE.where[0],
            venue="paper-book",
            structures=(StructureKind.SHORT_FUTURE, StructureKind.PROTECTIVE_PUT),
        ),
    ),
)
FUTURE = replace(GOOD, structure=StructureKind.SHORT_FUTURE, daily_coins=(2.0, 2.0))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, None),
        ({"daily_coins": (0.1, 5.0)}, None),  # limits are inclusive
        ({"daily_coins": (0.09, 2.0)}, "0.0900 to 2.0000 coins a day"),
        ({"daily_coins": (2.0, 5.1)}, "2.0000 to 5.1000 coins a day"),
        ({"structure": StructureKind.COSTLESS_COLLAR}, "costless collar with a dealer"),
        ({"structure": StructureKind.FORWARD}, "forward with a dealer"),
        ({"structure": StructureKind.PROTECTIVE_PUT, "venue": "paper-book"}, None),
        (
            {"structure": StructureKind.COSTLESS_COLLAR, "venue": "paper-book"},
            "no such row of [[where]]",
        ),
        ({"venue": "elsewhere"}, "one at elsewhere"),
        ({"structure": StructureKind.AVERAGE_PUT}, None),
        ({"structure": StructureKind.COSTLESS_COLLAR, "closes": True}, None),
    ],
)
def test_as_sold_is_refused_where_a_day_cannot_be_dealt(
    changes: dict[str, Any], found: str | None
) -> None:
    breaches = judge(AS_SOLD, replace(FUTURE, **changes), Stage.PROPOSE).breaches
    unwind = [one for one in breaches if one.rule is Rule.UNWIND_NOT_DEALABLE]
    assert [one.found for one in unwind] == ([] if found is None else [found])
    assert all(one.blocks and one.rule.clause == "M-2.5" for one in unwind)


def test_as_sold_without_a_standing_order_is_refused() -> None:
    bare = replace(MANDATE, cover=replace(MANDATE.cover, unwind=Unwind.AS_SOLD))
    verdict = judge(bare, FUTURE, Stage.PROPOSE)
    assert [one.rule for one in verdict.breaches] == [Rule.UNWIND_NOT_DEALABLE]
    assert not verdict.allowed
    for policy in (Unwind.MONTHLY, Unwind.AT_EXPIRY):
        other = replace(MANDATE, cover=replace(MANDATE.cover, unwind=policy))
        assert judge(other, FUTURE, Stage.PROPOSE).breaches == ()
