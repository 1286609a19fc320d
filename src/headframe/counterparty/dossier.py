"""The due-diligence dossier: dated evidence by topic, and what it adds up to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from math import isfinite

from headframe.counterparty.collateral import CollateralTerms
from headframe.counterparty.grid import HOUSE, Agreement, Grid, Topic
from headframe.counterparty.strength import Statements, Zone, altman
from headframe.units import refuse


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
            refuse(f"a mark must lie between 1 and 5, was {self.mark} ({self.document})")
        if self.expires <= self.dated:
            refuse(f"{self.document} expires {self.expires}, not after its date {self.dated}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """An agreement, an opinion or a licence, and until when it holds."""

    kind: Agreement
    document: str
    dated: date
    expires: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.dated <= on and (self.expires is None or on < self.expires)


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A permission by an authority; one that has lapsed speaks against an approval."""

    authority: str
    number: str
    covers: str
    dated: date
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that went wrong at the counterparty; open until ``closed``."""

    dated: date
    what: str
    loss_usd: float = 0.0
    closed: date | None = None

    def __post_init__(self) -> None:
        if self.closed is not None and self.closed < self.dated:
            refuse(f"an incident of {self.dated} cannot have been closed {self.closed}")
        if not (isfinite(self.loss_usd) and self.loss_usd >= 0.0):
            refuse(f"loss_usd of an incident is 0 or above, was {self.loss_usd}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a question of the questionnaire, and whether the reviewer is content with it."""

    section: str
    question: str
    answer: str
    dated: date
    expires: date
    reviewer: str
    satisfactory: bool = True

    def __post_init__(self) -> None:
        if self.expires <= self.dated:
            refuse(f"an answer of {self.dated} cannot expire {self.expires}")
        if not self.answer.strip():
            refuse(f"the answer to {self.question[:60]!r} says nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sublimit:
    """The most notional on with a counterparty in some hedges, or beyond some months, or both."""

    notional_usd: float
    products: tuple[str, ...] = ()
    """The hedges it counts; none named: all."""
    beyond_months: int = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.notional_usd) and 0.0 < self.notional_usd <= 1e11):
            refuse(f"a sublimit lies above 0 and up to 1e11 USD, was {self.notional_usd}")
        if not 0 <= self.beyond_months <= 60:
            refuse(f"beyond_months lies between 0 and 60, was {self.beyond_months}")

    def counts(self, product: str, tenor_months: int) -> bool:
        """Whether a trade of this hedge and so many months to run counts to it."""
        return (not self.products or product in self.products) and tenor_months > self.beyond_months

    def __str__(self) -> str:
        what = ", ".join(self.products).replace("_", " ") or "all hedges"
        return f"{what} beyond {self.beyond_months} months" if self.beyond_months else what


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """How much exposure to a counterparty is allowed, and for how long."""

    line_usd: float
    tenor_months: int
    products: tuple[str, ...]
    sublimits: tuple[Sublimit, ...] = ()

    def __post_init__(self) -> None:
        if not (isfinite(self.line_usd) and 0.0 <= self.line_usd <= 1e11):
            refuse(f"a credit line must lie between 0 and 1e11 USD, was {self.line_usd}")
        if not 1 <= self.tenor_months <= 60:
            refuse(f"a tenor must lie between 1 and 60 months, was {self.tenor_months}")


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
    agreements: tuple[Paper, ...] = ()
    licences: tuple[Licence, ...] = ()
    incidents: tuple[Incident, ...] = ()
    answers: tuple[Answer, ...] = ()
    closeout_netting: bool = True
    """Whether gains and losses set each other off if it fails."""
    falls_with_coin: float = 1.0
    """How its chance of failing answers the coin: 1 doubles it where the price halves, 0 not at all."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.falls_with_coin <= 5.0:
            refuse(f"falls_with_coin must lie between 0 and 5, was {self.falls_with_coin}")
        if not self.name.isidentifier() or not self.name.isascii():
            refuse(f"a counterparty's name is one plain word, was {self.name[:40]!r}")

    @property
    def ends(self) -> tuple[tuple[date, str], ...]:
        """When each of its papers expires, and which it is, soonest first."""
        found = [(one.expires, one.document) for one in self.evidence]
        found += [
            (one.expires, f"{one.kind} {one.document}") for one in self.agreements if one.expires
        ]
        found += [(one.expires, f"licence {one.number}") for one in self.licences if one.expires]
        found += [(one.expires, f"answer on {one.section}") for one in self.answers]
        return tuple(sorted(found))


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
    NO_AGREEMENT = "no_agreement"
    INCIDENT = "incident"
    UNANSWERED = "unanswered"
    UNSATISFACTORY = "unsatisfactory"
    DISTRESS = "distress"
    SCORE_TOO_LOW = "score_too_low"


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason, with what it concerns."""

    reason: Reason
    detail: str


def _valid(dossier: Dossier, on: date) -> Iterator[Evidence]:
    return (paper for paper in dossier.evidence if paper.dated <= on < paper.expires)


