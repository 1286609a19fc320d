"""How well a request was dealt, and how well each dealer answers: figures from ladders, nothing else.

The record follows what a best-execution policy asks to keep of a request: every quote won and lost, the
cover, the times, mid at request and at award, what dealing cost against mid, against the second quote
and against the lit book, and how the mid moved meanwhile and afterwards. All prices are the structure's
net price per coin; ``sign`` turns a price into a cost (+1 where we buy).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from statistics import fmean, median

AFTER_SECONDS = (1, 60, 300, 3600)
"""When the mid is looked at after an award."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One quote as it stood on the ladder."""

    dealer: str
    price: float
    cost: float
    received_at: datetime
    good_until: datetime | None
    rejection: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One request and what came of it; ``usd`` is what one unit of price is worth in USD."""

    id: str
    proposal: str
    venue: str
    structure: str
    sign: int
    coins: float
    usd: float
    forward: float
    panel: tuple[str, ...]
    disclosed: bool
    opened_at: datetime
    respond_by: datetime
    quotes: tuple[Heard, ...]
    awarded: str | None
    """The dealer the award went to, whatever came of it."""
    winner: str | None
    price: float | None
    cover: float | None
    filled_at: datetime | None
    mid_asked: float
    mid_awarded: float | None
    mids_after: Mapping[int, float]
    marks: Mapping[str, Mapping[str, float]]
    """Index, mid and greeks by the model when it was asked, at the first quote, at the award."""
    sweep: float | None
    fee_usd: float
    criterion: str
    preparer: str
    approver: str
    outcome: str
    kind: str = ""
    """The structure's kind, calendar_spread for a roll: costs of different kinds are never mixed."""
    follows: str = ""
    """The request before it in the same decision; empty for a first one."""
    late: tuple[str, ...] = ()
    """What was decided about late quotes, in words."""


COST_MAX_BPS = 1_000.0
"""No hedge costs 10 % of its notional to deal: such a figure compares two different things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What dealing cost, in USD for the whole size unless it says otherwise; None where it is not known."""

    responded: int
    silent: tuple[str, ...]
    first_seconds: float | None
    best_worst_usd: float | None
    to_mid_usd: float | None
    to_mid_bps: float | None
    saved_on_cover_usd: float | None
    saved_on_sweep_usd: float | None
    leakage_usd: float | None
    slippage_usd: float | None
    after_usd: Mapping[int, float]

    @property
    def implausible(self) -> bool:
        """Whether the cost is beyond 10 % of notional: a break to look at, no cost."""
        return self.to_mid_bps is not None and not abs(self.to_mid_bps) <= COST_MAX_BPS


