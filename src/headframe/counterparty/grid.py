"""The scoring grid of a mandate: weights, grades with their limits, chances of failing by source."""

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from itertools import pairwise
from math import isfinite

from headframe.units import refuse


class Topic(StrEnum):
    """What a dossier must answer; each has its weight in the grid."""

    CAPITAL = "capital"
    LIQUIDITY = "liquidity"
    GOVERNANCE = "governance"
    REGULATION = "regulation"
    EARNINGS = "earnings"
    CUSTODY = "custody"
    TRACK_RECORD = "track_record"


class Agreement(StrEnum):
    """A paper between the two sides that a grid may ask for."""

    ISDA = "isda"
    CSA = "csa"
    NETTING_OPINION = "netting_opinion"
    CUSTODY = "custody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Points out of 100 by topic."""

    capital: float = 25.0
    liquidity: float = 20.0
    governance: float = 15.0
    regulation: float = 15.0
    earnings: float = 10.0
    custody: float = 10.0
    track_record: float = 5.0

    def __post_init__(self) -> None:
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        for name, value in every.items():
            if not (isfinite(value) and 0.0 <= value <= 100.0):
                refuse(f"the weight of {name} must lie between 0 and 100, was {value}")
        if abs(sum(every.values()) - 100.0) > 1e-9:
            refuse(f"the weights must add up to 100, were {sum(every.values()):g}")

    def of(self, topic: Topic) -> float:
        """The weight of a topic."""
        weight: float = getattr(self, topic)
        return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A grade: the least points it takes, and the most we deal with those that have it."""

    name: str
    points: float
    line_usd_max: float | None = None
    tenor_months_max: int | None = None
    products: tuple[str, ...] = ()
    """The hedges that may be dealt with it; none named: all."""

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 8:
            refuse(f"a grade's name has one to eight characters, was {self.name[:20]!r}")
        if not 0.0 <= self.points <= 100.0:
            refuse(f"points of grade {self.name} must lie between 0 and 100")
        if self.line_usd_max is not None and not 0.0 <= self.line_usd_max <= 1e11:
            refuse(f"line_usd_max of grade {self.name} must lie between 0 and 1e11")
        if self.tenor_months_max is not None and not 1 <= self.tenor_months_max <= 60:
            refuse(f"tenor_months_max of grade {self.name} must lie between 1 and 60")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRate:
    """A chance of failing within a year for a grade, as one source has it."""

    source: str
    grade: str
    a_year: float
    dated: date | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.a_year < 1.0:
            refuse(f"a chance of failing lies between 0 and 1, was {self.a_year}")
        if not self.source.strip():
            refuse("a chance of failing names its source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the questionnaire, with what it asks."""

    name: str
    questions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.questions:
            refuse("a section of the questionnaire has a name and at least one question")
        if len(set(self.questions)) < len(self.questions):
            refuse(f"section {self.name} asks the same question twice")


_GRADES = (
    Grade(name="A", points=85.0),
    Grade(name="B", points=70.0),
    Grade(name="C", points=55.0),
    Grade(name="D", points=40.0),
    Grade(name="E", points=0.0),
)
_HOUSE = {"A": 0.003, "B": 0.008, "C": 0.02, "D": 0.06, "E": 0.20}
_DEFAULTS = tuple(
    DefaultRate(source="house assumption", grade=name, a_year=chance)
    for name, chance in _HOUSE.items()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How a dossier becomes a grade, and what a grade is worth; grades stand best first.

    Of several sources for a grade's chance of failing the highest holds. The house's own rates are an
    assumption and no market figure.
    """

    weights: Weights = Weights()
    grades: tuple[Grade, ...] = _GRADES
    defaults: tuple[DefaultRate, ...] = _DEFAULTS
    loss_given_default: float = 0.6
    sections: tuple[Section, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    """Papers without which nobody is approved; a netting opinion, where it is asked for, is what nets."""

    def __post_init__(self) -> None:
        points = [one.points for one in self.grades]
        if not points or points[-1] != 0.0 or any(b >= a for a, b in pairwise(points)):
            refuse("grades stand best first, each of fewer points, the last of 0")
        names = {one.name for one in self.grades}
        if len(names) < len(self.grades):
            refuse("grades have names of their own")
        if not 0.0 < self.loss_given_default <= 1.0:
            found = self.loss_given_default
            refuse(f"loss_given_default lies above 0 and up to 1, was {found}")
        if len({one.name for one in self.sections}) < len(self.sections):
            refuse("sections of the questionnaire have names of their own")
        self._rates(names)

    def _rates(self, names: set[str]) -> None:
        """Whether every grade has a chance of failing, and a worse one none that is lower."""
        strange = sorted({one.grade for one in self.defaults} - names)
        if strange:
            refuse(f"a chance of failing is given for grade {strange[0]!r}, which is none")
        without = sorted(names - {one.grade for one in self.defaults})
        if without:
            refuse(f"grade {without[0]} has no chance of failing: add one to defaults")
        pairs = [(one.source, one.grade) for one in self.defaults]
        if len(set(pairs)) < len(pairs):
            refuse("a source gives one chance of failing for a grade")
        for better, worse in pairwise(self.grades):
            low, high = (self.default_probability(one.name) for one in (better, worse))
            if high < low:
                refuse(f"grade {worse.name} fails less often than {better.name}")

    def grade_of(self, points: float) -> Grade:
        """The best grade so many points take."""
        return next((one for one in self.grades if points >= one.points), self.grades[-1])

    def grade(self, name: str) -> Grade:
        """A grade by its name."""
        return next(one for one in self.grades if one.name == name)

    def default_probability(self, grade: str) -> float:
        """Chance of failure within a year: the highest of the sources for the grade."""
        return max(one.a_year for one in self.defaults if one.grade == grade)


HOUSE = Grid()
"""The grid where a mandate has none of its own."""
