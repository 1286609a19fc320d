"""Replacing a short future in one request: into options by a hedge leg, into a later future as a calendar."""

import asyncio
import json
import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe.book import Accounts, MarginTerms, released
from headframe.cli.app import app
from headframe.desk import (
    approvals,
    audit,
    closing,
    confirming,
    execution,
    limits,
    money,
    policy,
    production,
    programme,
    switching,
)
from headframe.desk.ports import Declined, Invalid
from headframe.hedge import switched, whole_steps
from headframe.instrument import StructureKind, payoff
from headframe.risk import leg_price
from headframe.units import BTC
from headframe.wiring import open_office, trading


@pytest.fixture
def sold(mine: Path) -> Path:
    """A mine that has sold a listed future, T-1, by block, under a mandate that allows options too."""
    path = mine / "mandate.toml"
    text = path.read_text()
    text = text.replace('choice = "floor_less_cost"', 'choice = "largest_floor"')
    text = text.replace("stress_call_share_max = 0.40", "stress_call_share_max = 3.0")
    path.write_text(text)
    office = open_office(mine, user="board")
    policy.sign(office)
    office.user = "treasurer"
    programme.plan(office)
    office.user = "cfo"
    approvals.give(office, "P-1")
    assert dealt(mine, "P-1").outcome == "filled"
    (trade,) = open_office(mine, user="x").state().trades.values()
    assert trade.structure is StructureKind.SHORT_FUTURE
    return mine


def dealt(folder: Path, name: str) -> Any:
    office = open_office(folder, user="trader")

    async def run() -> Any:
        async with trading(office, folder, venue="paper") as line:
            await office.clock.wait_until(office.now() + timedelta(minutes=1))
            return await execution.deal(line, name)

    return asyncio.run(run())


def proposed(folder: Path, kind: StructureKind, expiry: Any = None, coins: Any = None) -> Any:
    office = open_office(folder, user="treasurer")
    made = switching.propose(office, "T-1", kind, expiry, coins)
    office.user = "cfo"
    approvals.give(office, made.id)
    return made


@pytest.mark.parametrize("kind", [StructureKind.PROTECTIVE_PUT, StructureKind.COSTLESS_COLLAR])
def test_a_future_becomes_options_in_one_request(sold: Path, kind: StructureKind) -> None:
    made = proposed(sold, kind, coins=Decimal(30))
    before = open_office(sold, user="x").state()
    old = before.trades["T-1"]
    done = dealt(sold, made.id)
    assert done.outcome == "filled", done
    request = done.request
    assert request.hedge is not None
    assert request.hedge.instrument == old.legs[0].instrument
    assert request.hedge.amount > 0, "what was sold is bought back"
    trade, closed = done.trades
    assert (trade.structure, trade.size, trade.margin) == (kind, 30, MarginTerms.BILATERAL)
    assert all(leg.instrument.is_option for leg in trade.legs)
    (leg,) = closed.legs
    assert (leg.amount, leg.price) == (request.hedge.amount, request.hedge.price)
    assert float(closed.size) == pytest.approx(30, abs=2e-4), "to a contract of ten dollars"
    office = open_office(sold, user="risk")
    state = office.state()
    positions = {one.trade.id: one for one in state.positions()}
    assert positions["T-1"].coins == old.size - closed.size
    assert positions["T-2"].coins == 30
    paid = -payoff(
        leg.instrument, Fraction(-leg.amount), Fraction(leg.price), Fraction(old.legs[0].price)
    )
    moved = state.ledger.balance(Accounts.hedge("T-1"), BTC) - before.ledger.balance(
        Accounts.hedge("T-1"), BTC
    )
    assert float(Fraction(moved.smallest, moved.currency.scale)) == pytest.approx(
        float(paid), abs=1e-8
    )
    for month in {part.month for part in old.designations}:
        firm = state.ledger.balance(Accounts.firm(month), BTC)
        floored = state.ledger.balance(Accounts.floored(month), BTC)
        was = before.ledger.balance(Accounts.firm(month), BTC)
        assert (firm + floored - was).smallest / 1e8 == pytest.approx(0.0, abs=0.01), (
            "every coin is promised once"
        )
    posted = float(state.ledger.balance(Accounts.coins_posted("paper"), BTC))
    left = float(positions["T-1"].coins)
    assert posted == pytest.approx((0.02 + 0.00005 * left) * left, abs=1e-8)
    assert limits.margin(office).today.initial_usd > 0
    rows = {one.trade.id: one for one in money.performance(office).trades}
    assert float(rows["T-1"].realised_coins) == pytest.approx(
        -float(paid) - float(old.fee), abs=2e-8
    ), "what was crystallised, and the fee of its own trade"
    assert audit.verify(office).sound
    _confirmed_by_the_venue(sold, trade.id, closed.id)


