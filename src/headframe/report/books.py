"""Trades, trial balance, P&L, margin, credit and limits as tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from headframe.book import Trade, TrialLine
from headframe.report.table import Column, Estimate, Form, Table
from headframe.risk import (
    Alert,
    Explained,
    Exposure,
    Instant,
    Liquid,
    OutrightRow,
    Profile,
    Relationship,
    Watched,
    figures_apart,
)
from headframe.units import expiry_label


def trades_table(trades: tuple[Trade, ...]) -> Table:
    """Every trade with its legs and its designation."""
    return Table(
        title="Trades",
        columns=(
            Column("trade"),
            Column("hedge"),
            Column("dealer"),
            Column("coins", Form.COINS),
            Column("net price"),
            Column("expiry"),
            Column("legs"),
            Column("hedges"),
            Column("margin"),
        ),
        rows=tuple(
            (
                trade.id,
                str(trade.structure).replace("_", " "),
                trade.dealer,
                float(trade.size),
                f"{trade.net_price} {trade.price_currency}",
                expiry_label(trade.expiry),
                "; ".join(
                    f"{leg.amount:+f} {leg.instrument.name} at {leg.price}" for leg in trade.legs
                ),
                "; ".join(part.words for part in trade.designations),
                str(trade.margin),
            )
            for trade in trades
        ),
    )


def trial_table(lines: tuple[TrialLine, ...], as_of: datetime | None) -> Table:
    """The trial balance in every currency; the last rows are the sums, which are zero."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        code = line.balance.currency.code
        sums[code] = sums.get(code, Decimal(0)) + Decimal(str(line.balance))
    when = "" if as_of is None else f" AS OF {as_of:%Y-%m-%d %H:%M} UTC"
    return Table(
        title=f"Trial balance{when}",
        columns=(Column("account"), Column("debit (credit)", Form.COINS), Column("currency")),
        rows=(
            *(
                (line.account, _money(str(line.balance)), line.balance.currency.code)
                for line in lines
            ),
            *(("SUM", _money(format(total, "f")), code) for code, total in sorted(sums.items())),
        ),
        note="Debits are what we own; amounts in parentheses are owed, earned or opening capital.",
    )


def _money(text: str) -> str:
    """An exact amount with separators, negatives in parentheses."""
    negative = text.startswith("-")
    whole, _, part = text.lstrip("-").partition(".")
    shown = f"{int(whole):,}" + (f".{part}" if part else "")
    return f"({shown})" if negative else shown


def profiles_table(rows: Sequence[Profile], lines: Mapping[str, float]) -> Table:
    """Exposure through time by dealer: the first ten days, the greatest of each quantile, and its price."""
    return Table(
        title="Exposure through time, USD",
        columns=(
            Column("dealer"),
            Column("99 %, ten days", Form.USD),
            Column("greatest 95 %", Form.USD),
            Column("97.5 %", Form.USD),
            Column("99 %", Form.USD),
            Column("in days", Form.WHOLE),
            Column("without collateral 99 %", Form.USD),
            Column("expected", Form.USD),
            Column("CVA", Form.USD),
            Column("CVA, wrong way", Form.USD),
            Column("97.5 % of line", Form.SHARE),
        ),
        rows=tuple(
            (
                one.name,
                _quantile(one.margin_period, 2),
                *(_quantile(one.peak(place), place) for place in range(3)),
                float(one.peak(2).days),
                _bare(one),
                Estimate(one.epe_usd, one.epe_se),
                Estimate(one.cva_usd, one.cva_se),
                Estimate(one.cva_wrong_way_usd, one.cva_wrong_way_se),
                one.peak(1).quantiles[1] / lines[one.name] if lines.get(one.name) else None,
            )
            for one in rows
        ),
        note="After ± the standard error of so many paths.",
    )


def _quantile(at: Instant, place: int) -> Estimate:
    return Estimate(at.quantiles[place], at.quantiles_se[place])


