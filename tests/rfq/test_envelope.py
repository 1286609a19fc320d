from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.instrument import Leg, Structure, StructureKind, parse_instrument
from headframe.mandate import recall_approval
from headframe.rfq import Direction, Envelope, Outside, Request, open_request, outside
from headframe.units import Wrong, parse_expiry

AT = datetime(2026, 8, 24, 10, tzinfo=UTC)


def collar(put: int = 70_000, call: int = 88_000, day: str = "25DEC26") -> Structure:
    return Structure(
        StructureKind.COSTLESS_COLLAR,
        (
            Leg(parse_instrument(f"BTC-{day}-{put}-P"), 1),
            Leg(parse_instrument(f"BTC-{day}-{call}-C"), -1),
        ),
    )


ENVELOPE = Envelope(
    proposal="P-1",
    structure=StructureKind.COSTLESS_COLLAR,
    expiry=parse_expiry("25-DEC-26"),
    settled_in="BTC",
    size=Decimal(50),
    floor_min=Decimal(70_000),
    ceiling_min=Decimal(88_000),
    price_worst=Decimal("0.0010"),
    valid_until=AT + timedelta(hours=4),
    spot_low=Decimal(74_000),
    spot_high=Decimal(79_000),
)
GOOD: dict[str, Any] = {
    "size": Decimal(50),
    "price": Decimal("0.0010"),
    "bought": True,
    "spot": Decimal(77_000),
    "at": AT,
}


@pytest.mark.parametrize(
    ("structure", "change", "reason"),
    [
        (collar(), {}, None), (collar(put=71_000), {}, None), (collar(call=90_000), {}, None), (collar(), {"price": Decimal("-0.01")}, None),
        (collar(), {"price": None}, None), (collar(), {"size": Decimal(49)}, None), (collar(day="30OCT26"), {}, Outside.STRUCTURE),
        (collar(), {"size": Decimal("50.1")}, Outside.SIZE), (collar(), {"size": Decimal(0)}, Outside.SIZE),
        (collar(put=69_000), {}, Outside.FLOOR), (collar(call=87_000), {}, Outside.CEILING),
        (collar(), {"price": Decimal("0.0011")}, Outside.PRICE), (collar(), {"price": Decimal("NaN")}, Outside.PRICE),
        (collar(), {"at": AT + timedelta(hours=4)}, Outside.TOO_LATE), (collar(), {"spot": Decimal(73_999)}, Outside.SPOT_MOVED),
        (collar(), {"spot": Decimal(79_001)}, Outside.SPOT_MOVED), (collar(), {"bought": False, "price": Decimal("0.0009")}, Outside.PRICE),
    ],
)  # fmt: skip
def test_terms_inside_and_outside_the_envelope(
    structure: Structure, change: Any, reason: Any
) -> None:
    found = outside(ENVELOPE, structure, **(GOOD | change))
    assert found == (() if reason is None else (reason,))


def test_another_kind_of_hedge_is_another_structure() -> None:
    put = Structure(
        StructureKind.PROTECTIVE_PUT, (Leg(parse_instrument("BTC-25DEC26-70000-P"), 1),)
    )
    assert Outside.STRUCTURE in outside(ENVELOPE, put, **GOOD)
    no_ceiling = replace(ENVELOPE, ceiling_min=None)
    assert outside(no_ceiling, collar(), **GOOD) == (Outside.CEILING,)


def approval(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "proposal": "P-1", "envelope_sha256": "e", "mandate_sha256": "m", "preparer": "a", "approver": "b", "at": AT,
        "expires_at": AT + timedelta(hours=1),
    }  # fmt: skip
    return recall_approval(**(given | changes))


def asked(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "request_id": "r", "direction": Direction.BUY, "size": Decimal(50), "amount": Decimal(50), "panel": ("amber", "basalt"), "disclosed": True, "at": AT,
        "response_seconds": 45, "reference": 0.0, "gross": 0.1, "forward": 78_000.0, "spot": Decimal(77_000),
    }  # fmt: skip
    given |= changes
    return open_request(
        ENVELOPE,
        given.pop("sha", "e"),
        given.pop("approval", approval()),
        given.pop("structure", collar()),
        **given,
    )


def test_a_request_needs_an_approval_of_exactly_these_terms() -> None:
    made = asked()
    assert isinstance(made, Request)
    assert made.limit == ENVELOPE.price_worst
    assert made.respond_by == AT + timedelta(seconds=45)
    with pytest.raises(Wrong, match="not the ones approved"):
        asked(sha="another")
    assert asked(at=AT + timedelta(hours=1)) == (Outside.TOO_LATE,)
    assert asked(structure=collar(put=60_000)) == (Outside.FLOOR,)
    for panel in ((), ("amber", "amber")):
        with pytest.raises(Wrong, match="each dealer once"):
            asked(panel=panel)
    with pytest.raises(Wrong):
        asked(response_seconds=0)