def _confirmed_by_the_venue(folder: Path, *names: str) -> None:
    """The venue's record of the block, hedge leg and all, confirms both the trade and the closing."""
    office = open_office(folder, user="risk")

    async def run() -> None:
        async with trading(office, folder, venue="paper") as line:
            await confirming.ask(line)

    asyncio.run(run())
    state = office.state()
    for name in names:
        assert state.agreed(name), state.confirmed[name].differences


def test_a_roll_keeps_the_dollars_in_one_calendar(sold: Path) -> None:
    before = open_office(sold, user="x").state()
    old = before.trades["T-1"]
    assert before.market is not None
    later = next(one.expiry for one in before.market.forwards if one.expiry > old.expiry)
    made = proposed(sold, StructureKind.SHORT_FUTURE, later)
    assert [leg.ratio for leg in made.structure.legs] == [1, -1]
    near = made.envelope.floor_min - made.envelope.price_worst
    assert abs(float(near) / float(old.legs[0].price) - 1.0) < 0.02, "the floor is the later leg's"
    assert made.envelope.replaces == "T-1"
    done = dealt(sold, made.id)
    assert done.outcome == "filled", done
    assert done.request.hedge is None
    trade, closed = done.trades
    (far,), (near,) = trade.legs, closed.legs
    assert far.instrument.expiry == later
    assert far.amount == -near.amount
    (*_, fill) = open_office(sold, user="x").state().fills.values()
    assert far.price - near.price == fill.price, "one net price for both"
    best = min(rung.quote.price for rung in done.ladder.rungs if rung.rejection is None)
    assert float(fill.price) >= best > 0.0, "we sell the later at its premium"
    assert trade.net_price == far.price, "the trade's own price, not the spread"
    assert abs(trade.size - (-far.amount / far.price)) <= Decimal("0.1")
    state = open_office(sold, user="x").state()
    assert [one.trade.id for one in state.positions()][-1] == "T-2"
    left = [one.coins for one in state.positions() if one.trade.id == "T-1"]
    assert sum(left, Decimal(0)) + closed.size == old.size
    assert audit.verify(open_office(sold, user="x")).sound
    _confirmed_by_the_venue(sold, trade.id, closed.id)


@pytest.mark.parametrize("move", [0.7, 0.98, 1.0, 1.02, 1.5])
@pytest.mark.parametrize("asked", [None, Decimal("20.3")])
def test_coins_asked_approved_dealt_and_booked_are_one_figure(
    sold: Path, move: float, asked: Decimal | None
) -> None:
    """Whatever the price did since the trade: every coin asked is replaced, no month is promised more."""
    office = open_office(sold, user="treasurer")
    state = office.state()
    assert state.market is not None
    old = state.trades["T-1"]
    later = next(one.expiry for one in state.market.forwards if one.expiry > old.expiry)
    far = next(one.price for one in state.market.forwards if one.expiry == later)
    # a position as if it had been sold at another price: the same coins, more or fewer dollars
    dollars = round(Decimal(old.size) * Decimal(far) / Decimal(str(move)), -1)
    other = replace(old, legs=(replace(old.legs[0], amount=-dollars),))
    position = replace(state.positions()[0], trade=other)
    coins = position.coins if asked is None else asked
    found, _ = programme.situation(office, "treasurer")
    forecast = production.in_force(office).forecast
    terms = (found, forecast, position, StructureKind.SHORT_FUTURE, later, coins)
    made = switched(*terms)
    assert made is not None
    one = made.rated.candidate
    leg = old.legs[0].instrument
    near = Decimal(repr(leg_price(leg, found.surface, found.at))).quantize(Decimal("0.5"))
    assert made.coins == coins
    assert abs(one.amount - dollars * coins / old.size) <= 5, (
        "both legs are of the dollars replaced"
    )
    fewer = whole_steps(one.amount / (one.price + near))
    assert one.size == min(coins, fewer)
    assert made.opened == coins - one.size >= 0
    gone = released(position, coins)
    assert dict(one.bucket.needs) == pytest.approx({m: float(c) for m, c in gone.items()})
    again = switched(*terms, size=one.size)
    assert again is not None
    assert (again.coins, again.rated.candidate.size) == (coins, one.size)


