"""A Pigi in production behind the very proxies that docs/operations.md shows, over TLS."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pigi.application import Application
from pigi.processes.addresses import any_free, get_json
from tests.support.certificates import certify
from tests.support.environments import ROOT, environment_of
from tests.support.http import Answered
from tests.support.stack import until
from tools.proxies import HOW, NAMES, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings
    from tests.support.postgres import PostgresStores

PUBLIC = "https://pigi.example"
START_SECONDS = 60
NGINX_MAIN = """daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class House:
    """`pigi web` in production, and the application that it runs on."""

    application: Application
    port: int


@dataclass(frozen=True)
class Front:
    """A proxy in front of it."""

    name: str
    house: House
    plain: int
    secure: int
    authority: Path

    def open(self, *, tls: bool = True, source: str = "127.0.0.1") -> HTTPConnection:
        """A connection from an address of this machine, each of which is a network of its own."""
        if tls:
            context = ssl.create_default_context(cafile=self.authority)
            return HTTPSConnection("127.0.0.1", self.secure, timeout=30, context=context, source_address=(source, 0))
        return HTTPConnection("127.0.0.1", self.plain, timeout=30, source_address=(source, 0))

    @contextmanager
    def opened_h2(self) -> Iterator[ssl.SSLSocket]:
        """A connection on which HTTP/2 was agreed upon."""
        context = ssl.create_default_context(cafile=self.authority)
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection(("127.0.0.1", self.secure), 30) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
        ):
            assert line.selected_alpn_protocol() == "h2"
            yield line

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None, **way: Any
    ) -> Answered:
        """One request on a connection of its own."""
        line = self.open(**way)
        try:
            line.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            found = line.getresponse()
            return Answered(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            line.close()


@pytest.fixture(scope="module")
def house(postgresql_stores: PostgresStores) -> Iterator[House]:
    """Production has PostgreSQL alone. Neither Redis nor the mail server is needed for what is asked here."""
    home = Path(tempfile.mkdtemp(prefix="pigi-"))
    fresh = postgresql_stores.fresh(home)
    port = any_free()
    settings = fresh.model_copy(
        update={
            "secret_keys": "a:" + base64.b64encode(os.urandom(32)).decode(),
            "public_url": PUBLIC,
            "mode": "production",
            "proxies": 1,
        }
    )
    application = Application.open(settings)
    log = home / "web.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "pigi", "web"], env=_told(settings, port), stdout=stream, stderr=stream
        )
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            return get_json("127.0.0.1", port, "/healthz")[0] == 200

        until(answers, START_SECONDS, "an answer by `pigi web`")
        yield House(application, port)
    finally:
        process.terminate()
        process.wait(30)
        application.dispose()
        postgresql_stores.clean(settings)
        shutil.rmtree(home)


def _told(settings: Settings, port: int) -> dict[str, str]:
    return {
        **environment_of(settings),
        "PIGI_MODE": "production",
        "PIGI_PORT": str(port),
        "PIGI_PROXIES": "1",
        "PIGI_REGION": "eu-central-1",
        "PIGI_OPERATOR": "Example, 1 Street, Ghent",
        "ANTHROPIC_API_KEY": "k",
        "SMTP_URL": f"smtps://pigi:Wq7rTz0pLm@127.0.0.1:{any_free()}",
        "MAIL_FROM": "Pigi <pigi@example.org>",
        **{f"PIGI_{role}_ADDRESS": "pigi@example.org" for role in ("SUPPORT", "SECURITY", "PRIVACY")},
    }


@pytest.fixture(scope="module", params=NAMES)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Each proxy in turn. Where it is not installed tests are skipped, or fail if nothing may be missing (CI=true)."""
    name = str(request.param)
    program = find(name)
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(HOW)
    house: House = request.getfixturevalue("house")
    folder = tmp_path_factory.mktemp(name)
    known = certify(folder)
    (folder / "both.pem").write_text(known.ca_file.read_text() + known.ca_file.with_suffix(".key").read_text())
    plain, secure = any_free(), any_free()
    argv = PREPARE[name](folder, known.ca_file, {8000: house.port, 80: plain, 443: secure})
    with _running([program, *argv], folder / "output", secure):
        yield Front(name, house, plain, secure, known.ca_file)


@contextmanager
def _running(command: list[str], log: Path, port: int) -> Iterator[None]:
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:

        def listens() -> bool:
            assert process.poll() is None, log.read_text()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        until(listens, START_SECONDS, f"{command[0]} at its port")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _filled(name: str, changes: dict[str, str]) -> str:
    """The document's file with ports and certificates of the test's; what is to be filled in must be there."""
    text = (ROOT / "docs" / "proxies" / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, certificate: Path, ports: dict[int, int]) -> list[str]:
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{ports[8000]}",
        "listen 80;": f"listen 127.0.0.1:{ports[80]};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports[443]} ssl",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "/etc/pigi/tls/pigi.crt": str(certificate),
        "/etc/pigi/tls/pigi.key": str(certificate.with_suffix(".key")),
        "/var/log/nginx/error.log": str(folder / "error.log"),
    }
    (folder / "site.conf").write_text(_filled("nginx.conf", changes))
    main = folder / "main.conf"
    main.write_text(NGINX_MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return ["-p", str(folder), "-e", str(folder / "error.log"), "-c", str(main)]


def _haproxy(folder: Path, _certificate: Path, ports: dict[int, int]) -> list[str]:
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{ports[8000]}",
        ":::80 v4v6": f"127.0.0.1:{ports[80]}",
        ":::443 v4v6": f"127.0.0.1:{ports[443]}",
        "/etc/pigi/tls/pigi.pem": str(folder / "both.pem"),
        "    user haproxy\n    group haproxy\n": "",
    }
    path = folder / "haproxy.cfg"
    path.write_text(_filled("haproxy.cfg", changes))
    return ["-db", "-f", str(path)]


PREPARE = {"nginx": _nginx, "haproxy": _haproxy}
"""How each is started on the document's file."""
