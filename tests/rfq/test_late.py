"""What is decided about late quotes: a table of instants, rules and what the venue can do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headframe.mandate import LateQuotes
from headframe.rfq import LateAction, LateRules, NoAward, accepted_late, award, decide_late, rank
from rfq.test_award import TEN, quotes, rules

PANEL = ("amber", "basalt", "cobalt", "dolomite", "emery")
ON_TIME = "basalt sell 99 10 5 200 | cobalt sell 101 10 5 200"


def at(seconds: float) -> Any:
    return TEN + timedelta(seconds=seconds)


def late_rules(**changes: Any) -> LateRules:
    given: dict[str, Any] = {
        "rule": LateQuotes.EXCLUDE,
        "window_ends": at(240),
        "request_ends": at(295),
        "request_seconds": 55,
        "requests_left": 1,
        "dealers_min": 3,
        "directs": True,
    }
    return LateRules(**(given | changes))


# the late quotes beside two that may win until 200 s, the rule, what else differs, when -> action, until
CASES = [
    ("refuse is what it was", "amber sell 95 10 46 190", {"rule": LateQuotes.REFUSE}, 55, LateAction.REFUSE, None),
    ("it ends before another request would be decided", "amber sell 95 10 46 100", {}, 55, LateAction.WAIT, 100),
    ("another request is sooner", "amber sell 95 10 46 190", {}, 55, LateAction.ASK_WITHOUT, None),
    ("the last eligible quote would not live so long", "amber sell 95 10 46 205", {}, 55, LateAction.ASK_WITHOUT, None),
    ("no end of it is known", "amber sell 95 10 46 none", {}, 55, LateAction.ASK_WITHOUT, None),
    ("two are late", "amber sell 95 10 46 190 | emery sell 96 10 47 190", {}, 55, LateAction.ASK_WITHOUT, None),
    ("three are late, two are left, three must be asked", "amber sell 95 10 46 190 | emery sell 96 10 47 190 | dolomite sell 97 10 47 190", {}, 55, LateAction.ASK_AGAIN, None),
    ("the venue asks whom it likes", "amber sell 95 10 46 190", {"directs": False}, 55, LateAction.ASK_AGAIN, None),
    ("no request is left: outlived all the same", "amber sell 95 10 46 190", {"requests_left": 0}, 55, LateAction.WAIT, 190),
    ("no request fits the window", "amber sell 95 10 46 190", {"window_ends": at(100)}, 55, LateAction.WAIT, 100),
    ("one just fits the window", "amber sell 95 10 46 190", {"window_ends": at(110)}, 55, LateAction.ASK_WITHOUT, None),
    ("the window is over", "amber sell 95 10 46 190", {"requests_left": 0, "window_ends": at(100)}, 100, LateAction.REFUSE, None),
    ("the request ends at the venue before", "amber sell 95 10 46 190", {"rule": LateQuotes.WAIT, "request_ends": at(120)}, 55, LateAction.WAIT, 120),
    ("waiting never asks again", "amber sell 95 10 46 none", {"rule": LateQuotes.WAIT}, 55, LateAction.WAIT, 240),
    ("waiting ends with the window", "amber sell 95 10 46 none", {"rule": LateQuotes.WAIT, "window_ends": at(150)}, 150, LateAction.REFUSE, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "changes", "now", "action", "until"), CASES)
def test_what_is_done_about_late_quotes(
    name: str, text: str, changes: Any, now: int, action: Any, until: Any
) -> None:
    asked = rules(venue_matches=True, panel=PANEL)
    given = quotes(f"{text.replace('none', '999')} | {ON_TIME}")
    given = tuple(
        replace(one, good_until=None) if one.good_until == at(999) else one for one in given
    )
    assert award(given, asked, at=at(now)) is NoAward.BLOCKED, name
    made = decide_late(
        NoAward.BLOCKED, rank(given, asked, at=at(now)), asked, late_rules(**changes), at=at(now)
    )
    assert made is not None, name
    assert (made.action, made.until) == (action, None if until is None else at(until)), name
    assert made.dealers[0] == "amber"
    assert made.late.price == 95.0
    assert made.best is not None
    assert (made.best.dealer, made.best.price) == ("basalt", 99.0)
    assert made.reason.startswith("amber's 95 came 1.0 s after the response time, better than")


def test_what_is_waited_for_is_an_award_when_the_wait_ends() -> None:
    """The promise of a wait with a known end: at that instant the rule awards, if nothing else changes."""
    asked = rules(venue_matches=True, panel=PANEL)
    for end in range(60, 260, 5):
        given = quotes(f"amber sell 95 10 46 {end} | {ON_TIME}")
        made = decide_late(
            NoAward.BLOCKED,
            rank(given, asked, at=at(55)),
            asked,
            late_rules(requests_left=0),
            at=at(55),
        )
        assert made is not None
        assert made.until is not None
        if end < 200:
            assert made.until == at(end)
            assert not isinstance(award(given, asked, at=made.until), NoAward)


def test_what_is_blocked_by_more_than_lateness_is_for_a_person() -> None:
    """A price ten times off that came on time stands in front too: nothing is waited for or left out."""
    asked = rules(venue_matches=True, panel=PANEL)
    text = f"amber sell 95 10 46 190 | emery sell 5 10 7 190 | {ON_TIME}"
    ladder = rank(quotes(text), asked, at=at(55))
    assert award(quotes(text), asked, at=at(55)) is NoAward.BLOCKED
    assert decide_late(NoAward.BLOCKED, ladder, asked, late_rules(), at=at(55)) is None


def test_a_late_quote_behind_the_best_is_in_nobodys_way() -> None:
    asked = rules(venue_matches=True, panel=PANEL)
    given = quotes(f"amber sell 99.5 10 46 190 | {ON_TIME}")
    assert not isinstance(award(given, asked, at=at(55)), NoAward)


def test_an_anonymous_dealer_cannot_be_left_out() -> None:
    asked = rules(venue_matches=True, panel=PANEL, anonymous=True)
    text = "ANONYMOUS sell 95 10 46 190 | ANONYMOUS sell 99 10 5 200 | ANONYMOUS sell 101 10 5 200"
    ladder = rank(quotes(text), asked, at=at(55))
    made = decide_late(NoAward.BLOCKED, ladder, asked, late_rules(), at=at(55))
    assert made is not None
    assert made.action is LateAction.ASK_AGAIN
    assert "at 99 or better" in made.reason


def test_a_winner_that_came_late_and_counts_is_said_to_be_one() -> None:
    first, second = quotes("amber sell 95 10 46 190 | basalt sell 99 10 45 190")
    said = accepted_late(first, respond_by=at(45), counted_until=at(240))
    assert said is not None
    assert said.action is LateAction.ACCEPT
    assert "1.0 s after the response time" in said.reason
    assert accepted_late(second, respond_by=at(45), counted_until=at(240)) is None


def test_a_bound_holds_for_the_winner_and_not_for_the_count_of_responses() -> None:
    """Bounded by 99: two responses, the best at 99, is an award; the best at 100 is none."""
    asked = rules(venue_matches=True, panel=PANEL, bound=99.0)
    assert not isinstance(award(quotes(ON_TIME), asked, at=at(55)), NoAward)
    worse = replace(asked, bound=98.9)
    assert award(quotes(ON_TIME), worse, at=at(55)) is NoAward.WORSE_THAN_BEFORE


MISSING = [
    ("one of two is late", "amber sell 95 10 5 200 | basalt sell 99 10 46 200", {}, LateAction.ASK_AGAIN),
    ("the only one is late", "amber sell 95 10 46 200 | basalt sell 99 10 46 200", {}, LateAction.ASK_AGAIN),
    ("two are needed, one is there, late", "amber sell 95 10 46 200", {}, None),
    ("no request is left", "amber sell 95 10 5 200 | basalt sell 99 10 46 200", {"requests_left": 0}, None),
    ("no request fits", "amber sell 95 10 5 200 | basalt sell 99 10 46 200", {"window_ends": at(109)}, None),
    ("it is not to be asked again", "amber sell 95 10 5 200 | basalt sell 99 10 46 200", {"rule": LateQuotes.WAIT}, None),
    ("nobody is late", "amber sell 95 10 5 200 | basalt sell 125 10 6 200", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "changes", "action"), MISSING)
def test_where_late_quotes_leave_too_few_the_same_dealers_are_asked_again(
    name: str, text: str, changes: Any, action: Any
) -> None:
    asked = rules(venue_matches=True, panel=PANEL)
    decision = award(quotes(text), asked, at=at(55))
    assert isinstance(decision, NoAward), name
    assert decision in {NoAward.TOO_FEW_RESPONSES, NoAward.ALL_REJECTED}, name
    ladder = rank(quotes(text), asked, at=at(55))
    made = decide_late(decision, ladder, asked, late_rules(**changes), at=at(55))
    assert (None if made is None else made.action) is action, name
    if made is not None:
        assert made.best is None
        assert "too few quotes count" in made.reason
