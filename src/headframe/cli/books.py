"""trades, amend, ledger, pnl, effectiveness."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command

if TYPE_CHECKING:
    from headframe.desk.money import Interest
    from headframe.hedge import TradePnl
    from headframe.lifecycle import Bridge, RealisedMonth


@click.command()
@click.option("--history", "name", help="All that happened to one trade.")
@command
def trades(call: Call, name: str | None) -> None:
    """Every trade with its legs, dealer and designation, where it stands, and what closed them."""
    from headframe.codec import to_json
    from headframe.desk import contracts, lifecycle, money, tables
    from headframe.report import trades_table

    office = call.office()
    if name is not None:
        passed = lifecycle.history(office, name)
        call.answer(
            "trade-history",
            {"trade": name, "history": to_json(passed)},
            *(f"{one.at:%Y-%m-%d %H:%M:%S} {one.by}: {one.what}" for one in passed),
        )
        return
    found, closed = money.trades(office), money.closings(office)
    stages, scheduled = lifecycle.lives(office), contracts.rows(office)
    call.answer(
        "trades",
        {
            "trades": [to_json(trade) for trade in found],
            "stages": to_json(stages),
            "closings": [{"closes": name, **to_json(one)} for name, one in closed],
        },
        trades_table(found),
        *([tables.contracts_table(scheduled)] if scheduled else []),
        *(
            f"{one.id} closed {one.size.normalize():f} coins of {name} with {one.dealer} at {one.net_price} "
            f"{one.price_currency}"
            for name, one in closed
        ),
        *(f"{one.name}: {one.words}" for one in stages),
    )


@click.command()
@click.argument("trade", required=False)
@click.option("--leg", "legs", multiple=True, metavar="NAME=PRICE", help="Another price of a leg.")
@click.option("--fee", help="Another fee.")
@click.option("--reason", default="", help="What both sides agreed, and when.")
@click.option("--approve", "number", type=Whole(1, 10**9), help="Approve this amendment.")
@click.option("--decline", "away", type=Whole(1, 10**9), help="Put this amendment away.")
@command
def amend(
    call: Call,
    *,
    trade: str | None,
    legs: tuple[str, ...],
    fee: str | None,
    reason: str,
    number: int | None,
    away: int | None,
) -> None:
    """Propose a new version of TRADE, or approve or decline one; nothing is ever edited."""
    from headframe.codec import to_json
    from headframe.desk import amending
    from headframe.units import Wrong, parse_figure

    if sum(one is not None for one in (trade, number, away)) != 1:
        raise Wrong("give a trade to amend, --approve NUMBER or --decline NUMBER")
    office = call.office()
    if number is not None:
        made = amending.approve(office, number)
    elif away is not None:
        made = amending.decline(office, away)
    else:
        prices: dict[str, Decimal] = {}
        for text in legs:
            name, found, price = text.partition("=")
            if not found:
                raise Wrong(f"a leg is written NAME=PRICE, was {text[:60]!r}")
            prices[name] = parse_figure(price)
        made = amending.amend(
            office, trade or "", prices, None if fee is None else parse_figure(fee), reason
        )
    call.answer(
        "amendment",
        {"amendment": to_json(made)},
        f"amendment {made.number} of {made.after.id}: net price {made.before.net_price} to "
        f"{made.after.net_price}, fee {made.before.fee} to {made.after.fee}; "
        + (
            "waits for another person"
            if made.open
            else f"declined by {made.declined_by}"
            if made.declined_by
            else f"approved by {made.approved_by}"
        ),
    )


@click.command()
@click.option("--as-of", "as_of", type=Instant(), help="The books as they were at an instant.")
@command
def ledger(call: Call, as_of: datetime | None) -> None:
    """The trial balance; every currency sums to zero."""
    from headframe.desk import money
    from headframe.report import trial_table

    lines = money.trial_balance(call.office(), as_of)
    call.answer(
        "ledger",
        {
            "balances": [
                {
                    "account": line.account,
                    "currency": line.balance.currency.code,
                    "balance": str(line.balance),
                }
                for line in lines
            ]
        },
        trial_table(lines, as_of),
    )


@click.command()
@click.option("--explain", "since", type=Instant(), help="Explain the P&L from an instant to now.")
@click.option(
    "--by",
    type=click.Choice(["trade", "month", "strategy", "counterparty"]),
    default="trade",
    show_default=True,
    help="What the P&L is added up by.",
)
@command
def pnl(call: Call, since: datetime | None, by: str) -> None:
    """Programme P&L by trade at the present price, and performance against spot by month."""
    if since is not None:
        _explained(call, since)
        return
    if by != "trade":
        _added_up(call, by)
        return
    from headframe.codec import to_json
    from headframe.desk import money, tables
    from headframe.report import (
        bridge_table,
        performance_table,
        realised_months_table,
        realised_table,
    )

    found = money.performance(call.office())
    shown: list[object] = [tables.pnl_table(found)]
    if found.months:
        shown.append(performance_table(found.months, "Hedge performance against spot"))
        shown.append(realised_table(found.months))
    if found.realised:
        shown.append(realised_months_table(found.realised))
        shown.append(bridge_table(found.bridge))
    shown += _interest_lines(found.interest)
    shown += [
        f"{name} has expired, settlement outstanding: what it will pay is in no figure; headframe close-day"
        for name in found.outstanding
    ]
    call.answer(
        "pnl",
        {
            "spot": found.spot,
            "coins_on_hand": found.coins,
            "trades": [_trade_json(one, found.spot) for one in found.trades],
            "months": [{**to_json(month), "parts": list(month.parts)} for month in found.months],
            "total": to_json(found.total),
            "interest_usd": _interest_json(found.interest),
            "realised": [_realised_json(one) for one in found.realised],
            "bridge": _bridge_json(found.bridge),
            "settlement_outstanding": list(found.outstanding),
        },
        *shown,
    )


def _interest_lines(one: "Interest") -> list[str]:
    """Return a line on interest that closes accrued; none where there is none."""
    if not (one.received.smallest or one.net.smallest):
        return []
    paid = f"{one.collateral} on collateral, {one.loan} on the loan, {one.credit_line} on the line"
    return [f"Interest accrued, apart from the hedges: {one.received} USD received; paid {paid}"]


def _interest_json(one: "Interest") -> dict[str, str]:
    """Return accrued interest in USD as decimal strings."""
    return {
        "received": str(one.received),
        "paid_collateral": str(one.collateral),
        "paid_loan": str(one.loan),
        "paid_credit_line": str(one.credit_line),
    }


def _trade_json(one: "TradePnl", spot: float) -> dict[str, object]:
    """Return one trade's profit: realised amounts as decimal strings, model figures as numbers."""
    mark = one.mark
    return {
        "trade": one.trade.id,
        "coins_left": "0" if one.position is None else str(one.position.coins),
        "realised_btc": str(one.realised_coins),
        "realised_usd": str(one.realised_usd),
        "unrealised_usd": None if mark is None else mark.value_usd,
        "delta_btc": None if mark is None else mark.delta_coins,
        "gamma_btc_per_percent": None if mark is None else mark.gamma_coins,
        "vega_usd_per_point": None if mark is None else mark.vega_usd,
        "theta_usd_per_day": None if mark is None else mark.theta_usd,
        "total_usd": one.total_usd(spot),
    }


