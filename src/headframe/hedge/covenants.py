"""The lender's covenants as clauses: what each asks, what is, what would cure it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headframe.book import Position
from headframe.hedge.exposure import ExposureRow, hedged_share
from headframe.mandate import Mandate, Rule
from headframe.risk import Pledge

LIEN, STEP, RATIO = "M-10.5", "M-10.4", "loan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covenant:
    """One clause: what it asks and what is found, in words and figures, and what would cure or come next."""

    clause: str
    name: str
    asked: str
    found: str
    kept: bool
    remedy: str
    used: float
    allowed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """The loan as the books have it, the most it may be of its collateral, and the coins once pledged."""

    pledge: Pledge
    share_max: float
    coins_pledged: float


def covenants(
    mandate: Mandate,
    rows: Sequence[ExposureRow],
    positions: Sequence[Position],
    loan: Loan,
    spot: float,
) -> tuple[Covenant, ...]:
    """Every covenant there is; ``rows`` are the months of the forecast, none where there is none."""
    return (
        *_hedged(mandate, rows),
        *_instruments(mandate, positions),
        *_loan(mandate, loan, spot),
    )


def _hedged(mandate: Mandate, rows: Sequence[ExposureRow]) -> Iterator[Covenant]:
    if not rows:
        return
    expected = sum(row.p50 for row in rows)
    share, lender = hedged_share(tuple(rows)), mandate.lender
    short = max(lender.least_hedged - share, 0.0) * expected
    yield Covenant(
        clause=Rule.LENDER_LEAST.clause,
        name="hedged, at least",
        asked=f"{lender.least_hedged:.0%} of P50",
        found=f"{share:.1%}",
        kept=short < 1e-6,
        remedy=f"hedge {short:,.1f} coins more" if short else "",
        used=share,
        allowed=lender.least_hedged,
    )
    over = max(share - lender.most_hedged, 0.0) * expected
    yield Covenant(
        clause=Rule.LENDER_MOST.clause,
        name="hedged, at most",
        asked=f"{lender.most_hedged:.0%} of P50",
        found=f"{share:.1%}",
        kept=over < 1e-6,
        remedy=f"close {over:,.1f} coins" if over else "",
        used=share,
        allowed=lender.most_hedged,
    )


def _instruments(mandate: Mandate, positions: Sequence[Position]) -> Iterator[Covenant]:
    allowed = mandate.lender.structures
    if not allowed:
        return
    other = [one.trade.id for one in positions if one.trade.structure not in allowed]
    yield Covenant(
        clause=Rule.LENDER_STRUCTURE.clause,
        name="instruments",
        asked=", ".join(str(kind).replace("_", " ") for kind in allowed),
        found=f"others: {', '.join(other)}" if other else "no others",
        kept=not other,
        remedy=f"close {', '.join(other)}" if other else "",
        used=float(len(other)),
        allowed=0.0,
    )


def _loan(mandate: Mandate, loan: Loan, spot: float) -> Iterator[Covenant]:
    pledge, most = loan.pledge, loan.share_max
    breaks = pledge.price_at(most)
    if breaks is None:
        return
    worth = pledge.coins * spot
    ratio = pledge.loan_usd / worth
    coins, dollars = (pledge.loan_usd / most - worth) / spot, pledge.loan_usd - most * worth
    cure = f"pledge {coins:,.2f} coins or repay {dollars:,.0f} USD"
    yield Covenant(
        clause=RATIO,
        name="loan to value",
        asked=f"at most {most:.0%} of collateral",
        found=f"{ratio:.1%}",
        kept=ratio <= most,
        remedy=f"breaks below {breaks:,.0f} USD a coin" if ratio <= most else cure,
        used=ratio,
        allowed=most,
    )
    for step in mandate.lender.steps:
        reached = ratio > step.above
        price = pledge.price_at(step.above) or 0.0
        yield Covenant(
            clause=STEP,
            name=f"loan to value above {step.above:.0%}",
            asked=f"{step.must}, within {step.days} days",
            found=f"{ratio:.1%}",
            kept=not reached,
            remedy=step.must if reached else f"reached below {price:,.0f} USD a coin",
            used=ratio,
            allowed=step.above,
        )
    missing = loan.coins_pledged - pledge.coins
    yield Covenant(
        clause=LIEN,
        name="pledged coins, whole and nowhere else",
        asked=f"{loan.coins_pledged:,.2f} coins",
        found=f"{pledge.coins:,.2f} coins",
        kept=missing < 1e-8,
        remedy=f"return {missing:,.8f} coins" if missing >= 1e-8 else "",
        used=pledge.coins,
        allowed=loan.coins_pledged,
    )
