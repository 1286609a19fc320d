"""mining: what a hashrate should have earned, what was mined, and quick forecasts of any coin."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command
from headframe.cli.scenario import Amount

if TYPE_CHECKING:
    from headframe.chain import Chain, Retarget

_COIN = click.option("--coin", default="BTC", show_default=True)
_HISTORY = click.option(
    "--history",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV with height, time, bits or difficulty (default for BTC: the history carried).",
)
_HASHRATE = click.option("--hashrate", required=True, help="With its unit: 32.8EH/s.")
_SHARE = click.option("--fee-share", type=Amount(), default="0", help="Fees over the subsidy.")
_POOL = click.option("--pool-fee", type=Amount(), default="0", help="Share the pool keeps.")


@click.group()
def mining() -> None:
    """Coins expected of a hashrate, coins mined, machines."""


def past_of(call: Call, chain: "Chain", file: Path | None) -> "tuple[Retarget, ...]":
    """The difficulty history of a file, or the one carried, in order; what was mended is said."""
    from headframe.chain import checked_history
    from headframe.desk.history import carried
    from headframe.feed import read_history
    from headframe.units import Wrong

    rows = carried(chain.coin) if file is None else read_history(file, chain)
    if not rows:
        raise Wrong(f"{chain.coin} comes without a history: give --history FILE")
    past, notes = checked_history(rows, chain, until=datetime.now(UTC))
    for note in notes:
        call.talk(note)
    return past


@mining.command()
@_COIN
@_HASHRATE
@click.option("--from", "start", type=Instant(), required=True, help="Inclusive, UTC.")
@click.option("--to", "end", type=Instant(), required=True, help="Exclusive, UTC.")
@_SHARE
@_POOL
@_HISTORY
@command
def expected(
    call: Call,
    *,
    coin: str,
    hashrate: str,
    start: datetime,
    end: datetime,
    fee_share: Decimal,
    pool_fee: Decimal,
    file: Path | None,
) -> None:
    """Coins expected from the realised difficulty, with the band of luck: the audit of a pool's payouts."""
    from headframe.chain import chain_of
    from headframe.codec import to_json
    from headframe.mining import expected as computed
    from headframe.report import coins_form, write
    from headframe.units import parse_hashrate

    chain = chain_of(coin)
    past = past_of(call, chain, file)
    found = computed(
        chain,
        past,
        hashrate_hs=parse_hashrate(hashrate),
        start=start,
        end=end,
        fee_share=float(fee_share),
        pool_fee=float(pool_fee),
    )
    form = coins_form((found.coins, found.p10))
    coins, low, high = (write(value, form) for value in (found.coins, found.p10, found.p90))
    said = (
        f"{coins} {chain.coin} expected of {found.blocks:,.1f} blocks; a solo miner's luck "
        f"would give {low} to {high} (10 % chance of less, of more)"
    )
    if found.steps:
        said += f"; the subsidy stepped at {', '.join(f'{step:,}' for step in found.steps)}"
    if found.simulated_days:
        said += f"; the last {found.simulated_days:.1f} days lie after the history, at its last difficulty"
    call.answer("expected", to_json(found), said)


@mining.command()
@_COIN
@_HASHRATE
@_HISTORY
@_SHARE
@_POOL
@click.option("--first", help="First month, 2026-09 (default: the one after the history's end).")
@click.option("--months", type=Whole(1, 36), default=12, show_default=True)
@click.option("--paths", type=Whole(100, 1_000_000), default=20_000, show_default=True)
@click.option("--seed", type=Whole(0, 2**62), default=1, show_default=True)
@command
def outlook(
    call: Call,
    *,
    coin: str,
    hashrate: str,
    file: Path | None,
    fee_share: Decimal,
    pool_fee: Decimal,
    first: str | None,
    months: int,
    paths: int,
    seed: int,
) -> None:
    """Coins by month of a steady hashrate on any chain; merged mining is one outlook a coin."""
    from headframe.chain import chain_of
    from headframe.cli.progress import bar
    from headframe.codec import to_json
    from headframe.mining import (
        ProductionScale,
        check_hashrate,
        estimate,
        first_full_month,
        start_of,
        steady,
        steady_bands,
    )
    from headframe.report import outlook_table
    from headframe.units import Month, parse_hashrate

    chain = chain_of(coin)
    past = past_of(call, chain, file)
    start = start_of(chain, past, estimate(past, chain=chain))
    begin = first_full_month(past[-1].at) if first is None else Month.parse(first)
    hashes = parse_hashrate(hashrate)
    check_hashrate(ProductionScale(chain=chain, history=past), past[-1].at.date(), hashes)
    with bar("outlook") as moved:
        drawn = steady(
            start,
            hashes,
            begin,
            months=months,
            fee_share=float(fee_share),
            pool_fee=float(pool_fee),
            paths=paths,
            seed=seed,
            progress=moved,
        )
    found = steady_bands(drawn, begin)
    body = {
        "coin": chain.coin,
        "unverified": list(chain.unverified),
        "months": [
            {"month": str(month), "coins": to_json(alone), "cumulative": to_json(summed)}
            for month, alone, summed in found
        ],
    }
    call.answer("outlook", body, outlook_table(chain, found))


