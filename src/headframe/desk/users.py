"""Users, their roles, and tokens that stand for them.

Where nobody was made a user, names are taken as given: one person on a laptop. From the first user on
every action needs a token. A token is 256 random bits, kept as its SHA-256; a password is kept as
argon2id and only ever buys a token. Both are events, so that they cannot be changed unseen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from headframe.desk.office import Office, require_person, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State
from headframe.units import iso


class Role(StrEnum):
    """What a user may do; one may hold several."""

    PREPARER = "preparer"
    APPROVER = "approver"
    TRADER = "trader"
    RISK = "risk"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What is asked to be done."""

    READ = "read"
    PREPARE = "prepare"
    APPROVE = "approve"
    TRADE = "trade"
    REVIEW = "review"
    HALT = "halt"
    RESUME = "resume"
    ADMINISTER = "administer"


_R = Role
MATRIX: dict[Action, frozenset[Role]] = {
    Action.READ: frozenset(_R),
    Action.PREPARE: frozenset({_R.PREPARER, _R.TRADER}),
    Action.APPROVE: frozenset({_R.APPROVER, _R.RISK}),
    Action.TRADE: frozenset({_R.TRADER}),
    Action.REVIEW: frozenset({_R.RISK}),
    Action.HALT: frozenset({_R.PREPARER, _R.TRADER, _R.RISK, _R.APPROVER, _R.ADMINISTRATOR}),
    Action.RESUME: frozenset({_R.APPROVER}),
    Action.ADMINISTER: frozenset({_R.ADMINISTRATOR}),
}
LONGEST_LIFE = timedelta(days=366)
Hash = Callable[[str], str]
Verify = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is acting, and what with: all of the roles, or what a token was cut down to."""

    name: str
    roles: frozenset[Role]
    scopes: frozenset[Action]

    def may(self, action: Action) -> bool:
        """Whether the matrix and the token allow it."""
        return bool(self.roles & MATRIX[action]) and action in self.scopes


def digest(token: str) -> str:
    """How a token is kept."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def person_of(state: State, token: str, at: datetime) -> Person:
    """Who a token stands for; Declined where it stands for nobody now."""
    held = state.tokens.get(digest(token))
    if held is None or held.revoked:
        raise Declined("the token is not known or was revoked")
    if at >= held.expires_at:
        raise Declined(f"the token ended {iso(held.expires_at)}")
    roles = frozenset(Role(one) for one in state.users[held.name].roles)
    return Person(held.name, roles, frozenset(Action(one) for one in held.scopes))


def allowed(office: Office, action: Action) -> str:
    """The acting person's name, where users and roles allow the action; Declined otherwise.

    Only reading and stopping believe a checkpoint: for every other action the journal itself is folded first.
    """
    name = require_person(office)
    if action not in {Action.READ, Action.HALT}:
        office.rederive()
    state = office.state()
    if not state.users:
        return name
    if office.token is None:
        raise Declined(
            "this workspace has users: act with your token (HEADFRAME_TOKEN); headframe user login "
            "gives one"
        )
    person = person_of(state, office.token, office.now())
    if person.name != name:
        raise Declined(f"the token is {person.name}'s, not {name}'s")
    if not person.may(action):
        needed = ", ".join(sorted(MATRIX[action]))
        raise Declined(f"{name} may not {action}: it takes the role of {needed}")
    return name


@serialised
def put(office: Office, name: str, roles: tuple[str, ...], password: str, hashed: Hash) -> None:
    """Make a user or change one's roles and password; the first user is an administrator."""
    state = office.state()
    chosen = tuple(sorted({_role(one) for one in roles}))
    if state.users:
        allowed(office, Action.ADMINISTER)
        if name == office.user and Role.ADMINISTRATOR not in chosen:
            raise Declined("nobody takes the administrator's role from himself")
    elif Role.ADMINISTRATOR not in chosen:
        raise Declined("the first user is an administrator: add --role administrator")
    if not name.strip() or not name.isprintable() or len(name) > 60:
        raise Invalid("a user's name is printable and at most 60 characters long")
    if not 10 <= len(password) <= 200:
        raise Invalid("a password has 10 to 200 characters")
    body = {"name": name, "roles": [str(one) for one in chosen], "verifier": hashed(password)}
    office.record(Draft("user_set", body), at=office.now())


@serialised
def login(
    office: Office,
    name: str,
    password: str,
    *,
    verify: Verify,
    token: str,
    life: timedelta,
    scopes: tuple[str, ...] = (),
) -> datetime:
    """Give a token for a password; returns when it ends. A wrong name and a wrong password look alike."""
    state = office.state()
    known = state.users.get(name)
    verifier = known.verifier if known is not None else _NOBODY
    if not verify(verifier, password) or known is None:
        raise Declined("the name or the password is wrong")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Invalid("a token lives up to 366 days")
    chosen = tuple(sorted({_action(one) for one in scopes} or set(Action)))
    ends = office.now() + life
    body = {
        "name": name,
        "digest": digest(token),
        "scopes": [str(one) for one in chosen],
        "expires_at": iso(ends),
    }
    office.acting(name).record(Draft("token_issued", body), at=office.now())
    return ends


@serialised
def revoke(office: Office, name: str) -> int:
    """End every token of a user: one's own, or anybody's for an administrator."""
    state = office.state()
    if name not in state.users:
        raise NotFound(f"there is no user {name[:20]!r}")
    if office.user != name:
        allowed(office, Action.ADMINISTER)
    else:
        allowed(office, Action.READ)
    alive = sum(one.name == name and not one.revoked for one in state.tokens.values())
    office.record(Draft("tokens_revoked", {"name": name}), at=office.now())
    return alive


_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise Invalid(f"a role is one of {', '.join(Role)}, was {text[:20]!r}") from error


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError as error:
        raise Invalid(f"a scope is one of {', '.join(Action)}, was {text[:20]!r}") from error