def quality_of(told: Told) -> Quality:
    """The figures of one request."""
    good = [one for one in told.quotes if isfinite(one.price)]
    names = {one.dealer for one in told.quotes}
    prices = [told.sign * one.price for one in good if one.rejection is None]
    scale = told.coins * told.usd

    def worse(price: float | None, than: float | None) -> float | None:
        if price is None or than is None:
            return None
        return told.sign * (price - than) * scale

    mid = told.mid_awarded if told.mid_awarded is not None else told.mid_asked
    to_mid = worse(told.price, mid)
    times = [(one.received_at - told.opened_at).total_seconds() for one in told.quotes]
    best = next((one.price for one in told.quotes if one.dealer == told.winner), None)
    return Quality(
        responded=len(names & set(told.panel)),
        silent=tuple(name for name in told.panel if name not in names),
        first_seconds=min(times) if times else None,
        best_worst_usd=(max(prices) - min(prices)) * scale if prices else None,
        to_mid_usd=to_mid,
        to_mid_bps=None if to_mid is None else 1e4 * to_mid / (told.coins * told.forward),
        saved_on_cover_usd=worse(told.cover, told.price),
        saved_on_sweep_usd=worse(told.sweep, told.price),
        leakage_usd=worse(told.mid_awarded, told.mid_asked),
        slippage_usd=worse(told.price, best),
        after_usd={
            seconds: found
            for seconds, after in told.mids_after.items()
            if (found := worse(after, mid)) is not None
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A dealer over many requests: how often it answers, wins, withdraws and errs, how near, how fast."""

    dealer: str
    asked: int
    answered: int
    won: int
    seconds_median: float | None
    to_mid_bps_mean: float | None
    behind_bps_mean: float | None
    expired: int
    late: int
    off: int
    refused: int

    @property
    def response_ratio(self) -> float:
        """Answers over requests."""
        return self.answered / self.asked if self.asked else 0.0

    @property
    def hit_ratio(self) -> float:
        """Wins over answers."""
        return self.won / self.answered if self.answered else 0.0


def scorecards(requests: Sequence[Told]) -> tuple[Scorecard, ...]:
    """Every dealer that was asked by name, the most asked first."""
    names = {name for told in requests if told.disclosed for name in told.panel}
    found = [_scorecard(name, requests) for name in names]
    return tuple(sorted(found, key=lambda one: (-one.asked, one.dealer)))


def _scorecard(name: str, requests: Sequence[Told]) -> Scorecard:
    asked = [told for told in requests if name in told.panel and told.disclosed]
    heard = [(told, one) for told in asked for one in told.quotes if one.dealer == name]
    answered = {told.id for told, _ in heard}
    gaps, behind, times = list[float](), list[float](), list[float]()
    for told, one in heard:
        if not isfinite(one.price) or one.rejection in {"not a price", "ten times off the model"}:
            continue
        times.append((one.received_at - told.opened_at).total_seconds())
        gaps.append(_bps(told, told.sign * (one.price - told.mid_asked)))
        if told.price is not None:
            behind.append(_bps(told, told.sign * (one.price - told.price)))

    def count(*rejections: str) -> int:
        return sum(one.rejection in rejections for _, one in heard)

    return Scorecard(
        dealer=name,
        asked=len(asked),
        answered=len(answered),
        won=sum(told.winner is not None and name in told.winner.split("+") for told in asked),
        seconds_median=median(times) if times else None,
        to_mid_bps_mean=fmean(gaps) if gaps else None,
        behind_bps_mean=fmean(behind) if behind else None,
        expired=count("no longer good"),
        late=count("received after the response time")
        + sum(one.rejection is None and one.received_at > told.respond_by for told, one in heard),
        off=count("not a price", "ten times off the model", "crosses the same dealer's other side"),
        refused=sum(told.awarded == name and told.price is None for told in asked),
    )


def _bps(told: Told, price: float) -> float:
    """A price per coin in basis points of the forward."""
    return 1e4 * price * told.usd / told.forward


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Dealing over a period: sums in USD, means weighed by notional."""

    asked: int
    filled: int
    notional_usd: float
    to_mid_usd: float
    to_mid_bps: float | None
    saved_on_cover_usd: float
    saved_on_sweep_usd: float | None
    leakage_usd: float
    fees_usd: float
    responses_mean: float | None
    breaks: tuple[str, ...] = ()
    """Requests whose cost is beyond 10 % of notional: they are in no sum and are to be looked at."""


def costs_by_kind(requests: Sequence[Told]) -> tuple[tuple[str, Costs], ...]:
    """Return what dealing came to by kind of structure, in the order the kinds were first asked."""
    kinds = dict.fromkeys(told.kind for told in requests)
    return tuple((kind, costs_of([one for one in requests if one.kind == kind])) for kind in kinds)


def costs_of(requests: Sequence[Told]) -> Costs:
    """Return what dealing came to; implausible costs are named and left out."""
    dealt = [told for told in requests if told.price is not None]
    breaks = tuple(told.id for told in dealt if quality_of(told).implausible)
    filled = [told for told in dealt if told.id not in breaks]
    figures = [(told, quality_of(told)) for told in filled]
    notional = sum(told.coins * told.forward for told in filled)
    to_mid = sum(one.to_mid_usd or 0.0 for _, one in figures)
    sweeps = [one.saved_on_sweep_usd for _, one in figures if one.saved_on_sweep_usd is not None]
    return Costs(
        asked=len(requests),
        filled=len(dealt),
        notional_usd=notional,
        to_mid_usd=to_mid,
        to_mid_bps=1e4 * to_mid / notional if notional else None,
        saved_on_cover_usd=sum(one.saved_on_cover_usd or 0.0 for _, one in figures),
        saved_on_sweep_usd=sum(sweeps) if sweeps else None,
        leakage_usd=sum(one.leakage_usd or 0.0 for _, one in figures),
        fees_usd=sum(told.fee_usd for told in dealt),
        breaks=breaks,
        responses_mean=fmean(quality_of(told).responded for told in requests) if requests else None,
    )
