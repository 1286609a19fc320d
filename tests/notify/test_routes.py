"""Alerts go out signed and once, to whom they may; what fails says why and is sent again."""

import hmac
import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from headframe.desk.ports import DiskTrouble, Refused, Unreachable
from headframe.notify import FileRoute, MailRoute, WebhookRoute, signature

TOLD: dict[str, Any] = {
    "schema": "headframe/alert/1", "key": "A-1/alarm", "text": "alarm A-1: M-5.1\nBcc: evil@example.com", "severity": "alarm",
    "clause": "M-5.1", "limit": "premium\r\nBcc: evil@example.com", "used": 2.0,
}  # fmt: skip


@contextmanager
def receiver(status: int = 200) -> Generator[tuple[int, list[Any]]]:
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/inside")
            self.end_headers()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hook(port: int, host: str = "127.0.0.1", **more: Any) -> WebhookRoute:
    given: dict[str, Any] = {"inside": True, "clock": lambda: 1_790_000_000.0}
    return WebhookRoute(
        name="pager", url=f"http://{host}:{port}/x?y=1", secret="hush", **(given | more)
    )


def test_a_receiver_can_check_who_sent_it_and_when() -> None:
    with receiver() as (port, got):
        hook(port).send(TOLD)
    (path, headers, body) = got[0]
    assert path == "/x?y=1"
    assert json.loads(body) == TOLD
    stamp = headers["X-Headframe-Timestamp"]
    assert stamp == "1790000000"
    wanted = hmac.new(b"hush", stamp.encode() + b"." + body, sha256).hexdigest()
    assert headers["X-Headframe-Signature"] == f"sha256={wanted}"
    assert wanted == signature("hush", stamp, body)
    assert headers["X-Headframe-Key"] == "A-1/alarm"
    assert "hush" not in repr(hook(1))


@pytest.mark.parametrize("status", [302, 400, 500])
def test_only_a_2xx_is_taken_and_no_redirect_is_followed(status: int) -> None:
    with receiver(status) as (port, got):
        with pytest.raises(Refused, match=str(status)):
            hook(port).send(TOLD)
        assert len(got) == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "0", "[::ffff:127.0.0.1]", "[fd00::1]"],
)  # fmt: skip
def test_nothing_inside_is_reached_by_a_name_from_outside(host: str) -> None:
    with receiver() as (port, got):
        with pytest.raises(Refused, match="lies inside"):
            hook(port, host, inside=False).send(TOLD)
        assert got == []


def test_a_name_with_one_address_inside_is_refused_and_the_checked_address_is_the_one_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both(host: str, port: int, **_: Any) -> Any:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, port))
            for one in ("93.184.216.34", "10.0.0.7")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(Refused, match=r"10\.0\.0\.7"):
        hook(443, "example.com", inside=False).send(TOLD)
    called: list[Any] = []

    def connect(address: Any, timeout: float) -> Any:
        called.append((address, timeout))
        raise OSError("far away")

    def one(host: str, port: int, **_: Any) -> Any:
        return both(host, port)[:1]

    monkeypatch.setattr(socket, "getaddrinfo", one)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match="far away"):
        hook(443, "example.com", inside=False).send(TOLD)
    assert called == [(("93.184.216.34", 443), 5)]


def test_a_receiver_that_is_not_there_or_says_nonsense_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        hook(1).send(TOLD)

    class Nonsense(StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(10)
            self.wfile.write(b"nonsense\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(Unreachable, match="did not take"):
            hook(server.server_address[1]).send(TOLD)
        server.shutdown()


@contextmanager
def mail_server(answer: bytes = b"250 ok\r\n") -> Generator[tuple[int, list[bytes]]]:
    got: list[bytes] = []

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 hello\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    text = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        text += part
                    got.append(text)
                    self.wfile.write(answer)
                elif verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], got
        server.shutdown()


def mail(port: int, **more: Any) -> MailRoute:
    given: dict[str, Any] = {"starttls": False}
    return MailRoute(
        name="mail", host="127.0.0.1", port=port, sender="desk@example.com", to=("cfo@example.com", "risk@example.com"),
        **(given | more),
    )  # fmt: skip


def test_a_mail_says_what_and_no_text_of_ours_makes_a_header() -> None:
    with mail_server() as (port, got):
        mail(port).send(TOLD)
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert b"To: cfo@example.com, risk@example.com" in head
    assert b"X-Headframe-Key: A-1/alarm" in head
    assert b"\r\nBcc:" not in head
    assert b"used: 2.0" in body


def test_a_mail_that_is_not_taken_is_unreachable() -> None:
    with mail_server(b"554 no\r\n") as (port, _):
        with pytest.raises(Unreachable, match="did not take the mail"):
            mail(port).send(TOLD)
        with pytest.raises(Unreachable):
            mail(port, starttls=True).send(TOLD)
    with pytest.raises(Unreachable):
        mail(1).send(TOLD)
    assert "hush" not in repr(mail(1, user="desk", password="hush", starttls=True))


def test_a_file_grows_by_a_line_an_alert(tmp_path: Path) -> None:
    route = FileRoute("file", tmp_path / "alerts.jsonl")
    route.send(TOLD)
    route.send(TOLD)
    assert [json.loads(one) for one in (tmp_path / "alerts.jsonl").read_text().splitlines()] == [
        TOLD
    ] * 2
    with pytest.raises(DiskTrouble):
        FileRoute("file", tmp_path / "none" / "x").send(TOLD)
