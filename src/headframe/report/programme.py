"""Exposure, the strategy table, proposals and the ladder, as tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from headframe.hedge import (
    Balance,
    Bucket,
    ExposureRow,
    Proposal,
    Rated,
    UnwindCost,
    describe,
)
from headframe.instrument import Kind
from headframe.lifecycle import CurrentMonth, MonthResult
from headframe.mandate import Rebalance, Unwind
from headframe.report.table import Cell, Column, Form, Table
from headframe.risk import Outcome, Strategy
from headframe.units import expiry_label, instant


def current_month_line(now: CurrentMonth) -> str:
    """Return the current month in a sentence: mined, sold, still to come, hedged, left over."""
    left = (
        f", {now.residual:,.2f} of it left over after its coins were sold" if now.residual else ""
    )
    return (
        f"{now.month}, the current month: {now.mined:,.2f} mined so far, {now.sold:,.2f} of it sold, "
        f"{now.to_come:,.2f} still to come, {now.hedged:,.2f} hedged{left}."
    )


def _current_row(now: CurrentMonth) -> tuple[Cell, ...]:
    ahead = now.to_come + max(now.mined - now.sold, 0.0)
    share = now.hedged / ahead if ahead > 0.0 else None
    blanks: tuple[Cell, ...] = (None,) * 6
    return (f"{now.month} now", ahead, None, "-", now.hedged, share, *blanks)


def exposure_table(rows: tuple[ExposureRow, ...], current: CurrentMonth | None = None) -> Table:
    """Return each month against its band on P50 and cumulative P10, and what the floor covers of its costs.

    The current month comes first: its P50 is what is still to come, beside what is mined and not yet sold.
    """
    this_month = () if current is None else (_current_row(current),)
    return Table(
        title="Exposure against the mandate",
        columns=(
            Column("month"),
            Column("P50", Form.COINS),
            Column("sum P10", Form.COINS),
            Column("band of P50"),
            Column("hedged", Form.COINS),
            Column("of P50", Form.SHARE),
            Column("sold firm, sum", Form.COINS),
            Column("of sum P10", Form.SHARE),
            Column("to hedge", Form.COINS),
            Column("secured USD", Form.USD),
            Column("cash need USD", Form.USD),
            Column("covers", Form.SHARE),
        ),
        rows=this_month
        + tuple(
            (
                str(row.month),
                row.p50,
                row.p10_cumulative,
                _band(row),
                row.covered,
                row.share,
                row.firm_cumulative,
                row.share_of_p10,
                row.need,
                row.secured_usd,
                row.cash_need_usd,
                row.secured_usd / row.cash_need_usd if row.cash_need_usd else None,
            )
            for row in rows
        ),
        note="Cash need: power, fixed costs, debt service and capex. Coins unless said otherwise."
        + ("" if current is None else f" {current_month_line(current)}"),
    )


def _band(row: ExposureRow) -> str:
    if row.band is None:
        return "-"
    return f"{row.band.floor:.0%}-{row.band.target:.0%}-{row.band.ceiling:.0%}"


def strategy_table(bucket: Bucket, rated: tuple[Rated, ...], chosen: str) -> Table:
    """The hedges of one block compared: floor, ceiling, cost, basis, margin, verdict."""
    first, last = bucket.needs[0][0], bucket.needs[-1][0]
    months = str(first) if first == last else f"{first} to {last}"
    where = expiry_label(bucket.expiry) + ("" if bucket.listed else ", over the counter")
    error = max(row.candidate.basis.ratio_high - row.candidate.basis.ratio for row in rated)
    return Table(
        title=f"{bucket.size} coins of {months}, expiry {where}",
        columns=(
            Column("hedge"),
            Column("floor USD", Form.PRICE),
            Column("ceiling USD", Form.PRICE),
            Column("upfront USD/coin", Form.USD),
            Column("cost USD/coin", Form.USD),
            Column("score USD/coin", Form.USD),
            Column("tracking", Form.SHARE),
            Column("R2", Form.RATIO),
            Column("ratio", Form.RATIO),
            Column("initial margin USD", Form.USD),
            Column("stress call USD", Form.USD),
            Column("verdict"),
        ),
        rows=tuple(_strategy(row, chosen) for row in rated),
        note=(
            "Upfront: premium and fee, negative received. Cost: half spreads, fees, money tied up. "
            "Stress call: the whole programme in this kind of hedge, at the mandate's rally. Ratio: hedges "
            f"for each coin of least variance against the mine's own sales, within {error:.3f} (95 %)."
        ),
    )


def _strategy(row: Rated, chosen: str) -> tuple[Cell, ...]:
    one = row.candidate
    against = [str(b.rule.clause) for b in row.verdict.breaches if b.blocks]
    verdict = "refused: " + ", ".join(against) if against else "allowed"
    call = one.exact_call_strike
    name = str(one.kind).replace("_", " ")
    if call is not None and one.ceiling_usd is not None:
        name += f" (exact call {call:,.0f})"
    return (
        name,
        one.floor_usd,
        one.ceiling_usd,
        one.upfront_usd,
        row.cost_usd,
        row.score_usd,
        one.basis.tracking_error,
        one.basis.r2,
        one.basis.ratio,
        row.facts.initial_margin_usd,
        row.facts.stress_call_usd,
        f"{verdict}; proposed" if one.kind == chosen and not against else verdict,
    )


def unwind_table(rated: Rated, costs: tuple[UnwindCost, ...], policy: Unwind) -> Table:
    """Tracking error and cost of one hedge by unwind policy; ``policy`` is the mandate's."""
    one = rated.candidate
    kind = str(one.kind).replace("_", " ")
    return Table(
        title=f"Tracking error by unwind policy: {kind} of {expiry_label(one.bucket.expiry)}",
        columns=(
            Column("policy"),
            Column("tracking error", Form.SHARE),
            Column("R2", Form.RATIO),
            Column("closing USD/coin", Form.USD),
            Column("what is dealt when"),
            Column("can be dealt"),
        ),
        rows=tuple(
            (
                f"{row.unwind} (the mandate)" if row.unwind is policy else str(row.unwind),
                row.tracking_error,
                row.r2,
                row.closing_usd,
                row.dealt,
                f"no: {row.obstacle}" if row.obstacle else "yes",
            )
            for row in costs
        ),
        note=(
            "Tracking error: sd of what the hedge pays less what each sale needed, over the forward, on the "
            "same paths. Closing: half spreads and fees of what is dealt before the expiry, on average."
        ),
    )


