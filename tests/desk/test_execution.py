"""Dealing against venues that misbehave: what the journal says afterwards, event by event."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import approvals, audit, execution, fencing, money, policy, programme, quotes
from headframe.desk.office import Office, Trading
from headframe.desk.ports import (
    Declined,
    Draft,
    Invalid,
    JournalBroken,
    Malformed,
    NotFound,
    OutcomeUnknown,
    Pending,
    Refused,
    Stale,
    Unreachable,
)
from headframe.desk.workspace import advance_clock
from headframe.rfq import RfqState, best_place
from headframe.units import Wrong
from headframe.wiring import open_office, trading
from venues import FakeVenue, deal
from waiting import until_async


def kinds(office: Office) -> Any:
    return [
        (record.kind, record.body.get("step"))
        for record in office.journal.read()
        if record.kind in {"asked", "rfq", "filled"}
    ]


def the_rfq(office: Office) -> Any:
    (record,) = office.state().rfqs.values()
    return record


def test_intent_is_written_before_the_world_is_touched(desk: Office) -> None:
    seen = {}

    class Watching(FakeVenue):
        async def open(self, request: Any) -> Any:
            seen["open"] = kinds(desk)
            return await super().open(request)

        async def accept(self, venue_id: Any, request: Any, taking: Any) -> Any:
            seen["accept"] = kinds(desk)
            return await super().accept(venue_id, request, taking)

    dealt = deal(desk, Watching(desk.clock))
    assert seen["open"] == [("asked", None)]
    assert seen["accept"][-1] == ("rfq", "intend_award")
    assert kinds(desk) == [
        ("asked", None),
        ("rfq", "opened"),
        ("rfq", "quoted"),
        ("rfq", "intend_award"),
        ("filled", "filled"),
    ]
    assert dealt.trade is not None
    assert dealt.trade.dealer == "amber"
    assert the_rfq(desk).state is RfqState.FILLED
    ladder = the_rfq(desk).ladder
    assert [row["dealer"] for row in ladder] == ["amber", "basalt", "cobalt"], (
        "losing quotes are kept"
    )
    assert the_rfq(desk).cover is not None


def test_a_fill_books_legs_designation_cash_and_promises_at_once(desk: Office) -> None:
    before = desk.state().ledger.copy()
    trade = deal(desk, FakeVenue(desk.clock)).trade
    (filled,) = [record for record in desk.journal.read() if record.kind == "filled"]
    accounts = {posting[0] for posting in filled.body["postings"]}
    assert {
        "assets:coins:free",
        "income:hedge:T-1",
        "promises:firm:2026-09",
        "promises:production:2026-09",
    } <= accounts
    assert sum(part.coins for part in trade.designations) == trade.size
    assert trade.designations[0].words.startswith("the first ")
    assert len(trade.legs) == 2
    assert desk.state().ledger.imbalance() == {}
    assert list(before.trial_balance()) != list(desk.state().ledger.trial_balance())


def OPENED_THERE(venue: Any) -> None:  # noqa: N802 - read as a fact in the table below
    venue.state = "open"


def FILLED_THERE(venue: Any) -> None:  # noqa: N802
    venue.fill()


@pytest.mark.parametrize(
    ("fail", "fenced"),
    [
        ({"open": Unreachable("no answer")}, RfqState.NOT_FILLED),
        ({"open": (Unreachable("no answer"), OPENED_THERE)}, RfqState.NOT_FILLED),
        ({"quotes": Unreachable("line cut")}, RfqState.NOT_FILLED),
        ({"quotes": Malformed("what is this")}, RfqState.NOT_FILLED),
        ({"accept": Unreachable("timed out")}, RfqState.NOT_FILLED),
        ({"accept": (Unreachable("timed out"), FILLED_THERE)}, RfqState.FILLED),
        ({"accept": (Malformed("one leg missing"), FILLED_THERE)}, RfqState.FILLED),
    ],
)
def test_an_unknown_outcome_is_fenced_before_anything_else_is_sent(
    desk: Office, fail: Any, fenced: Any
) -> None:
    venue = FakeVenue(desk.clock, fail=dict(fail))
    with pytest.raises(OutcomeUnknown, match="unknown"):
        deal(desk, venue)
    assert the_rfq(desk).state is RfqState.UNKNOWN
    assert money.trades(desk) == ()
    venue.fail.clear()
    venue.log.clear()
    asyncio.run(fencing.reconcile(Trading(desk, venue), lambda _: None))
    assert the_rfq(desk).state is fenced
    assert "accept" not in venue.log
    assert "open" not in venue.log
    if venue.state == "cancelled":
        assert venue.log.index("cancel") < venue.log.index("evidence")
    assert len(money.trades(desk)) == (1 if fenced is RfqState.FILLED else 0)
    assert audit.verify(desk).sound


def test_while_the_venue_cannot_be_reached_nothing_new_is_sent(desk: Office) -> None:
    venue = FakeVenue(
        desk.clock, fail={"accept": Unreachable("x"), "find": Unreachable("still gone")}
    )
    with pytest.raises(OutcomeUnknown):
        deal(desk, venue)
    venue.log.clear()
    for proposal in ("P-1", "P-2"):
        with pytest.raises(OutcomeUnknown, match="nothing new is sent"):
            deal(desk, venue, proposal)
    assert set(venue.log) == {"find"}


def test_a_proposal_is_never_dealt_twice(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    venue = FakeVenue(desk.clock)
    with pytest.raises(Declined, match="dealt already"):
        deal(desk, venue)
    assert venue.log == []


def test_a_fill_reported_twice_is_never_written(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    (filled,) = [record for record in desk.journal.read() if record.kind == "filled"]
    desk.state()
    with pytest.raises(JournalBroken, match="cannot filled"):
        desk.record(Draft("filled", filled.body), at=desk.now())
    assert audit.verify(desk).sound, "what could not be read back was not written"


def test_what_the_venue_refuses_is_an_end_not_an_unknown(desk: Office) -> None:
    with pytest.raises(Declined, match="10021"):
        deal(desk, FakeVenue(desk.clock, fail={"open": Refused("10021 invalid_amount")}))
    assert the_rfq(desk).state is RfqState.NOT_FILLED


def test_no_award_cancels_at_the_venue_and_says_why(desk: Office) -> None:
    venue = FakeVenue(desk.clock, prices=(("amber", 0.0),))
    dealt = deal(desk, venue)
    assert dealt.trade is None
    assert dealt.outcome == "fewer live dealers than the mandate asks"
    assert venue.log[-1] == "cancel"
    assert the_rfq(desk).state is RfqState.NO_AWARD
    absurd = FakeVenue(
        desk.clock, prices=(("amber", 0.5), ("basalt", float("nan")), ("cobalt", 0.02))
    )
    assert deal(desk, absurd).outcome == "no quote could win"


def test_what_changes_while_quotes_are_out_voids_the_award(desk: Office, approved: Path) -> None:
    other = open_office(approved, user="board")

    class Slow(FakeVenue):
        change: Any = None

        async def quotes(self, venue_id: Any) -> Any:
            type(self).change()
            return await super().quotes(venue_id)

    def market_moves() -> None:
        snapshot = other.market()
        quotes.take(other, replace(snapshot, index=snapshot.index * 1.05))

    def mandate_changes() -> None:
        policy_file = approved / "mandate.toml"
        policy_file.write_text(policy_file.read_text() + "\n# another text\n")
        policy.sign(other)

    for change, words in (
        (market_moves, "spot left the range"),
        (mandate_changes, "the mandate changed"),
    ):
        if change is mandate_changes:
            quotes.take(other, replace(other.market(), index=77_054.0))
        Slow.change = staticmethod(change)
        venue = Slow(desk.clock)
        dealt = deal(desk, venue)
        assert dealt.trade is None
        assert words in dealt.outcome
        assert "accept" not in venue.log
        assert venue.log[-1] == "cancel"
    assert audit.verify(desk).sound


def test_nothing_is_asked_without_approval_or_outside_its_envelope(
    mine: Path, desk: Office
) -> None:
    bare = open_office(mine, user="treasurer")
    programme.plan(bare)
    venue = FakeVenue(bare.clock)
    with pytest.raises(Pending, match="waits for an approval"):
        deal(bare, venue)
    with pytest.raises(NotFound, match="open: P-1"):
        deal(bare, venue, "P-99")
    assert venue.log == []
    advance_clock(desk, desk.now() + timedelta(minutes=31))
    with pytest.raises(Stale, match=r"M-7.1"):
        deal(desk, venue)
    assert venue.log == []


def test_approval_needs_another_person_and_fresh_terms(mine: Path) -> None:
    office = open_office(mine, user="trader")
    plan = programme.plan(office)
    name = plan.proposals[0].id
    with pytest.raises(Declined, match=r"M-8.2"):
        approvals.give(office, name)
    office.user = "risk"
    assert approvals.give(office, name).approver == "risk"
    advance_clock(office, plan.proposals[0].envelope.valid_until)
    with pytest.raises(Declined, match=r"M-8.4"):
        approvals.give(office, plan.proposals[1].id)
    office.user = "  "
    with pytest.raises(Invalid):
        approvals.give(office, name)


def test_the_dry_run_sends_nothing_and_writes_nothing(desk: Office) -> None:
    before = desk.state().head
    request = execution.judged(desk, "P-1")[0]
    assert request.panel
    assert desk.state().head == before


def test_over_the_wire_the_street_fills_and_remembers(approved: Path) -> None:
    office = open_office(approved, user="trader")

    async def run() -> Any:
        async with trading(office, approved) as at_work:
            return await execution.deal(at_work, "P-1")

    dealt = asyncio.run(run())
    assert dealt.trade is not None
    assert {rung.quote.dealer for rung in dealt.ladder.rungs} <= {
        "amber",
        "basalt",
        "cobalt",
        "dolomite",
        "emery",
    }
    assert office.now() == dealt.request.respond_by + timedelta(seconds=10)
    assert audit.verify(office).sound


def test_killed_between_dealing_and_booking_the_street_is_believed(approved: Path) -> None:
    """The program dies after the street has filled: the next run finds the fill and books it once."""
    office = open_office(approved, user="trader")

    class Dying(Exception):
        pass

    async def run() -> None:
        async with trading(office, approved) as at_work:
            real = at_work.venue.accept

            async def accept(*arguments: Any) -> None:
                await real(*arguments)
                raise Dying

            venue: Any = at_work.venue
            venue.accept = accept
            await execution.deal(at_work, "P-1")

    with pytest.raises(Dying):
        asyncio.run(run())
    assert money.trades(office) == ()
    again = open_office(approved, user="trader")
    told: list[str] = []

    async def resume() -> None:
        async with trading(again, approved) as at_work:
            await fencing.reconcile(at_work, told.append)

    asyncio.run(resume())
    assert [trade.id for trade in money.trades(again)] == ["T-1"]
    assert "booked as T-1" in told[0]
    assert audit.verify(again).sound
    asyncio.run(resume())
    assert len(money.trades(again)) == 1


class Gathering(FakeVenue):
    """A venue whose quotes come only when so many requests are out at once."""

    wanted: int = 2
    out: int = 0

    async def open(self, request: Any) -> Any:
        type(self).out += 1
        return await super().open(request)

    async def quotes(self, venue_id: Any) -> Any:
        await until_async(lambda: type(self).out >= self.wanted, "the other requests")
        return await super().quotes(venue_id)


def test_what_is_taken_is_named_for_every_style_of_venue(desk: Office) -> None:
    """A venue that matches reads the price; one that crosses an order the dealer; one that is hit the id."""

    class Hit(FakeVenue):
        async def quotes(self, venue_id: Any) -> Any:
            found = await super().quotes(venue_id)
            return tuple(replace(one, id=f"Q-{one.dealer}") for one in found)

    venue = Hit(desk.clock, matches=False)
    dealt = deal(desk, venue)
    assert dealt.trade is not None
    assert (venue.taken.dealer, venue.taken.quote_id) == ("amber", "Q-amber")
    assert venue.taken.price == dealt.trade.net_price


def test_what_is_out_holds_its_capacity_until_it_has_ended(desk: Office) -> None:
    """Two proposals for the same coins, both approved: the second finds the capacity taken."""
    desk.user = "treasurer"
    twin = {one.needs: one.id for one in programme.plan(desk).proposals}
    first = desk.state().proposals["P-1"]
    desk.user = "cfo"
    approvals.give(desk, twin[first.needs])
    desk.user = "trader"

    async def both() -> Any:
        one, two = Gathering(desk.clock), Gathering(desk.clock)
        return await asyncio.gather(
            execution.deal(Trading(desk, one), "P-1"),
            execution.deal(Trading(desk, two, {"x"}), twin[first.needs]),
            return_exceptions=True,
        )

    Gathering.wanted = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fencing, "reconcile", _nothing_to_settle)
        patch.setattr(execution, "reconcile", _nothing_to_settle)
        found = asyncio.run(both())
    refused = [one for one in found if isinstance(one, Declined)]
    assert len(refused) == 1, found
    assert "M-" in str(refused[0])
    assert len(money.trades(desk)) == 1
    assert audit.verify(desk).sound


async def _nothing_to_settle(*_: Any) -> None:
    """Both are being dealt: neither is to be fenced."""


def test_nobody_can_read_of_a_request_that_is_not_known_to_be_in_hand(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the intent finds it among those being dealt: it is not fenced before it is sent."""
    line = Trading(desk, FakeVenue(desk.clock))
    real, seen = type(desk.journal).append, list[bool]()

    def append(self: Any, drafts: Any, **named: Any) -> Any:
        head = real(self, drafts, **named)
        seen.extend(d.body["request"]["id"] in line.dealing() for d in drafts if d.kind == "asked")
        return head

    monkeypatch.setattr(type(desk.journal), "append", append)
    asyncio.run(execution.deal(line, "P-1"))
    assert seen == [True]
    assert line.dealing() == frozenset()


