"""Carrying out what is decided about late quotes: wait, or end the request and ask again.

A second request is sent only after the first is proven ended by the venue's own record; both carry one
approval, so that one of them at most can be dealt.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from headframe.desk.fencing import lost, moved, prove_ended
from headframe.desk.office import Trading
from headframe.desk.ports import Json, Malformed, Opened, Refused, Unreachable
from headframe.desk.taking import Case, Dealt, Followed, OnTheWay
from headframe.mandate import LateQuotes
from headframe.rfq import AwardRules, LateAction, LateDecision, LateRules, Request, RfqStep
from headframe.units import iso

LOOK_SECONDS = 1.0
"""How often the quotes are looked at while a late one is waited out."""
END_MARGIN_SECONDS = 5
"""An award is made so long before the request ends at the venue by itself."""


def late_rules(trading: Trading, case: Case, opened: Opened) -> LateRules:
    """Return the mandate's rule of late quotes with the figures of this decision."""
    rules, venue, before = case.found.mandate.rfq, trading.venue, case.followed
    begun = case.request.opened_at if before is None else before.begun
    sent = 1 if before is None else before.number + 1
    return LateRules(
        rule=rules.late_quotes,
        window_ends=begun + timedelta(seconds=rules.window_seconds),
        request_ends=opened.expires_at - timedelta(seconds=END_MARGIN_SECONDS),
        request_seconds=rules.request_seconds,
        requests_left=rules.requests_max - sent,
        dealers_min=rules.dealers_min,
        directs=venue.directs and case.request.disclosed,
    )


def late_json(rule: LateQuotes, made: LateDecision) -> Json:
    """Return a decision about late quotes as the journal keeps it; prices as text."""
    return {
        "rule": str(rule),
        "action": str(made.action),
        "dealers": list(made.dealers),
        "late_price": repr(made.late.price),
        "received_at": iso(made.late.received_at),
        "best_dealer": None if made.best is None else made.best.dealer,
        "best_price": None if made.best is None else repr(made.best.price),
        "until": None if made.until is None else iso(made.until),
        "reason": made.reason,
    }


async def end_to_ask_again(trading: Trading, on: OnTheWay, made: LateDecision) -> Dealt:
    """End the request, prove that it ended without a trade, and return what the next one is to be."""
    office, case = trading.office, on.case
    request = case.request
    try:
        await prove_ended(trading, on.opened.venue_id, request)
    except (Unreachable, Malformed, Refused) as error:
        raise lost(office, request, error) from error
    body = late_json(case.found.mandate.rfq.late_quotes, made)
    moved(office, request, RfqStep.DECLINE, outcome=made.reason, late=body)
    return replace(on.dealt(made.reason), again=_followed(case, made))


def _followed(case: Case, made: LateDecision) -> Followed:
    """What the next request stands on: those left out so far, and the price it may not be worse than."""
    before, request = case.followed, case.request
    without = () if before is None else before.without
    bound = None if before is None else before.bound
    if made.action is LateAction.ASK_WITHOUT:
        without = (*without, *made.dealers)
    elif made.best is not None:
        bound = _narrower(bound, Decimal(repr(made.best.price)), request)
    return Followed(
        rfq=request.id,
        begun=request.opened_at if before is None else before.begun,
        number=1 if before is None else before.number + 1,
        without=without,
        bound=bound,
    )


def _narrower(bound: Decimal | None, price: Decimal, request: Request) -> Decimal:
    """Return the better of the bound so far and a price."""
    if bound is None:
        return price
    return min(bound, price) if request.buys else max(bound, price)


def next_panel(panel: tuple[str, ...], before: Followed | None) -> tuple[str, ...]:
    """Return the dealers of a request: without those that an earlier one of its decision left out."""
    gone = () if before is None else before.without
    return tuple(name for name in panel if name not in gone)


def bounded(rules: AwardRules, before: Followed | None) -> AwardRules:
    """Return the rules of award, bounded by the best price that an earlier request of the decision had."""
    if before is None or before.bound is None:
        return rules
    return replace(rules, bound=float(before.bound))
