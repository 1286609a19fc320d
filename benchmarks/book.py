"""A book of trades: marked, margined and watched, beside the same done position by position."""

import itertools
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from measure import best, line

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.codec import read_counterparties, read_mandate, read_settings
from headframe.counterparty import CollateralTerms, Standing
from headframe.desk import audit, limits
from headframe.desk.ports import Draft
from headframe.desk.state import State
from headframe.desk.valuation import Valuation
from headframe.desk.workspace import sample_file
from headframe.instrument import StructureKind, parse_instrument
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import (
    Facing,
    Liquidity,
    cash_out_price,
    explain,
    explained,
    hedge_in_force,
    marked_on,
    marks,
    netted_book,
    position_value_usd,
    prepare,
    profiles,
    requirement,
    requirement_of,
    stress,
)
from headframe.units import Month
from headframe.wiring import open_office

MARKET = sample_market()
SURFACE = surface_of(MARKET)
AT = MARKET.as_of + timedelta(days=3)
EXPIRIES = ("25SEP26", "30OCT26", "25DEC26", "26MAR27", "25JUN27")
TERMS = {
    f"dealer{number}": CollateralTerms(
        threshold_usd=1e6, minimum_transfer_usd=1e5, rounding_usd=1e4, independent_share=0.05, haircut=0.0
    )
    for number in range(20)
}  # fmt: skip


def book(count: int) -> tuple[Position, ...]:
    """So many collars and futures over five expiries, forty strikes and twenty dealers."""
    month = Month(2026, 11)
    found: list[Position] = []
    for number in range(count):
        expiry, future = EXPIRIES[number % 5], number % 4 == 0
        names = [f"BTC-{expiry}"]
        if not future:
            low, high = 60_000 + 1_000 * (number % 20), 82_000 + 1_000 * (number % 23)
            names = [f"BTC-{expiry}-{low}-P", f"BTC-{expiry}-{high}-C"]
        size = Decimal(20 + number % 7)
        legs = tuple(
            TradeLeg(
                instrument=parse_instrument(name),
                amount=Decimal(-1_500_000) if future else size * (1 if place == 0 else -1),
                price=Decimal(77_000 + number % 900) if future else Decimal("0.04"),
            )
            for place, name in enumerate(names)
        )
        trade = Trade(
            id=f"T-{number}", proposal="P", rfq="r", dealer=f"dealer{number % 20}", size=size,
            at=MARKET.as_of,
            structure=StructureKind.SHORT_FUTURE if future else StructureKind.COSTLESS_COLLAR,
            margin=MarginTerms.VENUE if future else MarginTerms.BILATERAL, legs=legs, fee=Decimal(0),
            net_price=Decimal(0), price_currency="BTC", spot=Decimal(77_054),
            designations=(Designation(month=month, coins=size, words="", hedge_for_accounts=True),),
        )  # fmt: skip
        found.append(Position(trade=trade, remaining=((month, size),)))
    return tuple(found)


def a_tick(positions: tuple[Position, ...], sides: int) -> None:
    """Every limit of a book at a new price, faces and all, beside the tails of the same book."""
    (one, *_) = read_counterparties(sample_file("counterparties.toml"))
    state = State()
    state.market = MARKET
    for number in range(sides):
        dossier = replace(one, name=f"dealer{number}", group=f"group{number}")
        state.dossiers[dossier.name] = dossier
        state.standing[dossier.name] = Standing.APPROVED
    spread = tuple(
        replace(held, trade=replace(held.trade, dealer=f"dealer{number % sides}"))
        for number, held in enumerate(positions)
    )
    mandate = read_mandate(sample_file("mandate.toml"))
    settings = read_settings(sample_file("headframe.toml"))
    netted, liquidity = (
        netted_book(spread),
        Liquidity(cash_usd=1e8, undrawn_usd=1e7, free_coins=1e3),
    )
    moves = itertools.count(1)

    def work() -> int:
        surface = SURFACE.at_spot(SURFACE.spot * (1.0 + 1e-5 * next(moves)), AT)
        now = Valuation(
            state=state, settings=settings, surface=surface, at=AT, positions=spread,
            liquidity=liquidity, book=netted,
        )  # fmt: skip
        return len(limits.watched(now, mandate))

    clauses = work()
    line(
        f"a tick of the market: {clauses} clauses, {len(spread):,} positions, {sides} dealers",
        f"{best(work, 5) * 1000.0:.0f} ms",
        "",
        "100 ms",
    )


