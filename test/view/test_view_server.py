"""The page's server: for its own page alone, on the port that was named, with nothing from outside."""

from __future__ import annotations

import http.client
import socket

import pytest

pytest.importorskip("viser", reason="viser is not installed: pip install 'fastdepth_ros[view]'")
pytest.importorskip("websockets", reason="websockets is not installed: pip install 'fastdepth_ros[view]'")

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.view.server import LOOPBACK, close, open_server

PATIENCE = 30.0


@pytest.fixture(scope="module")
def server():
    server = open_server(LOOPBACK, 0, "test")
    yield server
    close(server)


def get(server, host: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(LOOPBACK, server.get_port(), timeout=PATIENCE)
    connection.putrequest("GET", "/", skip_host=True)
    for name, value in {"Host": host, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", socket.gethostname()])
def test_the_page_comes_whole_and_may_ask_no_other_host(server, name):
    answer = get(server, f"{name}:{server.get_port()}")
    assert answer.status == 200
    assert "default-src 'self'" in answer.getheader("Content-Security-Policy")
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert b"<title>" in answer.read()


@pytest.mark.parametrize("host", ["evil.example:8080", "evil.example", ""])
def test_a_name_that_was_made_to_lead_here_is_refused(server, host):
    assert get(server, host).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_another_page_of_the_same_browser_is_refused(server, origin):
    where = f"127.0.0.1:{server.get_port()}"
    assert get(server, where, Origin=origin).status == 403
    with pytest.raises(InvalidStatus, match="403"), connect(f"ws://{where}", origin=origin, open_timeout=PATIENCE):
        pass


def test_its_own_page_is_talked_to(server):
    import viser

    where = f"127.0.0.1:{server.get_port()}"
    kind = [f"viser-v{viser.__version__}"]
    with connect(f"ws://{where}", origin=f"http://{where}", subprotocols=kind, open_timeout=PATIENCE) as talk:
        assert talk.recv(PATIENCE)


def test_nothing_is_shared_with_a_host_outside(server):
    assert server.request_share_url() is None


def test_a_port_that_is_taken_is_said_and_no_other_is_used(server, capsys):
    with pytest.raises(SettingError, match="already in use"):
        open_server(LOOPBACK, server.get_port(), "second")
    assert main(["view", "--port", str(server.get_port())]) == 2
    assert f"--port {server.get_port() + 1}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--port", "70000"], "0 to 65535"), (["--rate", "0"], "up to 60"), (["--host", "192.0.2.1"], "--host")],
)
def test_arguments_that_cannot_be_are_refused(arguments, words, capsys):
    assert main(["view", *arguments]) == 2
    assert words in capsys.readouterr().err
