"""The same actions give the same canonical export, byte for byte, in SQLite and in PostgreSQL."""

import asyncio
import random
from pathlib import Path
from typing import Any

import workspaces
from headframe.counterparty import Step
from headframe.desk import audit, counterparties, execution, policy
from headframe.desk.ports import Draft, Stopped
from headframe.market import sample_market
from headframe.wiring import create_office, trading


def day(folder: Path, database: str | None) -> str:
    """A programme from the first signature to a dealt hedge."""
    office = workspaces.approved(workspaces.planned(workspaces.signed(folder, database)))
    office.user = "trader"

    async def deal() -> None:
        async with trading(office, folder, database=database) as at_work:
            await execution.deal(at_work, "P-1")

    asyncio.run(deal())
    assert audit.verify(office).sound
    return audit.export(office)


def test_a_whole_day(tmp_path: Path, postgres_url: str) -> None:
    assert day(tmp_path / "lite", None) == day(tmp_path / "server", postgres_url)


def random_actions(office: Any, seed: int, count: int) -> None:
    """Things people do in any order, refused or not."""
    draw = random.Random(seed)
    dealers = ["amber", "basalt", "cobalt", "feldspar"]
    for number in range(count):
        office.user = draw.choice(["treasurer", "risk", "board", "cfo", "é\u2028"])
        act = draw.randrange(4)
        try:
            if act == 0:
                counterparties.add(office, draw.choice(dealers))
            elif act == 1:
                counterparties.review(office, draw.choice(dealers), draw.choice(list(Step)))
            elif act == 2:
                policy.sign(office)
            else:
                office.state()
                office.record(Draft("noted", {"n": number, "x": draw.random(), "t": "\u0000é"}))
        except Stopped:
            continue


def test_random_actions(tmp_path: Path, postgres_url: str) -> None:
    one = create_office(tmp_path / "a", sample_market(), user="board")
    two = create_office(tmp_path / "b", sample_market(), user="board", database=postgres_url)
    for office in (one, two):
        random_actions(office, 7, 150)
    assert one.state().head.count > 40
    assert audit.export(one) == audit.export(two)
