"""Confirmations held against the books; blocks shared out to accounts."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.book import Confirmation, ConfirmedLeg, differences
from headframe.cli.app import app
from headframe.codec import read_confirmations, rows_of
from headframe.desk import audit, confirming, execution
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Broken, Declined, Invalid
from headframe.rfq import Part
from headframe.units import Wrong
from headframe.wiring import open_office, trading
from venues import FakeVenue, deal


def file_of(office: Office, *, reference: str = "BLOCK-1", change: Any = None) -> str:
    """The dealer's own paper on the first trade, as it should be unless changed."""
    trade = office.state().trades["T-1"]
    rows = [
        {
            "trade": reference, "instrument": leg.instrument.name, "side": "buy" if leg.amount > 0 else "sell",
            "amount": f"{abs(leg.amount):f}", "price": f"{leg.price:f}", "dealer": trade.dealer,
            "day": str(trade.at.date()), "fee": f"{trade.fee:f}", "fee_currency": "BTC",
        }
        for leg in trade.legs
    ]  # fmt: skip
    if change is not None:
        change(rows)
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


def taken(office: Office, text: str) -> Any:
    office.user = "risk"
    return confirming.take(
        office, read_confirmations(list(rows_of(text, "f.csv")), "f.csv"), "f.csv"
    )


def test_a_confirmation_that_agrees_is_kept_and_the_dealer_of_the_trade_may_not_give_it(
    desk: Office,
) -> None:
    deal(desk, FakeVenue(desk.clock))
    with pytest.raises(Declined, match="another person confirms"):
        confirming.take(desk, read_confirmations(list(rows_of(file_of(desk), "f")), "f"), "f")
    (found,) = taken(desk, file_of(desk))
    assert (found.trade, found.differences) == ("T-1", ())
    rows, strangers = confirming.standing(desk)
    assert [one.words for one in rows] == ["confirmed"]
    assert strangers == ()
    assert audit.verify(desk).sound


def sign(rows: Any) -> None:
    rows[0]["side"] = "sell" if rows[0]["side"] == "buy" else "buy"


def less(rows: Any) -> None:
    del rows[1]


def more(rows: Any) -> None:
    rows.append(rows[0] | {"instrument": "BTC-26MAR27-50000-P"})


def stating(*places: int, **cells: str) -> Any:
    """A change of some cells of some rows."""

    def change(rows: Any) -> None:
        for place in places:
            rows[place].update(cells)

    return change