def test_a_lost_request_keeps_its_capacity(desk: Office) -> None:
    desk.user = "treasurer"
    before = programme.situation(desk, "treasurer")[0]
    desk.user = "trader"
    with pytest.raises(OutcomeUnknown):
        deal(desk, FakeVenue(desk.clock, fail={"accept": Unreachable("timed out")}))
    during = programme.situation(desk, "treasurer")[0]
    assert len(during.positions) == len(before.positions) + 1
    ghost = during.positions[-1]
    assert ghost.trade.id.startswith("R-")
    for dealer in during.reserved[ghost.trade.id]:
        assert any(
            one.trade.dealer == dealer and one.trade.id == ghost.trade.id
            for one in during.positions_with(dealer)
        )
    covered = sum(row.covered for row in during.rows) - sum(row.covered for row in before.rows)
    assert covered == pytest.approx(float(ghost.coins))
    venue = FakeVenue(desk.clock)
    venue.state = "none"
    asyncio.run(fencing.reconcile(Trading(desk, venue), lambda _: None))
    after = programme.situation(desk, "treasurer")[0]
    assert len(after.positions) == len(before.positions)


def test_the_record_of_a_request_and_its_later_mids(desk: Office) -> None:
    from headframe.desk import executions
    from headframe.rfq import quality_of, scorecards

    dealt = deal(desk, FakeVenue(desk.clock))
    told = executions.one(desk, dealt.request.id[:8])
    assert told.winner == "amber"
    assert told.approver == "cfo"
    assert told.criterion == "best_all_in"
    assert told.sweep == pytest.approx(dealt.request.reference + 0.001, abs=1e-4)
    assert {one.dealer for one in told.quotes} == {"amber", "basalt", "cobalt"}
    found = quality_of(told)
    assert found.to_mid_usd == pytest.approx(0.0, abs=0.0001 * told.coins * told.usd)
    assert found.saved_on_cover_usd == pytest.approx(0.0001 * told.coins * told.usd, rel=0.6)
    executions.note_after(desk, told.id, 60, told.mid_asked + 0.0002)
    again = executions.one(desk, told.id)
    assert quality_of(again).after_usd[60] == pytest.approx(0.0002 * told.coins * told.usd, rel=0.1)
    assert [card.dealer for card in scorecards(executions.every(desk, None, None))][:1] == ["amber"]
    assert executions.every(desk, desk.now() + timedelta(days=1), None) == ()
    with pytest.raises(NotFound, match="known"):
        executions.one(desk, "zz")
    assert audit.verify(desk).sound


