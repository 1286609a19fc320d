"""A year on real markets: a mine's hedges dealt on real chains, closed day by day on real prices, recomputed by hand.

The settlement prices are those nearest 08:00 UTC of each day: a stand-in for the venue's official ones. The
recomputation uses the trades' terms and the prices alone, in plain Python, and no code of the package.
"""

import asyncio
import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe.codec import (
    PriceDefaults,
    read_flows,
    read_settlement_prices,
    rows_of,
)
from headframe.counterparty import Step
from headframe.desk import (
    approvals,
    audit,
    closing,
    counterparties,
    daily_close,
    execution,
    executions,
    flows,
    lifecycle,
    limits,
    money,
    policy,
    production,
    programme,
    quotes,
    settlement_prices,
    switching,
    workspace,
)
from headframe.desk.office import Office
from headframe.feed import market_from_text, read_text
from headframe.instrument import StructureKind
from headframe.rfq import costs_by_kind
from headframe.units import BTC, USD, parse_expiry
from headframe.wiring import create_office, trading

DEALERS = ("amber", "basalt", "cobalt", "dolomite", "emery")
CHAINS = (
    "20251230T173115Z",
    "20260114T212207Z",
    "20260206T043012Z",
    "20260327T213414Z",
    "20260626T222121Z",
    "20260822T153351Z",
)
LAST = date(2026, 8, 22)
FEE_USD = Decimal("35.00")


@dataclass
class Walk:
    """One mine walked through the year, and the prices it was closed on."""

    office: Office
    folder: Path
    data: Path

    def edit(self, name: str, *pairs: tuple[str, str]) -> None:
        path = self.folder / name
        text = path.read_text()
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)

    def sign(self, *pairs: tuple[str, str]) -> None:
        self.office.user = "board"
        self.edit("mandate.toml", *pairs)
        policy.sign(self.office)
        self.office.user = "treasurer"

    def market(self, number: int) -> None:
        path = self.data / "deribit_chains" / f"btc_chain_{CHAINS[number]}.csv"
        quotes.take(self.office, market_from_text(read_text(path), name=path.name, as_of=None))

    def deal(self, name: str) -> None:
        self.office.user = "cfo"
        approvals.give(self.office, name)
        self.office.user = "trader"

        async def run() -> None:
            """Ask until a quote can win: the street's dealers decline and come late, as real ones do."""
            async with trading(self.office, self.folder) as line:
                dealt: Any = None
                for _ in range(8):
                    dealt = await execution.deal(line, name)
                    if dealt.outcome == "filled":
                        return
            pytest.fail(f"{name}: {dealt.outcome}")

        asyncio.run(run())
        self.office.user = "treasurer"

    def proposed(self, structure: str, expiry: str) -> str:
        """Plan with one structure allowed, and the proposal of an expiry."""
        plan = programme.plan(self.office)
        wanted = [one for one in plan.proposals if one.expiry == parse_expiry(expiry)]
        assert [str(one.kind) for one in wanted] == [structure]
        return wanted[0].id

    def close(self, until: date) -> None:
        self.advance(until)
        settlement_prices.record(self.office, self._prices(until))
        run = daily_close.close_days(self.office, until)
        assert run.missing == ()
        assert run.through == until

    def _prices(self, until: date) -> Any:
        rows = [
            {
                "date": row["day"].isoformat(),
                "instrument": row["name"],
                "price": row["price"],
                "observed_at": "",
                "kind": row["kind"],
                "source": "",
            }
            for row in prices_of(self.data)
            if row["day"] <= until
        ]
        numbered = list(enumerate(rows, start=2))
        return read_settlement_prices(
            numbered, "prices.csv", PriceDefaults(coin="BTC", source="snapshot")
        )

    def advance(self, day: date) -> None:
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        if at > self.office.now():
            workspace.advance_clock(self.office, at)

    def coins(self, first: date, last: date) -> None:
        self.advance(last + timedelta(days=1))
        rows = coins_of(first, last, index_of(self.data))
        text = "id,kind,at,coins,usd,fee_usd,memo\n" + "".join(rows)
        flows.take(
            self.office, read_flows(list(rows_of(text, "coins.csv")), "coins.csv"), "coins.csv"
        )


def prices_of(data: Path) -> list[dict[str, Any]]:
    """Index and futures by day, as the file has them, each index once a day."""
    found: list[dict[str, Any]] = []
    with (data / "deribit_futures_daily_2026.csv").open() as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["as_of"][:10])
            expiry = date.fromisoformat(row["expiry"])
            if not any(one["day"] == day and one["name"] == "btc_usd" for one in found[-20:]):
                found.append(
                    {"day": day, "name": "btc_usd", "price": row["index_usd"], "kind": "delivery"}
                )
            if expiry > day:
                name = f"BTC-{expiry.day}{expiry:%b%y}".upper()
                found.append(
                    {"day": day, "name": name, "price": row["future_usd"], "kind": "settlement"}
                )
    return found


