"""The mandate's settings, clause by clause, as frozen values that cannot contradict themselves."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from math import isfinite

from headframe.counterparty import HOUSE, Grid
from headframe.instrument import StructureKind
from headframe.units import refuse

ORDER_BOOK = "-book"
"""What a venue's order book is called after the venue: a place of its own in clause 1.4."""


def is_order_book(venue: str) -> bool:
    """Whether a place is a venue's order book, where nobody is asked and no block is too small."""
    return venue.endswith(ORDER_BOOK)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        refuse(f"{name} must lie between {low:g} and {high:g}, was {value:g}")


class Unwind(StrEnum):
    """When a hedge is reduced: each day with the sales, in one block a month, or by its expiry alone."""

    AS_SOLD = "as_sold"
    MONTHLY = "monthly"
    AT_EXPIRY = "at_expiry"


class Choice(StrEnum):
    """How the plan chooses among the hedges the mandate allows."""

    FLOOR_LESS_COST = "floor_less_cost"
    LARGEST_FLOOR = "largest_floor"
    LEAST_COST = "least_cost"
    LEAST_MARGIN = "least_margin"


class Criterion(StrEnum):
    """How a request for quotes is awarded."""

    BEST_PRICE = "best_price"
    BEST_ALL_IN = "best_all_in"


