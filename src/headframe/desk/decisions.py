"""Whether a proposal can still be approved or dealt, and what to do where it cannot."""

from collections.abc import Iterator

from headframe.desk.state import State
from headframe.hedge import Proposal


def void_reason(state: State, proposal: Proposal) -> str | None:
    """Return why a proposal can no longer be approved or dealt and what to do; None while it can."""
    gone = proposal.closes or proposal.replaces
    if gone and not any(coins > 0 for coins in state.remaining.get(gone, {}).values()):
        return f"nothing is left of {gone}: there is nothing to do"
    words = next((words for is_void, words in _reasons(state, proposal) if is_void), None)
    return None if words is None else f"{words}: {_remedy(proposal)}"


def _reasons(state: State, proposal: Proposal) -> Iterator[tuple[bool, str]]:
    """Each way in which a proposal becomes void: whether it has, and its words."""
    given, envelope, at = state.approvals.get(proposal.id), proposal.envelope, state.clock
    yield (
        proposal.mandate_sha256 != state.mandate_sha256,
        "it was made under another mandate (M-1.1)",
    )
    ends = envelope.valid_until
    yield at is not None and at >= ends, f"its terms ended {ends:%Y-%m-%d %H:%M} UTC (M-8.4)"
    if given is not None:
        ends = given.expires_at
        yield at is not None and at >= ends, f"its approval ended {ends:%Y-%m-%d %H:%M} UTC (M-8.4)"
    if state.market is not None:
        spot, low, high = state.market.index, envelope.spot_low, envelope.spot_high
        yield not low <= spot <= high, f"spot {spot:,.0f} left {low:,.0f} to {high:,.0f} (M-8.5)"
    stands_on, in_force = proposal.forecast_id, state.forecast_in_force
    yield (
        not proposal.closes and in_force != stands_on,
        f"it stands on {stands_on}, and {in_force} is in force",
    )


def _remedy(proposal: Proposal) -> str:
    """How the same is proposed anew."""
    if proposal.closes:
        return f"headframe close {proposal.closes} proposes it again"
    if proposal.replaces:
        return f"headframe switch {proposal.replaces} proposes it again"
    return "headframe plan proposes it again"
