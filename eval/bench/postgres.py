"""A throw-away Postgres for benches and tests: a cluster in a temporary folder, as an
unprivileged user. `missing()` says what is not installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

__all__ = ["Postgres", "missing"]

_PROGRAMS = ("initdb", "pg_ctl", "psql")
_OTHERS = ("postgres", "nobody")
"""Whom the server runs as where the tests run as root, which Postgres refuses."""


def missing() -> str | None:
    """What is not there to start a cluster with; None: nothing."""
    absent = [name for name in _PROGRAMS if _program(name) is None]
    if absent:
        return f"Postgres is not installed ({', '.join(absent)}): apt install postgresql"
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            return "Postgres does not run as root, and setpriv (util-linux) is not installed"
        if _user() is None:
            return f"Postgres does not run as root, and there is no user {' or '.join(_OTHERS)}"
    return None


class Postgres:
    """A running cluster on a free loopback port, and a Unix socket in its folder."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ockham-pg-", dir="/tmp"))  # short: a socket
        self._data = self._folder / "data"
        user = _user() if os.geteuid() == 0 else None
        self._as: tuple[str, ...] = ()
        if user is not None:
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
            self._as = ("setpriv", *ids)
        self.port = _free_port()
        self._do("initdb", "-D", str(self._data), "-U", "ockham", "-A", "trust", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        """Start the server and wait for it."""
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} "
            f"-c unix_socket_directories={self._folder} -c max_connections=60 -c fsync=off"
        )
        log = str(self._folder / "log")
        self._do("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        """Stop it at once; connections break."""
        self._do("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://ockham@127.0.0.1:{self.port}/{name}"

    def sql(self, database: str, statement: str) -> str:
        """What psql prints for a statement."""
        where = ("-h", str(self._folder), "-p", str(self.port), "-U", "ockham", "-d", database)
        return self._do("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *where, "-c", statement)

    def close(self) -> None:
        """Stop and delete it."""
        try:
            if (self._data / "postmaster.pid").exists():
                self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, program: str, *arguments: str) -> str:
        command = [*self._as, str(_program(program)), *arguments]
        # Not through a pipe: the server would keep it open.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                command, stdout=out, stderr=subprocess.STDOUT, cwd="/", timeout=120, check=False
            )
            out.seek(0)
            said = out.read()
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {said}{self._log()}")
        return said.strip()

    def _log(self) -> str:
        log = self._folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def _program(name: str) -> Path | None:
    """In the PATH, or where Debian keeps it."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return places[0] if places else None


def _user() -> "pwd.struct_passwd | None":
    for name in _OTHERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