def score(dossier: Dossier, on: date, grid: Grid = HOUSE) -> Score:
    """The best valid mark of each topic, weighted: 5 earns the whole weight, nothing valid earns 0."""
    best: dict[Topic, int] = {}
    for paper in _valid(dossier, on):
        best[paper.topic] = max(best.get(paper.topic, 0), paper.mark)
    points = sum(grid.weights.of(topic) * best.get(topic, 0) / 5.0 for topic in Topic)
    return Score(points=points, grade=grid.grade_of(points).name)


def as_graded(dossier: Dossier, on: date, grid: Grid = HOUSE) -> Dossier:
    """The dossier as it may be used on a day: its line within its grade's, and what nets.

    Line and tenor are the lesser of the agreement's own and the grade's, hedges those of both. Where the
    grid asks for a netting opinion, nothing nets without one that holds.
    """
    own = dossier.credit
    grade = grid.grade(score(dossier, on, grid).grade)
    products = own.products
    if grade.products:
        products = tuple(one for one in products if one in grade.products)
    most = own.line_usd if grade.line_usd_max is None else grade.line_usd_max
    credit = replace(
        own,
        line_usd=min(own.line_usd, most),
        tenor_months=min(own.tenor_months, grade.tenor_months_max or own.tenor_months),
        products=products,
    )
    asked = Agreement.NETTING_OPINION
    opinion = any(one.kind is asked and one.holds(on) for one in dossier.agreements)
    nets = dossier.closeout_netting and (opinion or asked not in grid.agreements)
    return replace(dossier, credit=credit, closeout_netting=nets)


def objections(
    dossier: Dossier, on: date, *, points_min: float, grid: Grid = HOUSE
) -> tuple[Objection, ...]:
    """Every reason against approval on a day; none means the dossier carries an approval."""
    found = [
        *_papers(dossier, on),
        *_agreements(dossier, on, grid),
        *_incidents(dossier, on),
        *_answers(dossier, on, grid),
        *_distress(dossier.statements, on),
    ]
    points = score(dossier, on, grid).points
    if points < points_min:
        detail = f"{points:.0f} points, the mandate asks {points_min:.0f}"
        found.append(Objection(Reason.SCORE_TOO_LOW, detail))
    return tuple(sorted(found, key=lambda objection: list(Reason).index(objection.reason)))


def _papers(dossier: Dossier, on: date) -> Iterator[Objection]:
    """Evidence that is of the future, has expired or is not there, and licences that lapsed."""
    valid = {paper.topic for paper in _valid(dossier, on)}
    for paper in dossier.evidence:
        if paper.dated > on:
            yield Objection(Reason.FUTURE_DATED, f"{paper.document} is dated {paper.dated}")
    for topic in Topic:
        if topic in valid:
            continue
        lapsed = [p for p in dossier.evidence if p.topic is topic and p.expires <= on]
        if lapsed:
            last = max(lapsed, key=lambda paper: paper.expires)
            ago = (on - last.expires) // timedelta(days=1)
            detail = f"{topic}: {last.document} expired {last.expires} ({ago} days ago)"
            yield Objection(Reason.LAPSED, detail)
        else:
            yield Objection(Reason.MISSING, f"{topic}: no evidence")
    for one in dossier.licences:
        if one.expires is not None and one.expires <= on:
            detail = f"licence {one.number} of {one.authority} expired {one.expires}"
            yield Objection(Reason.LAPSED, detail)


def _agreements(dossier: Dossier, on: date, grid: Grid) -> Iterator[Objection]:
    """Papers the grid asks for that do not hold."""
    for kind in grid.agreements:
        if not any(one.kind is kind and one.holds(on) for one in dossier.agreements):
            yield Objection(Reason.NO_AGREEMENT, f"{kind.replace('_', ' ')}: none that holds")


def _incidents(dossier: Dossier, on: date) -> Iterator[Objection]:
    for one in dossier.incidents:
        if one.dated <= on and (one.closed is None or one.closed > on):
            yield Objection(Reason.INCIDENT, f"{one.what} ({one.dated}) is not closed")


def _answers(dossier: Dossier, on: date, grid: Grid) -> Iterator[Objection]:
    """Questions without an answer that holds, and answers the reviewer is not content with."""
    for row in questionnaire(dossier, on, grid):
        if row.answer is None:
            yield Objection(Reason.UNANSWERED, f"{row.section}: {row.question}")
        elif not row.answer.satisfactory:
            yield Objection(Reason.UNSATISFACTORY, f"{row.section}: {row.question}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the grid and the answer that holds, or none."""

    section: str
    question: str
    answer: Answer | None


def questionnaire(dossier: Dossier, on: date, grid: Grid) -> tuple[Asked, ...]:
    """The grid's questions by section with the latest answer that holds on a day."""
    held: dict[tuple[str, str], Answer] = {}
    for one in sorted(dossier.answers, key=lambda answer: answer.dated):
        if one.dated <= on < one.expires:
            held[one.section, one.question] = one
    return tuple(
        Asked(section.name, question, held.get((section.name, question)))
        for section in grid.sections
        for question in section.questions
    )


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