CHANGES: dict[str, tuple[Any, str]] = {
    "another sign": (sign, "amount"),
    "another price": (stating(1, price="0.0777"), "price"),
    "another amount": (stating(1, amount="1"), "amount"),
    "a leg missing": (less, "leg"),
    "a leg too many": (more, "leg BTC-26MAR27-50000-P"),
    "another currency": (stating(0, 1, fee_currency="USDC"), "fee currency"),
    "another fee": (stating(0, 1, fee="0.5"), "fee"),
    "another dealer": (stating(0, 1, dealer="basalt"), "dealer"),
    "another day": (stating(0, 1, day="2026-08-21"), "day"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_field_that_differs_is_named_until_a_corrected_one_agrees(
    desk: Office, what: str
) -> None:
    deal(desk, FakeVenue(desk.clock))
    change, field = CHANGES[what]
    (found,) = taken(desk, file_of(desk, change=change))
    assert len(found.differences) == 1
    assert field in found.differences[0].field
    assert [one.words for one in confirming.standing(desk)[0]] == ["differs"]
    taken(desk, file_of(desk))
    assert [one.words for one in confirming.standing(desk)[0]] == ["confirmed"]


def test_a_trade_we_do_not_have_is_kept_as_such(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    (found,) = taken(desk, file_of(desk, reference="BLOCK-99"))
    assert found.trade == ""
    _, strangers = confirming.standing(desk)
    assert [one.reference for one in strangers] == ["BLOCK-99"]


def test_the_same_trade_twice_is_refused_and_nothing_is_kept(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    both = file_of(desk) + "".join(file_of(desk, reference="T-1").splitlines(keepends=True)[1:])
    head = desk.state().head
    with pytest.raises(Invalid, match="twice"):
        taken(desk, both)
    assert desk.state().head == head


BAD = {
    "no rows": ("trade,instrument,side,amount,price\n", "confirms nothing"),
    "no column": ("trade,instrument,side,amount\nT-1,X,buy,1\n", "lacks the columns price"),
    "no side": (
        "trade,instrument,side,amount,price\nT-1,X,long,1,1\n",
        "line 2: side is buy or sell",
    ),
    "a signed amount": ("trade,instrument,side,amount,price\nT-1,X,buy,-1,1\n", "above zero"),
    "no number": ("trade,instrument,side,amount,price\nT-1,X,buy,nan,1\n", "plain finite number"),
    "a huge number": (
        "trade,instrument,side,amount,price\nT-1,X,buy,1e999,1\n",
        "plain finite number",
    ),
    "a leg twice": (
        "trade,instrument,side,amount,price\nT-1,X,buy,1,1\nT-1,x,buy,1,1\n",
        "names a leg twice",
    ),
    "two dealers": (
        "trade,instrument,side,amount,price,dealer\nT-1,X,buy,1,1,a\nT-1,Y,buy,1,1,b\n",
        "from row to row",
    ),
    "no day": (
        "trade,instrument,side,amount,price,day\nT-1,X,buy,1,1,21.8.26\n",
        "no day YYYY-MM-DD",
    ),
    "no name": ("trade,instrument,side,amount,price\n,X,buy,1,1\n", "must not be empty"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_paper_that_cannot_be_read_says_where(what: str) -> None:
    text, words = BAD[what]
    with pytest.raises(Wrong, match=words):
        read_confirmations(list(rows_of(text, "f.csv")), "f.csv")


def test_what_is_not_stated_is_not_compared(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    trade = desk.state().trades["T-1"]
    legs = tuple(
        ConfirmedLeg(instrument=leg.instrument.name, amount=leg.amount, price=leg.price)
        for leg in trade.legs
    )
    assert differences(trade, Confirmation(reference="T-1", legs=legs)) == ()
    with pytest.raises(Wrong, match="no leg"):
        Confirmation(reference="T-1", legs=())


def test_the_venues_own_records_confirm_and_a_venue_that_shows_nothing_is_an_error(
    desk: Office,
) -> None:
    venue = FakeVenue(desk.clock)
    deal(desk, venue)
    desk.user = "risk"
    (found,) = asyncio.run(confirming.ask(Trading(desk, venue)))
    assert (found.trade, found.differences) == ("T-1", ())
    assert asyncio.run(confirming.ask(Trading(desk, venue))) == (), (
        "what is confirmed is not asked again"
    )
    assert venue.filled is not None
    venue.filled = replace(venue.filled, fee=Decimal("0.02"))
    state = desk.state()
    del state.confirmed["T-1"]
    (found,) = asyncio.run(confirming.ask(Trading(desk, venue)))
    assert [str(one) for one in found.differences] == ["fee: ours 0.01, theirs 0.02"]
    venue.filled = None
    with pytest.raises(Broken, match="shows no trade"):
        asyncio.run(confirming.ask(Trading(desk, venue)))


def test_the_command_confirms_from_the_street_and_from_a_file(
    approved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main([*words, "--workspace", str(approved), "--json"], standalone_mode=False)
        return status or 0, json.loads(capsys.readouterr().out)

    assert run("rfq", "P-1", "--as", "trader")[0] == 0
    code, status = run("confirm")
    assert (code, [one["state"] for one in status["trades"]]) == (0, ["waiting"])
    code, found = run("confirm", "--venue", "--as", "risk")
    assert (code, found["confirmations"][0]["differences"]) == (0, [])
    office = open_office(approved, user="x")
    path = tmp_path / "paper.csv"
    path.write_text(file_of(office, reference="T-1", change=stating(0, price="0.9")))
    code, found = run("confirm", str(path), "--as", "risk")
    assert code == 4
    assert found["confirmations"][0]["differences"][0]["theirs"] == "0.9"
    code, status = run("confirm")
    assert (code, [one["state"] for one in status["trades"]]) == (4, ["differs"])


# ---- accounts ----------------------------------------------------------------------
def test_a_block_is_shared_out_to_accounts_there_and_in_the_books(approved: Path) -> None:
    path = approved / "headframe.toml"
    text = path.read_text()
    line = '[venue]\naccounts = [{ name = "A", user_id = 101, share = 0.6 }, { name = "B", user_id = 102, share = 0.4 }]'
    path.write_text(text.replace("[venue]", line, 1))
    office = open_office(approved, user="trader")

    async def run() -> Any:
        async with trading(office, approved) as at_work:
            dealt = await execution.deal(at_work, "P-1")
            shown = await at_work.venue._client.call(  # type: ignore[attr-defined]
                "private/get_block_rfqs",
                block_rfq_id=int(office.state().rfqs[dealt.request.id].venue_id or 0),
            )
            return dealt, shown["block_rfqs"][0]

    dealt, shown = asyncio.run(run())
    request = dealt.request
    assert sum(part.amount for part in request.accounts) == request.amount
    assert [(one["user_id"], one["amount"]) for one in shown["trade_allocations"]] == [
        (part.user_id, float(part.amount)) for part in request.accounts
    ]
    assert dealt.trades
    trade = dealt.trades[0]
    assert [name for name, _ in trade.accounts] == ["A", "B"]
    assert sum((coins for _, coins in trade.accounts), Decimal(0)) == trade.size
    assert float(trade.accounts[0][1] / trade.size) == pytest.approx(0.6, abs=0.01)


def test_accounts_that_do_not_add_up_are_problems_of_the_file(approved: Path) -> None:
    path = approved / "headframe.toml"
    text = path.read_text()
    for accounts in (
        '[{ name = "A", user_id = 101, share = 0.6 }]',
        '[{ name = "A", user_id = 1, share = 0.5 }, { name = "B", user_id = 1, share = 0.5 }]',
        '[{ name = "A", user_id = 1, share = -1.0 }]',
    ):
        path.write_text(text.replace("[venue]", f"[venue]\naccounts = {accounts}", 1))
        with pytest.raises(Invalid):
            open_office(approved, user="x").settings()
    request = open_office(approved, user="x").state()
    assert request.rfqs == {}
    with pytest.raises(Wrong, match="add up"):
        _request(approved, text)


def _request(approved: Path, text: str) -> None:
    (approved / "headframe.toml").write_text(text)
    request = execution.judged(open_office(approved, user="trader"), "P-1")[0]
    replace(request, accounts=(Part(account="A", user_id=1, amount=Decimal(1)),))