def index_of(data: Path) -> dict[date, Fraction]:
    return {
        one["day"]: Fraction(one["price"]) for one in prices_of(data) if one["name"] == "btc_usd"
    }


def mined_on(day: date) -> Decimal:
    return Decimal("2.80") + Decimal(day.day % 5) / 100


def sold_on(day: date) -> Decimal:
    """Sold daily but on Sundays, when nothing is; what is left over is sold on the month's last day."""
    return Decimal("2.75")


def coins_of(first: date, last: date, index: dict[date, Fraction]) -> list[str]:
    rows: list[str] = []
    day = first
    while day <= last:
        rows.append(f"p-{day},payout,{day}T01:00:00Z,{mined_on(day)},,,\n")
        if day.weekday() != 6:
            rows.append(
                f"s-{day},sale,{day}T07:00:00Z,{sold_on(day)},{sale_usd(day, index)},{FEE_USD},\n"
            )
        if (day + timedelta(days=1)).day == 1:
            rows.append(f"c-{day},cost,{day}T07:30:00Z,,1500000.00,,power\n")
        day += timedelta(days=1)
    return rows


def sale_usd(day: date, index: dict[date, Fraction]) -> Decimal:
    exact = Fraction(sold_on(day)) * index[day] * Fraction(9995, 10000)
    return Decimal(round(exact * 100)) / 100


def walked(folder: Path, data: Path, database: str | None) -> Walk:
    """The whole year: futures and their roll, a collar, puts; payouts, sales and costs by table."""
    first = data / "deribit_chains" / f"btc_chain_{CHAINS[0]}.csv"
    office = create_office(
        folder,
        market_from_text(read_text(first), name=first.name, as_of=None),
        user="board",
        database=database,
    )
    walk = Walk(office, folder, data)
    path = folder / "counterparties.toml"
    path.write_text(path.read_text().replace("dated = 2026-", "dated = 2025-"))
    every = '["short_future", "forward", "protective_put", "costless_collar"]   # M-1.3'
    walk.sign(
        ("valid_from = 2026-07-01", "valid_from = 2025-07-01"),
        ("tracking_error_max = 0.07", "tracking_error_max = 0.5"),
        ("r2_min = 0.60", "r2_min = 0.0"),
        ("stress_call_share_max = 0.40", "stress_call_share_max = 1.0"),
        (every, '["short_future"]   # M-1.3'),
    )
    for name in DEALERS:
        office.user = "treasurer"
        counterparties.add(office, name)
        office.user = "risk"
        counterparties.review(office, name, Step.APPROVE)
    office.user = "treasurer"
    production.make(office)
    walk.deal(walk.proposed("short_future", "27FEB26"))
    walk.sign(('["short_future"]   # M-1.3', '["costless_collar"]   # M-1.3'))
    walk.deal(walk.proposed("costless_collar", "27MAR26"))
    walk.coins(date(2025, 12, 31), date(2026, 1, 13))
    walk.close(date(2026, 1, 14))
    walk.market(1)
    walk.sign(('["costless_collar"]   # M-1.3', '["protective_put"]   # M-1.3'))
    walk.deal(walk.proposed("protective_put", "26JUN26"))
    walk.sign(('["protective_put"]   # M-1.3', '["protective_put", "short_future"]   # M-1.3'))
    rolled = switching.propose(
        office, "T-1", StructureKind.SHORT_FUTURE, parse_expiry("27MAR26"), Decimal(20)
    )
    walk.deal(rolled.id)
    walk.coins(date(2026, 1, 14), date(2026, 2, 4))
    walk.close(date(2026, 2, 5))
    walk.market(2)
    assert limits_of(office)["M-2.6"] == "breach", (
        "January's coins are sold, and their hedge is still on"
    )
    refused = programme.plan(office)
    assert refused.proposals == ()
    assert {
        b.rule.clause for _, rated in refused.blocks for r in rated for b in r.verdict.breaches
    } >= {"M-2.6"}
    walk.deal(closing.propose(office, "T-1", Decimal(20)).id)
    walk.coins(date(2026, 2, 5), date(2026, 3, 26))
    walk.close(date(2026, 3, 27))
    walk.market(3)
    walk.coins(date(2026, 3, 27), date(2026, 6, 25))
    walk.close(date(2026, 6, 26))
    walk.market(4)
    walk.coins(date(2026, 6, 26), date(2026, 8, 20))
    walk.close(date(2026, 8, 21))
    walk.market(5)
    return walk


def limits_of(office: Office) -> dict[str, str]:
    """The status of each clause under watch, the worst of several."""
    found: dict[str, str] = {}
    for row in limits.watch(office):
        if found.get(row.clause) != "breach":
            found[row.clause] = str(row.status)
    return found


