"""Clips, prices that rest, last looks: what the mandate lets a desk do beyond fill or kill."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest

from headframe.desk import audit, controls, execution, executions
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Declined, Unreachable
from headframe.hedge import open_proposals
from headframe.rfq import RfqState
from venues import FakeVenue, deal


def ruled(office: Office, **rules: Any) -> None:
    """The desk under a mandate with other rules of asking."""
    state = office.state()
    assert state.mandate is not None
    state.mandate = replace(state.mandate, rfq=replace(state.mandate.rfq, **rules))


@dataclass
class Street(FakeVenue):
    """A venue that fills every request at the price it was taken at, each with a trade of its own."""

    number: int = 0

    async def open(self, request: Any) -> Any:
        self.state, self.filled = "none", None
        return await super().open(request)

    def fill(self, price: Any = None) -> Any:
        self.number += 1
        self.filled = replace(super().fill(price), venue_trade_id=f"BLOCK-{self.number}")
        return self.filled


# ---- clips ----------------------------------------------------------------------
def deal_all(office: Office, venue: Any, proposal: str) -> Any:
    return asyncio.run(execution.deal_all(Trading(office, venue), proposal))


def test_a_large_size_is_dealt_in_even_clips_with_a_pause_and_adds_up(desk: Office) -> None:
    size = desk.state().proposals["P-1"].size
    ruled(desk, clip_coins_max=float(size) / 2.5, clip_minutes=10, block_min_coins=1.0)
    dealt, stopped = deal_all(desk, Street(desk.clock), "P-1")
    assert stopped is None
    sizes = [one.request.size for one in dealt]
    assert len(sizes) == 3
    assert sum(sizes) == size
    assert max(sizes) - min(sizes) <= Decimal("0.2"), "even parts, no tail"
    times = [one.trades[0].at for one in dealt]
    assert all(after - before >= timedelta(minutes=10) for before, after in pairwise(times))
    state = desk.state()
    assert state.traded("P-1")
    assert sum((one.size for one in state.trades.values()), Decimal(0)) == size
    planned = dict(state.proposals["P-1"].needs)
    for month, need in planned.items():
        coins = sum(
            part.coins
            for one in state.trades.values()
            for part in one.designations
            if part.month == month
        )
        assert float(coins) == pytest.approx(need, abs=0.1)
    assert audit.verify(desk).sound
    with pytest.raises(Declined, match="dealt already"):
        deal(desk, Street(desk.clock))


def test_a_clip_waits_for_the_one_before_and_what_was_dealt_stays(desk: Office) -> None:
    size = desk.state().proposals["P-1"].size
    ruled(desk, clip_coins_max=float(size) / 1.5, clip_minutes=10, block_min_coins=1.0)
    venue = Street(desk.clock)
    first = deal(desk, venue)
    assert first.request.size < size
    assert not desk.state().traded("P-1")
    with pytest.raises(Declined, match=r"M-6\.5 clip_too_soon"):
        deal(desk, venue)
    asyncio.run(desk.clock.wait_until(desk.now() + timedelta(minutes=10)))
    state = desk.state()
    open_now = {
        one.id: one for one in open_proposals(state.proposals.values(), state.trades.values())
    }
    assert open_now["P-1"].size == size - first.request.size, "what is left of it is still to come"
    second = deal(desk, venue)
    assert first.request.size + second.request.size == size
    state = desk.state()
    assert "P-1" not in {
        one.id for one in open_proposals(state.proposals.values(), state.trades.values())
    }


def test_clips_end_when_nobody_wins_or_the_mandate_says_so(desk: Office) -> None:
    size = desk.state().proposals["P-1"].size
    ruled(desk, clip_coins_max=float(size) / 2.5, clip_minutes=20, block_min_coins=1.0)
    dealt, stopped = deal_all(desk, Street(desk.clock), "P-1")
    assert len(dealt) == 2, "the market is older than half an hour before the third"
    assert "M-7.1" in str(stopped)
    assert desk.state().dealt("P-1") == sum(one.request.size for one in dealt)


def test_one_proposal_is_asked_once_at_a_time(desk: Office) -> None:
    """Whatever strikes the market would give it now: a request that is out stands in its way."""
    venue = FakeVenue(
        desk.clock, fail={"open": Unreachable("no answer"), "find": Unreachable("none")}
    )
    with pytest.raises(Exception, match="unknown"):
        deal(desk, venue)
    busy = Trading(
        desk, FakeVenue(desk.clock), {record.request.id for record in desk.state().live_rfqs()}
    )
    with pytest.raises(Declined, match=r"being asked already.*M-6\.3"):
        asyncio.run(execution.deal(busy, "P-1"))


# ---- last look --------------------------------------------------------------------
@dataclass
class Looking(Street):
    """Dealers take a last look: ``says`` is what comes of it after so many looks."""

    says: str = "yes"
    after: int = 3

    async def accept(self, venue_id: Any, request: Any, taking: Any) -> Any:
        self._do("accept")
        self.taken = taking
        return None

    async def held(self, venue_id: Any, request: Any) -> Any:
        self._do("held")
        if self.log.count("held") < self.after:
            return None
        return (self.fill(self.taken.price),) if self.says == "yes" else ()


def test_a_last_look_that_ends_well_is_a_trade_and_is_on_record(desk: Office) -> None:
    dealt = deal(desk, Looking(desk.clock))
    assert dealt.outcome == "filled"
    states = [
        record.body["step"] for record in desk.journal.read() if record.kind in {"rfq", "filled"}
    ]
    assert states == ["opened", "quoted", "intend_award", "accepted", "filled"]


@pytest.mark.parametrize(
    ("says", "after", "words"),
    [("no", 2, "said no at its last look"), ("yes", 99, "longer than 5 s")],
)
def test_a_last_look_that_says_no_or_lasts_is_ended_and_read(
    desk: Office, says: str, after: int, words: str
) -> None:
    venue = Looking(desk.clock, says=says, after=after)
    before = desk.now()
    dealt = deal(desk, venue)
    assert words in dealt.outcome
    assert venue.log[-2:] == ["cancel", "evidence"]
    rules = desk.mandate().rfq
    waited = timedelta(seconds=rules.response_seconds + rules.decision_seconds + 5.5)
    assert desk.now() - before <= waited
    assert desk.state().rfqs[dealt.request.id].state is RfqState.NOT_FILLED


def test_a_fill_in_the_last_instant_of_a_last_look_is_found(desk: Office) -> None:
    """The dealer said yes while we gave up: the fence reads it, and it is booked once."""

    def yes(venue: Any) -> None:
        venue.fill(venue.taken.price)

    venue = Looking(desk.clock, after=99, fail={"cancel": (None, yes)})
    dealt = deal(desk, venue)
    assert dealt.outcome == "filled"
    assert len(desk.state().trades) == 1


def test_a_dealer_that_does_not_honour_its_awards_is_not_asked(desk: Office) -> None:
    ruled(desk, repeat_minutes=0, dealers_min=2, responses_min=1)
    for _ in range(3):
        deal(desk, Looking(desk.clock, says="no", after=1))
    assert desk.state().rejections() == {"amber": 1.0}
    request, rated = execution.judged(desk, "P-1")
    assert "amber" not in request.panel
    assert any("M-6.6 last_look_rejections" in words for words in rated.left_out)
    ruled(desk, last_look_rejections_max=1.0)
    assert "amber" in execution.judged(desk, "P-1")[0].panel


# ---- resting ------------------------------------------------------------------------
@dataclass
class Far(Street):
    """Nobody's price can win; a resting price is met after so many looks."""

    meets: int = 0
    looked: int = 0
    prices: tuple[tuple[str, float], ...] = (("amber", 0.02), ("basalt", 0.021), ("cobalt", 0.022))

    async def evidence(self, venue_id: Any, request: Any) -> Any:
        self.looked += 1
        if self.meets and self.looked == self.meets and self.state == "open":
            self.fill(self.taken)
        return await super().evidence(venue_id, request)


