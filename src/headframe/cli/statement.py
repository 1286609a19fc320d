"""What comes from outside the desk, and when: coins and cash that moved, statements, the agenda."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command

if TYPE_CHECKING:
    from headframe.desk.flows import Taken
    from headframe.desk.office import Office


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@command
def statement(call: Call, file: Path | None) -> int:
    """Hold a statement of a venue, custodian or bank (FILE) against the books to the last unit.

    FILE is a CSV or XLSX: account (as headframe ledger names it), currency, balance, and at or day. Without
    it: the breaks that are open, with age and owner. Status 4 where there are any.
    """
    from headframe.codec import read_statement, to_json
    from headframe.desk import statements
    from headframe.feed import read_table
    from headframe.report import breaks_table

    office = call.office()
    agreed: tuple[str, ...] = ()
    if file is not None:
        agreed = statements.take(
            office, read_statement(read_table(file), file.name), file.name
        ).agreed
    found = statements.open_breaks(office)
    call.answer(
        "statement",
        {"agreed": list(agreed), "breaks": [to_json(one) for one in found]},
        breaks_table(found, office.now()),
        f"{len(agreed)} balances agree; {len(found)} breaks are open",
    )
    return 4 if found else 0


@click.command()
@click.argument("rates", nargs=-1, metavar="[CODE=USD]...")
@click.option("--at", "at", type=Instant(), help="Of when they are (default: now).")
@command
def fx(call: Call, rates: tuple[str, ...], at: datetime | None) -> None:
    """Keep rates of other currencies, dollars for one unit (CAD=0.7312); without any: cash and rates held."""
    from headframe.book import FxRate
    from headframe.codec import to_json
    from headframe.desk import fx as desk_fx
    from headframe.desk.tables import currencies_table
    from headframe.units import Wrong, parse_figure

    office = call.office()
    asked: list[FxRate] = []
    for text in rates:
        code, found, usd = text.partition("=")
        if not found:
            raise Wrong(f"a rate is written CODE=USD, like CAD=0.7312, was {text[:40]!r}")
        asked.append(FxRate(currency=code.upper(), usd=parse_figure(usd), at=at or office.now()))
    kept = desk_fx.put(office, asked) if asked else ()
    held = desk_fx.held(office)
    data = [
        {
            "currency": one.money.currency.code,
            "cash": str(one.money),
            "usd": None if one.rate is None else str(one.rate.usd),
            "at": None if one.rate is None else to_json(one.rate.at),
            "at_cost": to_json(one.at_cost),
            "unrealised_usd": one.unrealised_usd,
        }
        for one in held
    ]
    call.answer("fx", {"kept": len(kept), "currencies": data}, currencies_table(held))


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--address",
    "addresses",
    multiple=True,
    help="Payouts received at this address, from an Esplora-style server; may be given again.",
)
@click.option("--esplora", help="Its base URL (HEADFRAME_ESPLORA_URL).")
@click.option(
    "--confirmations", type=Whole(1, 1000), default=6, show_default=True, help="How deep, at least."
)
@click.option("--pool", is_flag=True, help="Payouts as the pool's own API tells them: [pool_api].")
@click.option("--since", type=Instant(), help="For --pool: from that day (default: 30 days ago).")
@click.option(
    "--confirm-price",
    "confirmed",
    multiple=True,
    metavar="ID",
    help="Book this sale of FILE at a price far off those known; may be given again. It is recorded.",
)
@click.option("--sales", is_flag=True, help="Sales by month and venue, as they are booked.")
@command
def coins(
    call: Call,
    *,
    file: Path | None,
    addresses: tuple[str, ...],
    esplora: str | None,
    confirmations: int,
    pool: bool,
    since: datetime | None,
    confirmed: tuple[str, ...],
    sales: bool,
) -> None:
    """Book what happened to coins and cash outside hedges: payouts, sales, costs, pledges, conversions.

    FILE is a CSV or XLSX: id, kind (payout, sale, cost, pledge, release, lend, recall, interest, convert,
    capital, distribution), at, and coins, usd, fee_usd, memo as the kind asks; amount, currency and fee for
    other currencies, into and into_currency for a conversion, venue of a sale or of coins lent. Each id is
    booked once, all of a file or none: give it again as it grows.

    With --address: what a pool paid there, each output once, --confirmations deep (coins of a block reward as
    deep as they must be to be spent); change and transfers between addresses of our own are left out;
    with --pool: what the pool's own API says it paid, by the fields [pool_api] of headframe.toml names.
    """
    from headframe.codec import read_flows, to_json
    from headframe.desk import flows, tables
    from headframe.feed import read_table
    from headframe.units import Wrong

    if sum((file is not None, bool(addresses), pool, sales)) != 1 or (confirmed and not file):
        raise Wrong(
            "give one of FILE, --address, --pool and --sales; --confirm-price goes with FILE"
        )
    office = call.office()
    if sales:
        rows = flows.sold(office)
        call.answer("coins-sold", {"rows": to_json(rows)}, tables.sold_table(rows))
        return
    notes: tuple[str, ...] = ()
    if file is not None:
        read = read_flows(read_table(file), file.name)
        taken = flows.take(office, read, file.name, confirmed)
    else:
        taken, notes = _taken(call, office, addresses, esplora, confirmations, since)
    held = _balances(office)
    call.answer(
        "coins",
        {
            "booked": [to_json(one) for one in taken.booked],
            "known": list(taken.known),
            "same": to_json(taken.same),
            "notes": [*notes, *taken.notes],
            **held,
        },
        f"{len(taken.booked)} booked, {len(taken.known)} were booked before; free {held['coins_free']} BTC, "
        f"pledged {held['coins_pledged']} BTC, cash {held['cash_usd']} USD",
        *(f"{one.id} is {one.booked_as}, booked before" for one in taken.same),
        *notes,
        *taken.notes,
    )


def _balances(office: "Office") -> dict[str, str]:
    """Return coins and dollars at hand after booking."""
    from headframe.book import CASH, COINS_FREE, COINS_PLEDGED
    from headframe.units import BTC, USD

    ledger = office.state().ledger
    return {
        "coins_free": str(ledger.balance(COINS_FREE, BTC)),
        "coins_pledged": str(ledger.balance(COINS_PLEDGED, BTC)),
        "cash_usd": str(ledger.balance(CASH, USD)),
    }


def _taken(
    call: Call,
    office: "Office",
    addresses: tuple[str, ...],
    esplora: str | None,
    confirmations: int,
    since: datetime | None,
) -> "tuple[Taken, tuple[str, ...]]":
    """Book what addresses received, or without one what the pool's API says; with notes."""
    from headframe.cli import receipts
    from headframe.desk import flows

    if not addresses:
        found, notes = receipts.read_pool(call, office, since)
        return flows.take_receipts(office, found, "the pool's API"), notes
    coin = office.settings().operation.coin
    read = receipts.read_addresses(office, esplora, addresses, confirmations)
    asked = receipts.as_receipts(read, addresses, coin)
    taken = flows.take_receipts(office, asked, f"address {', '.join(addresses)}")
    return taken, receipts.waiting_words(read, coin)


@click.command()
@click.option("--days", type=Whole(1, 1_100), default=30, show_default=True)
@command
def agenda(call: Call, days: int) -> None:
    """What is to come: expiries and how they settle, payments, collateral due, tests, papers, news."""
    from headframe.codec import to_json
    from headframe.desk import agenda as desk_agenda

    found = desk_agenda.shown(call.office(), days)
    words = [one.words for one in found] or ["nothing"]
    call.answer("agenda", {"days": days, "dates": to_json(found)}, *words)