@pytest.fixture(scope="module")
def year(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    return walked(tmp_path_factory.mktemp("year") / "mine", real_data, None)


def satoshi(exact: Fraction) -> int:
    return round(exact * 10**8)


def cents(exact: Fraction) -> int:
    return round(exact * 100)


@dataclass
class Hand:
    """The recomputation: amounts of each trade by cause and day, in satoshi, with their worth in cents."""

    rows: list[tuple[str, str, date, int, int]]

    def total(self, trade: str) -> int:
        return sum(row[3] for row in self.rows if row[0] == trade)


def by_hand(walk: Walk) -> Hand:  # noqa: C901, PLR0912 - one flat run of arithmetic, as on paper
    """Premium, fees, variation, the roll and every expiry, from terms and prices alone."""
    state = walk.office.state()
    index = index_of(walk.data)
    futures = {(one["day"], one["name"]): Fraction(one["price"]) for one in prices_of(walk.data)}
    hand = Hand([])

    def paid(trade: str, cause: str, day: date, coins: Fraction, price: Fraction) -> None:
        whole = satoshi(coins)
        hand.rows.append((trade, cause, day, whole, cents(Fraction(whole, 10**8) * price)))

    for trade in state.trades.values():
        spot, dealt = Fraction(trade.spot), trade.at.date()
        premium = sum(
            (
                -Fraction(leg.amount) * Fraction(leg.price)
                for leg in trade.legs
                if leg.instrument.strike
            ),
            Fraction(0),
        )
        if premium:
            paid(trade.id, "premium", dealt, premium, spot)
        paid(trade.id, "fee", dealt, -Fraction(trade.fee), spot)
        closings = [
            (one, state.closings[one]) for one, closed in state.closes.items() if closed == trade.id
        ]
        expiry, share = trade.expiry.date(), Fraction(1)
        first = dealt + timedelta(days=1 if trade.at.hour >= 8 else 0)
        mark = Fraction(trade.legs[0].price)
        day = first
        while day <= expiry:
            for _, ended in closings:
                closed_on = ended.at.date() + timedelta(days=1 if ended.at.hour >= 8 else 0)
                if closed_on == day:
                    (leg,) = ended.legs
                    dealt_back = Fraction(leg.amount)
                    gain = -dealt_back * (1 / mark - 1 / Fraction(leg.price))
                    paid(
                        trade.id,
                        "closing",
                        ended.at.date(),
                        gain - Fraction(ended.fee),
                        Fraction(ended.spot),
                    )
                    share -= Fraction(ended.size) / Fraction(trade.size)
            if share == 0:
                break
            for leg in trade.legs:
                amount = Fraction(leg.amount) * share
                if leg.instrument.strike is None:
                    price = index[day] if day == expiry else futures[day, leg.instrument.name]
                    paid(trade.id, "variation", day, amount * (1 / mark - 1 / price), index[day])
                    mark = price
                elif day == expiry:
                    strike = Fraction(leg.instrument.strike)
                    sign = 1 if leg.instrument.name.endswith("C") else -1
                    inner = max(sign * (index[day] - strike), Fraction(0)) / index[day]
                    paid(trade.id, "exercise", day, amount * inner, index[day])
            day += timedelta(days=1)
    return hand


def test_every_amount_of_every_trade_is_what_the_hand_computes(year: Walk) -> None:
    hand, state = by_hand(year), year.office.state()
    assert {str(one.structure) for one in state.trades.values()} == {
        "short_future",
        "costless_collar",
        "protective_put",
    }
    assert len(state.trades) == 4, (
        "two futures, one of them rolled into the other, a collar and puts"
    )
    assert len(state.closings) == 2, "a roll of 20 coins, a close of 20"
    for name in state.trades:
        booked = -state.ledger.balance(f"income:hedge:{name}", BTC).smallest
        assert booked == hand.total(name), (name, booked, hand.total(name))
        for cause in ("premium", "fee", "variation", "exercise"):
            kept = sum(
                one.coins.smallest
                for one in state.results.values()
                if one.trade == name and one.cause == cause
            )
            assert kept == sum(row[3] for row in hand.rows if row[:2] == (name, cause)), (
                name,
                cause,
            )


def test_cash_and_coins_are_what_the_hand_computes(year: Walk) -> None:
    state, index = year.office.state(), index_of(year.data)
    cash, coins, day = Decimal(9_000_000), Decimal(0), date(2025, 12, 31)
    while day <= date(2026, 8, 20):
        coins += mined_on(day)
        if day.weekday() != 6:
            coins -= sold_on(day)
            cash += sale_usd(day, index) - FEE_USD
        if (day + timedelta(days=1)).day == 1:
            cash -= 1_500_000
        day += timedelta(days=1)
    hedges = sum(by_hand(year).total(name) for name in state.trades)
    every = state.ledger.total("assets:coins:", BTC).smallest
    assert every == int((coins + 180) * 10**8) + hedges
    assert state.ledger.total("assets:cash", USD).smallest == int(cash * 100), (
        "what was posted came back"
    )
    assert state.shortfalls == []


def test_no_position_is_past_its_expiry_and_every_end_is_evidence(year: Walk) -> None:
    state = year.office.state()
    assert state.positions() == ()
    assert state.outstanding(year.office.now()) == ()
    index = index_of(year.data)
    stages = {one.name: one.stage for one in lifecycle.lives(year.office)}
    for trade in state.trades.values():
        price = index[trade.expiry.date()]
        puts = [leg for leg in trade.legs if leg.instrument.name.endswith("P")]
        inside = any(Fraction(leg.instrument.strike or 0) > price for leg in puts)
        if trade.structure is StructureKind.SHORT_FUTURE:
            assert stages[trade.id] == "settled"
        else:
            calls = [leg for leg in trade.legs if leg.instrument.name.endswith("C")]
            called = any(Fraction(leg.instrument.strike or 0) < price for leg in calls)
            assert stages[trade.id] == ("exercised" if inside or called else "expired")
    assert float(state.ledger.total("promises:", BTC)) == 0.0
    assert float(state.ledger.total("assets:coins:posted:", BTC)) == 0.0


def test_realised_price_by_month_is_own_sales_and_own_hedges(year: Walk) -> None:
    """Oldest coins are sold first; each trade's amounts go to its months by the coins it hedged."""
    state, index = year.office.state(), index_of(year.data)
    mined: dict[str, int] = {}
    sales: list[tuple[str, int, int]] = []
    day = date(2025, 12, 31)
    while day <= date(2026, 8, 20):
        mined[f"{day:%Y-%m}"] = mined.get(f"{day:%Y-%m}", 0) + int(mined_on(day) * 10**8)
        if day.weekday() != 6:
            sales.append(
                (
                    f"{day:%Y-%m}",
                    int(sold_on(day) * 10**8),
                    int((sale_usd(day, index) - FEE_USD) * 100),
                )
            )
        day += timedelta(days=1)
    left, sold, brought = dict(mined), dict.fromkeys(mined, 0), dict.fromkeys(mined, 0)
    for month, coins, usd in sales:
        taken, given = 0, 0
        for name in sorted(left):
            part = min(left[name], coins - taken) if name <= month else 0
            if part > 0:
                left[name] -= part
                taken += part
                upto = round(Fraction(usd) * taken / coins)
                sold[name] += part
                brought[name] += upto - given
                given = upto
    own = {str(one.month): one for one in money.performance(year.office).realised}
    for name, coins in mined.items():
        assert own[name].mined.smallest == coins
        assert own[name].sold.smallest == sold[name]
        assert own[name].sales.smallest == brought[name]
    hand = by_hand(year)
    for trade in state.trades.values():
        worth = sum(row[4] for row in hand.rows if row[0] == trade.id)
        kept = [one for one in state.results.values() if one.trade == trade.id]
        assert {str(one.month) for one in kept} <= {str(part.month) for part in trade.designations}
        months = len(trade.designations)
        days = len([row for row in hand.rows if row[0] == trade.id])
        assert abs(sum(one.worth_usd.smallest for one in kept) - worth) <= months * days, (
            "a cent of rounding a row"
        )


def test_the_three_views_reconcile_and_the_audit_verifies(year: Walk) -> None:
    found = money.performance(year.office)
    assert found.bridge.holds
    everything = sum(one.total_usd(found.spot) for one in found.trades)
    assert float(found.bridge.pnl) == pytest.approx(everything, abs=0.01)
    assert audit.verify(year.office).sound


@pytest.mark.slow  # the whole year once more
def test_the_same_walk_through_postgresql_gives_the_same_bytes(
    year: Walk, real_data: Path, tmp_path: Path, postgres_url: str
) -> None:
    other = walked(tmp_path / "mine", real_data, postgres_url)
    assert audit.export(other.office) == audit.export(year.office)


def test_dealing_cost_is_kept_by_kind_and_a_roll_is_measured_on_its_spread(year: Walk) -> None:
    every = executions.every(year.office, None, None)
    kinds = dict(costs_by_kind(every))
    assert {"short_future", "costless_collar", "protective_put", "calendar_spread"} <= set(kinds)
    for kind, costs in kinds.items():
        assert costs.breaks == (), kind
    rolled = kinds["calendar_spread"]
    assert rolled.to_mid_bps is not None
    assert abs(rolled.to_mid_bps) < 20.0, (
        "of notional: the spread's own bid-ask, not the outright's price"
    )
