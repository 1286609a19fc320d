"""A history of difficulty as somebody gives it: put in order, and refused where it cannot be true."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from headframe.chain.history import Retarget
from headframe.chain.rule import Adjustment, Chain
from headframe.units import Wrong, iso

_SLACK_SECONDS = 10_800
"""Between the last block of a period and the first of the next, and the error of a rebuilt time."""
_TOLERANCE = 0.002


def checked_history(
    rows: Sequence[Retarget], chain: Chain, *, until: datetime | None = None
) -> tuple[tuple[Retarget, ...], tuple[str, ...]]:
    """The periods in order, each once, and what was mended on the way, in words.

    Rows out of order are sorted and repeated rows kept once; rows after ``until`` are left out.
    Raises Wrong for two rows that contradict each other, for a missing period, and for a
    difficulty that the chain's own rule excludes.
    """
    notes: list[str] = []
    ordered = sorted(rows, key=lambda row: row.height)
    if list(rows) != ordered:
        notes.append("rows were out of order and have been sorted by height")
    known = _once(ordered, notes)
    kept = [row for row in known if until is None or row.at <= until]
    if until is not None and len(kept) < len(known):
        notes.append(f"{len(known) - len(kept)} rows after {iso(until)} were left out")
    if not kept:
        raise Wrong("the history holds no row that can be used")
    step = chain.period if chain.period > 1 else None
    for before, after in pairwise(kept):
        if step is not None and after.height - before.height != step:
            missing = before.height + step
            raise Wrong(
                f"the history misses the period from height {missing:,} (after {before.height:,} comes "
                f"{after.height:,}); add its row"
            )
        _follows(before, after, chain)
    return tuple(kept), tuple(notes)


def _once(ordered: Sequence[Retarget], notes: list[str]) -> list[Retarget]:
    kept: list[Retarget] = []
    for row in ordered:
        if kept and kept[-1].height == row.height:
            if abs(kept[-1].difficulty / row.difficulty - 1.0) > 1e-6:
                raise Wrong(
                    f"two rows of height {row.height:,} contradict each other: difficulty "
                    f"{kept[-1].difficulty:,.2f} and {row.difficulty:,.2f}; keep one"
                )
            notes.append(f"height {row.height:,} came twice and counts once")
            continue
        kept.append(row)
    return kept


def _follows(before: Retarget, after: Retarget, chain: Chain) -> None:
    """Whether the difficulty of a period can follow from the time the one before it took."""
    if chain.period == 1 or before.bits is None or after.difficulty == 1.0:
        return
    span = (after.at - before.at).total_seconds()
    found = [
        chain.adjust(
            Adjustment(bits=before.bits, first_time=0, last_time=round(span + slack))
        ).difficulty
        for slack in (-_SLACK_SECONDS, _SLACK_SECONDS)
    ]
    high, low = (float(one) for one in found)
    if not low * (1.0 - _TOLERANCE) <= after.difficulty <= high * (1.0 + _TOLERANCE):
        raise Wrong(
            f"the difficulty of height {after.height:,} is {after.difficulty:,.0f}, but the time of the "
            f"period before allows {low:,.0f} to {high:,.0f}: the row contradicts consensus"
        )
