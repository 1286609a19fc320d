from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headframe.codec import read_counterparties, read_mandate, to_json
from headframe.counterparty import (
    HOUSE,
    Agreement,
    Answer,
    DefaultRate,
    Dossier,
    Grade,
    Grid,
    Incident,
    Licence,
    Paper,
    Reason,
    Section,
    Sublimit,
    Weights,
    as_graded,
    objections,
    questionnaire,
    score,
)
from headframe.desk.workspace import sample_file
from headframe.mandate import Mandate
from headframe.units import Wrong

ON = date(2026, 8, 22)
DOSSIERS = {
    d.name: d
    for d in read_counterparties(sample_file("counterparties.toml"))
    if isinstance(d, Dossier)
}
AMBER = DOSSIERS["amber"]
GRID = """
[counterparties.grid]
loss_given_default = 0.7
agreements = ["isda", "netting_opinion"]
weights = { capital = 40.0, liquidity = 20.0, governance = 10.0, regulation = 10.0, earnings = 10.0, custody = 10.0, track_record = 0.0 }
grades = [
  { name = "1", points = 80.0 },
  { name = "2", points = 60.0, line_usd_max = 5.0e6, tenor_months_max = 6, products = ["forward"] },
  { name = "3", points = 0.0, line_usd_max = 0.0 },
]
defaults = [
  { source = "house", grade = "1", a_year = 0.004 },
  { source = "house", grade = "2", a_year = 0.01 },
  { source = "house", grade = "3", a_year = 0.1 },
  { source = "agency study", grade = "2", a_year = 0.02, dated = 2026-01-31 },
]
[[counterparties.grid.sections]]
name = "custody"
questions = ["Are client assets segregated?", "Who may move them?"]
"""  # fmt: skip


def graded(text: str = GRID) -> Mandate:
    found = read_mandate(sample_file("mandate.toml").replace("[cash] ", text + "\n[cash] ", 1))
    assert isinstance(found, Mandate), found
    return found


def test_the_mandates_own_grid_scores_grades_and_prices_failure() -> None:
    grid = graded().counterparties.grid
    assert grid.default_probability("2") == 0.02, "the highest of the sources holds"
    assert grid.default_probability("1") == 0.004
    # capital 5, liquidity 4, governance 4, regulation 3, earnings 4, custody 4
    points = 40 + 20 * 0.8 + 10 * (0.8 + 0.6 + 0.8 + 0.8)
    assert score(AMBER, ON, grid).points == pytest.approx(points)
    assert score(AMBER, ON, grid).grade == "1"
    assert score(AMBER, ON).grade == "B", "the house's grid weighs otherwise"


def test_a_grade_limits_line_tenor_and_hedges_and_never_widens_the_agreement() -> None:
    grid = graded().counterparties.grid
    assert as_graded(AMBER, ON, replace(grid, agreements=())).credit == AMBER.credit
    feldspar = DOSSIERS["feldspar"]
    weak = replace(
        feldspar, evidence=tuple(replace(e, mark=3, expires=date(2027, 6, 1)) for e in feldspar.evidence)
    )  # fmt: skip
    assert score(weak, ON, grid).grade == "2"
    held = as_graded(weak, ON, grid).credit
    assert (held.line_usd, held.tenor_months, held.products) == (5.0e6, 6, ("forward",))
    small = replace(weak, credit=replace(weak.credit, line_usd=1e6, tenor_months=3))
    assert as_graded(small, ON, grid).credit.line_usd == 1e6
    assert as_graded(small, ON, grid).credit.tenor_months == 3
    assert as_graded(replace(weak, evidence=()), ON, grid).credit.line_usd == 0.0


def test_nothing_nets_without_the_opinion_the_grid_asks_for() -> None:
    grid = graded().counterparties.grid
    assert as_graded(AMBER, ON).closeout_netting
    assert not as_graded(AMBER, ON, grid).closeout_netting
    opinion = Paper(
        kind=Agreement.NETTING_OPINION,
        document="opinion",
        dated=date(2026, 1, 1),
        expires=date(2026, 9, 1),
    )
    with_it = replace(AMBER, agreements=(opinion,))
    assert as_graded(with_it, ON, grid).closeout_netting
    assert not as_graded(with_it, date(2026, 9, 1), grid).closeout_netting
    assert not as_graded(replace(with_it, closeout_netting=False), ON, grid).closeout_netting


def reasons(dossier: Dossier, grid: Grid, on: date = ON) -> list[Reason]:
    return [one.reason for one in objections(dossier, on, points_min=0.0, grid=grid)]


