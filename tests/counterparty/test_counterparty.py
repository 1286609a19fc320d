from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.codec import read_counterparties
from headframe.counterparty import (
    HOUSE,
    TRANSITIONS,
    CollateralTerms,
    Dossier,
    Evidence,
    Reason,
    Standing,
    Step,
    Topic,
    advance,
    call_amount,
    objections,
    score,
    support_amount,
)
from headframe.desk.workspace import sample_file
from headframe.units import Wrong

ON = date(2026, 8, 22)
DOSSIERS = {
    d.name: d
    for d in read_counterparties(sample_file("counterparties.toml"))
    if isinstance(d, Dossier)
}
AMBER = DOSSIERS["amber"]
TERMS = CollateralTerms(
    threshold_usd=1e6,
    minimum_transfer_usd=250e3,
    rounding_usd=10e3,
    independent_share=0.0,
    haircut=0.2,
)


def test_weights_add_up_and_five_everywhere_is_a_hundred() -> None:
    assert sum(HOUSE.weights.of(topic) for topic in Topic) == 100
    best = replace(AMBER, evidence=tuple(replace(e, mark=5) for e in AMBER.evidence))
    assert score(best, ON).points == 100.0
    assert score(best, ON).grade == "A"
    assert score(replace(AMBER, evidence=()), ON).points == 0.0


def test_only_dated_evidence_that_has_not_expired_counts() -> None:
    assert objections(AMBER, ON, points_min=60) == ()
    feldspar = objections(DOSSIERS["feldspar"], ON, points_min=60)
    assert [o.reason for o in feldspar] == [Reason.LAPSED, Reason.LAPSED, Reason.SCORE_TOO_LOW]
    assert "expired 2026-06-30 (53 days ago)" in feldspar[0].detail
    assert (
        objections(DOSSIERS["feldspar"], date(2026, 6, 29), points_min=60) != ()
    )  # one paper is of July
    early = objections(AMBER, date(2026, 1, 1), points_min=0)
    assert {o.reason for o in early} == {Reason.FUTURE_DATED, Reason.MISSING}
    assert (
        objections(replace(AMBER, evidence=AMBER.evidence[1:]), ON, points_min=0)[0].reason
        is Reason.MISSING
    )


def test_a_paper_dies_on_the_day_it_expires() -> None:
    paper = AMBER.evidence[0]
    assert objections(AMBER, paper.expires, points_min=0)
    with pytest.raises(Wrong):
        replace(paper, expires=paper.dated)
    with pytest.raises(Wrong):
        Evidence(
            topic=Topic.CAPITAL,
            document="x",
            dated=ON,
            expires=date(2027, 1, 1),
            reviewer="risk",
            mark=6,
        )


LAWFUL = {
    "prospect": {"submit": "in_review", "close": "closed"},
    "in_review": {"approve": "approved", "decline": "prospect", "close": "closed"},
    "approved": {
        "submit": "in_review",
        "watch": "watch",
        "suspend": "suspended",
        "close": "closed",
    },
    "watch": {
        "approve": "approved",
        "submit": "in_review",
        "suspend": "suspended",
        "close": "closed",
    },
    "suspended": {"submit": "in_review", "close": "closed"},
    "closed": {},
}


@pytest.mark.parametrize(("standing", "step"), list(product(Standing, Step)))
def test_every_standing_and_step(standing: Any, step: Any) -> None:
    wanted = LAWFUL[standing].get(step)
    assert TRANSITIONS.get((standing, step)) == wanted
    if wanted is None:
        with pytest.raises(Wrong, match="cannot"):
            advance(standing, step)
    else:
        assert advance(standing, step) == wanted


def test_collateral_moves_above_threshold_and_minimum_transfer() -> None:
    assert support_amount(TERMS, 900e3, 0.0) == 0.0
    assert support_amount(TERMS, 1.3e6, 0.0) == pytest.approx(300e3)
    assert support_amount(replace(TERMS, independent_share=0.1), 1e6, 5e6) == pytest.approx(500e3)
    assert call_amount(TERMS, 200e3, 0.0) == 0.0
    assert call_amount(TERMS, 303e3, 0.0) == 310e3
    assert call_amount(TERMS, 300e3, 610e3) == -310e3
    assert call_amount(TERMS, 301e3, 619e3) == -310e3
    assert call_amount(TERMS, 0.0, 10e3) == -10e3


@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_a_call_never_leaves_less_than_wanted_by_more_than_the_minimum(
    wanted: Any, held: Any
) -> None:
    moved = call_amount(TERMS, wanted, held)
    after = held + moved
    assert after >= -1e-6
    assert after >= wanted - TERMS.minimum_transfer_usd - 1e-6
    assert after <= max(wanted + TERMS.rounding_usd, held) + 1e-6


def test_weaker_grades_fail_more_often() -> None:
    chances = [HOUSE.default_probability(grade) for grade in "ABCDE"]
    assert chances == sorted(chances)


def test_impossible_terms_are_refused() -> None:
    with pytest.raises(Wrong):
        replace(TERMS, threshold_usd=float("nan"))
    with pytest.raises(Wrong):
        replace(TERMS, haircut=1.0)
    with pytest.raises(Wrong):
        replace(AMBER.credit, tenor_months=0)
    with pytest.raises(Wrong):
        replace(AMBER, name="two words")
