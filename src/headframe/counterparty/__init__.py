"""Whom we may deal with: dossier, score, standing, credit line and collateral terms."""

from headframe.counterparty.collateral import CollateralTerms, call_amount, support_amount
from headframe.counterparty.dossier import (
    LOSS_GIVEN_DEFAULT,
    CreditLine,
    Dossier,
    Evidence,
    Objection,
    Reason,
    Score,
    Topic,
    default_probability,
    objections,
    score,
)
from headframe.counterparty.standing import TRANSITIONS, Standing, Step, advance
from headframe.counterparty.strength import Altman, Statements, Zone, altman

__all__ = [
    "LOSS_GIVEN_DEFAULT",
    "TRANSITIONS",
    "Altman",
    "CollateralTerms",
    "CreditLine",
    "Dossier",
    "Evidence",
    "Objection",
    "Reason",
    "Score",
    "Standing",
    "Statements",
    "Step",
    "Topic",
    "Zone",
    "advance",
    "altman",
    "call_amount",
    "default_probability",
    "objections",
    "score",
    "support_amount",
]
