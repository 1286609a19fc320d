"""Statements of venues, custodians and banks held against the ledger: balances that agree, and breaks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from headframe.units import Money, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One balance as somebody else states it: the ledger's account, the instant, the amount."""

    account: str
    at: datetime
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A balance on which the two sides do not agree, since when, and who clears it."""

    account: str
    currency: str
    at: datetime
    ours: str
    theirs: str
    source: str
    since: datetime
    owner: str

    @property
    def key(self) -> str:
        """What it is a break of."""
        return f"{self.account} {self.currency}"


@dataclass(frozen=True, slots=True)
class Matched:
    """What a statement came to: balances that agree by key, and breaks."""

    agreed: tuple[str, ...]
    breaks: tuple[Break, ...]


def match(
    stated: Iterable[Stated],
    ours: Callable[[Stated], Money],
    open_breaks: Mapping[str, Break],
    *,
    source: str,
    owner: str,
) -> Matched:
    """Hold a statement against the books to the last unit; a break that stood before keeps its age.

    Raises:
        Wrong: where one balance is stated twice for the same instant.
    """
    agreed: list[str] = []
    breaks: list[Break] = []
    seen: set[tuple[str, str, datetime]] = set()
    for one in sorted(stated, key=lambda each: each.at):
        code = one.balance.currency.code
        place = (one.account, code, one.at)
        if place in seen:
            raise Wrong(
                f"{source} states {one.account} in {code} twice for {one.at:%Y-%m-%d %H:%M}"
            )
        seen.add(place)
        mine, key = ours(one), f"{one.account} {code}"
        breaks = [
            each for each in breaks if each.key != key
        ]  # the latest statement of a balance counts
        agreed = [each for each in agreed if each != key]
        if mine == one.balance:
            agreed.append(key)
            continue
        before = open_breaks.get(key)
        breaks.append(
            Break(
                account=one.account,
                currency=code,
                at=one.at,
                ours=str(mine),
                theirs=str(one.balance),
                source=source,
                since=one.at if before is None else before.since,
                owner=owner,
            )
        )
    return Matched(tuple(agreed), tuple(breaks))