def through_time(positions: tuple[Position, ...]) -> None:
    """Exposure profiles of twenty dealers on 20,000 paths over a year, beside the same mark by mark."""
    from engine import programme

    at = MARKET.as_of
    made = programme(hedge_in_force(positions, TERMS, at))
    facing = [
        Facing(name=one.name, held_usd=0.0, posted_usd=0.0, default_year=0.02, falls_with_coin=1.0)
        for one in made.hedge.sets
    ]

    def work() -> None:
        profiles(prepare(made, marked_on=marked_on), facing, paths=20_000, seed=1)

    work()
    spent = best(work, 2)
    few = positions[:200]
    begun = time.perf_counter()
    moved = SURFACE.at_spot(70_000.0, at)
    for one in few:
        position_value_usd(one, moved, at)
    single = (time.perf_counter() - begun) / len(few) * len(positions) * 52 * 20_000 / 3_600.0
    line(
        "exposure profiles, 20 dealers x 500 trades, 20,000 paths x 52 weeks",
        f"{spent:.1f} s",
        f"marking each trade on each path and week would take {single:,.0f} h",
        "10 s",
    )


def month_explained(positions: tuple[Position, ...]) -> None:
    """A month of daily P&L explained, trade by trade, beside one trade at a time."""
    days = [
        (at, SURFACE.at_spot(SURFACE.spot * (1.0 + 0.01 * ((-1) ** day) * (day % 5)), at))
        for day in range(31)
        for at in [MARKET.as_of + timedelta(days=day)]
    ]

    def work() -> None:
        for (began, before), (ended, after) in itertools.pairwise(days):
            explained(positions, before, began, after, ended)

    work()
    spent = best(work, 1)
    few = positions[:50]
    begun = time.perf_counter()
    for one in few:
        explain(one, days[0][1], days[0][0], days[1][1], days[1][0])
    single = (time.perf_counter() - begun) / len(few) * len(positions) * 30
    line(
        "a month of daily P&L explain on 10,000 trades",
        f"{spent:.1f} s",
        f"{single / spent:.1f} x faster than one by one ({single:.0f} s)",
        "10 s",
    )


def postings_verified(count: int) -> None:
    """A journal of so many postings verified whole: hashes, state machines, sums."""
    with tempfile.TemporaryDirectory() as folder:
        main_app = [sys.executable, "-m", "headframe"]
        subprocess.run([*main_app, "init", f"{folder}/mine"], check=True, stdout=subprocess.DEVNULL)
        office = open_office(Path(folder, "mine"), user="bench")
        each = [
            ["assets:cash", "USD", "1.00"],
            ["income:mining", "USD", "-1.00"],
        ] * 4
        for _ in range(count // 8 // 5_000):
            office.state()
            office.record(*(Draft("noted", {"postings": each}) for _ in range(5_000)))
        begun = time.perf_counter()
        found = audit.verify(office)
        spent = time.perf_counter() - begun
        assert found.sound, found
        begun = time.perf_counter()
        sums: dict[str, int] = {}
        for record in office.journal.read():
            for account, _, text in record.body.get("postings", ()):
                sums[account] = sums.get(account, 0) + int(text.replace(".", ""))
        bare = time.perf_counter() - begun
        line(
            f"{count:,} postings verified",
            f"{spent:.1f} s",
            f"{spent / bare:.1f} x reading and adding them alone ({bare:.1f} s)",
            "30 s",
        )


def main() -> None:
    """Every line."""
    many = book(10_000)

    def together() -> None:
        marks(many, SURFACE, AT)
        requirement(many, TERMS, SURFACE, AT)

    together()
    spent = best(together, 5)
    few = many[:500]
    begun = time.perf_counter()
    for one in few:
        position_value_usd(one, SURFACE, AT)
    single = (time.perf_counter() - begun) / len(few) * len(many)
    line(
        "10,000 trades marked, with greeks and margin",
        f"{spent:.2f} s",
        f"{single / spent:.1f} x faster than values alone one by one ({single:.1f} s)",
        "0.3 s",
    )
    thousand = many[:1_000]
    liquidity = Liquidity(cash_usd=1e8, undrawn_usd=1e7, free_coins=1_000.0)

    def tails() -> None:
        netted = netted_book(thousand)
        posted = requirement_of(netted, TERMS, SURFACE, AT).posted_usd
        for move in (-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6):
            stress(move, netted, TERMS, SURFACE, AT, posted_usd=posted, liquidity=liquidity)
        cash_out_price(netted, TERMS, SURFACE, AT, liquidity)

    tails()
    line(
        "both tails and the cash-out price of 1,000 positions",
        f"{best(tails, 3) * 1000.0:.0f} ms",
        "",
        "(none)",
    )
    a_tick(thousand, 20)
    a_tick(thousand, 165)
    through_time(many)
    month_explained(many)
    postings_verified(1_000_000)


if __name__ == "__main__":
    main()
