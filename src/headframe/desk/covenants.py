"""The lender's covenants on the books of now, and the certificate of them."""

from dataclasses import dataclass
from datetime import datetime

from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Head, NotFound
from headframe.desk.programme import pledge_of
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import Covenant, ExposureRow, Loan, exposure_rows
from headframe.hedge import covenants as judged
from headframe.mandate import Mandate


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
    forecast, treasury = now.state.forecast, now.settings.operation.treasury
    rows: tuple[ExposureRow, ...] = ()
    if forecast is not None:
        rows = exposure_rows(forecast, mandate.cover, now.positions, now.at)
    loan = Loan(
        pledge=pledge_of(now.state, now.settings),
        share_max=treasury.loan_to_value_max,
        coins_pledged=treasury.coins_pledged,
    )
    return judged(mandate, rows, now.positions, loan, now.surface.spot)


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
