"""Who wins: a pure function of the quotes and the mandate's rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from math import isfinite

from headframe.rfq.request import Direction, Quote

ANONYMOUS = "ANONYMOUS"
"""A dealer that the venue does not name: one of the panel, since nobody else was asked."""
ABSURD = 0.9
"""A quote further from the model than this share of the legs' prices is ten times off."""


class Rejection(StrEnum):
    """Why a quote cannot win, in order of precedence."""

    MALFORMED = "not a price"
    OTHER_SIDE = "the dealer's other side"
    SUPERSEDED = "replaced by a later one of the same dealer"
    EXPIRED = "no longer good"
    TOO_SMALL = "smaller than the request"
    NOT_ASKED = "from a dealer who was not asked"
    LATE = "received after the response time"
    CROSSED = "crosses the same dealer's other side"
    ABSURD = "ten times off the model"
    TOO_FAR = "too far from mid"
    BEYOND_LIMIT = "worse than the approved limit"


class NoAward(StrEnum):
    """Why nobody won, in order of precedence."""

    NO_QUOTES = "nobody quoted"
    TOO_FEW_RESPONSES = "fewer live dealers than the mandate asks"
    ALL_REJECTED = "no quote could win"
    BLOCKED = "the venue would match a better price that may not win"
    WORSE_THAN_BEFORE = "no price as good as the best one of the request before"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardRules:
    """The mandate's rules of award, as numbers.

    ``distance_max`` is the greatest distance to the model's mid in the quote currency per coin;
    ``charges`` are what each dealer costs besides its price (fees, credit, margin), per coin, and
    are empty where the best price alone decides.
    """

    direction: Direction
    panel: tuple[str, ...]
    responses_min: int
    respond_by: datetime
    size: float
    reference: float
    gross: float
    distance_max: float
    limit: float
    charges: Mapping[str, float]
    venue_matches: bool
    """Whether the venue fills the best price itself, so that no dealer can be chosen."""
    anonymous: bool = False
    """Whether the answers need not name their dealer: where no dealer's line is drawn on."""
    bound: float | None = None
    """The price the winner may not be worse than, beside ``limit``; worse ones still count as responses."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A quote on the ladder: its all-in cost per coin (lower is better) or why it cannot win."""

    quote: Quote
    cost: float
    rejection: Rejection | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Every quote: those that can win first, best first, then the others."""

    rungs: tuple[Rung, ...]

    @property
    def live(self) -> tuple[Rung, ...]:
        """The rungs that can win, best first."""
        return tuple(rung for rung in self.rungs if rung.rejection is None)


@dataclass(frozen=True, slots=True)
class Award:
    """The winner and the cover: the second best price, or none."""

    winner: Quote
    cover: Quote | None


def rank(quotes: tuple[Quote, ...], rules: AwardRules, *, at: datetime) -> Ladder:
    """The ladder at an instant: best all-in cost first; ties by all-or-none, then by time, then name."""
    others = _Others.of(quotes)
    rungs = [
        Rung(quote, _cost(quote, rules), _rejection(quote, others, rules, at)) for quote in quotes
    ]
    order = list(Rejection)
    rungs.sort(
        key=lambda rung: (
            rung.rejection is not None,
            0 if rung.rejection is None else order.index(rung.rejection),
            rung.cost if isfinite(rung.cost) else 0.0,
            not rung.quote.all_or_none,
            rung.quote.received_at,
            rung.quote.dealer,
        )
    )
    return Ladder(tuple(rungs))


def award(quotes: tuple[Quote, ...], rules: AwardRules, *, at: datetime) -> Award | NoAward:
    """Give the trade to the best live quote, if enough dealers stand behind live ones."""
    if not quotes:
        return NoAward.NO_QUOTES
    ladder = rank(quotes, rules, at=at)
    live = ladder.live
    if not live:
        return NoAward.ALL_REJECTED
    if _answered(live) < rules.responses_min:
        return NoAward.TOO_FEW_RESPONSES
    winner = live[0].quote
    if rules.venue_matches:
        front = min((r for r in ladder.rungs if stands(r)), key=lambda r: match_order(r, rules))
        if front.rejection is not None:
            return NoAward.BLOCKED
        winner = front.quote
    if rules.bound is not None and _worse(winner.price, rules.bound, rules):
        return NoAward.WORSE_THAN_BEFORE
    others = [
        rung.quote
        for rung in live
        if rung.quote.dealer != winner.dealer
        or (rung.quote.dealer == ANONYMOUS and rung.quote is not winner)
    ]
    return Award(winner=winner, cover=others[0] if others else None)


_GONE = frozenset(
    {
        Rejection.MALFORMED,
        Rejection.SUPERSEDED,
        Rejection.OTHER_SIDE,
        Rejection.EXPIRED,
        Rejection.TOO_SMALL,
    }
)


def stands(rung: Rung) -> bool:
    """Return whether the venue could still match a quote, allowed to win or not."""
    return rung.rejection not in _GONE


def resting_price(ladder: Ladder, rules: AwardRules, *, tick: Decimal) -> Decimal | None:
    """The price that may be left to rest when no quote could win; None where none may be.

    It is the approved limit or the greatest distance to mid, whichever is tighter, on the tick. Enough
    dealers must have answered, and no quote may stand that would be dealt at once though it may not win.
    """
    standing = [rung.quote for rung in ladder.rungs if stands(rung)]
    if not rules.venue_matches or len({one.dealer for one in standing}) < rules.responses_min:
        return None
    buys = rules.direction is Direction.BUY
    far = rules.reference + (rules.distance_max if buys else -rules.distance_max)
    bounds = [rules.limit, far, *(() if rules.bound is None else (rules.bound,))]
    price = min(bounds) if buys else max(bounds)
    rounding = ROUND_FLOOR if buys else ROUND_CEILING
    rested = (Decimal(repr(price)) / tick).to_integral_value(rounding) * tick
    met = any(one.price <= rested if buys else one.price >= rested for one in standing)
    return None if met else rested


def match_order(rung: Rung, rules: AwardRules) -> tuple[float, bool, datetime]:
    """How a venue matches: best price, all-or-none before any part, then the earlier."""
    sign = 1.0 if rules.direction is Direction.BUY else -1.0
    return (sign * rung.quote.price, not rung.quote.all_or_none, rung.quote.received_at)


def _cost(quote: Quote, rules: AwardRules) -> float:
    sign = 1.0 if rules.direction is Direction.BUY else -1.0
    return sign * quote.price + rules.charges.get(quote.dealer, 0.0)


@dataclass(frozen=True, slots=True)
class _Others:
    """What a dealer's other quotes say of one of them: gathered once, so that long ladders cost no more."""

    latest: Mapping[tuple[str, Direction], datetime]
    buys: Mapping[str, float]
    sells: Mapping[str, float]

    @classmethod
    def of(cls, quotes: tuple[Quote, ...]) -> "_Others":
        """The last word of each side, the dearest buying and the cheapest selling price of each dealer."""
        latest: dict[tuple[str, Direction], datetime] = {}
        buys: dict[str, float] = {}
        sells: dict[str, float] = {}
        for one in quotes:
            if one.dealer == ANONYMOUS:  # several dealers hide behind the one name
                continue
            side = (one.dealer, one.direction)
            latest[side] = max(latest.get(side, one.received_at), one.received_at)
            if one.price != one.price:
                continue
            if one.direction is Direction.BUY:
                buys[one.dealer] = max(buys.get(one.dealer, one.price), one.price)
            else:
                sells[one.dealer] = min(sells.get(one.dealer, one.price), one.price)
        return cls(latest, buys, sells)

    def replaced(self, quote: Quote) -> bool:
        """Whether the same dealer said something else on this side later."""
        latest = self.latest.get((quote.dealer, quote.direction), quote.received_at)
        return latest > quote.received_at

    def crossed(self, quote: Quote) -> bool:
        """Whether the dealer buys dearer than it sells: a sign of a mistake on either side."""
        if quote.direction is Direction.BUY:
            return quote.dealer in self.sells and quote.price > self.sells[quote.dealer]
        return quote.dealer in self.buys and self.buys[quote.dealer] > quote.price