def test_a_price_rests_only_where_the_mandate_says_so(desk: Office) -> None:
    venue = Far(desk.clock, meets=5)
    dealt = deal(desk, venue)
    assert dealt.outcome == "no quote could win"
    assert "rest" not in venue.log
    ruled(desk, resting=True)
    venue = Far(desk.clock, meets=5)
    dealt = deal(desk, venue)
    assert dealt.outcome == "filled"
    request = dealt.request
    assert dealt.trades[0].net_price == venue.taken
    assert venue.taken <= request.limit
    rules = desk.mandate().rfq
    assert float(venue.taken) <= request.reference + rules.distance_max
    assert audit.verify(desk).sound
    assert executions.one(desk, request.id).marks.keys() == {"asked", "first", "awarded"}


def test_a_price_nobody_meets_is_taken_back_before_the_request_ends(desk: Office) -> None:
    ruled(desk, resting=True)
    venue = Far(desk.clock)
    dealt = deal(desk, venue)
    assert "nobody met" in dealt.outcome
    assert venue.log[-3:] == ["take back", "cancel", "evidence"]
    assert desk.now() <= dealt.request.opened_at + timedelta(minutes=5)
    assert not desk.state().live_rfqs()


def test_a_halt_takes_a_resting_price_back(desk: Office) -> None:
    ruled(desk, resting=True)

    @dataclass
    class Halted(Far):
        async def evidence(self, venue_id: Any, request: Any) -> Any:
            if self.looked == 3:
                controls.halt(desk.acting("cfo", None), "the board says so")
            return await super().evidence(venue_id, request)

    venue = Halted(desk.clock)
    dealt = deal(desk, venue)
    assert "taken back while it rested: trading was halted" in dealt.outcome
    assert "take back" in venue.log