@mining.command()
@click.option("--algorithm", help="Only machines of one algorithm, such as Scrypt.")
@command
def machines(call: Call, algorithm: str | None) -> None:
    """Well-known machines: ratings, release, and how well they are known."""
    from headframe.codec import to_json
    from headframe.mining import KNOWN_MACHINES
    from headframe.report import known_machines_tables

    rows = [
        machine
        for machine in KNOWN_MACHINES.values()
        if algorithm is None or machine.algorithm.lower() == algorithm.lower()
    ]
    call.answer(
        "machines", {"machines": [to_json(row) for row in rows]}, *known_machines_tables(rows)
    )


@mining.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def record(call: Call, file: Path) -> None:
    """Record coins mined by day from FILE (CSV, XLSX: day, coins), as the pool paid them."""
    from headframe.desk import history
    from headframe.feed import mined_rows, read_table

    office = call.office()
    rows = mined_rows(read_table(file), file.name, office.settings().operation.coin)
    _recorded(call, history.record_mined(office, rows, file.name))


@mining.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def telemetry(call: Call, file: Path) -> None:
    """Record the mean hashrate by day from FILE (CSV, XLSX: day, hashrate with its unit)."""
    from headframe.desk import history
    from headframe.feed import read_table, telemetry_rows

    rows = telemetry_rows(read_table(file), file.name)
    _recorded(call, history.record_telemetry(call.office(), rows, file.name))


@mining.command()
@click.option("--fee-share", type=Amount(), help="Fees over the subsidy (default: the settings').")
@command
def audit(call: Call, fee_share: Decimal | None) -> None:
    """What the recorded hashrate should have earned against what the pool paid, month by month.

    Each payout, recorded or booked by coins, is held against the hashrate of the days since the one before.
    """
    from headframe.codec import to_json
    from headframe.desk import history
    from headframe.report import payouts_table

    found = history.audit_payouts(call.office(), None if fee_share is None else float(fee_share))
    body = [{**to_json(row), "difference": row.difference} for row in found.months]
    data = {"months": body, "notes": list(found.notes)}
    call.answer("payout-audit", data, payouts_table(found.months), *found.notes)


@mining.command()
@click.option("--esplora", required=True, help="Base URL of an Esplora-style REST API.")
@click.option(
    "--address", "addresses", required=True, multiple=True, help="The address the pool pays to."
)
@click.option(
    "--confirmations", type=Whole(1, 1000), default=6, show_default=True, help="How deep, at least."
)
@command
def payouts(call: Call, esplora: str, addresses: tuple[str, ...], confirmations: int) -> None:
    """Record coins received at addresses, by day, from an Esplora-style server.

    Receipts are read as by headframe coins --address: no change, no transfers of our own, no coins of a block
    reward before they can be spent. What coins has booked is in the production record already.
    """
    from headframe.cli import receipts
    from headframe.desk import history

    office = call.office()
    found = receipts.read_addresses(office, esplora, addresses, confirmations)
    days: dict[date, Decimal] = {}
    for one in found.receipts:
        if one.at <= office.now():
            day = one.at.date()
            days[day] = days.get(day, Decimal(0)) + one.coins
    rows = [(day, f"{coins:.8f}") for day, coins in sorted(days.items())]
    counts = history.record_mined(office, rows, f"address {', '.join(addresses)}")
    words = receipts.waiting_words(found, office.settings().operation.coin)
    _recorded(call, counts, words)


def _recorded(call: Call, counts: tuple[int, int, int], notes: tuple[str, ...] = ()) -> None:
    new, updated, unchanged = counts
    body = {"new": new, "updated": updated, "unchanged": unchanged}
    said = f"{new} days new, {updated} updated, {unchanged} unchanged"
    call.answer("mined", body | ({"notes": list(notes)} if notes else {}), said, *notes)