def test_what_came_late_is_cancelled_at_every_place_on_the_line(desk: Office) -> None:
    """A request taken as empty that stands open at the venue, met on the way to its order book."""
    venue = FakeVenue(desk.clock, fail={"open": Unreachable("no answer")})
    with pytest.raises(OutcomeUnknown):
        deal(desk, venue)
    asyncio.run(fencing.reconcile(Trading(desk, venue), lambda _: None))
    venue.fail, venue.state = {}, "open"
    book = FakeVenue(desk.clock, name="paper-book")
    line = Trading(desk, book, others={"paper": venue})
    asyncio.run(fencing.reconcile(line, lambda _: None))
    assert venue.state == "cancelled"


def test_ways_of_dealing_side_by_side(desk: Office) -> None:
    from headframe.desk import routes

    def compare(venue: Any, share: float = 0.05) -> Any:
        book = replace(venue, name="paper-book")
        line = Trading(desk, venue, others={book.name: book})
        found = asyncio.run(routes.compare(line, "P-2", share_of_day=share))
        return {one.name: one for one in found}

    ways = compare(FakeVenue(desk.clock))
    ranked = [(bool(one.closed), one.cost_usd) for one in ways.values()]
    assert ranked == sorted(ranked), "the cheapest first, closed ways last"
    assert best_place(list(ways.values())) == "paper"
    assert "M-1.4" in ways["lit book at once, paper-book"].closed
    request = execution.judged(desk, "P-2")[0]
    fees = 2 * 0.0003 * float(request.size) * desk.market().index
    swept = 0.001 * desk.market().index * float(request.size) + fees
    assert ways["lit book at once, paper-book"].cost_usd == pytest.approx(swept, rel=0.06)
    assert "half spread" in ways["block at paper"].words
    assert "voice" not in ways
    more = compare(FakeVenue(desk.clock), share=0.2)
    assert more["worked over a day"].cost_usd > ways["worked over a day"].cost_usd
    deal(desk, FakeVenue(desk.clock))
    assert "as 1 blocks before it" in compare(FakeVenue(desk.clock))["block at paper"].words

    class Thin(FakeVenue):
        async def sweep(self, request: Any) -> Any:
            return None

    class Dark(FakeVenue):
        async def sweep(self, request: Any) -> Any:
            raise Unreachable("no book")

    assert "does not hold" in compare(Thin(desk.clock))["lit book at once, paper-book"].closed
    assert compare(Dark(desk.clock))["lit book at once, paper-book"].cost_usd is None


