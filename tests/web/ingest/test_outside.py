"""Addresses that people typed: asked where they are of the open Internet, and nowhere else."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from revoir.errors import UsageError
from revoir_web.common.models import Job
from revoir_web.ingest import actions, fetching, outside, planning, webhooks
from revoir_web.ingest.models import Import, Source, SourceFile, WebhookDelivery

from .conftest import lake, work

ORDERS = b"order_id,client,date,montant\nA1,C1,2025-01-03,10.00\nA2,C2,2025-01-05,12.00\n"


class Heard(ThreadingHTTPServer):
    """A server of this machine that keeps what it was told."""

    requests: list[tuple[str, dict[str, str], bytes]]
    statuses: list[int]


class _Answers(BaseHTTPRequestHandler):
    server: Heard

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        if self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ORDERS)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def here(settings: Any) -> Iterator[Heard]:
    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    server = Heard(("127.0.0.1", 0), _Answers)
    server.requests, server.statuses = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.1.2.3", "192.168.0.7", "172.16.0.1", "169.254.169.254",
        "0.0.0.0", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "2130706433",
        "0x7f.1", "127.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "100.64.0.1", "224.0.0.1",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(host: str) -> None:
    with pytest.raises((UsageError, outside.Unreachable)), outside.ask("GET", f"http://{host}/"):
        pass


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://x/", "http://", "http://u:p@8.8.8.8/", "http://x:99999/", "x"],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError), outside.ask("GET", url):
        pass


def test_clouds_own_addresses_stay_closed_whatever_is_allowed(settings: Any) -> None:
    settings.PRIVATE_NETWORKS = ("0.0.0.0/0", "::/0")
    with pytest.raises(UsageError):
        outside.checked("169.254.169.254", 80)
    assert outside.checked("127.0.0.1", 80) == "127.0.0.1"


def test_a_redirect_is_looked_at_anew(here: Heard) -> None:
    port = here.server_port
    with pytest.raises(UsageError), outside.ask("GET", f"http://127.0.0.1:{port}/moved"):
        pass
    with (
        pytest.raises(outside.Unreachable),
        outside.ask("GET", f"http://127.0.0.1:{port}/round"),
    ):
        pass


def test_a_certificate_of_another_name_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, here: Heard
) -> None:
    """The log of a webhook said: “… is not valid for 'shop.example'..”."""

    def refuse(self: Any, *rest: Any, **more: Any) -> None:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "Hostname mismatch, certificate is not valid for '127.0.0.1'."
        raise error

    monkeypatch.setattr(outside._Pinned, "request", refuse)
    address = f"https://127.0.0.1:{here.server_port}/"
    with pytest.raises(outside.Unreachable) as told, outside.ask("POST", address):
        pass
    assert str(told.value).endswith("certificate is not valid for '127.0.0.1'.")
    assert told.value.why.text("fr").count("..") == 0


def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch, here: Heard) -> None:
    asked = []

    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != "shop.example":
            return real(host, port, *rest, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(outside.socket, "getaddrinfo", resolve)
    connected: list[Any] = []
    create = socket.create_connection

    def connect(address: Any, *rest: Any, **more: Any) -> Any:
        connected.append(address)
        return create(address, *rest, **more)

    monkeypatch.setattr(outside.socket, "create_connection", connect)
    with outside.ask("GET", f"http://shop.example:{here.server_port}/") as answer:
        assert b"".join(answer.body) == ORDERS
    assert asked.count("shop.example") == 1
    assert connected == [("127.0.0.1", here.server_port)]


def test_it_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        until = time.monotonic() + 0.2
        connection = outside._Pinned("x", port, "127.0.0.1", tls=False, until=until)
        connection.request("GET", "/")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()


@contextmanager
def dripping(*steps: tuple[bytes, float], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that answers in steps, each byte after so many seconds; its port."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            plain, _address = listening.accept()
            with plain if tls is None else tls.wrap_socket(plain, server_side=True) as one:
                heard = b"?"
                while not heard.endswith(b"}"):
                    heard = one.recv(1 << 16) or b"}"
                for text, seconds in steps:
                    for byte in text:
                        if ended.wait(seconds):
                            return
                        one.sendall(bytes([byte]))

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        thread.join()


SLOW = (b"X-Slow: " + b"a" * 20 + b"\r\n", 0.05)
DRIPS = {
    "headers": [(b"HTTP/1.1 200 OK\r\n", 0.0), SLOW, (b"\r\n", 0.0)],
    "before the answer": [
        (b"HTTP/1.1 100 Continue\r\n", 0.0), SLOW, (b"\r\nHTTP/1.1 200 OK\r\n\r\n", 0.0),
    ],
    "size of a part": [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0.0),
        (b"0" * 20 + b"1\r\na\r\n0\r\n\r\n", 0.05),
    ],
}  # fmt: skip


@pytest.mark.parametrize("steps", DRIPS.values(), ids=DRIPS)
def test_a_byte_now_and_then_prolongs_nothing(
    settings: Any, steps: list[tuple[bytes, float]]
) -> None:
    """Each read had ten seconds of its own: whoever sent a byte in each held a worker for hours."""
    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    with dripping(*steps) as port:
        url = f"http://127.0.0.1:{port}/"
        with outside.ask("POST", url, body=b"{}", seconds=60) as answer:
            assert (answer.status, b"".join(answer.body) in (b"", b"a")) == (200, True)
    with dripping(*steps) as port:
        url = f"http://127.0.0.1:{port}/"
        with (
            pytest.raises(outside.Unreachable, match="in time"),
            outside.ask("POST", url, body=b"{}", seconds=0.3) as answer,
        ):
            list(answer.body)


def test_neither_does_it_where_it_is_encrypted(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    server, trusted = certified(tmp_path)
    monkeypatch.setattr(outside.ssl, "create_default_context", lambda: trusted)
    for seconds, told in ((60.0, None), (0.3, "in time")):
        with dripping(*DRIPS["headers"], tls=server) as port, contextlib.ExitStack() as kept:
            if told:
                kept.enter_context(pytest.raises(outside.Unreachable, match=told))
            url = f"https://127.0.0.1:{port}/"
            answer = kept.enter_context(outside.ask("POST", url, body=b"{}", seconds=seconds))
            assert (answer.status, told) == (200, None)


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this machine proves itself by, and who believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    plain = serialization.NoEncryption()
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    pem.write_bytes(private + made.public_bytes(encoding))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=pem)


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_drips_its_answer_is_given_up(
    company: object, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    with dripping(*DRIPS["headers"]) as port:
        url = f"http://127.0.0.1:{port}/hook"
        webhooks.create(name="a", url=url, kinds=["import.landed"], by=None)
        webhooks.tell("import.landed", {"import": "x"})
        work()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert delivery.failure is not None
    assert delivery.failure.text("en") == "It did not answer in time."


@pytest.mark.django_db(transaction=True)
def test_webhook_is_signed_tried_again_and_logged(company: object, here: Heard) -> None:
    here.statuses[:] = [500, 200]
    url = f"http://127.0.0.1:{here.server_port}/hook"
    endpoint, secret = webhooks.create(name="a", url=url, kinds=["import.landed"], by=None)
    assert secret not in endpoint.secret
    assert webhooks.tell("import.failed", {}) == 0
    webhooks.tell("import.landed", {"import": "x"})
    work()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.status) == ("waiting", 1, 500)
    Job.objects.filter(state=Job.State.WAITING).update(not_before=delivery.created_at)
    work()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 2, 200)
    (_path, headers, body), again = here.requests
    assert again[2] == body
    moment, mark = (part.partition("=")[2] for part in headers["Revoir-Signature"].split(","))
    expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert mark == expected
    assert json.loads(body)["data"] == {"import": "x"}


def test_deliveries_are_tried_for_as_long_as_the_page_says() -> None:
    """It says two days, and they were given up after thirty-one hours."""
    assert 48 <= sum(webhooks.WAITS_SECONDS) / 3600 < 50


@pytest.mark.django_db(transaction=True)
def test_web_address_is_fetched_once(company: object, here: Heard) -> None:
    source = planning.save_source(
        source=Source(kind="url"),
        fields={"name": "Site", "location": f"http://127.0.0.1:{here.server_port}/orders.csv"},
    )
    for _turn in range(2):
        planning.run_source(source=source)
        work()
    source.refresh_from_db()
    assert source.failure is None
    assert Import.objects.count() == SourceFile.objects.count() == 1
    assert lake("SELECT sum(amount) FROM orders") == [(22,)]


@pytest.mark.django_db(transaction=True)
def test_a_source_that_cannot_be_asked_says_so(company: object) -> None:
    source = planning.save_source(
        source=Source(kind="url"), fields={"name": "X", "location": "http://10.0.0.1/o.csv"}
    )
    planning.run_source(source=source)
    work()
    source.refresh_from_db()
    assert source.failure is not None
    assert "10.0.0.1" in source.failure.text("en")


@pytest.mark.django_db
def test_folders_outside_are_refused(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "out").symlink_to("/etc")
    for location in ("../..", "/etc", "out"):
        with pytest.raises(UsageError):
            fetching.folder_of(location)
    assert fetching.folder_of("sub") == tmp_path / "drop" / "sub"


@pytest.mark.django_db(transaction=True)
def test_sftp_is_believed_by_its_key_alone(company: object, settings: Any, tmp_path: Path) -> None:
    from .sftp_server import running

    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote" / "ventes.csv").write_bytes(ORDERS)
    (tmp_path / "remote" / "notes.txt").write_text("x")
    with running(tmp_path / "remote", "ana", "secret") as port:
        source = planning.save_source(
            source=Source(kind="sftp"),
            fields={
                "name": "S", "location": f"sftp://127.0.0.1:{port}/", "user_name": "ana",
                "password": "secret", "pattern": "*.csv",
            },
        )  # fmt: skip
        assert "secret" not in source.secret
        planning.run_source(source=source)
        work()
        source.refresh_from_db()
        assert source.failure is not None, "no key was kept yet"
        planning.keep_host_key(source=source, key=fetching.key_of(source.location))
        planning.run_source(source=source)
        work()
        source.refresh_from_db()
        assert source.failure is None, source.failure.text("en")
        assert lake("SELECT sum(amount) FROM orders") == [(22,)]
    with running(tmp_path / "remote", "ana", "secret", port=port):
        planning.run_source(source=source)
        work()
        source.refresh_from_db()
        assert source.failure is not None
        assert "another key" in source.failure.text("en")


@pytest.mark.django_db(transaction=True)
def test_sftp_leaves_what_is_still_being_written(
    company: object, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half of a file that was just being written was imported as the whole of it."""
    from . import sftp_server

    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    settings.SOURCE_SETTLE_SECONDS = 60
    file = tmp_path / "remote" / "ventes.csv"
    file.parent.mkdir()
    file.write_bytes(ORDERS)
    usual = sftp_server._Files.open

    def old() -> None:
        hour_ago = time.time() - 3600
        os.utime(file, (hour_ago, hour_ago))

    def found() -> int | None:
        planning.run_source(source=source)
        work()
        source.refresh_from_db()
        assert source.failure is None, source.failure.text("en")
        return source.last_found

    with sftp_server.running(file.parent, "ana", "secret") as port:
        source = planning.save_source(
            source=Source(kind="sftp"),
            fields={
                "name": "S", "location": f"sftp://127.0.0.1:{port}/", "user_name": "ana",
                "password": "secret", "pattern": "*.csv",
            },
        )  # fmt: skip
        planning.keep_host_key(source=source, key=fetching.key_of(source.location))
        assert found() == 0, "it was written just now"

        def grows(self: Any, path: str, flags: int, attr: Any) -> Any:
            with file.open("ab") as more:
                more.write(b"A99,C9,2025-03-09,5.00\n")
            old()  # by a clock that is wrong
            return usual(self, path, flags, attr)

        old()
        monkeypatch.setattr(sftp_server._Files, "open", grows)
        assert found() == 0, "it grew meanwhile"
        monkeypatch.setattr(sftp_server._Files, "open", usual)
        assert found() == 1
        assert found() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("query", "asked"), [("orders", "table=orders"), ("SELECT 1 AS a", "query=SELECT%201%20AS%20a")]
)
def test_a_database_is_connected_to_where_it_was_looked_at(
    company: object, monkeypatch: pytest.MonkeyPatch, query: str, asked: str
) -> None:
    """The host was looked at when the source was asked, and found anew by the driver later."""
    import psycopg

    addresses = ["93.184.216.34"]
    connect = psycopg.connect
    connected: list[dict[str, Any]] = []

    def resolve(host: str, port: int, **_rest: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[-1], port))]

    def driver(*given: Any, **named: Any) -> Any:
        if named.get("host") != "db.example.com":
            return connect(*given, **named)
        connected.append(named)
        raise psycopg.OperationalError("stop here")

    monkeypatch.setattr(outside.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(psycopg, "connect", driver)
    source = planning.save_source(
        source=Source(kind="database"),
        fields={
            "name": "D", "location": "postgresql://db.example.com:5432/shop", "query": query,
            "user_name": "ana", "password": "a&b?query=c",
        },
    )  # fmt: skip
    planning.run_source(source=source)
    work()
    held = Import.objects.get()
    assert [(named["hostaddr"], named["password"]) for named in connected] == [
        ("93.184.216.34", "a&b?query=c")
    ]
    assert fetching.checked_again(fetching.database_url(source)).endswith(
        f"?hostaddr=93.184.216.34&{asked}"
    )
    # The name leads inside by now, and the import is read once more.
    addresses.append("127.0.0.1")
    actions.read(held=held)
    work()
    held.refresh_from_db()
    assert held.failure is not None
    assert "inside a network" in held.failure.text("en")
    assert len(connected) == 1


@pytest.mark.django_db
def test_no_driver_of_a_database_looks_for_its_host_itself(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers other than PostgreSQL's were given the name, which may lead elsewhere by then."""
    addresses = ["93.184.216.34"]

    def resolve(host: str, port: int, **_rest: Any) -> Any:
        found = host if host[:1].isdigit() or ":" in host else addresses[-1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(outside.socket, "getaddrinfo", resolve)

    def told(location: str) -> str:
        Source.objects.all().delete()
        source = planning.save_source(
            source=Source(kind="database"),
            fields={
                "name": "D", "location": location, "query": "SELECT 1 AS a",
                "user_name": "ana", "password": "a&b?c@d",
            },
        )  # fmt: skip
        return fetching.checked_again(fetching.database_url(source))

    asked = "?query=SELECT%201%20AS%20a"
    who = "mysql://ana:a%26b%3Fc%40d@"
    assert told("mysql://db.example.com:3306/shop") == f"{who}93.184.216.34:3306/shop{asked}"
    assert told("mysql://8.8.8.8/shop") == f"{who}8.8.8.8/shop{asked}"
    addresses.append("2606:4700::1111")
    assert told("mysql://db.example.com:3306/shop") == f"{who}[2606:4700::1111]:3306/shop{asked}"
    for kind in ("mssql", "oracle", "clickhouse", "trino"):
        with pytest.raises(UsageError, match=f"“{kind}” is not believed") as refused:
            told(f"{kind}://db.example.com:1234/shop")
        assert refused.value.remedy is not None
        assert "2606:4700::1111" in refused.value.remedy.text("en")
        assert told(f"{kind}://8.8.8.8:1234/shop").startswith(f"{kind}://ana:")


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ("https://shop.example.com/b.csv", True),
        ("http://shop.example.com/a.csv", False),
        ("https://other.example.com/a.csv", False),
    ],
)
def test_the_password_follows_to_the_same_server_alone(
    monkeypatch: pytest.MonkeyPatch, moved: str, told: bool
) -> None:
    """It was sent in clear where a server led from https to http."""
    asked: list[dict[str, str]] = []

    class Server:
        def request(self, method: str, target: str, *, body: Any, headers: dict[str, str]) -> None:
            asked.append(headers)

        def getresponse(self) -> Any:
            status, place = (302, moved) if len(asked) == 1 else (200, None)
            return SimpleNamespace(
                status=status, getheader=lambda name: place, getheaders=list, read=lambda size: b""
            )

        def close(self) -> None:
            pass

    monkeypatch.setattr(outside, "_connection", lambda url, until: Server())
    secret = {"Authorization": "Basic YTpi"}
    with outside.ask("GET", "https://shop.example.com/a.csv", headers=secret):
        pass
    assert ["Authorization" in headers for headers in asked] == [True, told]
