"""The mandate and the counterparties as tables."""

from headframe.counterparty import (
    Asked,
    Dossier,
    Grid,
    Objection,
    Score,
    Standing,
    Topic,
    altman,
)
from headframe.mandate import CoverRules, Mandate
from headframe.report.table import Column, Form, Table


def mandate_table(mandate: Mandate) -> Table:
    """The mandate clause by clause."""
    return Table(
        title=f"Mandate of {mandate.scope.entity}",
        columns=(Column("clause"), Column("rule"), Column("setting")),
        rows=(*_scope_rows(mandate), *_limit_rows(mandate), *_asking_rows(mandate)),
    )


def _scope_rows(mandate: Mandate) -> tuple[tuple[str, str, str], ...]:
    scope = mandate.scope
    bands = tuple(
        (
            "M-2.1/2.2",
            f"months {band.first}-{band.last} ahead, of P50",
            f"{band.floor:.0%} to {band.ceiling:.0%}, target {band.target:.0%}",
        )
        for band in mandate.cover.bands
    )
    return (
        (
            "M-1.2",
            "in force",
            f"{scope.valid_from} to {scope.valid_until}, version {scope.version}",
        ),
        ("M-1.3", "hedges allowed", ", ".join(scope.structures).replace("_", " ")),
        *(
            ("M-1.4", f"{row.entity} at {row.venue}", ", ".join(row.structures).replace("_", " "))
            for row in mandate.where
        ),
        ("M-1.5", "horizon", f"{scope.horizon_months} months"),
        *bands,
        (
            "M-2.3",
            "firm sales",
            f"within {mandate.cover.firm_p10_share_max:.0%} of cumulative P10 and free coins",
        ),
        ("M-2.4", "bought puts", "within P50"),
        ("M-2.5", "hedges reduced", _unwind(mandate.cover)),
    )


def _unwind(cover: CoverRules) -> str:
    """Return when hedges are reduced, with the bounds of a standing order."""
    policy, order = str(cover.unwind).replace("_", " "), cover.as_sold
    if order is None:
        return policy
    bounds = f"{order.coins_day_min:g} to {order.coins_day_max:g} coins a day in {order.venue}"
    limits = f"spread {order.spread_max:.2%}, slippage {order.slippage_max:.2%} at most"
    return f"{policy}; standing order: {bounds}, {limits}"


def _limit_rows(mandate: Mandate) -> tuple[tuple[str, str, str], ...]:
    cash, who = mandate.cash, mandate.counterparties
    return (
        ("M-3.1", "tracking error, most", f"{mandate.basis.tracking_error_max:.1%} of the forward"),
        ("M-3.2", "R2, least", f"{mandate.basis.r2_min:.2f}"),
        ("M-4.1", "dossier score, least", f"{who.points_min:.0f} of 100"),
        ("M-4.2", "exposure of line, most", f"{who.line_share_max:.0%}"),
        ("M-4.3", "programme with one group, most", f"{who.programme_share_max:.0%}"),
        ("M-4.4", "tenor, most", f"{who.tenor_months_max} months"),
        *(
            (("M-4.6", "exposure to one group, most", f"{who.group_line_usd_max:,.0f} USD"),)
            if who.group_line_usd_max is not None
            else ()
        ),
        ("M-5.1", "premium budget", f"{cash.premium_budget_usd:,.0f} USD"),
        (
            "M-5.2",
            f"calls at {cash.stress_up:+.0%} in a month, most",
            f"{cash.stress_call_share_max:.0%} of liquidity",
        ),
        ("M-5.4", "residual debit of a collar, most", f"{cash.debit_share_max:.2%} of the forward"),
    )