def _rejection(quote: Quote, others: _Others, rules: AwardRules, at: datetime) -> Rejection | None:
    tests = (
        (Rejection.MALFORMED, not (isfinite(quote.price) and isfinite(quote.size))),
        (Rejection.OTHER_SIDE, quote.direction is rules.direction),
        (Rejection.SUPERSEDED, others.replaced(quote)),
        (Rejection.EXPIRED, quote.good_until is not None and at >= quote.good_until),
        (Rejection.TOO_SMALL, not quote.size >= rules.size),
        (Rejection.NOT_ASKED, quote.dealer not in rules.panel and not _hidden(quote, rules)),
        (Rejection.LATE, quote.received_at > rules.respond_by),
        (Rejection.CROSSED, others.crossed(quote)),
        (Rejection.ABSURD, abs(quote.price - rules.reference) > ABSURD * rules.gross),
        (Rejection.TOO_FAR, abs(quote.price - rules.reference) > rules.distance_max),
        (Rejection.BEYOND_LIMIT, _worse(quote.price, rules.limit, rules)),
    )
    return next((reason for reason, holds in tests if holds), None)


def _hidden(quote: Quote, rules: AwardRules) -> bool:
    """Whether a quote is from a dealer of the panel that need not be named."""
    return rules.anonymous and quote.dealer == ANONYMOUS


def _answered(live: tuple[Rung, ...]) -> int:
    """Dealers behind live quotes; of those without a name each quote counts as one."""
    named = {rung.quote.dealer for rung in live} - {ANONYMOUS}
    return len(named) + sum(rung.quote.dealer == ANONYMOUS for rung in live)


def _worse(price: float, than: float, rules: AwardRules) -> bool:
    """Return whether a price is worse for us than another; no number is worse than any."""
    if rules.direction is Direction.BUY:
        return not price <= than
    return not price >= than
