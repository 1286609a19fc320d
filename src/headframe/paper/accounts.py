"""Who may do what at the street: keys, tokens, scopes; and what each account holds.

Grants and the signature follow Deribit's authentication pages: HMAC-SHA256 in hex over the lines
timestamp, nonce, data for a session, and timestamp, nonce, METHOD, URI, BODY for one request over
HTTP; a stamp is good for a minute, a nonce once.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from headframe.instrument import Instrument
from headframe.paper.records import BookedFill
from headframe.paper.rpc import Json, Params, RpcError
from headframe.paper.world import World

SCOPES = (
    "account:read_write block_rfq:read_write block_trade:read_write custody:none "
    "trade:read_write wallet:read"
)
TOKEN_SECONDS = 900
_STAMP_MS = 60_000
_LEVELS = ("none", "read", "read_write")


@dataclass
class Position:
    """What an account holds of one instrument: positive is bought."""

    terms: Instrument
    size: float = 0.0
    average: float = 0.0
    realized: float = 0.0


@dataclass
class Account:
    """One client of the street: its key, its name as a dealer, its coins and positions."""

    client_id: str
    secret: str
    user_id: int
    scopes: str = SCOPES
    dealer: str | None = None
    cash: dict[str, float] = field(default_factory=dict[str, float])
    positions: dict[str, Position] = field(default_factory=dict[str, Position])
    fills: list[BookedFill] = field(default_factory=list[BookedFill])
    """Every trade it had, from which its settlements follow."""

    def take(self, name: str, terms: Instrument, amount: float, price: float, fee: float) -> float:
        """Book a trade, amounts signed; returns the profit realized in the settlement currency."""
        held = self.positions.setdefault(name, Position(terms))
        gained = 0.0
        closing = min(abs(held.size), abs(amount)) if held.size * amount < 0.0 else 0.0
        if closing:
            sign = 1.0 if held.size > 0.0 else -1.0
            gained = sign * _gain(terms, closing, held.average, price)
            held.realized += gained
        total = held.size + amount
        if held.size * amount >= 0.0 and total:
            held.average = _mean(terms, held.size, held.average, amount, price)
        elif total * amount > 0.0:
            held.average = price
        held.size = round(total, 8)
        flow = -amount * price if terms.is_option else gained
        code = terms.settled_in
        self.cash[code] = self.cash.get(code, 0.0) + flow - fee
        return gained


def _gain(terms: Instrument, amount: float, entry: float, price: float) -> float:
    if terms.amount_in_usd:
        return amount * (1.0 / entry - 1.0 / price)
    return amount * (price - entry)


def _mean(terms: Instrument, held: float, average: float, amount: float, price: float) -> float:
    if not held:
        return price
    if terms.amount_in_usd:
        return (held + amount) / (held / average + amount / price)
    return (held * average + amount * price) / (held + amount)


class Accounts:
    """Every account by its key, and the tokens that stand for them.

    An ``open`` street takes any key it has not seen and remembers its secret.
    """

    def __init__(
        self, world: World, keys: list[tuple[str, str, str | None]], *, welcomes: bool = False
    ) -> None:
        self._world = world
        self._welcomes = welcomes
        self._by_key: dict[str, Account] = {}
        self._tokens: dict[str, tuple[Account, str, float]] = {}
        self._nonces: set[tuple[str, str]] = set()
        self.wall_ms: Callable[[], int] = world.now_ms
        for client_id, secret, dealer in keys:
            self._add(client_id, secret, dealer)

    def _add(self, client_id: str, secret: str, dealer: str | None) -> Account:
        made = Account(client_id, secret, 1_000 + len(self._by_key), dealer=dealer)
        made.cash = self.funds()
        self._by_key[client_id] = made
        return made

    def funds(self) -> dict[str, float]:
        """Return what every account begins with."""
        return {self._world.snapshot.coin: 100.0, "USDC": 1_000_000.0}

    def all(self) -> list[Account]:
        """Every account, the first one first."""
        return list(self._by_key.values())

    def of_dealer(self, alias: str) -> Account | None:
        """The account behind a dealer's name; the street's own dealers have none."""
        return next((one for one in self._by_key.values() if one.dealer == alias), None)

    def of_user(self, user_id: int) -> Account | None:
        """The account with a number."""
        return next((one for one in self._by_key.values() if one.user_id == user_id), None)

    def grant(self, params: Params) -> tuple[Account, Json]:
        """public/auth: an account and its tokens."""
        kind = params.choice(
            "grant_type", ("client_credentials", "client_signature", "refresh_token")
        )
        if kind == "refresh_token":
            account, scope, _ = self._held("r:" + params.text("refresh_token", longest=200))
            return account, self._tokens_for(account, scope)
        client_id = params.text("client_id", longest=100)
        known = self._by_key.get(client_id)
        if kind == "client_credentials":
            account = self._by_secret(client_id, params.text("client_secret", longest=200), known)
        else:
            data = params.text("data", "", longest=1_000)
            nonce = params.text("nonce", "", longest=100)
            stamp = params.whole("timestamp")
            text = f"{stamp}\n{nonce}\n{data}"
            account = self._signed(known, stamp, nonce, params.text("signature"), text)
        return account, self._tokens_for(
            account, _scope(account, params.text("scope", "", longest=500))
        )

    def _by_secret(self, client_id: str, secret: str, known: Account | None) -> Account:
        if known is None and self._welcomes and client_id:
            maker = client_id.upper() if client_id.lower().startswith("maker") else None
            return self._add(client_id, secret, maker)
        if known is None or not hmac.compare_digest(known.secret.encode(), secret.encode()):
            raise RpcError(13004, "invalid_credentials")
        return known

    def _signed(
        self, known: Account | None, stamp: int, nonce: str, signature: str, text: str
    ) -> Account:
        if known is None:
            raise RpcError(13004, "invalid_credentials")
        wanted = hmac.new(known.secret.encode(), text.encode(), sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
            raise RpcError(13004, "invalid_credentials", "the signature does not match")
        apart = min(abs(stamp - self.wall_ms()), abs(stamp - self._world.now_ms()))
        if apart > _STAMP_MS:
            raise RpcError(13004, "invalid_credentials", "the timestamp is over a minute away")
        if nonce and (known.client_id, nonce) in self._nonces:
            raise RpcError(13004, "invalid_credentials", "the nonce was used before")
        self._nonces.add((known.client_id, nonce))
        return known

    def by_header(self, header: str, method: str, uri: str, body: str) -> tuple[Account, str]:
        """The account of one HTTP request: a bearer token, basic credentials, or a signature."""
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "bearer":
            return self.by_token(rest.strip())
        if scheme.lower() != "deri-hmac-sha256":
            raise RpcError(13009, "unauthorized", "the authorization is not understood")
        parts = {
            key.strip(): value.strip()
            for key, mark, value in (one.partition("=") for one in rest.split(","))
            if mark
        }
        stamp = parts.get("ts", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
            raise RpcError(13004, "invalid_credentials", "ts must be milliseconds")
        nonce = parts.get("nonce", "")
        text = f"{stamp}\n{nonce}\n{method.upper()}\n{uri}\n{body}\n"
        known = self._by_key.get(parts.get("id", ""))
        account = self._signed(known, int(stamp), nonce, parts.get("sig", ""), text)
        return account, account.scopes

    def by_token(self, token: str) -> tuple[Account, str]:
        """The account and the scopes of an access token."""
        account, scope, _ = self._held("a:" + token)
        return account, scope

    def _held(self, key: str) -> tuple[Account, str, float]:
        found = self._tokens.get(key)
        if found is None:
            raise RpcError(13009, "unauthorized", "invalid_token")
        if self.wall_ms() > found[2]:
            raise RpcError(13009, "unauthorized", "token_expired")
        return found

    def _tokens_for(self, account: Account, scope: str) -> Json:
        number = len(self._tokens)
        stem = sha256(f"{account.client_id}:{account.secret}:{number}".encode()).hexdigest()
        until = self.wall_ms() + 1_000.0 * TOKEN_SECONDS
        self._tokens[f"a:{stem}.a"] = (account, scope, until)
        self._tokens[f"r:{stem}.r"] = (account, scope, until + 30 * 86_400_000.0)
        return {
            "access_token": f"{stem}.a",
            "refresh_token": f"{stem}.r",
            "expires_in": TOKEN_SECONDS,
            "scope": scope,
            "token_type": "bearer",
            "enabled_features": [],
            "sid": stem[:12],
        }

    def drop(self, account: Account) -> None:
        """End every token of an account."""
        self._tokens = {k: v for k, v in self._tokens.items() if v[0] is not account}


def _scope(account: Account, asked: str) -> str:
    """What was asked, held within what the key may do."""
    if not asked:
        return account.scopes
    most = dict(_pairs(account.scopes))
    found: list[str] = []
    for subject, level in _pairs(asked):
        top = most.get(subject)
        if top is not None and level in _LEVELS:
            found.append(f"{subject}:{min(level, top, key=_LEVELS.index)}")
        elif subject in {"session", "connection", "mainaccount", "expires", "ip"}:
            found.append(f"{subject}:{level}" if level else subject)
    return " ".join(found) or account.scopes


def _pairs(scopes: str) -> list[tuple[str, str]]:
    split = [one.partition(":") for one in scopes.split()]
    return [(subject, level) for subject, _, level in split]


def may(scope: str, subject: str, level: str) -> bool:
    """Whether scopes cover a subject at a level."""
    held = dict(_pairs(scope)).get(subject, "none")
    return held in _LEVELS and _LEVELS.index(held) >= _LEVELS.index(level)
