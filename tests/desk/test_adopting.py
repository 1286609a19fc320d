"""After a restore, and in a copy of a folder, no proposal is dealt a second time."""

import asyncio
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from headframe.cli.app import run
from headframe.codec import from_json
from headframe.desk import adopting, amending, audit, contracts
from headframe.desk.known import RfqRecord
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Declined, Invalid, NotFound, OutcomeUnknown, VenueDeal
from headframe.wiring import audit_office, back_up, open_office, restore
from venues import FakeVenue, deal

Dealt = tuple[Path, FakeVenue, RfqRecord]


def _deal_of(record: RfqRecord, **other: Any) -> VenueDeal:
    """A request as the venue lists it when it was dealt."""
    request = record.request
    terms: dict[str, Any] = {
        "venue_id": "1",
        "label": request.id,
        "at": request.opened_at,
        "instruments": tuple(leg.instrument.name for leg in request.structure.legs),
        "amount": request.amount,
    }
    return VenueDeal(**(terms | other))


@pytest.fixture
def dealt(approved: Path, tmp_path: Path) -> Dealt:
    """A workspace restored from a backup of before P-1 was dealt, and the venue, which remembers."""
    back_up(approved, None, tmp_path / "kept.headframe")
    office = open_office(approved, user="trader")
    venue = FakeVenue(office.clock)
    deal(office, venue)
    (record,) = office.state().rfqs.values()
    target = tmp_path / "restored"
    restore(target, None, tmp_path / "kept.headframe", user="ops")
    venue.record = (_deal_of(record),)
    venue.log.clear()
    return target, venue, record


def _adopt(office: Office, venue: FakeVenue) -> Any:
    return asyncio.run(adopting.adopt(Trading(office, venue)))


def test_a_restore_is_an_event_of_its_own(dealt: Dealt, approved: Path, tmp_path: Path) -> None:
    folder, _, _ = dealt
    office = open_office(folder, user="x")
    *_, last = office.journal.read()
    assert (last.kind, last.author) == ("restored", "ops")
    held = office.state().restored
    assert held is not None
    assert last.body["backup"] == held.head
    assert held.head.startswith(f"{last.seq - 1}:")
    restore(tmp_path / "again", None, tmp_path / "kept.headframe")
    other = open_office(tmp_path / "again", user="x").state().restored
    assert other is not None
    assert other.lineage != held.lineage, "each restore is told from every other"
    assert open_office(approved, user="x").state().restored is None
    assert audit.verify(audit_office(folder, user="x")).sound


def test_nothing_trades_before_the_venue_is_read_and_voice_is_attested(dealt: Dealt) -> None:
    folder, venue, record = dealt
    office = open_office(folder, user="trader")
    for act in (
        lambda: deal(office, venue),
        lambda: contracts.deal(office, "K-1", (), "amber"),
        lambda: amending.approve(open_office(folder, user="risk"), 1),
    ):
        with pytest.raises(
            OutcomeUnknown, match=r"restored from a backup.*paper, voice.*reconcile"
        ):
            act()
    assert venue.log == []
    (found,) = _adopt(office, venue)
    assert found.adopted == (record.request.id,)
    with pytest.raises(OutcomeUnknown, match=r"not known at voice; .*--attest"):
        deal(office, venue, "P-2")
    office.user = "cfo"
    adopting.attest(office, "voice", "nothing was dealt by voice since Friday")
    office.user = "trader"
    assert adopting.missing(office) == ()
    state = office.state()
    (trade,) = state.trades.values()
    assert (trade.proposal, trade.rfq, trade.dealer) == ("P-1", record.request.id, "amber")
    with pytest.raises(Declined, match="P-1 was dealt already"):
        deal(office, venue)
    assert "open" not in venue.log, "P-1 was not sent a second time"
    assert audit.verify(audit_office(folder, user="x")).sound