def test_questions_papers_licences_and_incidents_speak_against_an_approval() -> None:
    grid = graded().counterparties.grid
    assert reasons(AMBER, grid) == [*[Reason.NO_AGREEMENT] * 2, *[Reason.UNANSWERED] * 2]
    papers = tuple(
        Paper(kind=kind, document=str(kind), dated=date(2026, 1, 1)) for kind in grid.agreements
    )
    first = Answer(
        section="custody",
        question="Are client assets segregated?",
        answer="yes, with a trust company",
        dated=date(2026, 5, 1),
        expires=date(2027, 5, 1),
        reviewer="risk",
    )
    second = replace(first, question="Who may move them?", answer="two directors")
    whole = replace(AMBER, agreements=papers, answers=(first, second))
    assert reasons(whole, grid) == []
    rows = questionnaire(whole, ON, grid)
    assert [row.answer for row in rows] == [first, second]
    assert reasons(whole, grid, date(2027, 5, 1)).count(Reason.UNANSWERED) == 2
    later = replace(second, dated=date(2026, 6, 1), satisfactory=False)
    assert reasons(replace(whole, answers=(later, first, second)), grid) == [Reason.UNSATISFACTORY]
    ajar = Incident(dated=date(2026, 7, 1), what="withdrawals stopped for a day", loss_usd=0.0)
    assert reasons(replace(whole, incidents=(ajar,)), grid) == [Reason.INCIDENT]
    closed = replace(ajar, closed=date(2026, 7, 3))
    assert reasons(replace(whole, incidents=(closed,)), grid) == []
    lapsed = Licence(
        authority="FINMA", number="7", covers="dealer", dated=date(2020, 1, 1), expires=ON
    )
    assert reasons(replace(whole, licences=(lapsed,)), grid) == [Reason.LAPSED]
    assert (ON, "licence 7") in replace(whole, licences=(lapsed,)).ends


def test_a_sublimit_counts_its_hedges_beyond_its_months() -> None:
    limit = Sublimit(notional_usd=1e6, products=("costless_collar",), beyond_months=6)
    assert limit.counts("costless_collar", 7)
    assert not limit.counts("costless_collar", 6)
    assert not limit.counts("forward", 12)
    assert Sublimit(notional_usd=1e6).counts("forward", 1)
    assert str(limit) == "costless collar beyond 6 months"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grades": (Grade(name="A", points=50.0),)}, "the last of 0"),
        ({"grades": (*HOUSE.grades, Grade(name="F", points=0.0))}, "fewer points"),
        ({"defaults": HOUSE.defaults[:-1]}, "grade E has no chance"),
        ({"defaults": (*HOUSE.defaults, DefaultRate(source="x", grade="Q", a_year=0.1))}, "'Q'"),
        ({"defaults": (*HOUSE.defaults, HOUSE.defaults[0])}, "one chance of failing"),
        ({"defaults": (*HOUSE.defaults, DefaultRate(source="x", grade="A", a_year=0.5))}, "less"),
        ({"loss_given_default": 0.0}, "loss_given_default"),
        ({"sections": (Section(name="a", questions=("x",)),) * 2}, "names of their own"),
    ],
)
def test_a_grid_that_contradicts_itself_is_refused(change: Any, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        replace(HOUSE, **change)


def test_impossible_parts_of_a_grid_are_refused() -> None:
    for bad in (
        lambda: Weights(capital=26.0),
        lambda: Weights(capital=float("nan")),
        lambda: Section(name="a", questions=("x", "x")),
        lambda: Grade(name="", points=1.0),
        lambda: DefaultRate(source="", grade="A", a_year=0.1),
        lambda: DefaultRate(source="x", grade="A", a_year=1.0),
        lambda: Sublimit(notional_usd=0.0),
        lambda: Incident(dated=ON, what="x", closed=date(2020, 1, 1)),
    ):
        with pytest.raises(Wrong):
            bad()
    text = sample_file("mandate.toml").replace(
        "[cash] ", GRID.replace("capital = 40.0", "capital = 41.0") + "\n[cash] ", 1
    )
    found = read_mandate(text)
    assert not isinstance(found, Mandate)
    assert "add up to 100" in str(found[0])
    assert str(found[0]).startswith("mandate.toml line ")


def test_the_grid_of_the_documents_can_be_signed() -> None:
    words = (Path(__file__).parents[2] / "docs" / "counterparties.md").read_text(encoding="utf-8")
    grid = graded(words.partition("```toml")[2].partition("```")[0]).counterparties.grid
    assert [one.name for one in grid.grades] == ["A", "B", "C", "D"]
    assert sum(len(one.questions) for one in grid.sections) == 14


def test_a_limit_on_a_hedge_that_is_none_is_a_problem_of_its_file() -> None:
    text = sample_file("counterparties.toml").replace(
        "tenor_months = 13 ",
        'sublimits = [{ notional_usd = 1e6, products = ["foward"] }]\ntenor_months = 13 ',
        1,
    )
    (problem,) = read_counterparties(text)
    assert "amber: no hedge is called 'foward'; known: " in str(problem)
    typed = GRID.replace('products = ["forward"]', 'products = ["foward"]')
    found = read_mandate(sample_file("mandate.toml").replace("[cash] ", typed + "\n[cash] ", 1))
    assert not isinstance(found, Mandate)
    assert "grade 2: no hedge is called 'foward'" in str(found[0])


def test_a_mandate_without_a_grid_has_the_houses() -> None:
    found = read_mandate(sample_file("mandate.toml"))
    assert isinstance(found, Mandate)
    assert found.counterparties.grid == HOUSE
    assert to_json(found.counterparties.grid)["weights"]["capital"] == 25.0
