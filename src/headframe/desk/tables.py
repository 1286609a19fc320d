"""Tables of what the desk gathers: profit, margin, the cash ladder, covenants."""

from collections.abc import Sequence

from headframe.desk import money
from headframe.desk.cash import Rung
from headframe.desk.contracts import ContractRow
from headframe.desk.fx import HeldCurrency
from headframe.desk.known import MarginCall
from headframe.desk.limits import MarginView
from headframe.hedge import Covenant, Sold, Sum, describe_contract
from headframe.report import Column, Form, Table
from headframe.risk import AnnexRow, VenueAccount


def pnl_table(found: money.Performance) -> Table:
    """Programme P&L by trade."""
    rows = tuple(
        (
            one.trade.id,
            str(one.trade.structure).replace("_", " "),
            one.trade.dealer,
            0.0 if one.position is None else float(one.position.coins),
            str(one.realised_coins),
            float(one.realised_usd),
            0.0 if one.mark is None else one.mark.value_usd,
            0.0 if one.mark is None else one.mark.delta_coins,
            0.0 if one.mark is None else one.mark.gamma_coins,
            0.0 if one.mark is None else one.mark.vega_usd,
            0.0 if one.mark is None else one.mark.theta_usd,
            one.total_usd(found.spot),
        )
        for one in found.trades
    )
    everything = sum(one.total_usd(found.spot) for one in found.trades)
    delta = sum(one.mark.delta_coins for one in found.trades if one.mark is not None)
    return Table(
        title=f"Programme P&L at {found.spot:,.0f} USD: {everything:,.0f} USD",
        columns=(
            Column("trade"),
            Column("hedge"),
            Column("dealer"),
            Column("coins left", Form.COINS),
            Column("realised BTC"),
            Column("realised USD", Form.USD),
            Column("unrealised USD", Form.USD),
            Column("delta BTC", Form.COINS),
            Column("gamma BTC/1 %", Form.COINS),
            Column("vega USD/pt", Form.USD),
            Column("theta USD/day", Form.USD),
            Column("total USD", Form.USD),
        ),
        rows=rows,
        note=(
            "Realised coins are valued at today's price in the total. Net delta with coins on hand: "
            f"hedges {delta:,.2f} BTC, coins free, pledged and posted {found.coins:,.2f} BTC."
        ),
    )


def pnl_by_table(by: str, rows: Sequence[Sum]) -> Table:
    """Programme P&L added up by month, strategy or counterparty."""
    return Table(
        title=f"Programme P&L by {by}: {sum(one.total_usd for one in rows):,.0f} USD",
        columns=(
            Column(by),
            Column("coins", Form.COINS),
            Column("coins left", Form.COINS),
            Column("realised USD", Form.USD),
            Column("unrealised USD", Form.USD),
            Column("delta BTC", Form.COINS),
            Column("total USD", Form.USD),
        ),
        rows=tuple(
            (
                one.name,
                one.coins,
                one.coins_left,
                one.realised_usd,
                one.unrealised_usd,
                one.delta_coins,
                one.total_usd,
            )
            for one in rows
        ),
        note="Coins at today's price; a trade's profit is shared out by the coins it hedges of each month.",
    )


def margin_table(view: MarginView) -> Table:
    """Both tails of a month."""
    return Table(
        title="A month after a move of the price",
        columns=(
            Column("move", Form.SHARE),
            Column("price USD", Form.PRICE),
            Column("hedges worth USD", Form.USD),
            Column("margin held USD", Form.USD),
            Column("called beyond today USD", Form.USD),
            Column("liquidity USD", Form.USD),
        ),
        rows=tuple(
            (row.move, row.price, row.hedge_usd, row.margin_usd, row.call_usd, row.liquidity_usd)
            for row in view.stresses
        ),
        note=f"Venue rules {view.rules}"
        + ("." if view.rules_in_force else ": the last known; the venue changed them since."),
    )


def ladder_table(rows: Sequence[Rung], move: float) -> Table:
    """The cash ladder."""
    words = "on the forward curve" if not move else f"with a move of {move:+.0%}"
    return Table(
        title=f"Cash ladder {words}, USD",
        columns=(
            Column("until"),
            Column("price", Form.PRICE),
            Column("sales", Form.USD),
            Column("costs", Form.USD),
            Column("hedges", Form.USD),
            Column("collateral", Form.USD),
            Column("credit line", Form.USD),
            Column("cannot be paid", Form.USD),
            Column("cash", Form.USD),
            Column("not there yet", Form.USD),
            Column("drawn", Form.USD),
            Column("coins free", Form.COINS),
            Column("posted", Form.COINS),
        ),
        rows=tuple(
            (
                f"{one.last:%Y-%m-%d}",
                one.price,
                one.sales,
                one.costs,
                one.hedges,
                one.collateral,
                one.line,
                one.overdue,
                one.cash,
                one.on_the_way,
                one.drawn,
                one.coins_free,
                one.coins_posted,
            )
            for one in rows
        ),
        note=(
            "One course, not a chance: coins at the forecast's median; what hedges pay in coin is sold with "
            "the day's sale. The chances of each month are those of headframe simulate."
        ),
    )