def objective_table(rated: tuple[Rated, ...]) -> Table:
    """The comparison of strategies by what each is for, as computed numbers."""
    rows: list[tuple[Cell, ...]] = []
    for row in rated:
        one = row.candidate
        objective, point = _words(row)
        rows.append(
            (
                str(one.kind).replace("_", " "),
                objective,
                one.upfront_usd * float(one.size),
                one.floor_usd - one.upfront_usd,
                None if one.ceiling_usd is None else one.ceiling_usd - one.upfront_usd,
                point,
            )
        )
    return Table(
        title="Strategies compared",
        columns=(
            Column("strategy"),
            Column("objective"),
            Column("upfront USD", Form.USD),
            Column("downside: least USD/coin", Form.PRICE),
            Column("upside: most USD/coin", Form.PRICE),
            Column("key operational point"),
        ),
        rows=tuple(rows),
    )


def _words(row: Rated) -> tuple[str, str]:
    one = row.candidate
    put, call = one.structure.strike(Kind.PUT), one.structure.strike(Kind.CALL)
    if put is None:
        called = f"{row.facts.stress_call_usd:,.0f} USD called at the stress rally"
        return "lock the price", f"margin calls: {called}"
    if call is None:
        premium = max(one.upfront_usd, 0.0) * float(one.size)
        return "floor, keep the upside", f"premium {premium:,.0f} USD, lost if unused"
    width = float(call - put)
    return "floor paid by a ceiling", f"floor and ceiling {width:,.0f} USD apart"


