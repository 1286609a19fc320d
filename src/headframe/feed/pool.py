"""A pool's payouts over HTTP, page by page until they are known to be all.

An answer that says more rows than it holds, and one that may be a page of several, is refused unless the
settings say how the other pages are asked for.
"""

from collections.abc import Callable, Mapping, Sequence
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
from headframe.desk.ports import Malformed, Refused
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
    rows = pool_rows(http.get, asked.path + query, api, lambda: http.heard)
    return pool_payouts(rows, api, coin)


def _nothing() -> Mapping[str, object]:
    return {}


def pool_rows(
    get: Get, path: str, api: PoolApi, headers: Callable[[], Mapping[str, object]] = _nothing
) -> tuple[object, ...]:
    """Return the rows of all pages; Malformed where they are not all, or cannot be known to be.

    ``headers`` says what the last answer's headers were.
    """
    rows: list[object] = []
    asked, seen = _first(path, api), set[str]()
    for number in range(PAGES_MAX):
        if asked in seen:
            raise Malformed(f"the pool's page {number} is the next after itself: {asked[:80]!r}")
        seen.add(asked)
        page = read_pool_page(get(asked), api, headers())
        if page.rows and number and page.rows == tuple(rows[-len(page.rows) :]):
            raise Malformed(
                f"the pool's page {number + 1} repeats the one before: it does not take the settings of "
                f"[pool_api] for pages, and it cannot be known that {len(rows)} rows are all"
            )
        rows += page.rows
        following = _following(path, api, page, number + 1, len(rows))
        if not following:
            _check_whole(page, len(rows), path, api)
            _check_pages(page, len(rows), number + 1, api)
            _check_first(get, path, rows, page, api)
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
    if not api.paged or (not page.rows and (number > 1 or api.first_page or not api.page)):
        return ""
    said = page.ended and not page.link
    said = said or (page.proves and page.total is not None and count >= page.total)
    short = page.total is not None and page.total > count
    if said and not (short or page.flag or page.pages > number):
        return ""
    named = {api.size: str(api.page_size)} if api.size else {}
    if api.page:
        return _numbered(path, api, api.first_page + number)
    return with_query(path, named | {api.offset: str(count)})


def _numbered(path: str, api: PoolApi, number: int) -> str:
    """Return the path of the page of a number."""
    named = {api.size: str(api.page_size)} if api.size else {}
    return with_query(path, named | {api.page: str(number)})


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
    if page.contrary and not api.paged:
        raise Wrong(
            f"the pool's answer holds {count} rows and says fewer: {page.contrary}; {_REMEDY}"
        )
    more = page.flag or (page.link if page.rows and not api.next else "")
    if more:
        raise Wrong(f"the pool's answer holds {count} rows and says more: {more}; {_REMEDY}")
    doubt = page.full or is_full_page(count, path, api)
    certain = page.named or page.ended or (page.roomy and page.total == count)
    if doubt and not (certain or api.paged):
        raise Wrong(
            f"the pool's answer holds {count} rows and says no total beyond them: it cannot be known to be "
            f"whole ({doubt}); {_REMEDY}"
        )


def _check_pages(page: PoolPage, count: int, number: int, api: PoolApi) -> None:
    """Raise where fewer pages were read than the answer says there are."""
    read = number if page.rows else number - 1
    if page.pages > max(read, 1) and not api.whole:
        raise Wrong(
            f"the pool's answer holds {count} rows of {read} pages and says {page.pages} pages; {_REMEDY}"
        )


def _check_first(get: Get, path: str, rows: Sequence[object], page: PoolPage, api: PoolApi) -> None:
    """Raise where the pool counts pages from 0 while the settings count from 1: its first page is missing.

    A page 0 that the pool refuses, or that holds nothing new, shows that it counts from 1.
    """
    if not (api.page and api.first_page) or page.proves:
        return
    try:
        before = read_pool_page(get(_numbered(path, api, 0)), api).rows
    except (Refused, Malformed, Wrong):
        return
    if any(row not in rows for row in before):
        raise Wrong(
            f"the pool's page 0 holds {len(before)} rows that are on none of the others: {len(rows)} rows "
            "are not all; fix: set first_page = 0 in [pool_api]"
        )