def _bare(one: Profile) -> Estimate:
    """The greatest 99 % quantile if no collateral moved."""
    at = max(one.instants, key=lambda each: each.bare_quantiles[2])
    return Estimate(at.bare_quantiles[2], at.bare_quantiles_se[2])


def exposure_by_dealer_table(rows: tuple[Exposure, ...]) -> Table:
    """Exposure to each counterparty against its line, today and after the mandate's jumps."""
    return Table(
        title="Counterparty exposure",
        columns=(
            Column("dealer"),
            Column("trades", Form.WHOLE),
            Column("value USD", Form.USD),
            Column("posted USD", Form.USD),
            Column("held USD", Form.USD),
            Column("in flight, lent USD", Form.USD),
            Column("exposure USD", Form.USD),
            Column("after the fall USD", Form.USD),
            Column("after the rally USD", Form.USD),
            Column("line USD", Form.USD),
            Column("use of line", Form.SHARE),
            Column("SA-CCR USD", Form.USD),
        ),
        rows=tuple(
            (
                one.dealer,
                float(one.trades),
                one.value_usd,
                one.posted_usd,
                one.held_usd,
                one.in_flight_usd + one.lent_usd,
                one.current_usd,
                one.down_usd,
                one.up_usd,
                one.line_usd,
                one.line_share,
                one.ead_usd,
            )
            for one in rows
        ),
        note="What we would lose if the dealer failed before any further collateral moved.",
    )


def watch_table(rows: tuple[Watched, ...]) -> Table:
    """Every limit with its use and status."""
    return Table(
        title="Limits",
        columns=(
            Column("clause"),
            Column("limit"),
            Column("used"),
            Column("allowed"),
            Column("unit"),
            Column("status"),
        ),
        rows=tuple(
            (
                row.clause,
                row.name,
                *_figures(row),
                row.unit,
                str(row.status),
            )
            for row in rows
        ),
    )


def _figures(row: Watched) -> tuple[str, str]:
    used, allowed = figures_apart(row.used, row.allowed, row.unit)
    return used, f"at least {allowed}" if row.low_is_bad else allowed


def alerts_table(rows: Sequence[tuple[Alert, str, str, datetime | None]], now: datetime) -> Table:
    """Alerts that stand: what, who answers for it, until when, and what was said of it."""
    return Table(
        title="Alerts",
        columns=(
            Column("alert"),
            Column("severity"),
            Column("limit"),
            Column("used"),
            Column("allowed"),
            Column("owner"),
            Column("hours left", Form.COINS),
            Column("answer"),
        ),
        rows=tuple(
            (
                alert.id,
                "overdue" if alert.overdue else str(alert.severity),
                f"{alert.clause} {alert.limit}" + (f" +{alert.others}" if alert.others else ""),
                figures_apart(alert.used, alert.allowed, alert.unit)[0],
                f"{figures_apart(alert.used, alert.allowed, alert.unit)[1]} {alert.unit}",
                alert.owner,
                (alert.deadline - now).total_seconds() / 3600.0,
                _answer(by, reason, until),
            )
            for alert, by, reason, until in rows
        ),
    )


def _answer(by: str, reason: str, until: datetime | None) -> str:
    if not by:
        return "-"
    return f"{by}: {reason}" + ("" if until is None else f" (until {until:%Y-%m-%d %H:%M})")


def explained_table(title: str, rows: Sequence[Explained]) -> Table:
    """Return the P&L of a period by trade and cause, and the sum: the change of the P&L."""
    lines = [
        (
            one.trade, one.moved.time, one.moved.delta, one.moved.gamma, one.moved.vega, one.moved.carry,
            one.delivered, one.dealt, one.fees, one.revalued, one.moved.unexplained, one.total,
        )
        for one in rows
    ]  # fmt: skip
    sums = tuple(sum(float(line[place]) for line in lines) for place in range(1, 12))
    heads = (
        "time",
        "delta",
        "gamma",
        "vega",
        "carry",
        "delivered, closed",
        "new",
        "fees",
        "coins revalued",
        "unexplained",
        "total USD",
    )
    return Table(
        title=title,
        columns=(Column("trade"), *(Column(head, Form.USD) for head in heads)),
        rows=(*lines, ("SUM", *sums)),
    )


