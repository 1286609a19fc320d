"""What tests share: where real data lies, and a mine at several stages of its programme."""

import os
import shutil
from collections.abc import Generator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

import kernels_ready
import postgres
import workspaces
from headframe.desk import approvals, policy, programme
from headframe.desk.office import Office
from headframe.wiring import open_office

LONGEST = (
    "desk/test_simulation.py",
    "cli/test_commands.py",
    "web/test_desk.py",
    "risk/test_engine.py",
    "desk/test_order_book.py",
    "venue/test_outside.py",
    "desk/test_kills.py",
)
"""Files that take half a minute and more: begun first, so that no core waits for one at the end."""
settings.register_profile("suite", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("suite")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


_place = pytest.StashKey[Path | None]()


def pytest_configure(config: pytest.Config) -> None:
    """Before any process starts: one place for machine code; filled first if many will use it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    config.stash[_place] = kernels_ready.choose_place()
    if config.getoption("numprocesses", None) and not config.option.collectonly:
        kernels_ready.warm()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the machine code of this run where it had no lasting place."""
    if (folder := config.stash.get(_place, None)) is not None:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in the order of their files, the longest files first."""

    def place(item: pytest.Item) -> int:
        name = f"{item.path.parent.name}/{item.path.name}"
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped, visibly, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def signed_mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a signed mandate and five approved dealers."""
    folder = tmp_path_factory.mktemp("signed") / "mine"
    workspaces.signed(folder)
    return folder


@pytest.fixture(scope="session")
def planned_mine(signed_mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its proposals approved."""
    folder = tmp_path_factory.mktemp("planned") / "mine"
    copy_workspace(signed_mine, folder)
    workspaces.approved(workspaces.planned(open_office(folder, user="treasurer")))
    return folder


def copy_workspace(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


@pytest.fixture
def mine(signed_mine: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    copy_workspace(signed_mine, folder)
    return folder


@pytest.fixture
def approved(planned_mine: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "approved"
    copy_workspace(planned_mine, folder)
    return folder


@pytest.fixture
def desk(approved: Path) -> Office:
    """The trader's desk, with proposals approved."""
    return open_office(approved, user="trader")


@pytest.fixture
def office(mine: Path) -> Office:
    return open_office(mine, user="treasurer")


@pytest.fixture(scope="session")
def postgres_server() -> Generator[str]:
    """The URL of a real PostgreSQL, started for the tests of this process."""
    with postgres.server() as url:
        yield url


_schemas = count(1)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A place for a journal that nobody else uses."""
    return f"{postgres_server}&schema=mine_{next(_schemas)}"


@pytest.fixture
def spoken(mine: Path) -> Path:
    """A mine whose mandate allows to deal by voice, with an approved proposal."""
    file = mine / "mandate.toml"
    text = file.read_text()
    start = text.index("[[where]]")
    block = text[start : text.index("[cover]")]
    file.write_text(text.replace(block, block + block.replace('"paper"', '"voice"')))
    office = open_office(mine, user="board")
    policy.sign(office)
    office.user = "treasurer"
    programme.plan(office)
    office.user = "cfo"
    approvals.give(office, "P-1")
    return mine
