"""A pool's payouts over HTTP, page by page until they are known to be all.

An answer that says more rows than it holds, and one that may be a page of several, is refused unless the
settings say how the other pages are asked for.
"""

from collections.abc import Callable
from datetime import date
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from headframe.codec import (
    PoolApi,
    PoolPage,
    PoolPayouts,
    is_full_page,
    pool_payouts,
    read_pool_page,
)
from headframe.desk.ports import Malformed
from headframe.feed.http import Http
from headframe.units import Wrong

Get = Callable[[str], str]
PAGES_MAX = 1_000
_REMEDY = (
    "fix: say in [pool_api] how the other pages are asked for (page or offset with size, or next; total), or "
    "whole = true where the pool always answers everything"
)


def fetch_pool(api: PoolApi, secret: str, since: date, coin: str = "BTC") -> PoolPayouts:
    """Return what a pool says it paid since a day, by the fields the settings name, from all pages."""
    asked = urlsplit(api.url.replace("{since}", since.isoformat()))
    http = Http(f"{asked.scheme}://{asked.netloc}", {api.header: secret} if api.header else None)
    query = f"?{asked.query}" if asked.query else ""
    return pool_payouts(pool_rows(http.get, asked.path + query, api), api, coin)


def pool_rows(get: Get, path: str, api: PoolApi) -> tuple[object, ...]:
    """Return the rows of all pages; Malformed where they are not all, or cannot be known to be."""
    rows: list[object] = []
    asked, seen = _first(path, api), set[str]()
    for number in range(PAGES_MAX):
        if asked in seen:
            raise Malformed(f"the pool's page {number} is the next after itself: {asked[:80]!r}")
        seen.add(asked)
        page = read_pool_page(get(asked), api)
        if page.rows and number and page.rows == tuple(rows[-len(page.rows) :]):
            raise Malformed(
                f"the pool's page {number + 1} repeats the one before: it does not take the settings of "
                f"[pool_api] for pages, and it cannot be known that {len(rows)} rows are all"
            )
        rows += page.rows
        following = _following(path, api, page, number + 1, len(rows))
        if not following:
            _check_whole(page, len(rows), path, api)
            return tuple(rows)
        asked = following
    raise Malformed(f"the pool has more than {PAGES_MAX:,} pages")


def _first(path: str, api: PoolApi) -> str:
    named = {api.size: str(api.page_size)} if api.size else {}
    if api.page:
        named[api.page] = str(api.first_page)
    if api.offset:
        named[api.offset] = "0"
    return with_query(path, named)


def _following(path: str, api: PoolApi, page: PoolPage, number: int, count: int) -> str:
    """Return the path of the next page; empty where this was the last."""
    if api.next:
        return _linked(path, api, page)
    if not api.paged or not page.rows or (page.total is not None and count >= page.total):
        return ""
    if page.total is None and not page.more and 0 < len(page.rows) < api.page_size:
        return ""
    named = {api.size: str(api.page_size)} if api.size else {}
    if api.page:
        named[api.page] = str(api.first_page + number)
    else:
        named[api.offset] = str(count)
    return with_query(path, named)


def _linked(path: str, api: PoolApi, page: PoolPage) -> str:
    """Return the path that a link or a cursor leads to, on the same server."""
    if not page.next:
        return ""
    if api.cursor:
        named = {api.size: str(api.page_size)} if api.size else {}
        return with_query(path, named | {api.cursor: page.next})
    base = urlsplit(api.url)
    link = urlsplit(urljoin(f"{base.scheme}://{base.netloc}{path}", page.next))
    if (link.scheme, link.netloc) != (base.scheme, base.netloc):
        raise Malformed(f"the pool's next page lies on another server: {page.next[:80]!r}")
    return link.path + (f"?{link.query}" if link.query else "")


def with_query(path: str, named: dict[str, str]) -> str:
    """Return a path with parameters of its query set."""
    if not named:
        return path
    parts = urlsplit(path)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in named
    ]
    query = urlencode([*kept, *named.items()])
    return parts.path + (f"?{query}" if query else "")


def _check_whole(page: PoolPage, count: int, path: str, api: PoolApi) -> None:
    """Raise where the rows are not all, by the answer's total or its signs, or may not be."""
    if api.whole:
        return
    if page.total is not None and page.total > count:
        raise Wrong(f"the pool's answer holds {count} of {page.total} rows; {_REMEDY}")
    if page.more and page.rows and not api.next:
        raise Wrong(f"the pool's answer holds {count} rows and says more: {page.more}; {_REMEDY}")
    doubt = page.full or is_full_page(count, path, api)
    if doubt and page.total is None and not api.paged:
        raise Wrong(
            f"the pool's answer holds {count} rows and says no total: it cannot be known to be whole "
            f"({doubt}); {_REMEDY}"
        )
