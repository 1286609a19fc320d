"""Tables of machines, forecasts and payouts: the unit in the header, equal decimals, no figure lost."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from headframe.mining import (
    KNOWN_MACHINES,
    Driver,
    Machine,
    Waterfall,
    estimate,
    fine,
    forecast,
    start_of,
    steady_bands,
)
from headframe.numerics import np
from headframe.report import (
    Form,
    coins_form,
    fine_table,
    forecast_table,
    known_machines_tables,
    outlook_table,
    texts,
    waterfall_table,
)
from headframe.report.table import hashrate_unit
from headframe.units import Month
from mines import BTC, HISTORY, START, mine

AT = datetime(2026, 8, 22, tzinfo=UTC)


def test_machines_are_rated_in_the_unit_of_their_algorithm() -> None:
    found = {table.title: table for table in known_machines_tables(tuple(KNOWN_MACHINES.values()))}
    heads = {title: [column.header for column in table.columns] for title, table in found.items()}
    assert heads["Machines: SHA-256"][1:4] == ["TH/s", "W", "J/TH"]
    assert heads["Machines: Scrypt"][1:4] == ["GH/s", "W", "J/GH"]
    assert heads["Machines: Equihash"][1:4] == ["kSol/s", "W", "J/kSol"]
    assert heads["Machines: RandomX"][1:4] == ["kH/s", "W", "J/kH"]
    rows = {row[0]: row for table in found.values() for row in texts(table)}
    assert len(rows) == len(KNOWN_MACHINES)
    assert rows["Antminer S21"][1:4] == ["200.00", "3,500", "17.50"]
    # Bitmain's own sheet of the L9: 16 GH/s, 3,360 W, 0.21 J/MH
    assert rows["Antminer L9"][1:4] == ["16.00", "3,360", "210.00"]
    for row in rows.values():
        assert all(len(figure.split(".")[1]) == 2 for figure in (row[1], row[3])), row
        assert 1.0 <= float(row[1].replace(",", "")) < 1_000.0
        assert 0.1 < float(row[3].replace(",", "")) < 1_000.0
    (own,) = known_machines_tables([Machine(model="Own", hashrate_ths=100.0, power_w=3_000.0)])
    assert texts(own)[0][4] == "-", "a dash for none"


@pytest.mark.parametrize(
    ("hashes", "unit"),
    [
        ((7e18, 2e18), "EH/s"),
        ((7e18, 2e17), "PH/s"),
        ((0.0, 3e15), "PH/s"),
        ((5e3,), "kH/s"),
        ((), "EH/s"),
    ],
)
def test_a_hashrate_is_shown_in_the_unit_in_which_none_is_below_1(
    hashes: object, unit: str
) -> None:
    assert hashrate_unit(hashes)[0] == unit  # type: ignore[arg-type]  # a tuple of floats


def test_coins_have_two_decimals_or_the_ledger_s_eight() -> None:
    assert coins_form((3.2, 0.0, 95.1)) is Form.COINS
    assert coins_form((3.2, 0.02)) is Form.COINS8
    small = mine(fleet=(replace(mine().fleet[0], count=50),))
    tables = [
        fine_table(
            fine(
                operation,
                Month(2026, 9),
                start=START,
                prices=None,
                months=1,
                paths=100,
                seed=1,
                by="day",
            ),
            "day",
        )
        for operation in (mine(), small)
    ]
    assert [len(texts(table)[0][1].split(".")[1]) for table in tables] == [8, 8], (
        "half a coin a day"
    )
    coins = np.array([[12.0, 13.0], [14.0, 15.0]])
    shown = texts(outlook_table(BTC, steady_bands(coins, Month(2026, 9))))
    assert all(len(cell.split(".")[1]) == 2 for cell in shown[0][1:])
    made = forecast(small, Month(2026, 9), as_of=AT, start=START, months=1, paths=100)
    table = forecast_table(made)
    assert [column.header for column in table.columns][8] == "PH/s"
    assert texts(table)[0][8] == "10.00"


def test_a_waterfall_shows_losses_in_parentheses_and_the_satoshi() -> None:
    found = Waterfall(
        first=Month(2026, 9),
        months=1,
        before=Decimal("10.00000000"),
        after=Decimal("8.50000001"),
        drivers=(Driver(name="difficulty", coins=Decimal("-1.49999999")),),
    )
    assert [row[1] for row in texts(waterfall_table(found, "F-1", "F-2"))] == [
        "10.00000000",
        "(1.49999999)",
        "8.50000001",
    ]


def test_the_drift_s_error_in_the_paths_is_shown() -> None:
    from headframe.report import drivers_table

    model = estimate(HISTORY, default_answer=True)
    made = forecast(
        mine(), Month(2026, 9), as_of=AT, start=start_of(BTC, HISTORY, model), months=1, paths=100
    )
    rows = {row[0]: row[1:] for row in texts(drivers_table(made))}
    assert rows["  of its error in the paths"] == [f"{model.drift_sd:.2%}", "-"]
    assert "answer to price, same retarget (default)" in rows
