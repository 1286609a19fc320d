"""The fold: what each kind of event does to the state, the same live and in replay."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import cast

from headframe.chain import Retarget
from headframe.codec import from_json, read_mandate, sha256
from headframe.counterparty import Dossier, Standing
from headframe.desk.event_keys import check_keys
from headframe.desk.fold_books import BOOKS
from headframe.desk.fold_contracts import CONTRACTS
from headframe.desk.fold_dealing import DEALING
from headframe.desk.fold_lifecycle import LIFECYCLE, Attribution, prices_of_market
from headframe.desk.fold_restores import RESTORES
from headframe.desk.known import (
    AlertRecord,
    Halt,
    Note,
    OpeningBalances,
    Signature,
    Token,
    User,
    Version,
)
from headframe.desk.ports import Head, JournalBroken, Record
from headframe.desk.state import State
from headframe.hedge import Baseline, Proposal
from headframe.mandate import Approval, Mandate
from headframe.market import Snapshot
from headframe.mining import Case, Forecast
from headframe.pricing import Surface
from headframe.risk import Alert
from headframe.units import instant

_BEARING = frozenset(
    {
        "market",
        "mandate_signed",
        "filled",
        "dealt_also",
        "closed_out",
        "contract_dealt",
        "contract_closed",
        "closed_also",
        "switched",
        "switched_also",
        "day",
        "day_closed",
        "settlement_corrected",
        "funding_corrected",
        "counterparty_added",
        "counterparty_step",
        "counterparty_merged",
        "amendment_approved",
        "forecast_approved",
    }
)
"""Events that bear on whether a trade may be made."""


def fold(state: State, records: Iterable[Record]) -> State:
    """Apply events in order; raises JournalBroken where one does not follow from those before."""
    for record in records:
        apply = _APPLY.get(record.kind)
        if apply is None:
            raise JournalBroken(
                f"event {record.seq} is of an unknown kind {record.kind[:40]!r}: the journal was written "
                "by a newer headframe; use that version"
            )
        check_keys(record)
        attribution = Attribution(state, record)
        try:
            apply(state, record)
            attribution.add_to(state)
        except (KeyError, ValueError, TypeError) as error:
            raise JournalBroken(
                f"event {record.seq} ({record.kind}) makes no sense: {error}"
            ) from error
        postings = record.body.get("postings")
        if postings:
            state.ledger.replay(
                (account, code, int(text.replace(".", ""))) for account, code, text in postings
            )
        state.head = Head(record.seq, record.hash)
        if record.kind in _BEARING:
            state.bearing = record.seq
        if record.kind == "rebased" or state.clock is None or record.at > state.clock:
            state.clock = record.at
    return state


def _opened(state: State, record: Record) -> None:
    if state.opened is not None:
        raise JournalBroken(f"event {record.seq}: the ledger was opened before")
    state.opened = record.at
    state.opening = _balances(record)
    state.name = record.body["name"]
    state.mode = record.body.get("mode", "paper")
    state.seed = record.body["seed"]


def _balances(record: Record) -> OpeningBalances:
    line = record.body.get("credit_line_usd")
    return OpeningBalances.of_postings(record.body["postings"], line)


def _opening_corrected(state: State, record: Record) -> None:
    if state.opening is None:
        raise JournalBroken(f"event {record.seq}: the ledger is not open")
    change = _balances(record)
    state.opening = state.opening.plus(change)
    if state.cash_unhedged is not None:
        # months already counted ran on from the wrong cash: the next goes on from the right one
        state.cash_unhedged += float(change.cash_usd)


def _clock(state: State, record: Record) -> None:
    state.clock = instant(record.body["to"])


def _market(state: State, record: Record) -> None:
    state.market = from_json(Snapshot, record.body["snapshot"])
    fitted = record.body.get("surface")
    state.surface = None if fitted is None else from_json(Surface, fitted)
    state.market_received = record.at
    state.spot = None
    prices_of_market(state, state.market)


def _signed(state: State, record: Record) -> None:
    body = record.body
    state.mandate_texts[body["sha256"]] = body["text"]
    state.signatures.append(Signature(body["signer"], body["sha256"], record.at))
    mandate = read_mandate(body["text"])
    if sha256(body["text"]) != body["sha256"] or not isinstance(mandate, Mandate):
        raise JournalBroken(f"event {record.seq}: the signed mandate is not the one hashed")
    signers = {one.signer for one in state.signatures if one.sha256 == body["sha256"]}
    if signers >= set(mandate.people.signatories):
        state.mandate, state.mandate_sha256 = mandate, body["sha256"]


def _added(state: State, record: Record) -> None:
    dossier = from_json(Dossier, record.body["dossier"])
    state.dossiers[dossier.name] = dossier
    state.standing.setdefault(dossier.name, Standing.PROSPECT)


def _stepped(state: State, record: Record) -> None:
    state.standing[record.body["name"]] = Standing(record.body["standing"])
    state.steps.append({**record.body, "at": record.at, "by": record.author})


def _note(state: State, record: Record) -> None:
    note = from_json(Note, record.body["note"])
    if note.number != len(state.notes) + 1:
        raise JournalBroken(f"event {record.seq}: note {note.number} after {len(state.notes)}")
    state.notes.append(note)


def _note_answered(state: State, record: Record) -> None:
    place = int(record.body["number"]) - 1
    answer, by = record.body["answer"], record.author
    state.notes[place] = replace(state.notes[place], answer=answer, answered_by=by)


def _forecast_prepared(state: State, record: Record) -> None:
    body = record.body
    case = body.get("case")
    state.versions[body["id"]] = Version(
        id=body["id"],
        at=record.at,
        forecast=from_json(Forecast, body["forecast"]),
        sha256=body["sha256"],
        inputs_sha256=body["inputs_sha256"],
        prepared_by=body["prepared_by"],
        source=body["source"],
        case=None if case is None else from_json(Case, case),
    )
    held = state.forecast_in_force
    if held is None or state.versions[held].approved_by is None:
        state.forecast_in_force = body["id"]
    if "mapping" in body:
        state.mappings["forecast"] = dict(body["mapping"])


def _forecast_approved(state: State, record: Record) -> None:
    held = state.versions[record.body["id"]]
    if held.sha256 != record.body["sha256"]:
        raise JournalBroken(f"event {record.seq}: {held.id} was approved with another hash")
    if held.approved_by is not None or held.prepared_by == record.author:
        raise JournalBroken(f"event {record.seq}: {held.id} cannot be approved by {record.author}")
    state.versions[held.id] = replace(held, approved_by=record.author, approved_at=record.at)
    state.forecast_in_force = held.id


def _retargets(state: State, record: Record) -> None:
    coin = record.body["coin"]
    rows = {row.height: row for row in state.retargets.get(coin, ())}
    for item in record.body["rows"]:
        row = from_json(Retarget, item)
        rows[row.height] = row
    state.retargets[coin] = tuple(row for _, row in sorted(rows.items()))


def _mined(state: State, record: Record) -> None:
    for day, coins in cast("list[list[str]]", record.body["days"]):
        state.mined[date.fromisoformat(day)] = coins


def _telemetry(state: State, record: Record) -> None:
    for day, hashes in cast("list[list[str]]", record.body["days"]):
        state.hashrates[date.fromisoformat(day)] = hashes


def _proposed(state: State, record: Record) -> None:
    proposal = from_json(Proposal, record.body["proposal"])
    state.proposals[proposal.id] = proposal


def _approved(state: State, record: Record) -> None:
    approval = from_json(Approval, record.body["approval"])
    state.approvals[approval.proposal] = approval


def _halted(state: State, record: Record) -> None:
    state.halted = Halt(record.author, record.body["reason"], record.at)


def _resumed(state: State, record: Record) -> None:
    assert record.seq > state.head.count
    state.halted = None


def _user_set(state: State, record: Record) -> None:
    body = record.body
    state.users[body["name"]] = User(body["name"], tuple(body["roles"]), body["verifier"])


def _token_issued(state: State, record: Record) -> None:
    body = record.body
    state.tokens[body["digest"]] = Token(
        body["name"], tuple(body["scopes"]), instant(body["expires_at"])
    )


def _tokens_revoked(state: State, record: Record) -> None:
    for key, token in state.tokens.items():
        if token.name == record.body["name"]:
            state.tokens[key] = replace(token, revoked=True)


def _alert(state: State, record: Record) -> None:
    """An alert raised, worse, overdue or only moved; what is worse must be answered anew."""
    alert = from_json(Alert, record.body["alert"])
    before = state.alerts.get(alert.cause)
    number = alert.id.removeprefix("A-").partition("-")[0]
    if number.isdigit():  # never given again, whatever ended
        state.alerts_made = max(state.alerts_made, int(number))
    if before is None or record.body["raised"]:
        state.alerts[alert.cause] = AlertRecord(alert=alert)
    else:
        state.alerts[alert.cause] = replace(before, alert=alert)


def _alert_ended(state: State, record: Record) -> None:
    del state.alerts[record.body["cause"]]


def _alert_answered(state: State, record: Record) -> None:
    body = record.body
    known = state.alerts[body["cause"]]
    until = None if body["until"] is None else instant(body["until"])
    state.alerts[body["cause"]] = replace(
        known, answered_by=record.author, reason=body["reason"], snoozed_until=until
    )


def _alert_sent(state: State, record: Record) -> None:
    known = state.alerts.get(record.body["cause"])
    if known is not None:
        state.alerts[known.alert.cause] = replace(known, sent=(*known.sent, record.body["route"]))


def _reviewed(state: State, record: Record) -> None:
    state.reviewed = from_json(Baseline, record.body["baseline"])


def _nothing(state: State, record: Record) -> None:
    """An event that only happened: its postings or its instant are all it changes."""
    assert record.seq > state.head.count


_APPLY: Mapping[str, Callable[[State, Record], None]] = {
    **DEALING,
    **BOOKS,
    **CONTRACTS,
    **LIFECYCLE,
    **RESTORES,
    "opened": _opened,
    "opening_corrected": _opening_corrected,
    "clock": _clock,
    "rebased": _clock,
    "market": _market,
    "mandate_signed": _signed,
    "counterparty_added": _added,
    "counterparty_step": _stepped,
    "counterparty_note": _note,
    "counterparty_note_answered": _note_answered,
    "forecast": _nothing,
    "forecast_prepared": _forecast_prepared,
    "forecast_approved": _forecast_approved,
    "retargets": _retargets,
    "mined": _mined,
    "telemetry": _telemetry,
    "proposed": _proposed,
    "approved": _approved,
    "noted": _nothing,
    "reviewed": _reviewed,
    "certified": _nothing,
    "user_set": _user_set,
    "token_issued": _token_issued,
    "tokens_revoked": _tokens_revoked,
    "alert": _alert,
    "alert_ended": _alert_ended,
    "alert_answered": _alert_answered,
    "alert_sent": _alert_sent,
    "halted": _halted,
    "resumed": _resumed,
}