def _realised_json(one: "RealisedMonth") -> dict[str, object]:
    """Return a month of production with exact amounts as decimal strings."""
    return {
        "month": str(one.month),
        "mined_btc": str(one.mined),
        "sold_btc": str(one.sold),
        "designated_btc": str(one.designated),
        "designated_sold_btc": str(one.designated_sold),
        "sales_usd": str(one.sales),
        "settlements_usd": str(one.settlements),
        "premium_usd": str(one.premium),
        "fees_usd": str(one.fees),
        "funding_usd": str(one.funding),
        "recognised_usd": str(one.recognised_usd),
        "deferred_usd": str(one.deferred_usd),
        "intrinsic_usd": str(one.intrinsic),
        "hedge_on_btc": str(one.open),
        "basis_usd": None if one.basis_usd is None else str(one.basis_usd),
        "spot_usd_per_coin": one.spot_price,
        "realised_usd_per_coin": one.realised_price,
    }


def _bridge_json(found: "Bridge") -> dict[str, object]:
    """Return the bridge with exact amounts as decimal strings."""
    return {
        "rows": [
            {
                "month": str(row.month),
                "own_sales_usd": str(row.own_sales),
                "own_hedges_usd": str(row.own_hedges),
                "cash_sales_usd": str(row.cash_sales),
                "cash_hedges_usd": str(row.cash_hedges),
                "difference_usd": str(row.difference),
            }
            for row in found.rows
        ],
        "inventory_sales_usd": str(found.inventory_sales),
        "revaluation_usd": str(found.revaluation),
        "unrealised_usd": str(found.unrealised),
        "pnl_usd": str(found.pnl),
        "reconciles": found.holds,
    }


def _explained(call: Call, since: datetime) -> None:
    from headframe.codec import to_json
    from headframe.desk import explaining
    from headframe.report import explained_table

    found = explaining.explained(call.office(), since)
    title = (
        f"P&L from {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC, "
        f"{found.spot_before:,.0f} to {found.spot_after:,.0f} USD"
    )
    data = to_json(found)
    for row, one in zip(data["trades"], found.trades, strict=True):
        row["total"] = one.total
    words: list[str] = []
    moved = found.production
    if moved is not None:
        data["production"]["total_usd"] = moved.total_usd
        words.append(
            f"Production of the {len(moved.months)} months ahead, {moved.coins_before:,.1f} to "
            f"{moved.coins_after:,.1f} coins: price {moved.price_usd:,.0f}, difficulty "
            f"{moved.difficulty_usd:,.0f}, volume {moved.volume_usd:,.0f}, total {moved.total_usd:,.0f} USD"
        )
    call.answer("pnl-explained", data, explained_table(title, found.trades), *words)


def _added_up(call: Call, by: str) -> None:
    from headframe.codec import to_json
    from headframe.desk import money, tables
    from headframe.hedge import By

    rows = money.added_up(call.office(), By(by))
    data = [{**to_json(one), "total_usd": one.total_usd} for one in rows]
    call.answer("pnl-by", {"by": by, "rows": data}, tables.pnl_by_table(by, rows))


@click.command()
@command
def effectiveness(call: Call) -> None:
    """Measure each trade against the sales of its designated coins: dollar offset and regression."""
    from headframe.codec import to_json
    from headframe.desk import relationships
    from headframe.report import relationships_table

    found, left_out = relationships.measured(call.office())
    data = [
        {
            "trade": one.trade.id,
            "designation": [part.words for part in one.trade.designations],
            "hedge_for_accounts": one.for_accounts,
            "expected_r2": one.expected_r2,
            "expected_tracking_error": one.expected_tracking,
            "value": "intrinsic",
            "coins_sold": one.coins_sold,
            "ended": None if one.ended is None else to_json(one.ended),
            **to_json(one.found),
            "verdict": one.found.words,
        }
        for one in found
    ]
    rows = [(one.trade, one.expected_r2, one.found, (one.coins_sold, one.ended)) for one in found]
    call.answer(
        "effectiveness",
        {"relationships": data, "left_out": to_json(left_out)},
        relationships_table(rows),
        *(f"{one.trade} is left out: {one.reason}" for one in left_out),
    )
