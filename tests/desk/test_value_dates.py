"""Premium and fees of a bilateral trade settle on the value date of the dealer's agreement, or its confirmation's."""

import asyncio
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.book import CASH, COINS_FREE, Accounts, Confirmation, ConfirmedLeg
from headframe.counterparty import Step
from headframe.desk import (
    agenda,
    approvals,
    audit,
    checkpoint,
    confirming,
    counterparties,
    daily_close,
    execution,
    money,
    policy,
    programme,
    settlement_prices,
    workspace,
)
from headframe.instrument import StructureKind
from headframe.lifecycle import PriceKind, SettlementPrice, close_at, index_name
from headframe.market import sample_market
from headframe.units import CURRENCIES
from headframe.wiring import create_office, open_office, trading
from workspaces import DEALERS


@pytest.fixture(scope="module")
def dealt_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A put whose premium settles two working days after the trade."""
    folder = tmp_path_factory.mktemp("value") / "mine"
    office = create_office(folder, sample_market(), user="board")
    for name, old, new in (
        ("mandate.toml", '["short_future", "forward", "protective_put", "costless_collar"]', '["protective_put"]'),
        ("counterparties.toml", "[counterparty.collateral]\n", "[counterparty.collateral]\npremium_days = 2\nweekends = false\n"),
    ):  # fmt: skip
        path = folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    policy.sign(office)
    for name in DEALERS:
        office.user = "treasurer"
        counterparties.add(office, name)
        office.user = "risk"
        counterparties.review(office, name, Step.APPROVE)
    office.user = "treasurer"
    programme.plan(office)
    office.user = "cfo"
    approvals.give(office, "P-1")

    async def run() -> Any:
        desk = open_office(folder, user="trader")
        async with trading(desk, folder) as line:
            return await execution.deal(line, "P-1")

    assert asyncio.run(run()).outcome == "filled"
    return folder


@pytest.fixture
def dealt(dealt_once: Path, tmp_path: Path) -> Path:
    shutil.copytree(dealt_once, tmp_path / "mine")
    return tmp_path / "mine"


def close(office: Any, until: date) -> Any:
    workspace.advance_clock(office, close_at(until) + timedelta(hours=1))
    day = office.state().closed_through or office.state().trades["T-1"].at.date()
    while day < until:
        day += timedelta(days=1)
        settlement_prices.record(
            office,
            [
                SettlementPrice(
                    day=day, instrument=index_name("BTC"), kind=PriceKind.DELIVERY,
                    price=Decimal(78_000), source="a test",
                )
            ],
        )  # fmt: skip
    return daily_close.close_days(office)


def at_hand(office: Any) -> int:
    """Cash and coins in the currency of the premium, in its smallest unit."""
    (due,) = {one.money.currency.code for one in office.state().payments_due} or {"BTC"}
    account = COINS_FREE if due == "BTC" else CASH
    held: int = office.state().ledger.balance(account, CURRENCIES[due]).smallest
    return held


def test_the_premium_waits_as_a_payable_until_the_close_of_its_value_date(dealt: Path) -> None:
    office = open_office(dealt, user="treasurer")
    state = office.state()
    trade = state.trades["T-1"]
    assert trade.structure is StructureKind.PROTECTIVE_PUT
    dues = state.payments_due
    assert dues
    assert {(one.trade, one.dealer) for one in dues} == {("T-1", trade.dealer)}
    value_date = trade.at.date()
    for _ in range(2):
        value_date += timedelta(days=1)
        while value_date.weekday() > 4:
            value_date += timedelta(days=1)
    if trade.at.weekday() > 4:  # a trade at the weekend counts from Monday
        monday = trade.at.date() + timedelta(days=7 - trade.at.weekday())
        value_date = monday + timedelta(days=2)
    assert {one.due for one in dues} == {value_date}
    currency = dues[0].money.currency
    total = sum(one.money.smallest for one in dues)
    owed = state.ledger.balance(Accounts.payable(trade.dealer), currency)
    assert total < 0
    assert owed.smallest == total
    assert state.ledger.balance(Accounts.hedge("T-1"), currency).smallest == -total
    before = at_hand(office)
    lines = [one.words for one in agenda.shown(office, 30)]
    assert any(
        f"{value_date}: T-1" in line and f"settles to {trade.dealer}" in line for line in lines
    )
    known = programme.liquidity_of(state, office.settings())
    assert known.free_coins + known.cash_usd < float(
        state.ledger.balance(COINS_FREE, CURRENCIES["BTC"])
    ) + float(state.ledger.balance(CASH, CURRENCIES["USD"]))
    close(office, value_date - timedelta(days=1))
    assert at_hand(office) == before
    close(office, value_date)
    state = office.state()
    assert state.payments_due == []
    account = COINS_FREE if currency.code == "BTC" else CASH
    assert state.ledger.balance(account, currency).smallest == before + total
    assert not state.ledger.balance(Accounts.payable(trade.dealer), currency).smallest
    assert money.performance(office).bridge.holds
    assert audit.verify(office).sound


def test_a_confirmation_that_names_another_value_date_moves_it(dealt: Path) -> None:
    office = open_office(dealt, user="risk")
    trade = office.state().trades["T-1"]
    later = office.state().payments_due[0].due + timedelta(days=5)
    confirmation = Confirmation(
        reference="T-1",
        legs=tuple(
            ConfirmedLeg(instrument=leg.instrument.name, amount=leg.amount, price=leg.price)
            for leg in trade.legs
        ),
        value_date=later,
    )
    confirming.take(office, [confirmation], "a letter")
    state = office.state()
    assert {one.due for one in state.payments_due} == {later}
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert again.payments_due == state.payments_due