def balances_table(rule: Rebalance, found: Sequence[Balance]) -> Table:
    """Delta of the option hedges by expiry against its band."""
    return Table(
        title="Delta of option hedges against the mandate's band",
        columns=(
            Column("expiry"),
            Column("coins under options", Form.COINS),
            Column("futures", Form.COINS),
            Column("delta a coin", Form.RATIO),
            Column("band"),
            Column("asks"),
        ),
        rows=tuple(
            (
                expiry_label(one.expiry),
                one.coins,
                one.futures,
                one.delta,
                f"{rule.delta_low:g} to {rule.delta_high:g}",
                _asks(one),
            )
            for one in found
        ),
    )


def _asks(one: Balance) -> str:
    if one.sell > 0:
        return f"sell {one.sell} coins of futures"
    back = ", ".join(f"{coins} of {trade}" for trade, coins in one.buy_back)
    return f"buy back {back}" if back else "nothing"


def proposal_lines(proposal: Proposal) -> tuple[str, ...]:
    """A proposal, its verdict and its envelope in sentences."""
    envelope = proposal.envelope
    ceiling = f", ceiling at least {envelope.ceiling_min:,.0f}" if envelope.ceiling_min else ""
    notes = [str(breach) for breach in proposal.verdict.breaches]
    allowed = "allowed" if proposal.verdict.allowed else "refused"
    because = f" ({'; '.join(notes)})" if notes else " on every clause"
    left_out = f"; left out: {'; '.join(proposal.left_out)}" if proposal.left_out else ""
    side = "at most" if proposal.bought else "at least"
    instead = f", in the place of {envelope.replaces}" if envelope.replaces else ""
    strikes = "" if proposal.closes else f", floor at least {envelope.floor_min:,.0f}{ceiling}"
    terms = (
        f"{proposal.id} envelope: {envelope.size} coins{instead}{strikes}, net price {side} "
        f"{envelope.price_worst} {proposal.price_currency} a coin, until "
        f"{envelope.valid_until:%Y-%m-%d %H:%M} UTC, spot {envelope.spot_low:,.0f} to "
        f"{envelope.spot_high:,.0f}; hash {proposal.envelope_sha256[:16]}"
    )
    return (
        f"{proposal.id}: {describe(proposal)}; verdict: {allowed}{because}",
        terms,
        f"{proposal.id} panel: {', '.join(proposal.panel)}{left_out}",
        *_remainder_lines(proposal),
    )


def plain(coins: Decimal) -> str:
    """Return coins without the zeros that say nothing."""
    return format(coins.normalize(), "f")


def _remainder_lines(proposal: Proposal) -> tuple[str, ...]:
    """Coins asked, coins dealable, and what stays of the old trade; nothing for other proposals."""
    old = proposal.closes or proposal.replaces
    if not (old and proposal.asked_coins):
        return ()
    ends = proposal.size if proposal.closes else proposal.replaced_coins
    new = "" if proposal.closes else f", {plain(proposal.size)} in the new trade"
    opened = Decimal(0) if proposal.closes else ends - proposal.size
    if opened:
        new += (
            f"; {plain(opened)} are open again, the same dollars being fewer coins at the new price"
        )
    asked = (
        f"{proposal.id} coins: asked {plain(proposal.asked_coins)} BTC, {plain(ends)} dealable{new}"
    )
    if proposal.stays_until is None:
        return (f"{asked}; nothing stays with {old}",)
    months = ", ".join(f"{month} {plain(coins)}" for month, coins in proposal.stays)
    total = plain(sum((coins for _, coins in proposal.stays), Decimal(0)))
    until = f"{proposal.stays_until:%d-%b-%y}".upper()
    return (f"{asked}; {total} BTC stays with {old} until {until} ({months})",)