def test_reading_again_adopts_nothing_twice(dealt: Dealt) -> None:
    folder, venue, _ = dealt
    office = open_office(folder, user="trader")
    _adopt(office, venue)
    head = office.journal.head()
    (again,) = _adopt(office, venue)
    assert (again.adopted, again.strays) == ((), ())
    assert office.journal.head() == head


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"instruments": ("BTC-25DEC26-1000-P",)}, "no open proposal has these instruments"),
        ({"hedged": True}, "hedge leg"),
        ({"amount": 10**6}, "no approval in this journal that covers it"),
    ],
)
def test_what_does_not_match_stands_as_stray_until_it_is_set_aside(
    dealt: Dealt, other: dict[str, Any], words: str
) -> None:
    from decimal import Decimal

    folder, venue, record = dealt
    if "amount" in other:
        other = {"amount": Decimal(other["amount"])}
    venue.record = (_deal_of(record, **other),)
    office = open_office(folder, user="trader")
    (found,) = _adopt(office, venue)
    (stray,) = found.strays
    assert words in stray.reason
    assert office.state().trades == {}
    with pytest.raises(Declined, match="approvers"):
        adopting.dismiss(office, stray.id, "by hand")
    office.user = "cfo"
    adopting.attest(office, "voice", "none")
    office.user = "trader"
    with pytest.raises(
        OutcomeUnknown, match=r"paper:1: dealt at the venue and not in this journal"
    ):
        deal(office, venue, "P-2")
    office.user = "cfo"
    with pytest.raises(Invalid, match="a reason is one line"):
        adopting.dismiss(office, stray.id, " ")
    with pytest.raises(NotFound, match="standing: paper:1"):
        adopting.dismiss(office, "paper:2", "x")
    adopting.dismiss(office, stray.id, "dealt by hand for another book")
    office.user = "trader"
    (again,) = _adopt(office, venue)
    assert again.strays == ()
    adopting.require(office)


def test_a_proposal_that_was_approved_after_the_backup_is_approved_again_and_adopted(
    signed_mine: Path, tmp_path: Path
) -> None:
    import workspaces

    folder = tmp_path / "mine"
    shutil.copytree(signed_mine, folder)
    office = workspaces.planned(open_office(folder, user="treasurer"))
    back_up(folder, None, tmp_path / "kept.headframe")
    workspaces.approved(office)
    office.user = "trader"
    venue = FakeVenue(office.clock)
    deal(office, venue)
    (record,) = office.state().rfqs.values()
    target = tmp_path / "restored"
    restore(target, None, tmp_path / "kept.headframe")
    venue.record = (_deal_of(record),)
    again = open_office(target, user="trader")
    (found,) = _adopt(again, venue)
    assert "no approval in this journal" in found.strays[0].reason
    workspaces.approved(again)
    again.user = "trader"
    (found,) = _adopt(again, venue)
    assert found.adopted == (record.request.id,)
    assert again.state().strays == {}
    assert audit.verify(audit_office(target, user="x")).sound


