"""Tracking error and cost of a hedge under each way of reducing it, before one is dealt."""

from dataclasses import dataclass
from datetime import date

from headframe.hedge.candidates import Candidate, Street, basis_under
from headframe.instrument import Kind
from headframe.mandate import Facts, Mandate, Unwind, is_order_book, unwind_obstacle
from headframe.risk import sale_weights
from headframe.units import NO_EXPIRY, expiry_label


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwindCost:
    """A hedge under one policy: tracking error over the forward, R2, cost of closing in USD a coin.

    ``dealt`` says what is dealt when; ``obstacle`` why the policy cannot be carried out, empty if it can.
    """

    unwind: Unwind
    tracking_error: float
    r2: float
    closing_usd: float
    dealt: str
    obstacle: str = ""


def daily_coins(street: Street, candidate: Candidate) -> tuple[float, float]:
    """Return the least and the most coins of a block that are sold on one day, its last apart."""
    bucket = candidate.bucket
    sales = sale_weights(bucket.needs, street.snapshot.as_of, bucket.ends, street.sale_policy)
    sold = [weight for weight in sales.tolist() if weight > 0.0]
    return min(sold) * float(candidate.size), max(sold) * float(candidate.size)


def unwind_costs(
    street: Street, mandate: Mandate, candidate: Candidate, facts: Facts
) -> tuple[UnwindCost, ...]:
    """Return the hedge under every policy, on the same paths of the price."""
    put, call = (float(candidate.structure.strike(kind) or 0) for kind in (Kind.PUT, Kind.CALL))
    found: list[UnwindCost] = []
    for policy in Unwind:
        basis = basis_under(street, candidate.bucket, put, call, policy)
        obstacle = _obstacle(mandate, candidate, facts, policy)
        found.append(
            UnwindCost(
                unwind=policy,
                tracking_error=basis.tracking_error,
                r2=basis.r2,
                closing_usd=basis.closing_usd,
                dealt=_dealt(street, candidate, policy),
                obstacle=obstacle,
            )
        )
    return tuple(found)


def _obstacle(mandate: Mandate, candidate: Candidate, facts: Facts, policy: Unwind) -> str:
    """Return why a policy cannot be carried out: no daily dealing, or blocks below the least size."""
    if policy is Unwind.AS_SOLD:
        against = unwind_obstacle(mandate, facts)
        return "" if against is None else f"{against[1]}; needed: {against[0]}"
    least = mandate.rfq.block_min_coins
    future = candidate.kind.is_future
    if policy is Unwind.AT_EXPIRY or future or is_order_book(facts.venue):
        return ""
    small = [f"{coins:.1f} on {day}" for coins, day in _blocks(candidate) if coins < least]
    return f"below the least block of {least:g} coins: {', '.join(small)}" if small else ""


def _dealt(street: Street, candidate: Candidate, policy: Unwind) -> str:
    if policy is Unwind.AT_EXPIRY:
        if candidate.bucket.expiry == NO_EXPIRY:
            return "all after the last month: a perpetual has no expiry"
        return f"nothing: {expiry_label(candidate.bucket.expiry)} settles all"
    if policy is Unwind.MONTHLY:
        return ", ".join(f"{coins:.1f} coins on {day}" for coins, day in _blocks(candidate))
    least, most = daily_coins(street, candidate)
    size = f"{most:.2f}" if most - least < 0.01 else f"{least:.2f} to {most:.2f}"
    return f"{size} coins with each sale"


def _blocks(candidate: Candidate) -> list[tuple[float, date]]:
    """Return the block of each month and its day."""
    total = sum(need for _, need in candidate.needs)
    return [
        (float(candidate.size) * need / total, month.last_day) for month, need in candidate.needs
    ]
