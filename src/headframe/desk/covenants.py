"""The lender's covenants as clauses: what each asks, what is, what would cure it; and their certificate."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Head, NotFound
from headframe.desk.programme import pledge_of
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import exposure_rows, hedged_share
from headframe.mandate import Mandate, Rule

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
class Certificate:
    """Every covenant at an instant, as the books of an anchor have it, and who says so."""

    entity: str
    lender: str
    at: datetime
    spot: float
    by: str
    anchor: Head
    covenants: tuple[Covenant, ...]

    @property
    def kept(self) -> bool:
        """Whether every covenant is kept."""
        return all(one.kept for one in self.covenants)


def covenants(now: Valuation, mandate: Mandate) -> tuple[Covenant, ...]:
    """Every covenant there is, on the books and the price of now."""
    return (*_hedged(now, mandate), *_instruments(now, mandate), *_loan(now, mandate))


def _hedged(now: Valuation, mandate: Mandate) -> Iterator[Covenant]:
    if now.state.forecast is None:
        return
    rows = exposure_rows(now.state.forecast, mandate.cover, now.positions, now.at)
    expected = sum(row.p50 for row in rows)
    share, lender = hedged_share(rows), mandate.lender
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


def _instruments(now: Valuation, mandate: Mandate) -> Iterator[Covenant]:
    allowed = mandate.lender.structures
    if not allowed:
        return
    other = [one.trade.id for one in now.positions if one.trade.structure not in allowed]
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


def _loan(now: Valuation, mandate: Mandate) -> Iterator[Covenant]:
    treasury, spot = now.settings.operation.treasury, now.surface.spot
    pledge = pledge_of(now.state, now.settings)
    most = treasury.loan_to_value_max
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
    missing = treasury.coins_pledged - pledge.coins
    yield Covenant(
        clause=LIEN,
        name="pledged coins, whole and nowhere else",
        asked=f"{treasury.coins_pledged:,.2f} coins",
        found=f"{pledge.coins:,.2f} coins",
        kept=missing < 1e-8,
        remedy=f"return {missing:,.8f} coins" if missing >= 1e-8 else "",
        used=pledge.coins,
        allowed=treasury.coins_pledged,
    )


def shown(office: Office) -> tuple[Covenant, ...]:
    """Every covenant now."""
    users.allowed(office, users.Action.READ)
    return covenants(value_now(office), office.mandate())


@serialised
def certify(office: Office) -> Certificate:
    """The certificate a lender asks for, kept in the journal: by whoever may review.

    Declined where the books have a break, or do not balance, that the figures would hide.
    """
    person = users.allowed(office, users.Action.REVIEW)
    mandate, now = office.mandate(), value_now(office)
    treasury = now.settings.operation.treasury
    if pledge_of(now.state, now.settings).loan_usd <= 0.0:
        raise NotFound("there is no loan in the books: nobody asks for a certificate")
    if now.state.ledger.imbalance() or now.state.breaks:
        raise Declined(
            "the books do not agree with themselves or with a statement: headframe audit verify, "
            "headframe statement"
        )
    made = Certificate(
        entity=mandate.scope.entity,
        lender=treasury.lender_group,
        at=now.at,
        spot=now.surface.spot,
        by=person,
        anchor=now.state.head,
        covenants=covenants(now, mandate),
    )
    office.record(Draft("certified", {"certificate": to_json(made)}), at=now.at)
    return made