@pytest.mark.parametrize("coins", [None, Decimal("25.3")])
@pytest.mark.parametrize("kind", [StructureKind.SHORT_FUTURE, StructureKind.PROTECTIVE_PUT])
def test_months_keep_one_promise_and_what_stays_is_said_before(
    sold: Path, kind: StructureKind, coins: Decimal | None
) -> None:
    before = open_office(sold, user="x").state()
    assert before.market is not None
    old = before.trades["T-1"]
    later = next(one.expiry for one in before.market.forwards if one.expiry > old.expiry)
    made = proposed(sold, kind, later if kind.is_future else None, coins)
    whole = old.size if kind.is_future else whole_steps(old.size)
    assert made.replaced_coins == (whole if coins is None else coins)
    stays = sum((rest for _, rest in made.stays), Decimal(0))
    opened = made.replaced_coins - made.size
    assert stays == old.size - made.replaced_coins
    assert made.stays_until == (old.expiry if stays else None)
    done = dealt(sold, made.id)
    trade, closed = done.trades
    assert (done.request.size, trade.size) == (made.size, made.size)
    assert closed.size == made.replaced_coins
    state = open_office(sold, user="x").state()
    left = sum(state.remaining["T-1"].values(), Decimal(0))
    assert left == stays
    for part in old.designations:
        now = state.remaining["T-1"][part.month] + state.remaining["T-2"].get(
            part.month, Decimal(0)
        )
        assert now <= part.coins, "no month is promised twice"
    both = sum(sum(state.remaining[one].values(), Decimal(0)) for one in ("T-1", "T-2"))
    assert both == old.size - opened
    assert audit.verify(open_office(sold, user="x")).sound


