"""Journals from before payouts were kept: nothing is booked twice, and production learns of them."""

from datetime import datetime
from decimal import Decimal

from headframe.book import Flow, FlowKind, Output, Payout, PayoutSource
from headframe.desk import audit, flows
from headframe.desk.office import Office
from headframe.desk.ports import Draft
from headframe.desk.production_record import production
from headframe.units import BTC, USD, Money

T = "5a" * 32


def old_event(office: Office, name: str, at: datetime, amount: int) -> None:
    """Write a payout as the journal had it: its id, a digest and postings."""
    one = Flow(
        id=name, kind=FlowKind.PAYOUT, at=at, coins=Money(BTC, amount), cash=Money(USD, 0),
        fee=Money(USD, 0), memo="",
    )  # fmt: skip
    text = str(one.coins)
    office.record(
        Draft(
            "flows",
            {
                "source": "address bc1q",
                "flows": [[name, flows.digest(one)]],
                "months": [],
                "postings": [
                    ["assets:coins:free", "BTC", text],
                    ["income:mined", "BTC", f"-{text}"],
                ],
            },
        ),
        at=at,
    )


def seen(output: int, amount: int, address: str, at: datetime) -> Payout:
    return Payout(
        id=f"tx-{T}:{output}", at=at, coins=Money(BTC, amount), source=PayoutSource.CHAIN, txid=T,
        output=output, address=address,
    )  # fmt: skip


def free(office: Office) -> int:
    return office.state().ledger.balance("assets:coins:free", BTC).smallest


def test_a_receipt_booked_by_its_transaction_alone_is_not_booked_again(office: Office) -> None:
    at, before = office.now(), free(office)
    old_event(office, f"tx-{T}", at, 600)
    outputs = {
        T: (
            Output(place=0, address="A", coins=Money(BTC, 600)),
            Output(place=3, address="B", coins=Money(BTC, 200)),
        )
    }
    assert production(office.state(), "BTC") == {}, "its instant is not in the journal"
    for again in (False, True):
        for one in (seen(3, 200, "B", at), seen(0, 600, "A", at)):
            read = flows.Receipts(payouts=(one,), outputs=outputs, addresses=(one.address,))
            taken = flows.take_receipts(office, read, "address")
            assert len(taken.booked) == (one.output == 3 and not again)
    assert free(office) - before == 800
    assert production(office.state(), "BTC") == {at.date(): Decimal("0.00000800")}
    assert office.state().own_addresses == ["B", "A"]
    assert audit.verify(office).sound


def test_a_payout_that_the_pool_told_is_the_same_when_it_tells_it_again(office: Office) -> None:
    at, before = office.now(), free(office)
    old_event(office, "tx-pm-4", at, 600)
    told = Payout(id="tx-pm-4", at=at, coins=Money(BTC, 600), source=PayoutSource.POOL)
    read = flows.Receipts(payouts=(told,))
    for _ in range(2):
        taken = flows.take_receipts(office, read, "the pool's API")
        assert (taken.booked, taken.known) == ((), ("tx-pm-4",))
    assert free(office) - before == 600
    assert production(office.state(), "BTC") == {at.date(): Decimal("0.00000600")}


def test_a_sum_of_two_outputs_that_was_booked_as_one_is_both_of_them(office: Office) -> None:
    at, before = office.now(), free(office)
    old_event(office, f"tx-{T}", at, 700)
    outputs = {
        T: tuple(
            Output(place=n, address="A", coins=Money(BTC, c)) for n, c in enumerate((300, 400))
        )
    }
    read = flows.Receipts(payouts=(seen(0, 300, "A", at), seen(1, 400, "A", at)), outputs=outputs)
    taken = flows.take_receipts(office, read, "address A")
    assert (taken.booked, len(taken.same), taken.notes) == ((), 2, ())
    assert free(office) - before == 700
