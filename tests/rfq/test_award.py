from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headframe.rfq import Award, AwardRules, Direction, NoAward, Quote, Rejection, award, rank

TEN = datetime(2026, 8, 24, 10, tzinfo=UTC)

# A request to buy at most at 120, model 100, distance 30, two live dealers, response by second 45.
# dealer side price size received good-until (seconds past ten)
CASES = [
    ("best price wins", "amber sell 101 10 5 90 | basalt sell 99 10 6 90", "basalt over 101.0"),
    ("a tie goes to all-or-none", "amber sell 99 10 5 90 | basalt sell! 99 10 9 90", "basalt over 99.0"),
    ("then to the earlier", "amber sell 99 10 9 90 | basalt sell 99 10 5 90", "basalt over 99.0"),
    ("dead at the second it expires", "amber sell 99 10 5 50 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("late cannot win", "amber sell 99 10 46 90 | basalt sell 98 10 45 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("too few live", "amber sell 99 10 5 90 | basalt sell 98 10 5 20", NoAward.TOO_FEW_RESPONSES),
    ("one dealer twice is one", "amber sell 99 10 5 90 | amber sell 98 10 7 90", NoAward.TOO_FEW_RESPONSES),
    ("a dealer's later quote replaces its earlier", "amber sell 90 10 5 90 | amber sell 100 10 7 90 | basalt sell 101 10 5 90", "amber over 101.0"),
    ("too small", "amber sell 90 9 5 90 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("not asked", "quartz sell 90 10 5 90 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("ten times too cheap", "amber sell 10 10 5 90 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("ten times too dear", "amber sell 1000 10 5 90 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("too far from mid", "amber sell 69 10 5 90 | basalt sell 101 10 5 90 | cobalt sell 102 10 5 90", "basalt over 102.0"),
    ("beyond the limit", "amber sell 121 10 5 90 | basalt sell 122 10 5 90", NoAward.ALL_REJECTED),
    ("no number", "amber sell nan 10 5 90 | basalt sell inf 10 5 90 | cobalt sell 102 nan 5 90", NoAward.ALL_REJECTED),
    ("crossed with itself", "amber buy 105 10 5 90 | amber sell 99 10 5 90 | basalt sell 101 10 5 90 | cobalt sell 103 10 5 90", "basalt over 103.0"),
    ("the other side alone", "amber buy 105 10 5 90 | basalt buy 104 10 5 90", NoAward.ALL_REJECTED),
    ("nobody", "", NoAward.NO_QUOTES),
]  # fmt: skip


def quotes(text: str) -> Any:
    found = []
    for row in filter(None, (part.split() for part in text.split("|"))):
        dealer, side, price, size, received, until = row
        found.append(
            Quote(
                dealer=dealer,
                direction=Direction(side.rstrip("!")),
                price=float(price),
                size=float(size),
                received_at=TEN + timedelta(seconds=int(received)),
                good_until=TEN + timedelta(seconds=int(until)),
                all_or_none=side.endswith("!"),
            )
        )
    return tuple(found)


def rules(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "direction": Direction.BUY,
        "panel": ("amber", "basalt", "cobalt"),
        "responses_min": 2,
        "respond_by": TEN + timedelta(seconds=45),
        "size": 10.0,
        "reference": 100.0,
        "gross": 100.0,
        "distance_max": 30.0,
        "limit": 120.0,
        "charges": {},
        "venue_matches": False,
    }
    return AwardRules(**(given | changes))


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_the_award_table(name: str, text: str, expected: Any) -> None:
    decision = award(quotes(text), rules(), at=TEN + timedelta(seconds=50))
    if isinstance(decision, Award):
        found = f"{decision.winner.dealer} over {decision.cover.price if decision.cover else None}"
        assert found == expected, name
    else:
        assert decision == expected, name


def test_selling_takes_the_highest_bid() -> None:
    text = "amber buy 101 10 5 90 | basalt buy 99 10 6 90"
    decision = award(
        quotes(text), rules(direction=Direction.SELL, limit=90.0), at=TEN + timedelta(seconds=50)
    )
    assert isinstance(decision, Award)
    assert decision.winner.dealer == "amber"
    low = award(
        quotes(text), rules(direction=Direction.SELL, limit=102.0), at=TEN + timedelta(seconds=50)
    )
    assert low is NoAward.ALL_REJECTED


def test_all_in_counts_what_a_dealer_costs_besides_its_price() -> None:
    text = "amber sell 99 10 5 90 | basalt sell 100 10 6 90"
    decision = award(quotes(text), rules(charges={"amber": 5.0}), at=TEN + timedelta(seconds=50))
    assert isinstance(decision, Award)
    assert decision.winner.dealer == "basalt"


def test_where_the_venue_matches_a_better_price_that_may_not_win_stops_the_award() -> None:
    late = "amber sell 95 10 46 90 | basalt sell 99 10 5 90 | cobalt sell 101 10 5 90"
    at = TEN + timedelta(seconds=50)
    assert award(quotes(late), rules(venue_matches=True), at=at) is NoAward.BLOCKED
    worse = late.replace("sell 95", "sell 105")
    decision = award(quotes(worse), rules(venue_matches=True), at=at)
    assert isinstance(decision, Award)
    assert decision.winner.dealer == "basalt"
    gone = late.replace("46 90", "46 48")
    assert isinstance(award(quotes(gone), rules(venue_matches=True), at=at), Award)
    dear = "amber sell 99 10 5 90 | basalt sell 100 10 6 90"
    best = award(quotes(dear), rules(venue_matches=True, charges={"amber": 5.0}), at=at)
    assert isinstance(best, Award)
    assert best.winner.dealer == "amber", "the venue fills the best price whatever we prefer"


def test_the_ladder_keeps_every_quote_and_names_why_it_cannot_win() -> None:
    text = "amber sell 99 10 5 90 | basalt sell nan 10 5 90 | cobalt sell 101 10 5 20"
    ladder = rank(quotes(text), rules(), at=TEN + timedelta(seconds=50))
    assert [rung.rejection for rung in ladder.rungs] == [
        None,
        Rejection.MALFORMED,
        Rejection.EXPIRED,
    ]


def test_a_dealer_without_a_name_wins_only_where_answers_may_be_anonymous() -> None:
    """Several dealers hide behind one name: none replaces or crosses another, each quote is an answer."""
    text = (
        "ANONYMOUS sell 101 10 5 90 | ANONYMOUS sell 99 10 7 90 | ANONYMOUS sell 100 10 6 90 | "
        "ANONYMOUS buy 99.5 10 8 90"
    )
    at = TEN + timedelta(seconds=50)
    assert award(quotes(text), rules(), at=at) is NoAward.ALL_REJECTED
    decision = award(quotes(text), rules(anonymous=True, responses_min=3), at=at)
    assert isinstance(decision, Award)
    assert decision.winner.price == 99.0
    assert decision.cover is not None
    assert decision.cover.price == 100.0
    few = rules(anonymous=True, responses_min=4)
    assert award(quotes(text), few, at=at) is NoAward.TOO_FEW_RESPONSES