def ladder_table(
    ladder: Sequence[Mapping[str, Any]], title: str, opened: datetime, unit: str
) -> Table:
    """Every quote of a request as the journal keeps it, those that can win first; times from its opening.

    Prices are in ``unit``.
    """
    form = Form.COINS4 if unit == "BTC" else Form.USD
    rows = tuple(
        (
            rung["dealer"],
            rung["side"],
            float(rung["price"]),
            float(rung["cost"]),
            (instant(rung["received_at"]) - opened).total_seconds(),
            None
            if rung["good_until"] is None
            else (instant(rung["good_until"]) - opened).total_seconds(),
            "all or none" if rung["all_or_none"] else "any part",
            "can win" if rung["rejection"] is None else f"cannot win: {rung['rejection']}",
        )
        for rung in ladder
        if rung["rejection"] != "the dealer's other side"
    )
    return Table(
        title=title,
        columns=(
            Column("dealer"),
            Column("dealer's side"),
            Column(f"net price {unit}", form),
            Column("all-in cost", form),
            Column("after s", Form.COINS),
            Column("good until s", Form.COINS),
            Column("size"),
            Column("status"),
        ),
        rows=rows,
        note="Net price per coin; negative is received. All-in: with the dealer's credit and collateral.",
    )


def scenario_table(rows: tuple[Outcome, ...], coins: Decimal) -> Table:
    """Outcome by price for each strategy."""
    names = list(dict.fromkeys(row.strategy for row in rows))
    prices = list(dict.fromkeys(row.price for row in rows))
    found = {(row.price, row.strategy): row for row in rows}

    def line(price: Decimal) -> tuple[Cell, ...]:
        cells: list[Cell] = [float(price)]
        for name in names:
            cells += [float(found[price, name].revenue_per_coin), float(found[price, name].profit)]
        return tuple(cells)

    columns = [Column("price USD", Form.PRICE)]
    for name in names:
        columns += [
            Column(f"{_short(name)} USD/coin", Form.PRICE),
            Column(f"{_short(name)} profit USD", Form.USD),
        ]
    return Table(
        title=f"Outcome by price for {coins} coins",
        columns=tuple(columns),
        rows=tuple(line(price) for price in prices),
    )


def _short(name: Strategy) -> str:
    return str(name).replace("_", " ")


def performance_table(months: tuple[MonthResult, ...], title: str) -> Table:
    """Realised price per coin and cash by month, with the hedge and without."""
    return Table(
        title=title,
        columns=(
            Column("month"),
            Column("mined", Form.COINS),
            Column("sold", Form.COINS),
            Column("spot USD/coin", Form.PRICE),
            Column("realised USD/coin", Form.PRICE),
            Column("hedge USD", Form.USD),
            Column("costs USD", Form.USD),
            Column("margin posted USD", Form.USD),
            Column("cash USD", Form.USD),
            Column("unhedged cash USD", Form.USD),
        ),
        rows=tuple(
            (
                str(row.month),
                row.mined,
                row.sold,
                row.spot_price,
                row.realised_price,
                row.hedge_usd,
                row.costs_usd,
                row.margin_usd,
                row.cash_usd,
                row.cash_unhedged_usd,
            )
            for row in months
        ),
        note="Cash is net of the credit line; margin posted comes back when hedges end.",
    )


def realised_table(months: tuple[MonthResult, ...]) -> Table:
    """What a coin brought by month, and what of it is spot, hedge, basis, premium and fees."""
    names = ("spot", "hedge", "basis", "premium", "fees", "realised")
    return Table(
        title="Realised price, USD a coin",
        columns=(
            Column("month"),
            Column("sold", Form.COINS),
            *(Column(name, Form.PRICE) for name in names),
        ),
        rows=tuple(
            (str(row.month), row.sold, *row.parts, row.realised_price) for row in months if row.sold
        ),
        note="Hedge: at spot prices alone. Basis: forwards against spot, time value and spread dealt back.",
    )