def covenants_table(rows: Sequence[Covenant]) -> Table:
    """The lender's covenants one by one."""
    return Table(
        title="The lender's covenants",
        columns=(
            Column("clause"),
            Column("covenant"),
            Column("asked"),
            Column("found"),
            Column("kept"),
            Column("what follows"),
        ),
        rows=tuple(
            (one.clause, one.name, one.asked, one.found, "yes" if one.kept else "NO", one.remedy)
            for one in rows
        ),
    )


def margin_with_table(proposal: str, dealer: str, view: MarginView, then: MarginView) -> Table:
    """What a proposal adds before it is sent: margin now, the call after each move, the cash-out price."""
    rows: list[tuple[str, float | None, float | None]] = [
        ("posted today", view.today.posted_usd, then.today.posted_usd),
        *(
            (f"called after {now.move:+.0%} in a month", now.call_usd, after.call_usd)
            for now, after in zip(view.stresses, then.stresses, strict=True)
        ),
        ("cash runs out above", view.cash_out_above, then.cash_out_above),
    ]
    return Table(
        title=f"Margin with {proposal} dealt with {dealer}, whose terms ask most of its panel",
        columns=(
            Column(""),
            Column("as it is USD", Form.USD),
            Column("with it USD", Form.USD),
            Column("it adds USD", Form.USD),
        ),
        rows=tuple(
            (name, before, after, None if before is None or after is None else after - before)
            for name, before, after in rows
        ),
    )


def margin_lines(view: MarginView) -> tuple[str, ...]:
    """Margin due today and the two prices that matter, in sentences."""
    above = view.cash_out_above
    out = "cash does not run out below 20 times today's price"
    if above is not None:
        out = f"cash runs out above {above:,.0f} USD ({above / view.spot - 1:+.0%})"
    below = view.covenant_below
    loan = "no loan covenant depends on the price"
    if below is not None:
        loan = f"the loan's covenant breaks below {below:,.0f} USD ({below / view.spot - 1:+.0%})"
    today = view.today
    due = (
        f"Margin today: initial {today.initial_usd:,.0f}, variation {today.variation_usd:,.0f}, "
        f"collateral {today.collateral_usd:,.0f} USD; liquidity {view.liquidity_usd:,.0f} USD."
    )
    lines: tuple[str, ...] = (due, f"On the way up {out}; on the way down {loan}.")
    if view.account is not None:
        lines = (*lines, *account_lines(view.account, view.spot))
    other = view.portfolio
    if other is None:
        return lines
    delta = (
        f", {other.delta:,.4f} for so much net delta (by an increment inferred: none is published)"
        if other.delta
        else ""
    )
    added = (
        (other.open_orders, "for open orders (as if filled: no formula is published)"),
        (other.market_maker, "for market-maker protection"),
    )
    extra = "".join(f"; {coins:,.4f} of the initial {why}" for coins, why in added if coins)
    asked = (
        f"By portfolio margin ({view.portfolio_model}): initial {other.initial:,.4f}, maintenance "
        f"{other.maintenance:,.4f} coins, of it {other.roll:,.4f} for rolls{delta}; worst at "
        f"{other.worst_move:+.0%}{extra}."
    )
    return (*lines, asked)


def account_lines(account: VenueAccount, spot: float) -> tuple[str, ...]:
    """Margin at the venue in coins, and how far the price is from its liquidation."""
    asked = (
        f"At the venue: initial {account.initial:,.4f}, maintenance {account.maintenance:,.4f}, open orders "
        f"{account.open_orders:,.4f}, market-maker protection {account.market_maker:,.4f} coins; equity "
        f"{account.equity:,.4f}."
    )
    prices = [
        f"{side} {price:,.0f} USD ({price / spot - 1:+.1%})"
        for side, price in (
            ("below", account.liquidation_below),
            ("above", account.liquidation_above),
        )
        if price is not None
    ]
    where = " or ".join(prices) or "nowhere between 1 % of today's price and 20 times it"
    return asked, f"Liquidated, if nothing is added: {where}."