class LateQuotes(StrEnum):
    """What to do about a better quote that came late, where the venue fills the best price."""

    REFUSE = "refuse"
    """Award nothing: the rule of mandates that name none."""
    WAIT = "wait"
    """Wait, within the decision window, until the late quote expires or is withdrawn."""
    EXCLUDE = "exclude"
    """Outlive the late quote where that is sooner; else end the request and ask again without its dealer."""
    ACCEPT = "accept"
    """Let it count: a quote that comes within the decision window may win like any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Clause 1: who, what, where, how far."""

    entity: str
    coin: str
    version: str
    valid_from: date
    valid_until: date
    structures: tuple[StructureKind, ...]
    horizon_months: int

    def __post_init__(self) -> None:
        if self.valid_until <= self.valid_from:
            refuse(f"valid_until {self.valid_until} must come after valid_from {self.valid_from}")
        _within("horizon_months", self.horizon_months, 1, 60)
        if not self.structures:
            refuse("structures must name at least one hedge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One row of clause 1.4: which legal entity may deal which hedges at which venue."""

    entity: str
    venue: str
    structures: tuple[StructureKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanStep:
    """A step of the loan agreement: what must be done, in how many days, once the loan exceeds a share."""

    above: float
    must: str
    days: int

    def __post_init__(self) -> None:
        _within("a step's share of collateral", self.above, 0.01, 10.0)
        _within("days to act on a step", self.days, 0, 90)
        if not self.must.strip() or len(self.must) > 200:
            refuse("a step says what must be done, in at most 200 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """Clause 10: the lender's own bounds on the share of the programme's P50 that is hedged, and on how.

    No ``structures``: the lender asks nothing of them.
    """

    least_hedged: float
    most_hedged: float
    structures: tuple[StructureKind, ...] = ()
    steps: tuple[LoanStep, ...] = ()

    def __post_init__(self) -> None:
        shares = [one.above for one in self.steps]
        if shares != sorted(set(shares)):
            refuse("the lender's steps stand in order, each above the one before")
        if not 0.0 <= self.least_hedged <= self.most_hedged <= 1.0:
            found = f"{self.least_hedged} and {self.most_hedged}"
            refuse(f"a lender's bounds must satisfy 0 <= least <= most <= 1, was {found}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Share of expected (P50) production to hedge in a range of months ahead, first to last."""

    first: int
    last: int
    floor: float
    target: float
    ceiling: float

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= 60:
            refuse(f"a band runs from month 1 to 60, was {self.first} to {self.last}")
        if not 0.0 <= self.floor <= self.target <= self.ceiling <= 1.0:
            found = f"floor={self.floor} target={self.target} ceiling={self.ceiling}"
            refuse(f"a band must satisfy 0 <= floor <= target <= ceiling <= 1, was {found}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """The standing instruction of ``as_sold`` (M-2.5): where and within which limits hedges are bought back.

    ``venue`` is an order book of clause 1.4. ``coins_day_min`` and ``coins_day_max`` bound the coins of one
    day; ``spread_max`` is the greatest bid-ask spread and ``slippage_max`` the greatest distance of a fill
    to mid, both of the forward.
    """

    venue: str
    coins_day_max: float
    spread_max: float
    slippage_max: float
    coins_day_min: float = 0.1
    """Deribit's least order of BTC options (0.1 contract); of futures it is 10 USD."""

    def __post_init__(self) -> None:
        if not is_order_book(self.venue):
            refuse(
                f"venue: expected an order book (its name ends in {ORDER_BOOK}), got"
                f" {self.venue[:40]!r}; fix: name a row of [[where]] such as paper{ORDER_BOOK}"
            )
        _within("coins_day_min", self.coins_day_min, 1e-8, 1e6)
        _within("coins_day_max", self.coins_day_max, self.coins_day_min, 1e6)
        _within("spread_max", self.spread_max, 0.0, 0.5)
        _within("slippage_max", self.slippage_max, 0.0, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverRules:
    """Clause 2: how much of production, and when a hedge is reduced."""

    bands: tuple[Band, ...]
    firm_p10_share_max: float
    put_strike_share: float
    unwind: Unwind
    hedge_for_accounts: bool
    over_hedged_days_max: int = 5
    """Days after a month's end by which the hedge of its sold coins is closed, unless held to expiry."""
    over_hedged_coins_max: float = 0.5
    """Coins of hedge that may be left over after those days: less than is worth a trade."""
    as_sold: StandingOrder | None = None
    """None: hedges are never bought back daily, and ``unwind = "as_sold"`` breaks M-2.5."""

    def __post_init__(self) -> None:
        _within("firm_p10_share_max", self.firm_p10_share_max, 0.0, 1.0)
        _within("put_strike_share", self.put_strike_share, 0.3, 1.2)
        _within("over_hedged_days_max", self.over_hedged_days_max, 0, 366)
        _within("over_hedged_coins_max", self.over_hedged_coins_max, 0.0, 1e6)
        ahead = 1
        for band in self.bands:
            if band.first != ahead:
                refuse(f"bands must follow each other: month {ahead} ahead belongs to none")
            ahead = band.last + 1

    def band(self, months_ahead: int) -> Band | None:
        """The band of a month so many months ahead (1 is the next full month), or none."""
        return next((b for b in self.bands if b.first <= months_ahead <= b.last), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRules:
    """Clause 3: how far a hedge may stray from the mine's own sales."""

    tracking_error_max: float
    r2_min: float

    def __post_init__(self) -> None:
        _within("tracking_error_max", self.tracking_error_max, 0.0, 1.0)
        _within("r2_min", self.r2_min, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartyRules:
    """Clause 4: whom, how much with one, how long."""

    points_min: float
    line_share_max: float
    tenor_months_max: int
    programme_share_max: float = 0.35
    group_line_usd_max: float | None = None
    """The most exposure to one group after a stress move; none: no such rule."""
    grid: Grid = HOUSE
    """How a dossier is scored, what a grade allows, and how often it fails."""

    def __post_init__(self) -> None:
        known = set(StructureKind)
        for grade in self.grid.grades:
            strange = sorted(set(grade.products) - known)
            if strange:
                words = f"grade {grade.name}: no hedge is called {strange[0][:40]!r}"
                refuse(f"{words}; known: {', '.join(sorted(known))}")
        if self.group_line_usd_max is not None:
            _within("group_line_usd_max", self.group_line_usd_max, 0.0, 1e11)
        _within("points_min", self.points_min, 0.0, 100.0)
        _within("line_share_max", self.line_share_max, 0.0, 1.0)
        _within("programme_share_max", self.programme_share_max, 0.0, 1.0)
        _within("tenor_months_max", self.tenor_months_max, 1, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRules:
    """Clause 5: premium and margin."""

    premium_budget_usd: float
    stress_up: float
    stress_down: float
    stress_call_share_max: float
    debit_share_max: float

    def __post_init__(self) -> None:
        _within("premium_budget_usd", self.premium_budget_usd, 0.0, 1e11)
        _within("stress_up", self.stress_up, 0.01, 10.0)
        _within("stress_down", self.stress_down, -0.99, -0.01)
        _within("stress_call_share_max", self.stress_call_share_max, 0.0, 10.0)
        _within("debit_share_max", self.debit_share_max, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RfqRules:
    """Clause 6: how quotes are asked for and awarded."""

    dealers_min: int
    responses_min: int
    response_seconds: int
    decision_seconds: int
    criterion: Criterion
    distance_max: float
    disclosed: bool
    block_min_coins: float
    future_block_min_usd: float
    repeat_minutes: int
    last_look_seconds_max: int
    distance_vol_max: float | None = None
    """Greatest distance to mid in volatility (0.02: two points) of the legs' vegas; none: no such rule."""
    last_look_rejections_max: float = 1.0
    """Greatest share of its awards that a dealer may not have honoured."""
    resting: bool = False
    """Whether a price may rest at the venue when no quote could win: a free option for the dealers."""
    clip_coins_max: float | None = None
    """The most coins of one request; more is asked in clips of even size. None: all at once."""
    clip_minutes: int = 0
    """Least time between two clips of one proposal."""
    late_quotes: LateQuotes = LateQuotes.REFUSE
    window_seconds: int = 0
    """Longest time from the opening of a decision's first request to its award; 0: the response and decision
    time alone."""
    requests_max: int = 2
    """Most requests that one decision may send, one after the other, the first counted."""

    @property
    def request_seconds(self) -> int:
        """Response and decision time of one request."""
        return self.response_seconds + self.decision_seconds

    def __post_init__(self) -> None:
        _within("last_look_rejections_max", self.last_look_rejections_max, 0.0, 1.0)
        _within("clip_minutes", self.clip_minutes, 0, 1440)
        if self.clip_coins_max is not None:
            _within("clip_coins_max", self.clip_coins_max, 0.1, 1e6)
        if self.distance_vol_max is not None:
            _within("distance_vol_max", self.distance_vol_max, 0.0, 1.0)
        _within("dealers_min", self.dealers_min, 1, 100)
        _within("responses_min", self.responses_min, 1, 100)
        if self.responses_min > self.dealers_min:
            refuse(
                f"responses_min {self.responses_min} must not exceed dealers_min {self.dealers_min}"
            )
        _within("response_seconds", self.response_seconds, 6, 240)
        _within("decision_seconds", self.decision_seconds, 0, 50)
        _within("distance_max", self.distance_max, 0.0, 1.0)
        _within("block_min_coins", self.block_min_coins, 0.0, 1e6)
        _within("future_block_min_usd", self.future_block_min_usd, 0.0, 1e9)
        _within("repeat_minutes", self.repeat_minutes, 0, 1440)
        _within("last_look_seconds_max", self.last_look_seconds_max, 0, 600)
        _within("window_seconds", self.window_seconds, 0, 900)
        _within("requests_max", self.requests_max, 1, 10)
        if self.late_quotes is not LateQuotes.REFUSE and self.window_seconds < self.request_seconds:
            refuse(
                f"window_seconds: expected at least response_seconds + decision_seconds, "
                f"{self.request_seconds}, with late_quotes = {str(self.late_quotes)!r}, got "
                f"{self.window_seconds}; fix: window_seconds = {max(240, self.request_seconds)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWindow:
    """A stretch of every day, in UTC, in which nobody is asked."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.end <= self.start:
            refuse(f"a quiet window ends after it starts, was {self.start} to {self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingRules:
    """Clause 7: when not to ask."""

    market_age_minutes_max: int
    quiet: tuple[QuietWindow, ...]
    macro_events: tuple[datetime, ...]
    macro_minutes: int
    weekends: bool
    spread_ratio_max: float
    spot_move_max: float
    open_interest_share_max: float
    blackouts: tuple[tuple[date, date], ...]

    def __post_init__(self) -> None:
        _within("market_age_minutes_max", self.market_age_minutes_max, 1, 10_080)
        _within("macro_minutes", self.macro_minutes, 0, 1440)
        _within("spread_ratio_max", self.spread_ratio_max, 1.0, 100.0)
        _within("spot_move_max", self.spot_move_max, 0.0, 1.0)
        _within("open_interest_share_max", self.open_interest_share_max, 0.0, 1.0)
        for first, last in self.blackouts:
            if last < first:
                refuse(f"a blackout ends on or after its first day, was {first} to {last}")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Clause 8: who signs, who prepares, who approves and for how long an approval lives."""

    signatories: tuple[str, ...]
    preparers: tuple[str, ...]
    approvers: tuple[str, ...]
    approval_minutes: int
    spot_move_void: float

    def __post_init__(self) -> None:
        for name in ("signatories", "preparers", "approvers"):
            if not getattr(self, name):
                refuse(f"{name} must name at least one person")
        if not set(self.approvers) - set(self.preparers) and len(set(self.approvers)) < 2:
            refuse("four eyes need an approver who is not the only preparer")
        _within("approval_minutes", self.approval_minutes, 1, 100_000)
        _within("spot_move_void", self.spot_move_void, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """Clause 11: when option hedges are topped up or lightened with futures, by their delta a coin.

    Below ``delta_low`` futures are proposed to be sold up to ``delta_target``, above ``delta_high`` those
    that are on to be bought back; no more than ``coins_max`` at a time. It proposes and never trades.
    """

    delta_low: float
    delta_target: float
    delta_high: float
    coins_max: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.delta_low < self.delta_target < self.delta_high <= 1.0:
            found = f"{self.delta_low:g}, {self.delta_target:g}, {self.delta_high:g}"
            refuse(
                f"rebalancing needs 0 <= delta_low < delta_target < delta_high <= 1, was {found}"
            )
        _within("coins_max", self.coins_max, 0.1, 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """Clause 12: how often a programme is reviewed at least, and which changes call for a review at once."""

    days: int = 31
    price_move: float = 0.15
    forecast_change: float = 0.05
    difficulty_change: float = 0.05

    def __post_init__(self) -> None:
        _within("days between reviews", self.days, 1, 366)
        for name in ("price_move", "forecast_change", "difficulty_change"):
            _within(name, getattr(self, name), 0.001, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """The whole policy; ``choice`` is clause 9."""

    scope: Scope
    cover: CoverRules
    basis: BasisRules
    counterparties: CounterpartyRules
    cash: CashRules
    rfq: RfqRules
    asking: AskingRules
    people: People
    lender: Lender
    where: tuple[Where, ...]
    choice: Choice
    rebalance: Rebalance | None = None
    """No such clause: nothing is ever proposed to rebalance."""
    review: ReviewRules = ReviewRules()

    def __post_init__(self) -> None:
        order = self.cover.as_sold
        rows = [row.venue for row in self.where if row.entity == self.scope.entity]
        if order is not None and order.venue not in rows:
            refuse(
                f"cover.as_sold.venue: expected a venue of [[where]] of {self.scope.entity}, got"
                f" {order.venue[:40]!r}; fix: add its row to [[where]] or name one of"
                f" {', '.join(rows) or 'none'}"
            )

    def may_deal(self, venue: str, structure: StructureKind) -> bool:
        """Whether the mandate's entity may deal a hedge at a venue."""
        return any(
            (row.entity, row.venue) == (self.scope.entity, venue) and structure in row.structures
            for row in self.where
        )
