"""M-5.4 holds for what is approved and for what is awarded, fees in, whatever an envelope says."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import faults
from headframe.codec import canonical, sha256, to_json
from headframe.desk import approvals, execution, programme
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Declined, Opened
from headframe.desk.taking import Case
from headframe.hedge import Proposal, worst_by_mandate, worst_debit_share
from headframe.instrument import StructureKind
from headframe.rfq import Rejection
from headframe.wiring import open_office
from venues import FakeVenue, deal

TICK = Decimal("0.0001")


def collars(office: Office) -> list[Proposal]:
    found = [
        one
        for one in office.state().proposals.values()
        if one.kind is StructureKind.COSTLESS_COLLAR and one.price_currency == "BTC"
    ]
    assert found
    return found


def usd(proposal: Proposal, price: Decimal, office: Office) -> float:
    return float(price) * office.market().index


def widened(proposal: Proposal, ticks: int) -> Proposal:
    """The same under an envelope that lets it cost so many ticks more, hashed anew."""
    envelope = replace(proposal.envelope, price_worst=proposal.envelope.price_worst + ticks * TICK)
    return replace(
        proposal, envelope=envelope, envelope_sha256=sha256(canonical(to_json(envelope)))
    )


def test_the_worst_price_of_an_envelope_meets_the_debit_with_fees_and_one_tick_more_does_not(
    planned_mine: Path,
) -> None:
    office = open_office(planned_mine, user="x")
    most = office.mandate().cash.debit_share_max
    for one in collars(office):
        found, rated = execution._again(office, one)
        fee = rated.candidate.fee_usd
        assert fee > 0.0
        bound = worst_by_mandate(found, rated.candidate)
        assert one.envelope.price_worst <= bound
        share = (usd(one, bound, office) + fee) / one.forward_usd
        more = (usd(one, bound + TICK, office) + fee) / one.forward_usd
        assert share <= most < more
        assert worst_debit_share(one) <= most + 1e-9


def test_a_collar_that_meets_the_debit_before_fees_alone_is_not_approved(mine: Path) -> None:
    """Its worst price is within the mandate's debit; with the venue's fees on top it is not."""
    office = open_office(mine, user="treasurer")
    programme.plan(office)
    state, most = office.state(), office.mandate().cash.debit_share_max
    one = collars(office)[0]
    ticks = 0
    while worst_debit_share(widened(one, ticks)) <= most:
        ticks += 1
    edge = widened(one, ticks)
    before_fees = usd(edge, edge.envelope.price_worst, office) / one.forward_usd
    assert before_fees <= most < worst_debit_share(edge), "the fees make the difference"
    office.user = "cfo"
    state.proposals[one.id] = edge
    with pytest.raises(Declined, match=r"M-5.4 residual_debit"):
        approvals.give(office, one.id)
    assert one.id not in office.state().approvals
    state.proposals[one.id] = widened(one, ticks - 1)
    assert approvals.give(office, one.id).approver == "cfo"


@pytest.fixture
def old(approved: Path) -> tuple[Office, Proposal]:
    """A desk whose approval is older than the rule: its envelope allows five ticks beyond M-5.4."""
    office = open_office(approved, user="trader")
    state = office.state()
    one = collars(office)[0]
    wide = widened(one, 5)
    state.proposals[one.id] = wide
    given = replace(state.approvals[one.id], envelope_sha256=wide.envelope_sha256)
    state.approvals[one.id] = given
    return office, wide


def test_an_old_envelope_awards_nothing_beyond_the_debit(old: tuple[Office, Proposal]) -> None:
    office, wide = old
    found, rated = execution._again(office, wide)
    bound = worst_by_mandate(found, rated.candidate)
    assert bound < wide.envelope.price_worst
    gap = round(float(bound) - rated.candidate.mid, 10)
    late = tuple((name, gap + 0.0001 * n) for n, name in enumerate(("amber", "basalt"), start=1))
    venue = FakeVenue(office.clock, prices=late)
    dealt = deal(office, venue, wide.id)
    assert dealt.trades == ()
    assert dealt.request.limit == bound
    assert {rung.rejection for rung in dealt.ladder.rungs} == {Rejection.BEYOND_LIMIT}
    assert "accept" not in venue.log


def test_at_the_edge_of_the_debit_it_is_awarded(old: tuple[Office, Proposal]) -> None:
    office, wide = old
    found, rated = execution._again(office, wide)
    gap = round(float(worst_by_mandate(found, rated.candidate)) - rated.candidate.mid, 10)
    venue = FakeVenue(office.clock, prices=(("amber", gap), ("basalt", gap)))
    assert execution._request(
        office, wide, office.state().approvals[wide.id], found, rated
    ).limit == worst_by_mandate(found, rated.candidate)
    dealt = asyncio.run(_dealt(office, venue, wide.id))
    assert dealt.ladder.rungs[0].rejection is None, dealt.outcome


async def _dealt(office: Office, venue: Any, name: str) -> Any:
    return await execution.deal(Trading(office, venue), name)


def test_the_limit_of_a_request_is_held_at_the_moment_of_the_award_too(desk: Office) -> None:
    """Whatever a venue's matching or a person's word brings: no intent to award beyond the limit."""
    template = faults.template(desk)
    found, rated = template.priced["P-1"]
    state = desk.state()
    request = execution._request(desk, state.proposals["P-1"], state.approvals["P-1"], found, rated)
    case = Case(request, state.proposals["P-1"], found, state.bearing)
    opened = Opened("1", desk.now(), None)
    assert execution._void(desk, case, float(request.limit), opened) == ""
    narrow = replace(case, request=replace(request, limit=request.limit - TICK))
    words = execution._void(desk, narrow, float(request.limit), opened)
    assert "price worse than approved" in words