def _asking_rows(mandate: Mandate) -> tuple[tuple[str, str, str], ...]:
    rfq, asking, people = mandate.rfq, mandate.asking, mandate.people
    quiet = ", ".join(f"{w.start:%H:%M}-{w.end:%H:%M}" for w in asking.quiet) or "none"
    return (
        ("M-6.1", "dealers asked, least", f"{rfq.dealers_min}; answers {rfq.responses_min}"),
        (
            "M-6.2",
            "blocks, least",
            f"{rfq.block_min_coins:g} coins, {rfq.future_block_min_usd:,.0f} USD",
        ),
        (
            "M-6",
            "a better quote after the response time",
            f"{rfq.late_quotes}"
            + (
                f": within {rfq.window_seconds} s, at most {rfq.requests_max} requests"
                if rfq.window_seconds
                else ""
            ),
        ),
        ("M-6.3/6.4", "one live request; repeats", f"not within {rfq.repeat_minutes} minutes"),
        (
            "M-7",
            "do not ask",
            f"market over {asking.market_age_minutes_max} min old, {quiet} UTC, "
            f"{asking.macro_minutes} min around news"
            + ("" if asking.weekends else ", weekends")
            + f", spread {asking.spread_ratio_max:g} x, spot {asking.spot_move_max:.1%}, "
            f"{asking.open_interest_share_max:.0%} of open interest",
        ),
        (
            "M-8",
            "prepares; approves",
            f"{', '.join(people.preparers)}; {', '.join(people.approvers)}",
        ),
        (
            "M-10",
            "lender: hedged share of P50",
            f"{mandate.lender.least_hedged:.0%} to {mandate.lender.most_hedged:.0%}",
        ),
        ("M-9", "chosen by", str(mandate.choice).replace("_", " ")),
    )


def counterparty_table(
    rows: tuple[tuple[Dossier, Standing, Score, tuple[Objection, ...]], ...],
) -> Table:
    """Standing, score, line and collateral terms of each counterparty."""
    return Table(
        title="Counterparties",
        columns=(
            Column("name"),
            Column("legal entity"),
            Column("standing"),
            Column("score", Form.WHOLE),
            Column("grade"),
            Column("line USD", Form.USD),
            Column("threshold USD", Form.USD),
            Column("min. transfer USD", Form.USD),
            Column("objections"),
        ),
        rows=tuple(
            (
                dossier.name,
                dossier.legal_entity,
                str(standing),
                score.points,
                score.grade,
                dossier.credit.line_usd,
                dossier.collateral.threshold_usd,
                dossier.collateral.minimum_transfer_usd,
                "; ".join(one.detail for one in against) or "none",
            )
            for dossier, standing, score, against in rows
        ),
        note="The score weighs dated evidence that has not expired; see counterparties.toml.",
    )


def grid_tables(grid: Grid) -> tuple[Table, ...]:
    """The scoring grid: weights, and each grade with what it allows and how often it fails."""
    sources = sorted({one.source for one in grid.defaults})
    rates = {(one.source, one.grade): one.a_year for one in grid.defaults}
    return (
        Table(
            title="Weights",
            columns=(Column("topic"), Column("points", Form.RATIO)),
            rows=tuple((str(one), grid.weights.of(one)) for one in Topic),
        ),
        Table(
            title="Grades",
            columns=(
                Column("grade"),
                Column("points from", Form.RATIO),
                Column("line USD, most", Form.USD),
                Column("months, most", Form.WHOLE),
                Column("hedges"),
                *(Column(f"fails a year: {one}", Form.SHARE) for one in sources),
            ),
            rows=tuple(
                (
                    one.name,
                    one.points,
                    one.line_usd_max,
                    one.tenor_months_max,
                    ", ".join(one.products).replace("_", " ") or "all",
                    *(rates.get((source, one.name)) for source in sources),
                )
                for one in grid.grades
            ),
            note=f"The highest of the sources holds; lost in a failure: {grid.loss_given_default:.0%}.",
        ),
    )


def questionnaire_table(name: str, rows: tuple[Asked, ...]) -> Table:
    """Every question of the mandate's grid with the answer that holds."""
    return Table(
        title=f"Questionnaire of {name}",
        columns=tuple(
            Column(one) for one in ("section", "question", "answer", "until", "reviewer")
        ),
        rows=tuple(
            (row.section, row.question, "open", "", "")
            if row.answer is None
            else (
                row.section,
                row.question,
                row.answer.answer + ("" if row.answer.satisfactory else " (not satisfactory)"),
                str(row.answer.expires),
                row.answer.reviewer,
            )
            for row in rows
        ),
        note="" if rows else "The mandate's grid asks no questions.",
    )


def strength_lines(dossiers: tuple[Dossier, ...]) -> tuple[str, ...]:
    """Financial strength of those whose statements are on record."""
    found: list[str] = []
    for one in dossiers:
        if one.statements is None:
            continue
        strength = altman(one.statements)
        found.append(
            f"{one.name}: Altman {strength.variant} {strength.z:.2f} ({strength.zone}) of "
            f"{one.statements.dated}: working capital {strength.working_capital:.2f}, "
            f"retained {strength.retained:.2f}, EBIT {strength.earnings:.2f} of assets, "
            f"equity {strength.equity:.2f} of liabilities"
        )
    return tuple(found)
