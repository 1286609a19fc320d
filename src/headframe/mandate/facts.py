"""What a verdict is passed on: one flat record, so that it can be replayed years later."""

from dataclasses import dataclass
from datetime import datetime

from headframe.instrument import StructureKind
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFacts:
    """A month of production with the proposal in: coins.

    ``proposed`` is what the proposal itself adds, ``firm`` counts what must be delivered on a rally
    (futures, forwards, sold calls), ``covered`` what has a floor; the cumulative figures run from
    the first month of the programme.
    """

    month: Month
    ahead: int
    p50: float
    p10_cumulative: float
    proposed: float
    covered: float
    firm_cumulative: float
    puts_only: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SublimitFacts:
    """One sublimit of a dealer: notional that counts to it with the proposal in, and the most allowed."""

    name: str
    used_usd: float
    allowed_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerFacts:
    """A dealer to be asked, with the proposal in: shares of its line and of the programme."""

    name: str
    approved: bool
    line_share: float
    programme_share: float
    tenor_months: int
    rejection_share: float = 0.0
    """Of its awards, those it did not honour; none before it has had a few."""
    group_usd: float = 0.0
    """Exposure to all of its group after the worst stress move."""
    sublimits: tuple[SublimitFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a mandate asks about one proposal; None is "not measured" and counts as a breach."""

    at: datetime
    mandate_signed: bool
    preparer: str
    structure: StructureKind
    venue: str
    months: tuple[MonthFacts, ...]
    free_coins: float
    hedged_share: float
    """Coins with a floor over P50, all months of the horizon together, the proposal in."""
    size_coins: float
    notional_usd: float
    tracking_error: float
    r2: float
    tenor_months: int
    dealers: tuple[DealerFacts, ...]
    premium_usd: float
    premium_spent_usd: float
    debit_share: float
    initial_margin_usd: float
    stress_call_usd: float
    liquidity_usd: float
    live_rfq: bool
    repeated: bool
    market_age_minutes: float
    spread_ratio: float | None
    spot_move: float | None
    open_interest_share: float | None
    clip_age_minutes: float | None = None
    """Minutes since the last clip of the same proposal was dealt; None where there was none."""
    over_hedged_coins: float = 0.0
    """Coins of hedges left over after their designated coins were sold and the policy's days passed."""
    daily_coins: tuple[float, float] = (0.0, 0.0)
    """Least and most coins of the hedge that are sold on one day; zeros where it is not reduced by days."""
    closes: bool = False
    """Whether it closes a trade that is on: fewer coins are hedged, no line is drawn on."""
