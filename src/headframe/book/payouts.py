"""Payouts by what identifies them, and which of them are one: told by the pool, a file, and the chain.

A receipt on a chain is a transaction and an output. A pool or a file names the transaction at most; it is
the same payout where transaction and amount agree, whatever the instants say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from headframe.units import Money

SAME_PAYOUT_WITHIN = timedelta(days=1)
"""Without a common transaction: a pool's instant and the block's lie less than this apart."""


class PayoutSource(StrEnum):
    """Who says that a payout was made."""

    FILE = "file"
    POOL = "pool"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Coins paid to the mine: the id it is booked under, when it happened, and what it came by.

    ``at`` is None of payouts in journals that kept no instants. ``output`` is the place in its transaction,
    None where only the transaction or nothing is known.
    """

    id: str
    at: datetime | None
    coins: Money
    source: PayoutSource
    txid: str = ""
    output: int | None = None
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPayout:
    """A payout that is told again: the id it has there, and that under which it is booked."""

    id: str
    booked_as: str
    coins: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """An output of a transaction: its place, its address, its coins."""

    place: int
    address: str
    coins: Money


@dataclass(frozen=True, slots=True)
class Matching:
    """Payouts as they came: to be booked, told already under another id, and those that contradict."""

    fresh: tuple[Payout, ...]
    known: tuple[str, ...]
    same: tuple[MatchedPayout, ...]
    unclear: tuple[str, ...]
    """Why payouts were left out, since booking them might count coins twice; in words."""


@dataclass
class _Books:
    """What is booked while payouts are gone through: by id, and how much of each was told again."""

    booked: dict[str, Payout]
    matched: dict[str, MatchedPayout]
    outputs: Mapping[str, Sequence[Output]]
    claimed: dict[str, int] = field(default_factory=dict[str, int])
    by_txid: dict[str, list[Payout]] = field(default_factory=dict[str, list[Payout]])
    by_coins: dict[Money, list[Payout]] = field(default_factory=dict[Money, list[Payout]])

    def __post_init__(self) -> None:
        for one in self.matched.values():
            self._claim(one)
        for booked in self.booked.values():
            self._index(booked)

    def add(self, one: Payout) -> None:
        """Take a payout as booked."""
        self.booked[one.id] = one
        self._index(one)

    def _index(self, one: Payout) -> None:
        self.by_txid.setdefault(one.txid, []).append(one)
        self.by_coins.setdefault(one.coins, []).append(one)

    def _claim(self, one: MatchedPayout) -> None:
        self.claimed[one.booked_as] = self.claimed.get(one.booked_as, 0) + one.coins.smallest

    def left(self, one: Payout) -> int:
        """Return smallest units of a booked payout that nobody else told yet."""
        return one.coins.smallest - self.claimed.get(one.id, 0)

    def match(self, one: Payout, booked: Payout) -> MatchedPayout:
        """Take a payout for one that is booked."""
        made = MatchedPayout(id=one.id, booked_as=booked.id, coins=one.coins)
        self.matched[one.id] = made
        self._claim(made)
        return made

    def of_transaction(self, one: Payout) -> tuple[Payout, ...]:
        """Return what is booked of a payout's transaction in its coin, by any source."""
        if not one.txid:
            return ()
        found = self.by_txid.get(one.txid, ())
        return tuple(other for other in found if other.coins.currency == one.coins.currency)


def match_payouts(
    payouts: Sequence[Payout],
    booked: Mapping[str, Payout],
    matched: Mapping[str, MatchedPayout],
    outputs: Mapping[str, Sequence[Output]],
) -> Matching:
    """Return which payouts are new, which are booked, and which cannot be told apart from a booked one.

    Args:
        payouts: as they came, of one source.
        booked: by id, of all sources.
        matched: payouts that were told again before, by the id they had there.
        outputs: by transaction, of transactions that were read from a chain.
    """
    books = _Books(dict(booked), dict(matched), outputs)
    fresh: list[Payout] = []
    known: list[str] = []
    same: list[MatchedPayout] = []
    unclear: list[str] = []
    for one in payouts:
        if one.id in books.booked or one.id in books.matched:
            known.append(one.id)
            continue
        found = _same(one, books)
        if isinstance(found, str):
            unclear.append(found)
        elif found is not None:
            same.append(books.match(one, found))
        else:
            fresh.append(one)
            books.add(one)
    return Matching(tuple(fresh), tuple(known), tuple(same), tuple(unclear))


def _same(one: Payout, books: _Books) -> Payout | str | None:
    """Return the booked payout that one is, None where there is none, or why it cannot be told."""
    siblings = books.of_transaction(one)
    if not siblings:
        return _same_amount(one, books)
    if one.output is None:
        return _told_again(one, siblings, books)
    return _seen_on_chain(one, siblings, books)


def _seen_on_chain(one: Payout, siblings: Sequence[Payout], books: _Books) -> Payout | str | None:
    """Return the payout without an output that an output of its transaction is, if any."""
    told = [other for other in siblings if other.output is None and books.left(other) > 0]
    for other in told:
        if books.left(other) == one.coins.smallest:
            return other
    sums = _sums(one, books.outputs.get(one.txid, ()))
    for other in told:
        if other.coins.smallest in sums and books.left(other) >= one.coins.smallest:
            return other
    for other in told:
        if not _is_another_output(one, other, books.outputs.get(one.txid, ())):
            return _contradiction(one, other)
    return None


def _sums(one: Payout, outputs: Sequence[Output]) -> set[int]:
    """Return what a teller may have added up: the outputs to the payout's own address."""
    ours = [other.coins.smallest for other in outputs if other.address == one.address]
    return {sum(ours)}


def _is_another_output(one: Payout, other: Payout, outputs: Sequence[Output]) -> bool:
    """Return whether a told amount is exactly another output, or the sum of another address."""
    by_address: dict[str, int] = {}
    for output in outputs:
        if output.place != one.output and output.coins.smallest == other.coins.smallest:
            return True
        by_address[output.address] = by_address.get(output.address, 0) + output.coins.smallest
    return any(
        total == other.coins.smallest for name, total in by_address.items() if name != one.address
    )


def _told_again(one: Payout, siblings: Sequence[Payout], books: _Books) -> Payout | str | None:
    """Return the booked payout that a told one with its transaction is."""
    others = [other for other in siblings if other.source is not one.source]
    for other in others:
        if books.left(other) == one.coins.smallest:
            return other
    by_address: dict[str, list[Payout]] = {}
    for other in others:
        by_address.setdefault(other.address, []).append(other)
    for together in (*by_address.values(), others):
        if sum(other.coins.smallest for other in together) == one.coins.smallest:
            return together[0]
    return _contradiction(one, others[0]) if others else None


def _contradiction(one: Payout, other: Payout) -> str:
    return (
        f"{one.id} of {one.coins} {one.coins.currency.code} was left out: its transaction is booked as "
        f"{other.id} of {other.coins}, told by the {other.source}; look which is right"
    )


def _same_amount(one: Payout, books: _Books) -> Payout | None:
    """Return the nearest payout of another source with the very same amount, where no transaction tells."""
    near = sorted(_near(one, books), key=lambda pair: (pair[0], pair[1].id))
    return near[0][1] if near else None


def _near(one: Payout, books: _Books) -> Iterator[tuple[timedelta, Payout]]:
    for other in books.by_coins.get(one.coins, ()):
        if other.source is one.source or (one.txid and other.txid):
            continue
        if other.at is None or one.at is None or books.left(other) <= 0:
            continue
        apart = abs(other.at - one.at)
        if apart < SAME_PAYOUT_WITHIN:
            yield apart, other