def annexes_table(rows: Sequence[AnnexRow]) -> Table:
    """Every agreement today: what lies where and what either side may call."""
    return Table(
        title="Collateral by agreement, USD",
        columns=(
            Column("dealer"),
            Column("value", Form.USD),
            Column("threshold", Form.USD),
            Column("posted", Form.USD),
            Column("held", Form.USD),
            Column("called, open", Form.USD),
            Column("they may call", Form.USD),
            Column("we may call", Form.USD),
            Column("due"),
            Column("close-out", Form.USD),
        ),
        rows=tuple(
            (
                one.dealer,
                one.value_usd,
                one.terms.threshold_usd,
                one.posted_usd,
                one.held_usd,
                one.open_usd,
                one.they_may_call_usd,
                one.we_may_call_usd,
                "no call today" if one.due is None else str(one.due),
                one.close_out_usd,
            )
            for one in rows
        ),
        note="Posted counts coins after their haircut. Close-out: at mark, all collateral settled.",
    )


def calls_table(rows: Sequence[MarginCall]) -> Table:
    """Margin calls as they stand."""
    return Table(
        title="Margin calls",
        columns=tuple(
            Column(one)
            for one in (
                "call", "dealer", "by", "made", "due", "asked USD", "our figure USD", "owed USD",
                "disputed USD", "to deliver USD", "reference",
            )
        ),
        rows=tuple(
            (
                str(one.number),
                one.dealer,
                "us" if one.from_us else "them",
                f"{one.at:%Y-%m-%d %H:%M}",
                str(one.due),
                str(one.asked),
                str(one.ours),
                str(one.owed),
                str(one.disputed),
                str(one.left),
                one.reference,
            )
            for one in rows
        ),
    )  # fmt: skip


def sold_table(rows: Sequence[Sold]) -> Table:
    """Sales of coins by month and venue."""
    return Table(
        title="Coins sold, by month and venue",
        columns=(
            Column("month"),
            Column("venue"),
            Column("fills", Form.WHOLE),
            Column("coins", Form.COINS),
            Column("USD a coin", Form.PRICE),
            Column("fee, bp", Form.RATIO),
            Column("net against the month, bp", Form.RATIO),
        ),
        rows=tuple(
            (
                str(one.month),
                one.venue,
                float(one.fills),
                one.coins,
                one.price,
                one.fee_bp,
                one.against_month_bp,
            )
            for one in rows
        ),
    )


def contracts_table(rows: Sequence[ContractRow]) -> Table:
    """Contracts on a schedule: what each is, where it stands, what is left of it and what that is worth."""

    def row(one: ContractRow) -> tuple[str | float | None, ...]:
        record, held = one.record, one.record.held
        terms = record.envelope.terms
        size = sum(float(coins) for _, coins in record.shares)
        waits = ", close waits" if record.closing and held and not held.closed else ""
        return (
            record.id,
            describe_contract(terms),
            "" if held is None else held.contract.dealer,
            record.stage + waits,
            f"{record.envelope.limit if held is None else held.contract.price:f}",
            f"{record.fair:.8f}" if terms.in_coin else f"{record.fair:,.2f}",
            size if held is None else float(held.coins),
            "" if held is None else f"{len(held.fixings)} of {len(terms.days)}",
            one.worth_usd,
        )

    return Table(
        title="Contracts on a schedule",
        columns=(
            Column("contract"),
            Column("what"),
            Column("dealer"),
            Column("stage"),
            Column("price, or limit"),
            Column("fair then"),
            Column("coins left", Form.COINS),
            Column("days fixed"),
            Column("worth USD", Form.USD),
        ),
        rows=tuple(row(one) for one in rows),
        note="A hashprice is per PH/s and day; a premium is USD per coin, negative where it is received.",
    )


def currencies_table(held: Sequence[HeldCurrency]) -> Table:
    """Cash in other currencies with the last rate of each, what it cost, and the gains on it."""
    return Table(
        title="Other currencies",
        columns=(
            Column("currency"),
            Column("cash"),
            Column("USD for one"),
            Column("of"),
            Column("worth USD", Form.USD),
            Column("cost USD", Form.USD),
            Column("gain USD", Form.USD),
            Column("gained before USD", Form.USD),
        ),
        rows=tuple(
            (
                one.money.currency.code,
                str(one.money),
                "no rate" if one.rate is None else format(one.rate.usd, "f"),
                "" if one.rate is None else f"{one.rate.at:%Y-%m-%d %H:%M}",
                None if one.rate is None else float(one.money) * float(one.rate.usd),
                None if one.at_cost is None else float(one.at_cost.cost_usd),
                one.unrealised_usd,
                None if one.at_cost is None else float(one.at_cost.realised_usd),
            )
            for one in held
        ),
        note="Average cost at the rate of when each was booked; the last gain is on what left.",
    )
