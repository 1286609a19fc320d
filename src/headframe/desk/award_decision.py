"""Who wins a request that is open at the venue: by the mandate's rule, or when a person says so."""

from datetime import timedelta

from headframe.desk.awarding import Said, View, Watch, counted_until, ladder_json, rules_of
from headframe.desk.fencing import Tell, moved
from headframe.desk.late_quotes import LOOK_SECONDS, bounded, late_json, late_rules
from headframe.desk.office import Trading
from headframe.desk.ports import Json, Opened
from headframe.desk.taking import Case
from headframe.rfq import (
    Award,
    Ladder,
    LateAction,
    LateDecision,
    NoAward,
    RfqStep,
    accepted_late,
    award,
    decide_late,
    rank,
)


async def decide(
    trading: Trading, case: Case, opened: Opened, tell: Tell, watch: "Watch | None"
) -> tuple[Ladder, Award | NoAward | LateDecision | str]:
    """Return the ladder and the award: by the rule after the response time, or when a person says so."""
    office, venue, request = trading.office, trading.venue, case.request
    if watch is None:
        after = timedelta(seconds=case.found.mandate.rfq.decision_seconds)
        if not venue.spoken:
            await office.clock.wait_until(request.respond_by + after)
        return await _by_rule(trading, case, opened, tell)
    rules = bounded(rules_of(request, case.found, matches=venue.matches), case.followed)
    while True:
        quotes, at = await venue.quotes(opened.venue_id), office.now()
        ladder, decision = rank(quotes, rules, at=at), award(quotes, rules, at=at)
        said = watch.look(View(request, ladder, decision, at, opened.expires_at))
        if said is Said.ACCEPT and isinstance(decision, Award):
            return ladder, decision
        if said is Said.LEAVE:
            return ladder, "nobody accepted: the person at the ladder left it"
        if at >= opened.expires_at:
            return ladder, "nobody accepted before the request ended"
        await watch.pause(office.clock)


async def _by_rule(
    trading: Trading, case: Case, opened: Opened, tell: Tell
) -> tuple[Ladder, Award | NoAward | LateDecision | str]:
    """Return the award by the mandate's rule, once late quotes are outlived where it says to wait for that.

    Each wait is in the journal with the ladder it was decided on, before it begins.
    """
    office, venue, request = trading.office, trading.venue, case.request
    rules = bounded(rules_of(request, case.found, matches=venue.matches), case.followed)
    late = late_rules(trading, case, opened)
    waited: LateDecision | None = None
    while True:
        quotes, at = await venue.quotes(opened.venue_id), office.now()
        ladder, decision = rank(quotes, rules, at=at), award(quotes, rules, at=at)
        if isinstance(decision, Award):
            return ladder, decision
        made = decide_late(decision, ladder, rules, late, at=at)
        if made is None and waited is not None:
            names = ", ".join(waited.dealers)
            return ladder, f"{decision}, after a wait for the late quote of {names} to end"
        if made is None:
            return ladder, decision
        if made.action is not LateAction.WAIT or made.until is None:
            return ladder, made
        if waited is None or (made.dealers, made.until) != (waited.dealers, waited.until):
            waited = made
            kept: Json = {"ladder": ladder_json(ladder), "late": late_json(late.rule, made)}
            moved(office, request, RfqStep.QUOTED, **kept)
            tell(made.reason)
        await office.clock.wait_until(min(at + timedelta(seconds=LOOK_SECONDS), made.until))


def accepted_record(case: Case, decision: object) -> Json:
    """Return what the record keeps of a winner that came late and counts by the mandate; else nothing."""
    if not isinstance(decision, Award):
        return {}
    request = case.request
    ends = counted_until(request, case.found)
    made = accepted_late(decision.winner, respond_by=request.respond_by, counted_until=ends)
    rule = case.found.mandate.rfq.late_quotes
    return {} if made is None else {"late": late_json(rule, made)}
