"""A proposal: the chosen hedge of a block, what else was considered, and the envelope to be approved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from headframe.instrument import Structure, StructureKind
from headframe.mandate import Facts, Verdict
from headframe.rfq import Envelope
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One line of the strategy table: a hedge of the block with its figures and its verdict."""

    kind: StructureKind
    put_strike: float | None
    call_strike: float | None
    price: Decimal
    price_currency: str
    floor_usd: float
    ceiling_usd: float | None
    upfront_usd: float
    residual_share: float
    cost_usd: float
    score_usd: float
    tracking_error: float
    r2: float
    initial_margin_usd: float
    stress_call_usd: float
    source: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is put to the approver: everything needed to judge it again years later."""

    id: str
    at: datetime
    preparer: str
    kind: StructureKind
    structure: Structure
    bought: bool
    size: Decimal
    amount: Decimal
    price: Decimal
    price_currency: str
    mid: float
    gross: float
    forward_usd: float
    expiry: datetime
    listed: bool
    needs: tuple[tuple[Month, float], ...]
    panel: tuple[str, ...]
    left_out: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    facts: Facts
    verdict: Verdict
    envelope: Envelope
    envelope_sha256: str
    mandate_sha256: str
    forecast_id: str = ""
    forecast_sha256: str = ""
    closes: str = ""
    """The trade it closes, whole or in part; empty where it opens one."""
    replaces: str = ""
    """The short future it replaces, whole or in part; empty where it stands for itself."""
    replaced_coins: Decimal = Decimal(0)
    crystallised_usd: float = 0.0
    """What closing that brings, coins at spot."""
    asked_coins: Decimal = Decimal(0)
    """Coins of the old trade that the user asked to close or replace, before rounding to what is dealable."""
    stays: tuple[tuple[Month, Decimal], ...] = ()
    """Coins that stay hedged by the old trade, by month, once the whole proposal is dealt."""
    stays_until: datetime | None = None
    """Expiry of what stays; None where the old trade ends, or the proposal closes nothing."""

    @property
    def chosen(self) -> Alternative:
        """The line of the strategy table that was proposed."""
        return next(row for row in self.alternatives if row.kind is self.kind)


def replaced_by(proposal: Proposal, size: Decimal) -> Decimal:
    """Return the coins of the replaced trade that go with so many coins of a proposal's new hedge."""
    if size == proposal.size:
        return proposal.replaced_coins
    return (proposal.replaced_coins * size / proposal.size).quantize(Decimal("0.00000001"))
