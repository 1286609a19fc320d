"""The keys of every kind of event: what its body must hold, what it may hold, and nothing else.

A key that is not declared is refused and never dropped: an event that lost a field would fold to another
state than the one it was written on. A journal of a newer version is refused by the same rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from headframe.desk.ports import JournalBroken, Record


@dataclass(frozen=True, slots=True)
class EventKeys:
    """Keys of one kind of event; ``free`` where nothing reads the body."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    free: bool = False


def _keys(required: str, optional: str = "") -> EventKeys:
    return EventKeys(frozenset(required.split()), frozenset(optional.split()))


_FREE = EventKeys(frozenset(), free=True)
"""Kinds that are kept as they came: the fold reads no key of them but postings."""

EVENT_KEYS: Mapping[str, EventKeys] = MappingProxyType(
    {
        "opened": _keys("name seed postings", "mode credit_line_usd"),
        "opening_corrected": _keys("reason credit_line_usd postings"),
        "clock": _keys("to"),
        "rebased": _keys("to"),
        "market": _keys("snapshot", "surface"),
        "mandate_signed": _keys("signer sha256 text"),
        "counterparty_added": _keys("dossier"),
        "counterparty_step": _keys("name step standing note"),
        "counterparty_note": _keys("note"),
        "counterparty_note_answered": _keys("number answer"),
        "counterparty_merged": _keys("name into reason trades postings"),
        "forecast": _FREE,
        "forecast_prepared": _keys(
            "id forecast sha256 inputs_sha256 prepared_by source", "case mapping"
        ),
        "forecast_approved": _keys("id sha256"),
        "retargets": _keys("coin rows", "source"),
        "mined": _keys("days", "source"),
        "telemetry": _keys("days", "source"),
        "proposed": _keys("proposal"),
        "approved": _keys("approval"),
        "noted": _FREE,
        "reviewed": _keys("baseline", "triggers proposals"),
        "certified": _keys("certificate"),
        "user_set": _keys("name roles verifier"),
        "token_issued": _keys("name digest scopes expires_at"),
        "tokens_revoked": _keys("name"),
        "alert": _keys("alert raised"),
        "alert_ended": _keys("cause"),
        "alert_answered": _keys("cause reason until"),
        "alert_sent": _keys("cause route"),
        "halted": _keys("reason"),
        "resumed": _keys(""),
        "asked": _keys("request proposal", "venue marks key follows bound"),
        "rfq": _keys("rfq step", "venue_id ladder outcome cover dealer marks late"),
        "rfq_after": _keys("rfq seconds mid"),
        "filled": _keys("rfq step fill trade", "postings due"),
        "dealt_also": _keys("rfq step fill trade", "postings due"),
        "closed_out": _keys("rfq step fill closing closes earned_usd", "postings due"),
        "closed_also": _keys("rfq step fill closing closes earned_usd", "postings due"),
        "switched": _keys("rfq step fill trade closing closes earned_usd", "postings due"),
        "switched_also": _keys("rfq step fill trade closing closes earned_usd", "postings due"),
        "restored": _keys("backup since lineage"),
        "adopted": _keys("venue strays adopted attested"),
        "stray_dismissed": _keys("stray reason"),
        "flows": _keys(
            "flows months", "parts source postings sales transit through payouts confirmed_prices"
        ),
        "payouts_read": _keys("matches dated addresses", "source"),
        "payouts_reversed": _keys("payouts months postings", "source"),
        "settlement_prices": _keys("rows"),
        "funding_rates": _keys("rows"),
        "day_closed": _keys(
            "close positions marks ended index shortfalls transit calls",
            "first sources settlements flows_by_month postings funding",
        ),
        "settlement_corrected": _keys(
            "marks", "trade close instrument before after flows_by_month postings"
        ),
        "funding_corrected": _keys(
            "trade close instrument before after", "flows_by_month postings"
        ),
        "fx": _keys("rates"),
        "amendment_proposed": _keys("amendment"),
        "amendment_approved": _keys("amendment", "postings"),
        "amendment_declined": _keys("amendment"),
        "margin_call": _keys("call"),
        "margin_call_agreed": _keys("call"),
        "margin_call_settled": _keys("call", "postings"),
        "day": _keys(
            "day course spot positions marks month shortfalls",
            "settled postings fixed ended transit calls flows_by_month scenario",
        ),
        "confirmed": _keys("trade reference by source at differences", "fixing_source value_date"),
        "statement": _keys("agreed breaks", "source"),
        "contract_drafted": _keys("contract"),
        "contract_approved": _keys("contract"),
        "contract_declined": _keys("contract"),
        "contract_dealt": _keys("contract", "postings"),
        "contract_confirmed": _keys("contract"),
        "contract_closing": _keys("contract"),
        "contract_closed": _keys("contract earned_usd", "postings"),
        "contract_fixed": _keys("fixed earned_usd", "postings"),
    }
)


def check_keys(record: Record) -> None:
    """Raise JournalBroken where an event's body lacks a key or holds one that is not declared."""
    declared = EVENT_KEYS[record.kind]
    if declared.free:
        return
    given = record.body.keys()
    missing = declared.required - given
    if missing:
        raise JournalBroken(
            f"event {record.seq} ({record.kind}) lacks {', '.join(sorted(missing))}: restore a backup"
        )
    unknown = given - declared.required - declared.optional
    if unknown:
        names = ", ".join(repr(name[:40]) for name in sorted(unknown))
        raise JournalBroken(
            f"event {record.seq} ({record.kind}) holds a key this version does not know, {names}: "
            "the journal was written by a newer headframe; use that version"
        )
