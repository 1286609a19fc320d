"""A workspace's three files as values, or every problem in them at once, with line and remedy."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeVar

from headframe.book import Bank
from headframe.codec.checking import HOLE, agree, readable_text
from headframe.codec.mine import read_operation
from headframe.codec.pool_api import PoolApi
from headframe.codec.reader import Problem, Reader
from headframe.counterparty import Dossier
from headframe.instrument import StructureKind
from headframe.mandate import ORDER_BOOK, Mandate, is_order_book
from headframe.mining import Operation, plain_name
from headframe.risk import RULE_SETS, SACCR_HOUSE, Dated, FactorSet, VenueMargin, in_order
from headframe.units import Wrong, refuse

V = TypeVar("V")
D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """The workspace itself: its name, mode and seed."""

    name: str
    mode: str
    seed: int

    def __post_init__(self) -> None:
        if self.mode not in {"paper", "live"}:
            refuse(f'mode must be "paper" or "live", was "{self.mode}"')
        if not 0 <= self.seed < 2**63:
            refuse(f"seed must lie between 0 and 2**63, was {self.seed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShare:
    """An account at the venue and its share of every block."""

    name: str
    user_id: int
    share: float

    def __post_init__(self) -> None:
        if not self.name or self.user_id < 1:
            refuse("an account has a name and the venue's user_id")
        if not 0.0 < self.share <= 1.0:
            refuse(f"an account's share lies above 0 and up to 1, was {self.share:g}")


def _shares(accounts: tuple[AccountShare, ...]) -> None:
    if accounts and abs(sum(one.share for one in accounts) - 1.0) > 1e-9:
        refuse("the shares of a venue's accounts add up to 1")
    if len({one.user_id for one in accounts}) < len(accounts):
        refuse("a venue's accounts have user_ids of their own")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """The venue and what it charges."""

    name: str
    option_fee_coins: float
    option_fee_cap_share: float
    future_fee_share: float
    forward_spread: float
    spread_median: float
    financing_rate: float
    url: str = ""
    http_url: str = ""
    client_id: str = ""
    secret: str = "env:HEADFRAME_VENUE_SECRET"  # noqa: S105 - where it is kept, not what it is
    grant: str = "client_credentials"
    scope: str = ""
    accounts: tuple[AccountShare, ...] = ()
    """Accounts at the venue that every block is shared out to; none: the key's own."""

    def __post_init__(self) -> None:
        for name, schemes in (("url", ("ws://", "wss://")), ("http_url", ("http://", "https://"))):
            value = getattr(self, name)
            if value and not value.startswith(schemes):
                refuse(f"{name} begins with {' or '.join(schemes)}, was {value[:40]!r}")
        if self.grant not in {"client_credentials", "client_signature"}:
            refuse(f"grant is client_credentials or client_signature, was {self.grant[:40]!r}")
        _kept("secret", self.secret, needed=True)
        _shares(self.accounts)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0.0 <= value < 1.0:
                refuse(f"{field.name} must lie between 0 and 1, was {value}")
        if self.spread_median == 0.0:
            refuse("spread_median must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """A mail server and whom alerts are sent to."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    user: str = ""
    secret: str = ""
    starttls: bool = True

    def __post_init__(self) -> None:
        if not self.to or not all(
            "@" in one and one.isprintable() for one in (*self.to, self.sender)
        ):
            refuse("mail needs a sender and at least one address in to")
        if not 1 <= self.port <= 65_535:
            refuse(f"a port lies between 1 and 65535, was {self.port}")
        if self.user and not self.starttls:
            refuse("a password is sent with starttls alone")
        _kept("secret", self.secret, needed=bool(self.user))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """A receiver of alerts and the secret they are signed with."""

    name: str
    url: str
    secret: str
    inside: bool = False

    def __post_init__(self) -> None:
        if not self.url.startswith("https://") and not (
            self.inside and self.url.startswith("http://")
        ):
            refuse(f"a webhook's url begins with https://, was {self.url[:40]!r}")
        if not self.name or not self.name.isprintable():
            refuse("a webhook has a name")
        _kept("secret", self.secret, needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Where alerts go besides the terminal."""

    file: str | None = None
    mail: MailSettings | None = None
    webhooks: tuple[WebhookSettings, ...] = ()

    def __post_init__(self) -> None:
        plain_name("file", self.file)
        names = [one.name for one in self.webhooks]
        if len(set(names)) < len(names):
            refuse(f"webhooks have names of their own, were {', '.join(names)}")


def _kept(name: str, source: str, *, needed: bool) -> None:
    """Whether a secret says where it is kept."""
    if (needed or source) and source.partition(":")[0] not in {"env", "keyring", "age"}:
        refuse(f"{name} says where it is kept: env:NAME, keyring:SERVICE/USER or age:FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """Files of the workspace that say what was: closing prices, monthly fee shares."""

    prices: str | None = None
    fees: str | None = None

    def __post_init__(self) -> None:
        plain_name("prices", self.prices)
        plain_name("fees", self.fees)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSettings:
    """Addresses of our own: what moves between them is a transfer or change, never income."""

    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in self.addresses:
            if not (one.isascii() and one.isalnum() and 20 <= len(one) <= 90):
                refuse(f"an address has 20 to 90 letters and digits, was {one[:100]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``headframe.toml`` says."""

    workspace: WorkspaceSettings
    venue: VenueSettings
    operation: Operation
    history: HistorySettings = HistorySettings()
    alerts: AlertSettings = AlertSettings()
    venues: tuple[VenueSettings, ...] = ()
    """Other venues than the one futures are margined at."""
    margin_rules: tuple[VenueMargin, ...] = ()
    coin_factors: tuple[FactorSet, ...] = ()
    bank: Bank | None = None
    """The cash calendar; none: dollars move on every day at every hour."""
    pool_api: PoolApi | None = None
    """Where the pool tells its payouts, and how that is read."""
    wallet: WalletSettings = WalletSettings()
    """Addresses of our own besides those that payouts are read from."""

    @property
    def rule_sets(self) -> tuple[VenueMargin, ...]:
        """What the venue's margin is counted by: the rows of the file, else the sets known here."""
        return self.margin_rules or RULE_SETS

    @property
    def factor_sets(self) -> tuple[FactorSet, ...]:
        """What SA-CCR takes coins for: the rows of the file, else the house's own."""
        return self.coin_factors or (SACCR_HOUSE,)

    def venue_of(self, name: str) -> VenueSettings | None:
        """The settings of a venue or of its order book, by name."""
        every = (self.venue, *self.venues)
        return next((one for one in every if one.name == name.removesuffix(ORDER_BOOK)), None)


_TABLES = (
    "workspace",
    "venue",
    "venues",
    "operation",
    "pool",
    "site",
    "machine",
    "batch",
    "fees",
    "costs",
    "treasury",
    "firmware",
    "history",
    "alerts",
    "margin_rules",
    "coin_factors",
    "bank",
    "pool_api",
    "wallet",
)


@lru_cache(maxsize=16)
def read_settings(text: str, file: str = "headframe.toml") -> Settings | tuple[Problem, ...]:
    """The operation and its workspace, or all problems of the file."""
    settings, problems = settings_in_part(text, file)
    return problems or settings


def settings_in_part(
    text: str, file: str = "headframe.toml"
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings with holes where the file has problems, and all its problems."""
    reader = Reader(text, file)
    if reader.problems:
        return HOLE, tuple(reader.problems)
    reader.known(*_TABLES)
    settings = _settings(reader)
    reader.problems += agree(lambda: _names(file, settings), flawed=bool(reader.problems))
    return settings, tuple(sorted(set(reader.problems)))


def _settings(reader: Reader) -> Settings:
    root = reader.root

    def optional(kind: type[V], name: str) -> V | None:
        return reader.part(kind, root[name], (name,)) if name in root else None

    return Settings(
        workspace=reader.part(WorkspaceSettings, root.get("workspace"), ("workspace",)),
        venue=reader.part(VenueSettings, root.get("venue"), ("venue",)),
        operation=read_operation(reader),
        history=reader.part(HistorySettings, root.get("history", {}), ("history",)),
        alerts=reader.part(AlertSettings, root.get("alerts", {}), ("alerts",)),
        venues=_venues(reader),
        margin_rules=_dated(reader, "margin_rules", VenueMargin),
        coin_factors=_dated(reader, "coin_factors", FactorSet),
        bank=optional(Bank, "bank"),
        pool_api=optional(PoolApi, "pool_api"),
        wallet=reader.part(WalletSettings, root.get("wallet", {}), ("wallet",)),
    )


def _names(file: str, settings: Settings) -> Iterator[Problem]:
    """What is wrong between the tables of a file, each of which is right by itself."""
    venues = (settings.venue, *settings.venues)
    if settings.workspace.mode == "live" and not venues[0].url:
        yield Problem(file, 1, "a live workspace names its venue: set url and client_id in [venue]")
    names = [one.name for one in venues if one.name is not HOLE]
    taken = [one for one in names if is_order_book(one) or one in {"", "voice"}]
    if taken:
        yield Problem(file, 1, f"a venue is not called {taken[0]!r}")
    if len(set(names)) < len(names):
        yield Problem(file, 1, f"venues have names of their own, were {', '.join(names)}")


def _dated(reader: Reader, table: str, kind: type[D]) -> tuple[D, ...]:
    """Rows that are in force by date; a problem where two are on one day."""
    before = len(reader.problems)
    rows = tuple(reader.part(kind, row, place) for row, place in reader.rows(table))
    if len(reader.problems) > before:
        # a row whose dates cannot be read is in no order: the others are held against each other
        rows = tuple(one for one in rows if not {id(one.since), id(one.until)} & {id(HOLE)})
    try:
        return in_order(rows)
    except Wrong as error:
        reader.problem((table,), str(error))
        return ()


def _venues(reader: Reader) -> tuple[VenueSettings, ...]:
    """The other venues: each has an address of its own."""
    found: list[VenueSettings] = []
    for row, place in reader.rows("venues"):
        one = reader.part(VenueSettings, row, place)
        url: object = one.url
        if one is not HOLE and url == "" and url is not HOLE:
            reader.problem((*place, "url"), "another venue than the first names its url")
        found.append(one)
    return tuple(found)


@lru_cache(maxsize=16)
def read_mandate(text: str, file: str = "mandate.toml") -> Mandate | tuple[Problem, ...]:
    """The mandate, or all problems of the file."""
    mandate, problems = mandate_in_part(text, file)
    return problems or mandate


def mandate_in_part(text: str, file: str = "mandate.toml") -> tuple[Mandate, tuple[Problem, ...]]:
    """The mandate with holes where the file has problems, and all its problems."""
    reader = Reader(text, file)
    if reader.problems:
        return HOLE, tuple(reader.problems)
    mandate = reader.part(Mandate, reader.root, ())
    return mandate, tuple(sorted(set(reader.problems)))


@lru_cache(maxsize=16)
def read_counterparties(
    text: str, file: str = "counterparties.toml"
) -> tuple[Dossier, ...] | tuple[Problem, ...]:
    """The dossiers, or all problems of the file."""
    dossiers, problems = counterparties_in_part(text, file)
    return problems or dossiers


def counterparties_in_part(
    text: str, file: str = "counterparties.toml"
) -> tuple[tuple[Dossier, ...], tuple[Problem, ...]]:
    """The dossiers with holes where the file has problems, and all its problems."""
    reader = Reader(text, file)
    if reader.problems:
        return (), tuple(reader.problems)
    reader.known("counterparty")
    found = [reader.part(Dossier, row, place) for row, place in reader.rows("counterparty")]
    for place, dossier in enumerate(found):
        _hedges(reader, dossier, place)
    every = [readable_text(dossier.name) for dossier in found]
    names = [name for name in every if name is not None]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.problem(("counterparty",), f"two counterparties are called {name}")
    return tuple(found), tuple(sorted(set(reader.problems)))


def _hedges(reader: Reader, dossier: Dossier, place: int) -> None:
    """A problem where a line or a sublimit names a hedge that is none: it would bind nothing."""
    known = sorted(StructureKind)
    named: list[object] = [
        *dossier.credit.products,
        *(n for one in dossier.credit.sublimits for n in one.products),
    ]
    names = {one for one in named if isinstance(one, str)}
    who = readable_text(dossier.name) or f"counterparty {place + 1}"
    for name in sorted(names - set(known)):
        words = f"{who}: no hedge is called {name[:40]!r}; known: {', '.join(known)}"
        reader.problem(("counterparty", place, "credit"), words)
