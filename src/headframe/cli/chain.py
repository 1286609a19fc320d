"""chain: list, show, next-bits, subsidy, hashprice."""

from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, Instant, Whole, command
from headframe.cli.scenario import Amount

if TYPE_CHECKING:
    from headframe.chain import Chain

_DIGITS = Context(prec=17)


@click.group()
def chain() -> None:
    """The rules of each proof-of-work chain: subsidy, difficulty, hashprice."""


@chain.command(name="list")
@click.option("--at", type=Instant(), help="The day shown (default: today).")
@command
def list_chains(call: Call, at: datetime | None) -> None:
    """Every chain known here, with its subsidy and next step."""
    from headframe.chain import CHAINS
    from headframe.report import chain_facts, chains_table

    day = at or datetime.now(UTC)
    facts = [chain_facts(one, day) for one in CHAINS.values()]
    call.answer("chains", {"chains": facts}, chains_table(day))


@chain.command()
@click.argument("coin")
@click.option("--at", type=Instant(), help="The day shown (default: today).")
@command
def show(call: Call, coin: str, at: datetime | None) -> None:
    """One chain: its rules, their sources, and what of them is unverified."""
    from headframe.chain import chain_of
    from headframe.report import chain_facts, chain_table

    found = chain_of(coin)
    day = at or datetime.now(UTC)
    call.answer("chain", chain_facts(found, day), chain_table(found, day))


@chain.command(name="next-bits")
@click.option("--coin", default="BTC", show_default=True)
@click.option("--bits", help="Compact target before, eight hexadecimal digits.")
@click.option("--difficulty", type=Whole(1, 2**64), help="Difficulty before (ETC).")
@click.option(
    "--first-time",
    type=Whole(-(2**63), 2**63),
    help="BTC: the period's first block. LTC: the last block before it. DOGE, ETC: the block before.",
)
@click.option(
    "--last-time", type=Whole(-(2**63), 2**63), help="Time of the last block, seconds since 1970."
)
@click.option("--height", type=Whole(0, 2**64), help="Height of the last block (BCH).")
@click.option("--anchor", help="BCH: HEIGHT:PARENT_TIME:BITS instead of the main chain's.")
@click.option("--uncles", is_flag=True, help="ETC: the parent includes uncles.")
@click.option(
    "--window",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="KAS, ZEC, XMR: CSV with columns time and bits (XMR: difficulty), oldest first.",
)
@command
def next_bits_command(
    call: Call,
    *,
    coin: str,
    bits: str | None,
    difficulty: int | None,
    first_time: int | None,
    last_time: int | None,
    height: int | None,
    anchor: str | None,
    uncles: bool,
    window: Path | None,
) -> None:
    """The next difficulty by the chain's own rule, in its integers."""
    from headframe.chain import Adjustment, chain_of, parse_bits
    from headframe.feed import read_blocks

    one = chain_of(coin)
    asked = Adjustment(
        bits=None if bits is None else parse_bits(bits),
        difficulty=difficulty,
        first_time=first_time,
        last_time=last_time,
        height=height,
        uncles=uncles,
        anchor=None if anchor is None else _anchor(anchor),
        window=() if window is None else read_blocks(window),
    )
    found = one.adjust(asked)
    exact = _DIGITS.divide(
        Decimal(found.difficulty.numerator), Decimal(found.difficulty.denominator)
    )
    body: dict[str, Any] = {
        "coin": one.coin,
        "bits": None if found.bits is None else f"{found.bits:08x}",
        "difficulty": format(exact, "f"),
        "change": found.change,
        "unverified": "difficulty rule" in one.unverified,
    }
    moved = "-" if found.change is None else f"{found.change:+.4%}"
    said = (
        f"{one.coin}: bits {body['bits'] or '-'}, difficulty {body['difficulty']}, change {moved}"
    )
    call.answer("next-bits", body, said + _flag(one, "difficulty rule"))


def _flag(one: "Chain", what: str) -> str:
    return (
        f" (unverified: no published vectors for this chain's {what})"
        if what in one.unverified
        else ""
    )


def _anchor(text: str) -> tuple[int, int, int]:
    from headframe.chain import parse_bits
    from headframe.units import Wrong, parse_whole

    parts = text.split(":")
    try:
        height, time, bits = parts
        return parse_whole(height), parse_whole(time), parse_bits(bits)
    except ValueError as error:  # Wrong is one
        raise Wrong(f"--anchor is HEIGHT:PARENT_TIME:BITS, was {text[:40]!r}") from error


