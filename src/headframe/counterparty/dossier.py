"""The due-diligence dossier: dated evidence by topic, and what it adds up to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import isfinite

from headframe.counterparty.collateral import CollateralTerms
from headframe.counterparty.strength import Statements, Zone, altman
from headframe.units import Wrong


class Topic(StrEnum):
    """What a dossier must answer, with its weight in the score."""

    CAPITAL = "capital"
    LIQUIDITY = "liquidity"
    GOVERNANCE = "governance"
    REGULATION = "regulation"
    EARNINGS = "earnings"
    CUSTODY = "custody"
    TRACK_RECORD = "track_record"

    @property
    def weight(self) -> int:
        """Points out of 100."""
        return _WEIGHTS[self]


_WEIGHTS = {
    Topic.CAPITAL: 25,
    Topic.LIQUIDITY: 20,
    Topic.GOVERNANCE: 15,
    Topic.REGULATION: 15,
    Topic.EARNINGS: 10,
    Topic.CUSTODY: 10,
    Topic.TRACK_RECORD: 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One statement with its document, dates, reviewer and mark: 1 weak to 5 strong."""

    topic: Topic
    document: str
    dated: date
    expires: date
    reviewer: str
    mark: int

    def __post_init__(self) -> None:
        if not 1 <= self.mark <= 5:
            raise Wrong(f"a mark must lie between 1 and 5, was {self.mark} ({self.document})")
        if self.expires <= self.dated:
            raise Wrong(f"{self.document} expires {self.expires}, not after its date {self.dated}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """How much exposure to a counterparty is allowed, and for how long."""

    line_usd: float
    tenor_months: int
    products: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (isfinite(self.line_usd) and 0.0 <= self.line_usd <= 1e11):
            raise Wrong(f"a credit line must lie between 0 and 1e11 USD, was {self.line_usd}")
        if not 1 <= self.tenor_months <= 60:
            raise Wrong(f"a tenor must lie between 1 and 60 months, was {self.tenor_months}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything known of one counterparty; counterparties of one group are one exposure."""

    name: str
    legal_entity: str
    group: str
    jurisdiction: str
    evidence: tuple[Evidence, ...]
    credit: CreditLine
    collateral: CollateralTerms
    statements: Statements | None = None
    falls_with_coin: float = 1.0
    """How its chance of failing answers the coin: 1 doubles it where the price halves, 0 not at all."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.falls_with_coin <= 5.0:
            raise Wrong(f"falls_with_coin must lie between 0 and 5, was {self.falls_with_coin}")
        if not self.name.isidentifier() or not self.name.isascii():
            raise Wrong(f"a counterparty's name is one plain word, was {self.name[:40]!r}")


@dataclass(frozen=True, slots=True)
class Score:
    """Weighted marks out of 100, and the grade they earn."""

    points: float
    grade: str


class Reason(StrEnum):
    """Why a counterparty cannot be approved, most serious first."""

    MISSING = "missing"
    LAPSED = "lapsed"
    FUTURE_DATED = "future_dated"
    DISTRESS = "distress"
    SCORE_TOO_LOW = "score_too_low"


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason, with what it concerns."""

    reason: Reason
    detail: str


def _valid(dossier: Dossier, on: date) -> Iterator[Evidence]:
    return (paper for paper in dossier.evidence if paper.dated <= on < paper.expires)


def score(dossier: Dossier, on: date) -> Score:
    """The best valid mark of each topic, weighted: 5 earns the whole weight, nothing valid earns 0."""
    best: dict[Topic, int] = {}
    for paper in _valid(dossier, on):
        best[paper.topic] = max(best.get(paper.topic, 0), paper.mark)
    points = sum(topic.weight * best.get(topic, 0) / 5.0 for topic in Topic)
    grade = next((name for name, least in _GRADES if points >= least), "E")
    return Score(points=points, grade=grade)


_GRADES = (("A", 85.0), ("B", 70.0), ("C", 55.0), ("D", 40.0))


def objections(dossier: Dossier, on: date, *, points_min: float) -> tuple[Objection, ...]:
    """Every reason against approval on a day; none means the dossier carries an approval."""
    found: list[Objection] = []
    valid = {paper.topic for paper in _valid(dossier, on)}
    found += [
        Objection(Reason.FUTURE_DATED, f"{paper.document} is dated {paper.dated}")
        for paper in dossier.evidence
        if paper.dated > on
    ]
    for topic in Topic:
        if topic in valid:
            continue
        lapsed = [p for p in dossier.evidence if p.topic is topic and p.expires <= on]
        if lapsed:
            last = max(lapsed, key=lambda paper: paper.expires)
            ago = (on - last.expires) // timedelta(days=1)
            detail = f"{topic}: {last.document} expired {last.expires} ({ago} days ago)"
            found.append(Objection(Reason.LAPSED, detail))
        else:
            found.append(Objection(Reason.MISSING, f"{topic}: no evidence"))
    found += _distress(dossier.statements, on)
    points = score(dossier, on).points
    if points < points_min:
        detail = f"{points:.0f} points, the mandate asks {points_min:.0f}"
        found.append(Objection(Reason.SCORE_TOO_LOW, detail))
    return tuple(sorted(found, key=lambda objection: list(Reason).index(objection.reason)))


def _distress(statements: Statements | None, on: date) -> Iterator[Objection]:
    """What the statements say against an approval: distress, or that they are of the future."""
    if statements is None:
        return
    if statements.dated > on:
        detail = f"the statements are dated {statements.dated}"
        yield Objection(Reason.FUTURE_DATED, detail)
    strength = altman(statements)
    if strength.zone is Zone.DISTRESS:
        detail = f"Altman {strength.variant} of {statements.dated} is {strength.z:.2f}: distress"
        yield Objection(Reason.DISTRESS, detail)


_DEFAULT_A_YEAR = {"A": 0.003, "B": 0.008, "C": 0.02, "D": 0.06, "E": 0.20}
LOSS_GIVEN_DEFAULT = 0.6


def default_probability(grade: str) -> float:
    """Chance of failure within a year by internal grade: a house assumption, not a market figure."""
    return _DEFAULT_A_YEAR[grade]
