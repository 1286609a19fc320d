"""What to do when quotes that came after the response time stand between a request and its award.

A venue that fills the best price itself would deal the late quote. It is never dealt unless the mandate lets
late quotes count. Otherwise it is outlived within the decision window, or the request is ended at the venue
and asked again: without the late dealers where the venue asks named dealers only, else of the same panel at
the best price that counted, or better. Where too few quotes count because others came late, the same panel is
asked again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite

from headframe.mandate import LateQuotes
from headframe.rfq.award import (
    ANONYMOUS,
    Award,
    AwardRules,
    Ladder,
    NoAward,
    Rejection,
    Rung,
    award,
    match_order,
    stands,
)
from headframe.rfq.request import Quote


class LateAction(StrEnum):
    """What is done about a late quote."""

    ACCEPT = "accept"
    WAIT = "wait"
    ASK_WITHOUT = "ask_without"
    ASK_AGAIN = "ask_again"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRules:
    """The mandate's rule with the figures of this decision.

    ``window_ends`` bounds the whole decision, ``request_ends`` the waiting on this request at the venue;
    ``requests_left`` is how many further requests the decision may send.
    """

    rule: LateQuotes
    window_ends: datetime
    request_ends: datetime
    request_seconds: int
    requests_left: int
    dealers_min: int
    directs: bool
    """Whether a request goes to named dealers only, and its quotes name theirs."""

    @property
    def waits_until(self) -> datetime:
        """Latest instant at which this request may still be awarded."""
        return min(self.window_ends, self.request_ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDecision:
    """What is done about late quotes, and why, as the audit trail keeps it."""

    action: LateAction
    dealers: tuple[str, ...]
    """Dealers whose late quotes stand in front, or are missing among those that count."""
    late: Quote
    """The best of those quotes."""
    best: Quote | None
    """The best quote that may win; None where too few quotes count for any to win."""
    until: datetime | None
    """When waiting ends at the latest."""
    reason: str


def decide_late(
    decision: NoAward, ladder: Ladder, rules: AwardRules, late: LateRules, *, at: datetime
) -> LateDecision | None:
    """Return what is done where late quotes are why ``award`` came to nothing; None where they are not."""
    if decision is NoAward.BLOCKED:
        return _in_front(ladder, rules, late, at)
    if decision in {NoAward.TOO_FEW_RESPONSES, NoAward.ALL_REJECTED}:
        return _missing(ladder, rules, late, at)
    return None


def _missing(
    ladder: Ladder, rules: AwardRules, late: LateRules, at: datetime
) -> LateDecision | None:
    """The same panel asked again, where the late quotes are all that is missing for an award."""
    came = [r for r in ladder.rungs if r.rejection is Rejection.LATE]
    quotes = tuple(rung.quote for rung in ladder.rungs)
    counting = replace(rules, respond_by=max(at, rules.respond_by))
    again = at + timedelta(seconds=late.request_seconds)
    asks = late.rule is LateQuotes.EXCLUDE and late.requests_left > 0 and again <= late.window_ends
    if not came or not asks or not isinstance(award(quotes, counting, at=at), Award):
        return None
    first = min(came, key=lambda rung: match_order(rung, rules)).quote
    dealers = tuple(dict.fromkeys(rung.quote.dealer for rung in came))
    return LateDecision(
        action=LateAction.ASK_AGAIN,
        dealers=dealers,
        late=first,
        best=None,
        until=None,
        reason=f"{_came_late(first, rules)}, and without {', '.join(dealers)} too few quotes count: ended "
        "at the venue, to be asked again of the same dealers",
    )


def _in_front(
    ladder: Ladder, rules: AwardRules, late: LateRules, at: datetime
) -> LateDecision | None:
    """What is done where a better late quote would be dealt; None where another fault stands in front."""
    best = min(ladder.live, key=lambda rung: match_order(rung, rules))
    front = match_order(best, rules)
    ahead = [
        rung
        for rung in ladder.rungs
        if rung.rejection is not None and stands(rung) and match_order(rung, rules) < front
    ]
    if not ahead or any(rung.rejection is not Rejection.LATE for rung in ahead):
        return None
    action, until = _action(ladder, ahead, rules, late, at)
    dealers = tuple(dict.fromkeys(rung.quote.dealer for rung in ahead))
    first = min(ahead, key=lambda rung: match_order(rung, rules)).quote
    words = _words(action, dealers, best.quote, until, late)
    return LateDecision(
        action=action,
        dealers=dealers,
        late=first,
        best=best.quote,
        until=until,
        reason=f"{_came_late(first, rules)}, better than {best.quote.dealer}'s {best.quote.price:g}: "
        f"{words}",
    )


def accepted_late(
    winner: Quote, *, respond_by: datetime, counted_until: datetime
) -> LateDecision | None:
    """Return the record of a winner that came after the response time and counts; None for one on time."""
    if winner.received_at <= respond_by:
        return None
    after = (winner.received_at - respond_by).total_seconds()
    return LateDecision(
        action=LateAction.ACCEPT,
        dealers=(winner.dealer,),
        late=winner,
        best=winner,
        until=counted_until,
        reason=f"{winner.dealer}'s {winner.price:g} came {after:.1f} s after the response time; the mandate "
        "lets it count within the decision window",
    )


def _action(
    ladder: Ladder, ahead: list[Rung], rules: AwardRules, late: LateRules, at: datetime
) -> tuple[LateAction, datetime | None]:
    """The action and, where it is to wait, until when."""
    if late.rule not in {LateQuotes.WAIT, LateQuotes.EXCLUDE}:
        return LateAction.REFUSE, None
    known = _outlived(ladder, ahead, rules, late)
    if late.rule is LateQuotes.EXCLUDE:
        again = timedelta(seconds=late.request_seconds)
        sooner = known is not None and known - at <= again
        if not sooner and late.requests_left > 0 and at + again <= late.window_ends:
            return _again(ahead, rules, late), None
    if known is not None:
        return LateAction.WAIT, known
    if at < late.waits_until:  # it may be withdrawn before
        return LateAction.WAIT, late.waits_until
    return LateAction.REFUSE, None


def _outlived(
    ladder: Ladder, ahead: list[Rung], rules: AwardRules, late: LateRules
) -> datetime | None:
    """When the late quotes will have expired while an award is still possible; None where it is not known."""
    ends = [rung.quote.good_until for rung in ahead]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return None
    until = max(known)
    quotes = tuple(rung.quote for rung in ladder.rungs)
    possible = isinstance(award(quotes, rules, at=until), Award)
    return until if possible and until <= late.waits_until else None


def _again(ahead: list[Rung], rules: AwardRules, late: LateRules) -> LateAction:
    """Ask without the late dealers where that leaves enough of them, else the same panel."""
    named = {rung.quote.dealer for rung in ahead}
    left = set(rules.panel) - named
    enough = len(left) >= max(late.dealers_min, rules.responses_min)
    if late.directs and ANONYMOUS not in named and enough:
        return LateAction.ASK_WITHOUT
    return LateAction.ASK_AGAIN


def _came_late(quote: Quote, rules: AwardRules) -> str:
    after = (quote.received_at - rules.respond_by).total_seconds()
    assert isfinite(quote.price), "what is no price is not ahead"
    return f"{quote.dealer}'s {quote.price:g} came {after:.1f} s after the response time"


def _words(
    action: LateAction,
    dealers: tuple[str, ...],
    best: Quote,
    until: datetime | None,
    late: LateRules,
) -> str:
    """The action in words."""
    names = ", ".join(dealers)
    if action is LateAction.WAIT and until is not None:
        return f"waiting until {until:%H:%M:%S} UTC at the latest for it to expire or be withdrawn"
    if action is LateAction.ASK_WITHOUT:
        return f"ended at the venue, to be asked again without {names}"
    if action is LateAction.ASK_AGAIN:
        return (
            f"{names} cannot be left out; ended at the venue, to be asked again at {best.price:g} "
            "or better"
        )
    if late.rule is LateQuotes.REFUSE:
        return "the venue would deal it, and the mandate awards nothing then (late_quotes = refuse)"
    return "the venue would deal it, and it still stood when the decision window ended"