def test_what_cannot_be_switched_is_refused_in_words(
    sold: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = open_office(sold, user="treasurer")
    state = office.state()
    assert state.market is not None
    expiries = [one.expiry for one in state.market.forwards]
    old = state.trades["T-1"].expiry
    earlier = max(one for one in expiries if one < old)
    put = StructureKind.PROTECTIVE_PUT
    with pytest.raises(Invalid, match="at its own expiry or later"):
        switching.propose(office, "T-1", put, earlier)
    with pytest.raises(Invalid, match="rolled to a later expiry"):
        switching.propose(office, "T-1", StructureKind.SHORT_FUTURE)
    with pytest.raises(Invalid, match="is not listed; listed: "):
        switching.propose(office, "T-1", put, old + timedelta(days=1))
    with pytest.raises(Invalid, match=r"replace 0\.1 to"):
        switching.propose(office, "T-1", put, None, Decimal(10_000))
    made = proposed(sold, put, coins=Decimal(30))
    with pytest.raises(Declined, match="asked as one block"):
        execution.judged(open_office(sold, user="trader"), made.id, "paper-book")
    dealt(sold, made.id)
    with pytest.raises(Invalid, match="T-2 is no listed future"):
        switching.propose(open_office(sold, user="treasurer"), "T-2", put)
    closing.propose(open_office(sold, user="treasurer"), "T-1", None)

    def run(*words: str) -> Any:
        status = app.main(
            [*words, "--workspace", str(sold), "--as", "treasurer", "--json"],
            standalone_mode=False,
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, shown = run("switch", "T-1", "--into", "put", "--coins", "25")
    assert status == 0
    assert shown["proposal"]["replaces"] == "T-1"
    assert shown["proposal"]["crystallised_usd"] != 0.0


def test_two_dealers_parts_are_booked_together(sold: Path) -> None:
    """A fill of two dealers: each part its own trade and closing, the sums those of one dealer's."""
    from headframe.desk.booking import book_fills
    from headframe.rfq import Fill, RfqStep

    made = proposed(sold, StructureKind.PROTECTIVE_PUT, coins=Decimal(30))
    office = open_office(sold, user="trader")
    request, _ = execution.judged(office, made.id, "paper")
    assert request.hedge is not None
    state = office.state()
    trial = state.copy()

    def fill(name: str, share: Decimal) -> Fill:
        amount = request.amount * share
        return Fill(
            venue_trade_id=f"BLOCK-{name}",
            dealer=name,
            price=request.limit,
            amount=amount,
            legs=tuple(
                (leg, size, request.limit if "-P" in leg else request.hedge.price)  # type: ignore[union-attr]
                for leg, size in request.asked(amount).items()
            ),
            fee=Decimal("0.001"),
            fee_currency="BTC",
            at=office.now(),
        )

    from headframe.codec import to_json
    from headframe.desk.fencing import moved
    from headframe.desk.ports import Draft

    office.record(
        Draft("asked", {"request": to_json(request), "proposal": made.id, "venue": "paper"})
    )
    moved(office, request, RfqStep.OPENED, venue_id="1")
    moved(office, request, RfqStep.INTEND_AWARD)
    parts = (fill("amber", Decimal("0.4")), fill("basalt", Decimal("0.6")))
    booked = book_fills(office, request, made, parts, RfqStep.FILLED)
    assert [one.id for one in booked] == ["T-2", "C-1", "T-3", "C-2"]
    assert [one.size for one in booked[::2]] == [12, 18]
    after = office.state()
    closed = sum((one.size for one in booked[1::2]), Decimal(0))
    assert float(closed) == pytest.approx(30, abs=3e-4)
    assert after.trades["T-1"].size - closed == next(
        one.coins for one in after.positions() if one.trade.id == "T-1"
    )
    assert after.dealt(made.id) == 30
    assert trial.ledger.imbalance() == after.ledger.imbalance() == {}
    assert audit.verify(office).sound


def test_the_futures_on_are_margined_by_another_exchanges_file(
    sold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "daily.csv"
    file.write_text(
        "product code,start period,end period,maintenance\nMBT,202608,202812,35%\n",
        encoding="utf-8",
    )
    place = ["--workspace", str(sold), "--json"]
    app.main(["margin", "--outright", str(file), *place], standalone_mode=False)
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    (trade,) = open_office(sold, user="x").state().trades.values()
    assert row["contracts"] == math.ceil(float(trade.size) * 10 - 1e-9)
    assert row["maintenance_usd"] == pytest.approx(0.35 * row["notional_usd"])
    assert row["initial_usd"] == pytest.approx(1.1 * row["maintenance_usd"])
    with pytest.raises(Invalid, match="no margin of BTC"):
        app.main(
            ["margin", "--outright", str(file), "--product", "btc", *place], standalone_mode=False
        )


@pytest.mark.parametrize("kind", [StructureKind.PROTECTIVE_PUT, StructureKind.SHORT_FUTURE])
def test_what_stays_of_the_old_future_is_said_before_and_is_what_is_booked(
    sold: Path, kind: StructureKind
) -> None:
    state = open_office(sold, user="x").state()
    assert state.market is not None
    old = state.trades["T-1"]
    later = next(one.expiry for one in state.market.forwards if one.expiry > old.expiry)
    if kind is not StructureKind.SHORT_FUTURE:
        later = old.expiry
    made = proposed(sold, kind, later, Decimal("30.04"))
    assert made.asked_coins == Decimal("30.04")
    assert dealt(sold, made.id).outcome == "filled"
    state = open_office(sold, user="x").state()
    left = state.remaining["T-1"]
    assert dict(made.stays) == {month: coins for month, coins in left.items() if coins}
    assert made.stays_until == old.expiry
