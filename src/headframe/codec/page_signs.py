"""What an answer of several pages says of the others: totals, numbers of pages, flags and links.

Names are compared without case, hyphens and underscores (``hasMore``, ``has_more``, ``HAS-MORE``), at the
top, around the list, in objects such as ``meta`` and ``pagination``, and in HTTP headers. Values may be
numbers or texts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from headframe.codec.exact import exact_whole
from headframe.units import Wrong, parse_whole

Table = Mapping[str, object]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOTALS = _names(
    "total totalnum totalnumber totalcount counttotal totalrecords recordstotal totalelements totalitems "
    "itemstotal totalresults totalrows totalsize totalentries totalhits recordcount rowcount rowstotal "
    "itemcount totalpayouts totalpayments paginationtotal paginationtotalcount"
)
_COUNTS = _names("count records size results numrows numberofelements returned")
"""May be of the page alone: more than the rows shown says that there are others, as many proves nothing."""
_PAGES = _names(
    "pages totalpages totalpage pagecount pagescount pagetotal pagestotal numpages numberofpages lastpage "
    "last maxpage paginationtotalpages paginationpagecount"
)
_MORE = _names(
    "more hasmore hasmorepages hasmoreitems hasnext hasnextpage hasmoreresults hasmorerecords "
    "moreavailable moreresults morerecords morepages ismore truncated istruncated incomplete "
    "isincomplete incompleteresults partial ispartial remaining remainingcount remainingitems "
    "remainingrows remainingrecords remainingpages left"
)
_MORE_PAGES = _names("more hasmore hasmorepages hasnext hasnextpage hasmoreresults hasmorerecords")
_LAST = _names(
    "last islast lastpage islastpage complete iscomplete end eof isend endreached finished"
)
_NEXT = _names(
    "next nextpage nextcursor nextpagetoken nexttoken nexturl nexturi nextlink nextoffset nextstart "
    "nextid nextmarker nextkey nexthref nextpageurl nextpageuri nextpagelink nextpageid nextindex "
    "nextrecordsurl odatanextlink continuation continuationtoken continuationkey "
    "lastevaluatedkey paginationnext paginationnextpage"
)
_CURSORS = _names("cursor after endcursor scrollid paginationtoken pagetoken marker")
"""May be of the last row shown: no sign where the answer says that nothing follows."""
_SIZES = _names("pagesize perpage itemsperpage limit size paginationlimit pagelimit")
_AROUND = _names(
    "pagination paging pager meta metadata page pages pageinfo links link cursors cursor "
    "responsemetadata listinfo resultinfo resultset info range"
)
_FALSE = frozenset(("", "false", "no", "n", "0", "null", "none", "nil", "off"))
_DEPTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSigns:
    """What tables around a page's rows say: ``flag`` and ``link`` in words, empty where nothing does."""

    totals: tuple[tuple[str, int], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    pages: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    flag: str = ""
    link: str = ""
    ended: bool = False
    """Whether a field states that nothing follows."""


def page_signs(answer: object, path: str, headers: Table) -> PageSigns:
    """Return what an answer and its headers say of other pages; ``path`` leads to the list of rows."""
    said = [pair for table in _tables(answer, path) for pair in _pairs(table)]
    said += [pair for name, value in headers.items() for pair in _header(name, value)]
    ended = any(_ends(name, found) for name, found in said)
    links = _NEXT if ended else _NEXT | _CURSORS
    return PageSigns(
        totals=_numbers(said, _TOTALS),
        counts=_numbers(said, _COUNTS),
        pages=_numbers(said, _PAGES),
        sizes=_numbers(said, _SIZES),
        flag=next((_said(pair) for pair in said if _flags(*pair)), ""),
        link=next((_said(pair) for pair in said if _links(*pair, links)), ""),
        ended=ended,
    )


def _said(pair: tuple[str, object]) -> str:
    name, found = pair
    word = str(found).lower() if isinstance(found, bool) else repr(str(found)[:60])
    return f"{name} is {word}"


def plain_name(name: str) -> str:
    """Return a field's name as it is compared: lower case, letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def whole_number(found: object) -> int | None:
    """Return a whole number written as a number or in digits; None for anything else."""
    if isinstance(found, str):
        try:
            return parse_whole(found.strip(), digits_max=9)
        except Wrong:
            return None
    return exact_whole(found)


def _tables(answer: object, path: str) -> Iterator[Table]:
    """Yield the tables of an answer around its list, and those beside it that speak of pages."""
    found = answer
    for name in (*path.split("."), ""):
        if not isinstance(found, dict):
            return
        table = cast("Table", found)
        yield table
        yield from _inner(table, _DEPTH)
        found = table.get(name)


def _inner(table: Table, depth: int) -> Iterator[Table]:
    for name, value in table.items():
        if depth and isinstance(value, dict) and plain_name(name) in _AROUND:
            yield cast("Table", value)
            yield from _inner(cast("Table", value), depth - 1)


def _pairs(table: Table) -> Iterator[tuple[str, object]]:
    """Yield a table's fields, and the links of a list of them by what they lead to."""
    for name, value in table.items():
        yield name, value
        if isinstance(value, list) and plain_name(name) in {"links", "link"}:
            for one in cast("list[object]", value):
                if isinstance(one, dict) and "rel" in one:
                    link = cast("Table", one)
                    yield str(link["rel"]), link.get("href") or link.get("url") or ""


def _header(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what a header of HTTP says of pages."""
    text, plain = str(value), plain_name(name)
    if plain == "link" and re.search(r"""rel\s*=\s*["']?[^"',;]*\bnext\b""", text, re.IGNORECASE):
        yield "next", text
    if plain == "contentrange" and (whole := re.search(r"/\s*([0-9]{1,9})\s*$", text)):
        yield "total", whole[1]
    if plain.startswith("x") or plain in _TOTALS:
        yield plain.removeprefix("x"), text


def _numbers(said: list[tuple[str, object]], names: frozenset[str]) -> tuple[tuple[str, int], ...]:
    found = ((name, whole_number(value)) for name, value in said if plain_name(name) in names)
    return tuple((name, number) for name, number in found if number is not None)


def _flags(name: str, found: object) -> bool:
    """Return whether a flag says that rows are missing."""
    plain = plain_name(name)
    if plain in _MORE:
        return _is_true(found)
    if plain not in _LAST or found is None:
        return False
    return found is False or (isinstance(found, str) and found.strip().lower() in {"false", "no"})


def _is_true(found: object) -> bool:
    """Return whether a value says yes: true in any writing, a number above nothing, a link."""
    if isinstance(found, str):
        number = whole_number(found)
        return found.strip().lower() not in _FALSE if number is None else number > 0
    return found > 0 if isinstance(found, int | float) else bool(found)


def _ends(name: str, found: object) -> bool:
    """Return whether a field states that nothing follows."""
    word = str(found).strip().lower()
    plain = plain_name(name)
    return (plain in _MORE_PAGES and word in {"false", "no"}) or (
        plain in {"islast", "islastpage", "last"} and word == "true"
    )


def _links(name: str, found: object, names: frozenset[str]) -> bool:
    """Return whether a link, a cursor or a number names a next page."""
    if plain_name(name) not in names:
        return False
    if isinstance(found, dict):
        table = cast("Table", found)
        return any(
            _is_true(one)
            for key, one in table.items()
            if plain_name(key) not in {"rel", "templated"}
        )
    return _is_true(found)
