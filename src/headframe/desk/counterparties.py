"""Counterparties: dossiers in, reviews by somebody else, and where each stands."""

from dataclasses import dataclass

from headframe.book import Accounts, Entry, Posting
from headframe.codec import Problem, read_counterparties, to_json
from headframe.counterparty import (
    Asked,
    Dossier,
    Grid,
    Objection,
    Score,
    Standing,
    Step,
    advance,
    objections,
    questionnaire,
    score,
)
from headframe.desk import users
from headframe.desk.known import Note
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, Json, NotFound
from headframe.desk.state import State, postings_json
from headframe.units import BTC, COINS, CURRENCIES, Wrong

FILE = "counterparties.toml"
_POINTS_WITHOUT_MANDATE = 60.0
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartyView:
    """One counterparty with its score, standing and what speaks against it today."""

    dossier: Dossier
    standing: Standing
    score: Score
    objections: tuple[Objection, ...]


def written(office: Office) -> tuple[Dossier, ...]:
    """The dossiers of the file, or Invalid with all its problems."""
    found = read_counterparties(office.files.text(FILE))
    problems = [row for row in found if isinstance(row, Problem)]
    if problems:
        raise Invalid("\n".join(str(problem) for problem in problems))
    return tuple(row for row in found if isinstance(row, Dossier))


def _view(state: State, dossier: Dossier, office: Office) -> CounterpartyView:
    on = office.now().date()
    least = _POINTS_WITHOUT_MANDATE
    if state.mandate is not None:
        least = state.mandate.counterparties.points_min
    return CounterpartyView(
        dossier=dossier,
        standing=state.standing.get(dossier.name, Standing.PROSPECT),
        score=score(dossier, on, state.grid),
        objections=objections(dossier, on, points_min=least, grid=state.grid),
    )


def views(office: Office) -> tuple[CounterpartyView, ...]:
    """Every counterparty on record, and those of the file not yet added, by name."""
    state = office.state()
    known = {dossier.name: dossier for dossier in written(office)} | state.dossiers
    return tuple(_view(state, known[name], office) for name in sorted(known))


def grid(office: Office) -> Grid:
    """The scoring grid in force: the signed mandate's, or the house's."""
    users.allowed(office, users.Action.READ)
    return office.state().grid


def asked(office: Office, name: str) -> tuple[Asked, ...]:
    """The questionnaire with a counterparty's answers: of the dossier on record, else of the file."""
    users.allowed(office, users.Action.READ)
    found = {one.dossier.name: one.dossier for one in views(office)}.get(name)
    if found is None:
        raise NotFound(f"no counterparty {name[:40]!r} on record or in {FILE}")
    return questionnaire(found, office.now().date(), office.state().grid)


@serialised
def add(office: Office, name: str) -> CounterpartyView:
    """Put a dossier of the file on record and before a reviewer; again when its papers changed."""
    users.allowed(office, users.Action.PREPARE)
    state = office.state()
    dossier = next((row for row in written(office) if row.name == name), None)
    if dossier is None:
        raise NotFound(f"no counterparty {name!r} in {FILE}")
    stands = state.standing.get(name, Standing.PROSPECT)
    again = stands in {Standing.PROSPECT, Standing.SUSPENDED}
    if state.dossiers.get(name) == dossier and not again:
        return _view(state, dossier, office)
    try:
        after = stands if stands is Standing.IN_REVIEW else advance(stands, Step.SUBMIT)
    except Wrong as error:
        raise Declined(str(error)) from error
    office.record(
        Draft("counterparty_added", {"dossier": to_json(dossier)}),
        Draft("counterparty_step", _body(name, Step.SUBMIT, after, "dossier put on record")),
        at=office.now(),
    )
    return _view(office.state(), dossier, office)


@serialised
def review(office: Office, name: str, step: Step, note: str = "") -> CounterpartyView:
    """Take a step; approval needs a dossier without objections and another person than who added it."""
    person = users.allowed(office, users.Action.REVIEW)
    state = office.state()
    dossier = state.dossiers.get(name)
    if dossier is None:
        raise NotFound(f"no counterparty {name!r} on record; run headframe counterparty add {name}")
    seen = _view(state, dossier, office)
    if step is Step.APPROVE:
        if person in _adders(state, name):
            raise Declined(f"{person} put {name} on record: somebody else must approve it (M-8.3)")
        if seen.objections:
            _record(office, state, name, Step.DECLINE, "; ".join(o.detail for o in seen.objections))
            raise Declined(f"{name} is refused: " + "; ".join(o.detail for o in seen.objections))
    _record(office, state, name, step, note)
    return _view(office.state(), dossier, office)