def test_a_price_is_taken_back_when_its_approval_ends(desk: Office) -> None:
    ruled(desk, resting=True)
    ends = desk.state().proposals["P-1"].envelope.valid_until
    asyncio.run(desk.clock.wait_until(ends - timedelta(minutes=2)))
    state = desk.state()
    assert state.mandate is not None
    asking = replace(state.mandate.asking, market_age_minutes_max=10_000)
    state.mandate = replace(state.mandate, asking=asking)
    from headframe.desk import programme, quotes

    with pytest.MonkeyPatch.context() as patched:
        seen = quotes.show(desk)
        patched.setattr(programme, "fresh", mock.Mock(return_value=seen))
        venue = Far(desk.clock)
        dealt = deal(desk, venue)
    assert (
        "taken back while it rested: the award would leave its approved envelope" in dealt.outcome
    )
    assert venue.log[-3:] == ["take back", "cancel", "evidence"]
    assert desk.now() <= ends + timedelta(seconds=2)


def test_no_price_rests_where_a_quote_that_may_not_win_would_be_met_or_too_few_answered(
    desk: Office,
) -> None:
    ruled(desk, resting=True)
    alone = Far(desk.clock, prices=(("amber", 0.02),))
    assert deal(desk, alone).outcome == "no quote could win"
    assert "rest" not in alone.log

    @dataclass
    class Mistaken(Far):
        async def quotes(self, venue_id: Any) -> Any:
            found = await super().quotes(venue_id)
            return (*found, replace(found[0], dealer="stranger", price=found[0].price - 0.5))

    venue = Mistaken(desk.clock)
    deal(desk, venue)
    assert "rest" not in venue.log


def test_what_is_lost_while_a_price_rests_is_settled_from_the_venue(desk: Office) -> None:
    ruled(desk, resting=True)
    venue = Far(desk.clock, meets=2, fail={"rest": Unreachable("no answer in time")})
    with pytest.raises(Exception, match="unknown"):
        deal(desk, venue)
    record = desk.state().live_rfqs()[0]
    assert record.state is RfqState.UNKNOWN
    venue.fail = {}
    venue.fill(Decimal("0.01"))
    asyncio.run(_settled(desk, venue))
    assert [one.rfq for one in desk.state().trades.values()] == [record.request.id]


async def _settled(office: Office, venue: Any) -> None:
    from headframe.desk import fencing

    await fencing.reconcile(Trading(office, venue), lambda _: None)