def test_a_copied_folder_does_not_deal_what_the_other_copy_dealt(
    approved: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(approved, copy)
    office = open_office(approved, user="trader")
    venue = FakeVenue(office.clock)
    deal(office, venue)
    (record,) = office.state().rfqs.values()
    venue.record = (_deal_of(record),)
    venue.log.clear()
    other = open_office(copy, user="trader")
    head = other.journal.head()
    with pytest.raises(
        OutcomeUnknown, match=r"shows 1 dealt .*under the approval of P-1.*is this folder a copy"
    ):
        deal(other, venue)
    assert "open" not in venue.log
    assert other.journal.head() == head
    _adopt(other, venue)
    with pytest.raises(Declined, match="P-1 was dealt already"):
        deal(other, venue)


def test_a_venue_that_does_not_answer_for_its_record_is_not_dealt_with(approved: Path) -> None:
    from headframe.desk.ports import Refused, Unreachable

    office = open_office(approved, user="trader")
    for error in (Refused("no"), Unreachable("gone")):

        class Silent(FakeVenue):
            async def dealt(self, since: Any, coin: Any, error: Exception = error) -> Any:
                raise error

        venue = Silent(office.clock)
        with pytest.raises(OutcomeUnknown, match=r"record|is not known"):
            deal(office, venue)
        assert "open" not in venue.log


def _run(*words: str) -> tuple[int, str]:
    """A command in this process: its exit status and what it says."""
    said = StringIO()
    with (
        mock.patch.object(sys, "argv", ["headframe", *words]),
        redirect_stdout(said),
        redirect_stderr(said),
        pytest.raises(SystemExit) as left,
    ):
        run()
    return int(left.value.code or 0), said.getvalue()


def test_the_paper_street_remembers_what_was_dealt_after_the_backup(
    approved: Path, tmp_path: Path
) -> None:
    """The whole way by command: the street in the workspace answers for what the backup does not know."""
    file, target = str(tmp_path / "kept.headframe"), str(tmp_path / "restored")
    here = ["--workspace", str(approved)]
    assert _run("backup", file, *here)[0] == 0
    code, text = _run("rfq", "P-1", "--as", "trader", *here)
    assert code == 0, text
    there = ["--workspace", target]
    assert _run("restore", file, *there)[0] == 0
    assert (Path(target) / "street.jsonl").read_bytes() == (approved / "street.jsonl").read_bytes()
    code, text = _run("rfq", "P-1", "--as", "trader", *there)
    assert (code, "headframe reconcile" in text) == (5, True), text
    code, text = _run("reconcile", "--as", "trader", *there)
    assert code == 5, text
    assert "paper: read, 1 trades adopted" in text
    assert "still to be read or attested: voice" in text
    code, text = _run("reconcile", "--attest", "none by voice", "--as", "cfo", *there)
    assert code == 0, text
    code, text = _run("rfq", "P-1", "--as", "trader", *there)
    assert code == 4, text
    assert "P-1 was dealt already" in text
    assert _run("audit", "verify", *there)[0] == 0
    mine = open_office(approved, user="x").state().trades["T-1"]
    adopted = open_office(Path(target), user="x").state().trades["T-1"]
    assert (adopted.rfq, adopted.legs, adopted.net_price, adopted.fee) == (
        mine.rfq,
        mine.legs,
        mine.net_price,
        mine.fee,
    )
    code, text = _run("rfq", "P-2", "--as", "trader", *there)
    assert code == 0, text


def test_a_street_that_stayed_in_its_folder_lives_on(approved: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.headframe"
    _run("rfq", "P-2", "--as", "trader", "--workspace", str(approved))
    back_up(approved, None, file)
    _run("rfq", "P-1", "--as", "trader", "--workspace", str(approved))
    lives = (approved / "street.jsonl").read_bytes()
    for name in approved.iterdir():
        if name.name != "street.jsonl":
            name.unlink()
    restore(approved, None, file)
    assert (approved / "street.jsonl").read_bytes() == lives
    other = tmp_path / "other"
    other.mkdir()
    (other / "street.jsonl").write_text("another street\n")
    with pytest.raises(Invalid, match=r"holds street\.jsonl already"):
        restore(other, None, file)


@pytest.mark.parametrize("name", ["checkpoint.json", "headframe.db", "desk.json"])
def test_a_backup_with_a_file_that_no_backup_keeps_is_refused(
    approved: Path, tmp_path: Path, name: str
) -> None:
    from hashlib import sha256

    file, forged = tmp_path / "kept.headframe", tmp_path / "forged.headframe"
    back_up(approved, None, file)
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(forged, "w") as target:
        for one in source.namelist():
            data = source.read(one)
            if one == "manifest.json":
                manifest = json.loads(data)
                manifest["files"][name] = sha256(b"{}").hexdigest()
                data = json.dumps(manifest).encode()
            target.writestr(one, data)
        target.writestr(f"files/{name}", b"{}")
    with pytest.raises(Invalid, match="which no backup keeps"):
        restore(tmp_path / "again", None, forged)
    assert not (tmp_path / "again").exists()


def test_the_venues_list_is_read_page_by_page(desk: Office) -> None:
    """A record of more than a page is read to its end, and only what was dealt counts."""
    from headframe.venue import DeribitVenue

    begun = 1_787_000_000_000

    class Client:
        hears = False
        on_notification: Callable[[Any], None] | None = None
        asked: list[dict[str, Any]] = []  # noqa: RUF012 - of this test alone

        async def call(self, method: str, **values: Any) -> Any:
            self.asked.append({"method": method, **values})
            page = int(values.get("continuation", 3))
            rows = [
                {
                    "block_rfq_id": page * 10 + number,
                    "label": f"{page * 10 + number:032x}",
                    "state": "filled" if number == 1 else "expired",
                    "creation_timestamp": begun + page * 1000,
                    "amount": 1.0,
                    "legs": [{"instrument_name": "BTC-25DEC26-60000-P"}],
                }
                for number in range(2)
            ]
            return {"block_rfqs": rows, "continuation": str(page - 1) if page > 1 else None}

    client: Any = Client()
    venue = DeribitVenue(client, desk.clock, "paper")
    state = desk.state()
    assert state.opened is not None
    found = asyncio.run(venue.dealt(state.opened.replace(year=2020), "BTC"))
    assert [one.venue_id for one in found] == ["11", "21", "31"]
    assert len(client.asked) == 3


def test_a_stored_stray_is_read_strictly() -> None:
    from headframe.desk.known import Stray
    from headframe.units import Wrong

    with pytest.raises(Wrong, match="Stray"):
        from_json(Stray, {"venue": "x", "colour": 1})