def relationships_table(
    rows: Sequence[tuple[Trade, float, Relationship, tuple[float, datetime | None]]],
) -> Table:
    """Return hedging relationships: what was expected, dollar offset and regression since the trade.

    The last item of a row is the designated coins sold, and when the last of them was sold.
    """
    return Table(
        title="Hedge effectiveness",
        columns=(
            Column("trade"),
            Column("hedges"),
            Column("coins sold", Form.COINS),
            Column("R2 expected", Form.SHARE),
            Column("hedge moved USD", Form.USD),
            Column("item moved USD", Form.USD),
            Column("dollar offset", Form.SHARE),
            Column("slope", Form.SHARE),
            Column("R2", Form.SHARE),
            Column("points", Form.WHOLE),
            Column("verdict"),
        ),
        rows=tuple(
            (
                trade.id,
                _hedges(trade),
                sold,
                expected,
                one.hedge_usd,
                one.item_usd,
                one.offset,
                one.slope,
                one.r2,
                float(one.points),
                one.words if ended is None else f"{one.words}; ended {ended:%Y-%m-%d}",
            )
            for trade, expected, one, (sold, ended) in rows
        ),
        note=(
            "The item: designated coins at the prices they were sold for, those to come at the forward of "
            "their month's middle. The hedge: what it paid, the rest at intrinsic value. Premium, fees and "
            "time value are costs of hedging. A relationship ends with the last sale of its coins."
        ),
    )


def _hedges(trade: Trade) -> str:
    months = ", ".join(str(part.month) for part in trade.designations)
    return f"{str(trade.structure).replace('_', ' ')} for {months}"


def instruments_table(rows: Sequence[Liquid], participation: float) -> Table:
    """How liquid each instrument is, and what leaving it costs."""
    return Table(
        title="Liquidity of what is on",
        columns=(
            Column("instrument"),
            Column("held", Form.COINS),
            Column("spread", Form.SHARE),
            Column("20-day median", Form.SHARE),
            Column("open interest", Form.COINS),
            Column("our share", Form.SHARE),
            Column("depth", Form.COINS),
            Column("days to leave", Form.COINS),
            Column("cost USD", Form.USD),
            Column("in stress USD", Form.USD),
        ),
        rows=tuple(
            (
                one.instrument.name,
                one.held,
                one.spread,
                one.usual_spread,
                one.open_interest,
                one.share,
                one.depth,
                one.days,
                one.calm_usd,
                one.stress_usd,
            )
            for one in rows
        ),
        note=(
            f"Days at {participation:.0%} of a day's volume. Half the spread is paid to leave; in stress the "
            f"spread is three times today's, or the widest of twenty days. All: "
            f"{sum(one.calm_usd for one in rows):,.0f} USD, in stress "
            f"{sum(one.stress_usd for one in rows):,.0f} USD."
        ),
    )


def outright_table(rows: Sequence[OutrightRow], source: str) -> Table:
    """Futures and forwards in another exchange's contracts, with its margin."""
    return Table(
        title=f"Margin by {source}, USD",
        columns=(
            Column("month"),
            Column("product"),
            Column("contracts", Form.WHOLE),
            Column("coins", Form.COINS),
            Column("notional", Form.USD),
            Column("maintenance", Form.USD),
            Column("initial, hedger", Form.USD),
            Column("initial, speculator", Form.USD),
        ),
        rows=tuple(
            (
                str(one.month),
                one.product,
                float(one.contracts),
                one.coins,
                one.notional_usd,
                one.maintenance_usd,
                one.maintenance_usd,
                one.initial_usd,
            )
            for one in rows
        ),
        note="Outright futures alone: spreads, options and concentration are not in the file."
        if rows
        else "No future or forward is on.",
    )
