"""A mine that several tests use."""

from typing import Any

from headframe.chain import chain_of, latest, retargets
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    Costs,
    FeeOutlook,
    Operation,
    Pool,
    PoolScheme,
    SalePolicy,
    Site,
    Treasury,
    estimate,
    start_of,
)

HISTORY = (*retargets(), latest())
MODEL = estimate(HISTORY)
BTC = chain_of("BTC")
START = start_of(BTC, HISTORY, MODEL)


def site(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "name": "a",
        "uptime": 1.0,
        "capacity_mw": 1e4,
        "power_usd_mwh": (50.0,) * 12,
    }
    return Site(**(given | changes))


def mine(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "entity": "Test mine",
        "coin": "BTC",
        "sites": (site(),),
        "fleet": (Batch(site="a", machine=KNOWN_MACHINES["Antminer S21"], count=5_000),),
        "pool": Pool(scheme=PoolScheme.FPPS, fee=0.0),
        "sale_policy": SalePolicy.DAILY,
        "fees": FeeOutlook(share_median=0.0, log_sd=0.0, persistence=0.0),
        "costs": Costs(fixed_usd_month=1.0, debt_service_usd_month=2.0, depreciation_usd_month=3.0),
        "treasury": Treasury(
            cash_usd=1.0,
            credit_line_usd=1.0,
            coins_free=1.0,
            coins_pledged=2.0,
            loan_usd=0.7,
            loan_to_value_max=0.7,
            lender_group="Prairie",
        ),
    }
    return Operation(**(given | changes))
