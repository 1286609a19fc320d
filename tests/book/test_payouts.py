"""Payouts of several sources: which are one, which are new, and which cannot be told apart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headframe.book import MatchedPayout, Output, Payout, PayoutSource, match_payouts
from headframe.units import BTC, CURRENCIES, Money

AT = datetime(2026, 9, 6, tzinfo=UTC)
T, U = "ab" * 32, "cd" * 32


def coins(amount: int) -> Money:
    return Money(BTC, amount)


def pool(name: str, amount: int, *, txid: str = "", hours: float = 0.0) -> Payout:
    return Payout(
        id=name, at=AT + timedelta(hours=hours), coins=coins(amount), source=PayoutSource.POOL,
        txid=txid,
    )  # fmt: skip


def typed(name: str, amount: int, *, txid: str = "", hours: float = 0.0) -> Payout:
    return Payout(
        id=name, at=AT + timedelta(hours=hours), coins=coins(amount), source=PayoutSource.FILE,
        txid=txid,
    )  # fmt: skip


def chain(
    output: int, amount: int, *, txid: str = T, address: str = "A", hours: float = 0.5
) -> Payout:
    return Payout(
        id=f"tx-{txid}:{output}", at=AT + timedelta(hours=hours), coins=coins(amount),
        source=PayoutSource.CHAIN, txid=txid, output=output, address=address,
    )  # fmt: skip


OUTPUTS = {
    T: (
        Output(place=0, address="A", coins=coins(60)),
        Output(place=1, address="B", coins=coins(20)),
        Output(place=2, address="P", coins=coins(900)),
    )
}


def run(steps: list[list[Payout]], outputs: Any = OUTPUTS) -> tuple[int, list[str], list[str]]:
    """Coins booked, ids booked, and what was left out, after all steps, and the same after doing them again."""
    booked: dict[str, Payout] = {}
    matched: dict[str, MatchedPayout] = {}
    unclear: list[str] = []
    for again in (False, True):
        for step in steps:
            found = match_payouts(step, booked, matched, outputs)
            booked |= {one.id: one for one in found.fresh}
            matched |= {one.id: one for one in found.same}
            unclear += [] if again else found.unclear
            assert not (again and found.fresh), "nothing is new the second time"
    return sum(one.coins.smallest for one in booked.values()), sorted(booked), unclear


A, B = chain(0, 60), chain(1, 20, address="B")


@pytest.mark.parametrize("steps", [[[A], [B]], [[B], [A]], [[A, B]]])
def test_two_outputs_of_one_transaction_are_two_receipts_in_any_order(steps: Any) -> None:
    assert run(steps) == (80, [A.id, B.id], [])


@pytest.mark.parametrize(
    "told",
    [
        [pool("p", 60, txid=T)],
        [typed("p", 60, txid=T, hours=-30)],
        [pool("p", 60, txid=T), pool("q", 20, txid=T)],
    ],
)
@pytest.mark.parametrize("chain_first", [False, True])
def test_a_transaction_that_pool_or_file_names_is_one_payout_whatever_the_instants(
    told: list[Payout], chain_first: bool
) -> None:
    steps = [[A], [B], told] if chain_first else [told, [B], [A]]
    total, _, unclear = run(steps)
    assert (total, unclear) == (80, [])


def test_a_pool_that_names_the_sum_of_an_address_is_told_by_its_outputs() -> None:
    outputs = {
        T: tuple(Output(place=n, address="A", coins=coins(c)) for n, c in enumerate((25, 35)))
    }
    parts = [chain(0, 25), chain(1, 35)]
    assert run([[pool("p", 60, txid=T)], parts], outputs) == (60, ["p"], [])
    total, ids, _ = run([parts, [pool("p", 60, txid=T)]], outputs)
    assert (total, ids) == (60, [one.id for one in parts])


def test_two_outputs_of_one_address_told_one_by_one_are_two_payouts() -> None:
    outputs = {
        T: tuple(Output(place=n, address="A", coins=coins(c)) for n, c in enumerate((25, 35)))
    }
    told = [pool("p", 25, txid=T), pool("q", 35, txid=T)]
    parts = [chain(0, 25), chain(1, 35)]
    for steps in ([told, parts], [parts, told], [told, parts[::-1]]):
        total, _, unclear = run(steps, outputs)
        assert (total, unclear) == (60, [])


def test_what_contradicts_is_left_out_and_does_not_stop_the_others() -> None:
    total, ids, unclear = run([[pool("p", 79, txid=T)], [A, chain(0, 5, txid=U)]], OUTPUTS)
    assert (total, ids) == (84, ["p", f"tx-{U}:0"])
    assert len(unclear) == 1
    assert "left out: its transaction is booked as p" in unclear[0]


def test_without_a_transaction_the_very_same_amount_within_a_day_is_one_payout() -> None:
    told = [pool(f"pm-{n}", 25, hours=8 * n) for n in range(3)]
    seen = [chain(0, 25, txid=f"{n:064x}", hours=8 * n + 0.5) for n in range(3)]
    for steps in ([told, seen], [seen, told], [told[:1], seen[:2], told, seen]):
        total, _, unclear = run(steps, {})
        assert (total, unclear) == (75, [])
    assert run([told[:1], [chain(0, 25, hours=25)]], {})[0] == 50, "a day later it is another"
    assert run([told[:1], [chain(0, 26)]], {})[0] == 51
    assert run([[typed("a", 25)], [typed("b", 25)]], {})[0] == 50, "one file tells no payout twice"


def test_another_coin_is_another_payout() -> None:
    doge = Payout(
        id="d", at=AT, coins=Money(CURRENCIES["DOGE"], 25), source=PayoutSource.POOL, txid=T
    )
    assert run([[pool("b", 25, txid=T)], [doge]], {})[1] == ["b", "d"]


def test_ten_thousand_payouts_are_matched_in_a_moment() -> None:
    told = [pool(f"p-{n}", 25, hours=n) for n in range(10_000)]
    found = match_payouts(told, {}, {}, {})
    assert len(found.fresh) == 10_000
