"""Our requests at the venue are read to the last page, or not at all: a missing one could be dealt twice."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from headframe.desk.ports import Malformed
from headframe.venue.deribit.venue import DeribitVenue

SINCE = datetime(2026, 8, 1, tzinfo=UTC)


class Pages:
    """A client that answers each page by the continuation it is asked with."""

    def __init__(self, pages: dict[Any, tuple[list[Any], Any]]) -> None:
        self.pages, self.asked = pages, list[Any]()

    async def call(self, method: str, **params: Any) -> Any:
        assert method == "private/get_block_rfqs"
        self.asked.append(params.get("continuation"))
        rows, following = self.pages[params.get("continuation")]
        return {"block_rfqs": rows, "continuation": following}


def row(number: int) -> dict[str, Any]:
    stamp = int(datetime(2026, 8, 20, tzinfo=UTC).timestamp() * 1000) - number
    return {"block_rfq_id": number, "creation_timestamp": stamp, "state": "cancelled"}


def venue(client: Pages) -> DeribitVenue:
    made = object.__new__(DeribitVenue)
    made._client = client  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    "tokens", [("7", 7, "4", 4), ("cGFnZTI=", "cGFnZTI=", "b", "b"), (7, 7, 4, 4)]
)
def test_every_page_is_read_whatever_its_continuation_looks_like(tokens: Any) -> None:
    first, asked_first, second, asked_second = tokens
    client = Pages(
        {None: ([row(1)], first), asked_first: ([], second), asked_second: ([row(3)], None)}
    )
    found = asyncio.run(venue(client).history(10))
    assert [one["block_rfq_id"] for one in found] == [1, 3]
    assert client.asked == [None, asked_first, asked_second]
    client.asked.clear()
    assert asyncio.run(venue(client).dealt(SINCE, "BTC")) == ()
    assert client.asked == [None, asked_first, asked_second], "an empty page is not the last"


@pytest.mark.parametrize("end", [None, "", "none"])
def test_the_last_page_ends_it(end: Any) -> None:
    assert len(asyncio.run(venue(Pages({None: ([row(1)], end)})).history(10))) == 1


@pytest.mark.parametrize("bad", [True, 1.5, ["a"], {"id": 1}])
def test_a_continuation_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(Malformed, match="neither number nor text"):
        asyncio.run(venue(Pages({None: ([row(1)], bad)})).dealt(SINCE, "BTC"))


def test_a_continuation_that_does_not_move_on_is_refused() -> None:
    client = Pages({None: ([row(1)], "a"), "a": ([row(2)], "a")})
    with pytest.raises(Malformed, match="does not move on"):
        asyncio.run(venue(client).dealt(SINCE, "BTC"))