@chain.command()
@click.option("--coin", default="BTC", show_default=True)
@click.option(
    "--height", "--daa-score", "height", type=Whole(0, 2**64), help="Height; Kaspa's DAA score."
)
@click.option("--generated", type=Amount(), help="Monero: coins generated so far.")
@click.option("--known-height", type=Whole(0, 2**64), help="A height reached at --known-at.")
@click.option("--known-at", type=Instant(), help="When: expected dates are counted from there.")
@command
def subsidy(
    call: Call,
    *,
    coin: str,
    height: int | None,
    generated: Decimal | None,
    known_height: int | None,
    known_at: datetime | None,
) -> None:
    """New coins of a block, to the smallest unit, and the next step with its expected date."""
    from headframe.chain import Known, chain_of
    from headframe.report import subsidy_facts
    from headframe.units import Wrong

    one = chain_of(coin)
    by_coins = one.position.startswith("atomic")
    if by_coins and generated is None:
        raise Wrong(f"{one.coin}'s subsidy follows the coins generated: give --generated")
    if not by_coins and height is None:
        raise Wrong(f"{one.coin}'s subsidy follows its {one.position}: give --height")
    if (known_height is None) != (known_at is None):
        raise Wrong("--known-height and --known-at belong together")
    given = None
    if known_height is not None and known_at is not None:
        given = Known(position=known_height, at=known_at, source="given")
    at = int(generated * one.scale) if by_coins and generated is not None else (height or 0)
    body = subsidy_facts(one, at, given)
    said = f"{one.coin} at {one.position} {at:,}: {body['subsidy']} coins a block"
    if body["miner_subsidy"] != body["subsidy"]:
        said += f", {body['miner_subsidy']} of them the miner's"
    if body["next_step_height"] is None:
        said += "; no further step"
    else:
        when = body["next_step_at"] or "a date that needs --known-height and --known-at"
        said += f"; {body['next_step_subsidy']} from {body['next_step_height']:,}, expected {when}"
    call.answer("subsidy", body, said)


@chain.command()
@click.option("--coin", default="BTC", show_default=True)
@click.option("--difficulty", type=Amount(10**30), required=True, help="Such as 129.045e12.")
@click.option("--fees", type=Amount(decimals=8), help="Transaction fees, coins per block.")
@click.option("--fee-share", type=Amount(), help="Or: fees divided by the subsidy.")
@click.option(
    "--height",
    type=Whole(0, 2**64),
    help="Height of the subsidy (default: as of today).",
)
@click.option("--price", type=Amount(), help="USD per coin.")
@click.option("--pool-fee", type=Amount(), default="0", help="Share the pool keeps.")
@click.option("--efficiency", type=Amount(), help="Joules per terahash, for the break-even power.")
@click.option("--machine", help="Or: a machine of the table, such as 'Antminer S21'.")
@command
def hashprice(
    call: Call,
    *,
    coin: str,
    difficulty: Decimal,
    fees: Decimal | None,
    fee_share: Decimal | None,
    height: int | None,
    price: Decimal | None,
    pool_fee: Decimal,
    efficiency: Decimal | None,
    machine: str | None,
) -> None:
    """What a PH/s earns in a day, in coin and in USD, and the power price a machine can pay."""
    from headframe.chain import block_coins, break_even_usd_mwh, chain_of, coin_per_phs_day
    from headframe.mining import machine_named
    from headframe.units import Wrong

    one = chain_of(coin)
    _share(pool_fee, "--pool-fee")
    place = one.position_at(datetime.now(UTC)) if height is None else height
    block = block_coins(
        one,
        place,
        fees=None if fees is None else float(fees),
        fee_share=None if fee_share is None else float(fee_share),
    )
    earned = coin_per_phs_day(float(difficulty), block, one.hashes_per_difficulty)
    dollars = None if price is None else earned * float(price)
    if machine is not None:
        efficiency = Decimal(repr(machine_named(machine, one.algorithm).joules_per_terahash))
    if efficiency is not None and dollars is None:
        raise Wrong("a break-even power price needs --price")
    even = None
    if efficiency is not None and dollars is not None:
        even = break_even_usd_mwh(dollars, float(pool_fee), float(efficiency))
    body = {
        "coin": one.coin,
        "block_coins": block,
        "coin_per_phs_day": earned,
        "usd_per_phs_day": dollars,
        "efficiency_j_per_th": None if efficiency is None else float(efficiency),
        "break_even_usd_per_mwh": even,
    }
    said = f"{one.coin}: {earned:.8f} coins per PH/s and day"
    said += "" if dollars is None else f", {dollars:,.2f} USD/PH/s/day"
    said += "" if even is None else f"; breaks even at {even:,.2f} USD/MWh"
    call.answer("hashprice", body, said)


def _share(value: Decimal, name: str) -> None:
    from headframe.units import Wrong

    if not 0 <= value < 1:
        raise Wrong(f"{name} is a share between 0 and 1, was {value}")
