"""Best-execution records, dealer scorecards and dealing costs as tables."""

from collections.abc import Callable, Sequence

from headframe.book import Trade
from headframe.report.table import Column, Form, Table
from headframe.rfq import Costs, Quality, Route, Scorecard, Told
from headframe.units import iso


def execution_table(told: Told, quality: Quality) -> Table:
    """One request: what was asked, who dealt, what it cost."""
    rows: list[tuple[str, str | None]] = [
        ("request", f"{told.id} for {told.proposal}"),
        ("structure", f"{'we buy' if told.sign > 0 else 'we sell'} {told.structure}"),
        ("coins", f"{told.coins:,.2f}"),
        ("asked", f"{iso(told.opened_at)}, answers by {iso(told.respond_by)}"),
        ("dealers", f"{len(told.panel)} asked, {quality.responded} answered"),
        ("silent", ", ".join(quality.silent) or "none"),
        ("first answer after s", _figure(quality.first_seconds, 1)),
        *(("late quote", words) for words in told.late),
        *((("follows", told.follows),) if told.follows else ()),
        ("outcome", told.outcome),
        ("dealt with", told.winner),
        ("net price, cover", f"{_price(told.price)}, {_price(told.cover)}"),
        ("mid asked, awarded", f"{_price(told.mid_asked)}, {_price(told.mid_awarded)}"),
        ("cost against mid USD", _figure(quality.to_mid_usd, 0)),
        ("cost against mid bp", _figure(quality.to_mid_bps, 1)),
        ("saved against the cover USD", _figure(quality.saved_on_cover_usd, 0)),
        ("saved against the lit book USD", _figure(quality.saved_on_sweep_usd, 0)),
        ("best to worst quote USD", _figure(quality.best_worst_usd, 0)),
        ("mid's move while asking USD", _figure(quality.leakage_usd, 0)),
        ("fees USD", _figure(told.fee_usd, 0)),
        ("rule", told.criterion or None),
        ("prepared, approved by", f"{told.preparer}, {told.approver}"),
    ]
    rows += [
        (f"mid's move {seconds} s later USD", _figure(move, 0))
        for seconds, move in sorted(quality.after_usd.items())
    ]
    return Table(
        title="Best-execution record",
        columns=(Column("what"), Column("figure")),
        rows=tuple(rows),
        note="Costs are ours: above zero we paid, in parentheses we received. A dash is not known.",
    )


def executions_table(rows: tuple[tuple[Told, Quality], ...]) -> Table:
    """Requests of a period, a line each."""
    return Table(
        title="Requests for quotes",
        columns=(
            Column("request"),
            Column("for"),
            Column("asked"),
            Column("coins", Form.COINS),
            Column("answers", Form.WHOLE),
            Column("dealt with"),
            Column("to mid bp", Form.COINS),
            Column("saved on cover USD", Form.USD),
            Column("outcome"),
        ),
        rows=tuple(
            (
                told.id[:8],
                told.proposal,
                iso(told.opened_at),
                told.coins,
                float(quality.responded),
                told.winner,
                quality.to_mid_bps,
                quality.saved_on_cover_usd,
                told.outcome,
            )
            for told, quality in rows
        ),
        note="" if rows else "none",
    )


def scorecards_table(rows: tuple[Scorecard, ...]) -> Table:
    """Dealers, the most asked first."""
    return Table(
        title="Dealers",
        columns=(
            Column("dealer"),
            Column("asked", Form.WHOLE),
            Column("answered", Form.SHARE),
            Column("won of answers", Form.SHARE),
            Column("median s", Form.COINS),
            Column("to mid bp", Form.COINS),
            Column("behind the winner bp", Form.COINS),
            Column("withdrawn or expired", Form.WHOLE),
            Column("late", Form.WHOLE),
            Column("off the market", Form.WHOLE),
            Column("last look refused", Form.WHOLE),
        ),
        rows=tuple(
            (
                one.dealer,
                float(one.asked),
                one.response_ratio,
                one.hit_ratio if one.answered else None,
                one.seconds_median,
                one.to_mid_bps_mean,
                one.behind_bps_mean,
                float(one.expired),
                float(one.late),
                float(one.off),
                float(one.refused),
            )
            for one in rows
        ),
        note="" if rows else "nobody was asked yet",
    )


def costs_table(costs: Sequence[tuple[str, Costs]]) -> Table:
    """Return what dealing came to over a period, a column for each kind of structure."""
    figures: tuple[tuple[str, Callable[[Costs], str | None]], ...] = (
        ("requests, filled", lambda one: f"{one.asked}, {one.filled}"),
        ("answers a request", lambda one: _figure(one.responses_mean, 1)),
        ("notional USD", lambda one: _figure(one.notional_usd, 0)),
        ("cost against mid USD", lambda one: _figure(one.to_mid_usd, 0)),
        ("cost against mid bp", lambda one: _figure(one.to_mid_bps, 1)),
        ("saved against covers USD", lambda one: _figure(one.saved_on_cover_usd, 0)),
        ("saved against the lit book USD", lambda one: _figure(one.saved_on_sweep_usd, 0)),
        ("mid's moves while asking USD", lambda one: _figure(one.leakage_usd, 0)),
        ("fees USD", lambda one: _figure(one.fees_usd, 0)),
        ("breaks to look at", lambda one: str(len(one.breaks))),
    )
    return Table(
        title="Cost of dealing",
        columns=(Column("what"), *(Column(name.replace("_", " ")) for name, _ in costs)),
        rows=tuple((what, *(show(one) for _, one in costs)) for what, show in figures),
        note="A roll is measured against the mid of its calendar spread.",
    )


def clips_table(trades: Sequence[Trade]) -> Table:
    """The trades of a proposal that was dealt in clips."""
    return Table(
        title="Clips",
        columns=(
            Column("trade"),
            Column("at"),
            Column("with"),
            Column("coins", Form.COINS),
            Column("net price"),
        ),
        rows=tuple(
            (
                one.id,
                iso(one.at),
                one.dealer,
                float(one.size),
                f"{one.net_price} {one.price_currency}",
            )
            for one in trades
        ),
    )


def routes_table(routes: tuple[Route, ...]) -> Table:
    """Ways of dealing, the cheapest first."""
    return Table(
        title="Ways to deal it",
        columns=(
            Column("way"),
            Column("cost against mid USD", Form.USD),
            Column("open"),
            Column("why"),
        ),
        rows=tuple(
            (one.name, one.cost_usd, "no" if one.closed else "yes", one.closed or one.words)
            for one in routes
        ),
        note="Estimates before the trade; headframe execution says what it came to.",
    )


def _figure(value: float | None, digits: int) -> str | None:
    if value is None:
        return None
    text = f"{abs(value):,.{digits}f}"
    return f"({text})" if value < 0 and any(one in text for one in "123456789") else text


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:.10g}"