@serialised
def merge(office: Office, name: str, into: str, reason: str) -> CounterpartyView:
    """A counterparty was renamed or merged: its trades, collateral and calls are another's from now on.

    The other stands approved by its own dossier, and its agreement governs what it takes over. Declined while
    a request that asks the old one is out, or a call of it is open.
    """
    person = users.allowed(office, users.Action.REVIEW)
    state = office.state()
    _mergeable(state, name, into)
    if person in _adders(state, into):
        raise Declined(f"{person} put {into} on record: somebody else merges (M-8.3)")
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"a reason is one line of at most {_LONGEST} characters")
    body: Json = {
        "name": name,
        "into": into,
        "reason": reason,
        "trades": [one.id for one in state.booked().values() if one.dealer == name],
        "postings": postings_json(_moved(state, name, into)),
    }
    office.record(Draft("counterparty_merged", body), at=office.now())
    return _view(office.state(), office.state().dossiers[into], office)


def _mergeable(state: State, name: str, into: str) -> None:
    for one in (name, into):
        if one not in state.dossiers:
            raise NotFound(f"no counterparty {one[:40]!r} on record")
    if name == into:
        raise Invalid(f"{name} cannot become itself")
    if state.standing[name] is Standing.CLOSED:
        raise Declined(f"{name} is closed already")
    if state.standing[into] is not Standing.APPROVED:
        raise Declined(f"{into} is {state.standing[into]}: it must stand approved first")
    live = [one.request.id for one in state.live_rfqs() if name in one.request.panel]
    if live:
        raise Declined(f"request {live[0][:8]} asks {name} and is out: let it end first")
    called = [one.number for one in state.margin_calls if one.dealer == name and one.open]
    if called:
        raise Declined(f"call {called[0]} of {name} is open: settle it first")


def _moved(state: State, name: str, into: str) -> list[Entry]:
    """What lies with one counterparty, or is held of it, as lying with another."""
    found: list[Entry] = []
    cash = (one for code, one in CURRENCIES.items() if code not in COINS)
    both = [(of, one) for one in cash for of in (Accounts.cash_posted, Accounts.cash_held)]
    for of, currency in (*both, (Accounts.coins_posted, BTC), (Accounts.coins_lent, BTC)):
        money = state.ledger.balance(of(name), currency)
        if money.smallest:
            moved = (Posting(of(into), money), Posting(of(name), -money))
            found.append(Entry(f"{name} became {into}", moved))
    return found


@serialised
def note(office: Office, name: str, text: str, *, source: str = "", adverse: bool = False) -> Note:
    """Keep what was heard of a counterparty; an adverse note is watched until somebody answers it."""
    person = users.allowed(office, users.Action.READ)
    state = office.state()
    if name not in state.dossiers:
        raise NotFound(f"no counterparty {name[:40]!r} on record")
    for what, said in (("a note", text), ("a source", source)):
        if len(said) > _LONGEST or not said.isprintable():
            raise Invalid(f"{what} is one line of at most {_LONGEST} characters")
    if not text.strip():
        raise Invalid("a note says something")
    made = Note(
        number=len(state.notes) + 1,
        name=name,
        text=text,
        source=source,
        adverse=adverse,
        by=person,
        at=office.now(),
    )
    office.record(Draft("counterparty_note", {"note": to_json(made)}), at=made.at)
    return made


@serialised
def answer(office: Office, number: int, reason: str) -> Note:
    """Answer an adverse note with a reason: a reviewer, and another person than who wrote it."""
    person = users.allowed(office, users.Action.REVIEW)
    state = office.state()
    found = next((one for one in state.notes if one.number == number), None)
    if found is None or not found.open:
        waiting = ", ".join(str(one.number) for one in state.notes if one.open) or "none"
        raise NotFound(f"no adverse note {number} waits for an answer; waiting: {waiting}")
    if person == found.by:
        raise Declined(f"{person} wrote note {number}: somebody else answers it")
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"an answer is one line of at most {_LONGEST} characters")
    body: Json = {"number": number, "answer": reason}
    office.record(Draft("counterparty_note_answered", body), at=office.now())
    return office.state().notes[number - 1]


def notes(office: Office, name: str | None = None) -> tuple[Note, ...]:
    """Everything heard, of one counterparty or of all, oldest first."""
    users.allowed(office, users.Action.READ)
    return tuple(one for one in office.state().notes if name in {None, one.name})


def _record(office: Office, state: State, name: str, step: Step, note: str) -> None:
    try:
        after = advance(state.standing[name], step)
    except Wrong as error:
        raise Declined(f"{name}: {error}") from error
    office.record(Draft("counterparty_step", _body(name, step, after, note)), at=office.now())


def _body(name: str, step: Step, standing: Standing, note: str) -> dict[str, str]:
    return {"name": name, "step": step, "standing": standing, "note": note[:500]}


def _adders(state: State, name: str) -> set[str]:
    """Who last put the dossier on record."""
    submits = [row for row in state.steps if row["name"] == name and row["step"] == Step.SUBMIT]
    return {submits[-1]["by"]} if submits else set()
