"""A pool's API as the workspace declares it: where it is, how its answer is read, how pages are asked for.

No two pools answer alike, and their answers change. The settings name the fields; a payout without one of
them is refused, never guessed.
"""

import re
from dataclasses import dataclass

from headframe.units import refuse

PAGE_SIZE_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolApi:
    """A pool's payouts over HTTP: URL (``{since}`` is a day), a header with a secret, and the fields.

    ``rows`` is the path to the list, its names parted by dots, empty where the answer is the list. ``unit``
    is coin or satoshi. Only rows whose ``status`` is one of ``paid`` are payouts, where a status is named.
    ``coin`` is the field that names a row's coin, ``coin_names`` what the pool calls ours. ``txid`` is the
    field of the transaction.

    Pages: ``page`` or ``offset`` is the query's parameter, ``size`` that of the page's size ``page_size``;
    ``total`` is the path to the number of all rows; ``next`` the path to a link to the next page, or to
    the cursor that the parameter ``cursor`` takes. ``whole`` says that the pool always answers all rows.
    """

    url: str
    id: str
    at: str
    amount: str
    rows: str = ""
    unit: str = "coin"
    status: str = ""
    paid: tuple[str, ...] = ()
    header: str = ""
    secret: str = ""
    coin: str = ""
    coin_names: tuple[str, ...] = ()
    txid: str = ""
    total: str = ""
    page: str = ""
    first_page: int = 1
    offset: str = ""
    size: str = ""
    page_size: int = 0
    next: str = ""
    cursor: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]", self.url)
        if not (self.url.startswith("https://") or local):
            refuse(f"a pool's url begins with https://, was {self.url[:40]!r}")
        if not all((self.id, self.at, self.amount)):
            refuse("a pool's payouts have an id, an instant (at) and an amount: name their fields")
        if self.unit not in {"coin", "satoshi"}:
            refuse(f"unit is coin or satoshi, was {self.unit[:20]!r}")
        if bool(self.status) is not bool(self.paid):
            refuse("status names a field and paid its values: give both or neither")
        if bool(self.header) is not bool(self.secret):
            refuse("header names a header and secret where its value is kept: give both or neither")
        if self.header and not re.fullmatch(r"[A-Za-z0-9-]{1,60}", self.header):
            refuse(f"a header is letters, digits and hyphens, was {self.header[:40]!r}")
        if self.secret and self.secret.partition(":")[0] not in {"env", "keyring", "age"}:
            refuse("secret says where it is kept: env:NAME, keyring:SERVICE/USER or age:FILE")
        self._check_pages()

    def _check_pages(self) -> None:
        """Raise Wrong where the settings of pages contradict each other."""
        ways = [name for name in ("page", "offset", "next") if getattr(self, name)]
        if len(ways) > 1:
            refuse(f"pages are asked for in one way: give one of {', '.join(ways)}")
        if self.whole and ways:
            refuse(f"whole says that there are no pages: leave out {ways[0]}")
        if self.cursor and not self.next:
            refuse("cursor is the parameter for what next names: give next too")
        if bool(self.size) is not bool(self.page_size):
            refuse("size names a parameter and page_size its value: give both or neither")
        if not 0 <= self.page_size <= PAGE_SIZE_MAX or not 0 <= self.first_page <= 1:
            refuse(f"page_size is up to {PAGE_SIZE_MAX:,}, first_page is 0 or 1")
        for name in (self.page, self.offset, self.size, self.cursor):
            if name and not re.fullmatch(r"[A-Za-z0-9_.\[\]-]{1,60}", name):
                refuse(f"a parameter is letters, digits, hyphens and dots, was {name[:40]!r}")

    @property
    def paged(self) -> bool:
        """Whether the settings say how further pages are asked for."""
        return bool(self.page or self.offset or self.next)
