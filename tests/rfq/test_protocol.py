from itertools import product
from typing import Any

import pytest

from headframe.rfq import TERMINAL, TRANSITIONS, RfqState, RfqStep, after

LAWFUL = """
draft            approve       approved
approved         intend_open   opening
opening          opened        open
opening          open_refused  not_filled
opening          lost_sight    unknown
open             quoted        open
open             intend_award  awarding
open             decline       no_award
open             lost_sight    unknown
awarding         accepted      awaiting_dealer
awarding         filled        filled
awarding         partly_filled partially_filled
awarding         not_filled    not_filled
awarding         lost_sight    unknown
awaiting_dealer  filled        filled
awaiting_dealer  partly_filled partially_filled
awaiting_dealer  not_filled    not_filled
awaiting_dealer  lost_sight    unknown
unknown          fenced_filled filled
unknown          fenced_empty  not_filled
"""
TABLE = {
    (RfqState(state), RfqStep(step)): RfqState(end)
    for state, step, end in (line.split() for line in LAWFUL.strip().splitlines())
}


@pytest.mark.parametrize(("state", "step"), list(product(RfqState, RfqStep)))
def test_every_state_and_step(state: Any, step: Any) -> None:
    assert after(state, step) == TABLE.get((state, step))


def test_what_has_ended_stays_ended_and_unknown_is_left_by_evidence_only() -> None:
    assert {state for state, _ in TRANSITIONS}.isdisjoint(TERMINAL)
    assert {step for state, step in TRANSITIONS if state is RfqState.UNKNOWN} == {
        RfqStep.FENCED_FILLED,
        RfqStep.FENCED_EMPTY,
    }