def test_the_distance_to_mid_may_be_bounded_in_volatility_too(desk: Office) -> None:
    """A quote at four points of volatility from mid wins under the share of forward, and not under two points."""
    from headframe.risk import gross_vega_usd

    state = desk.state()
    assert state.mandate is not None
    structure = execution.judged(desk, "P-1")[0].structure
    vega = gross_vega_usd(structure, quotes.surface_in(state), desk.now()) / desk.market().index
    gap = round(0.015 * vega, 4)
    prices = (("amber", gap), ("basalt", gap + 0.0001), ("cobalt", gap + 0.0002))
    assert gap + 0.0002 < state.mandate.rfq.distance_max
    rules = replace(state.mandate.rfq, distance_vol_max=0.01)
    state.mandate = replace(state.mandate, rfq=rules)
    dealt = deal(desk, FakeVenue(desk.clock, prices=prices))
    assert dealt.outcome == "no quote could win"
    assert {str(rung.rejection) for rung in dealt.ladder.rungs} == {"too far from mid"}
    state.mandate = replace(state.mandate, rfq=replace(rules, distance_vol_max=0.04))
    again = deal(desk, FakeVenue(desk.clock, prices=prices))
    assert "too far from mid" not in {str(rung.rejection) for rung in again.ladder.rungs}
    with pytest.raises(Wrong, match="distance_vol_max"):
        replace(rules, distance_vol_max=2.0)
