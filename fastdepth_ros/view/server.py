"""The page's web server: viser's, on exactly the port that was named, for nobody but the page that it serves.

viser answers whoever asks. Any web site that is open in the same browser could connect to it, see the camera and set
parameters, and one message has it open a tunnel to a host outside. So requests that another page sent are refused here,
and nothing is shared.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import viser
import websockets.asyncio.server as websockets_server

from fastdepth_ros.errors import SettingError, quoted

LOOPBACK = "127.0.0.1"

LARGEST = 1 << 20
"""Bytes of a message from a browser: clicks and numbers."""


HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Have the browser ask no other host, whatever the page does, and no other page show this one."""


class PageServer(viser.ViserServer):  # type: ignore[misc]  # viser need not be installed where types are checked
    """viser's server, which shares nothing with hosts outside."""

    def request_share_url(self, verbose: bool = True) -> None:
        """Refuse: a tunnel would show the camera to whoever has its address."""


def open_server(host: str, port: int, label: str) -> PageServer:
    """Serve a page that is empty so far.

    Args:
        host: address to listen at.
        port: 0 takes any that is free.
        label: at the top of the page's panel.

    Raises:
        SettingError: the address or the port cannot be had.
    """
    _check_free(host, port)
    with _quietly(), _guarded({host, "localhost", socket.gethostname(), f"{socket.gethostname()}.local"}):
        server = PageServer(host=host, port=port, label=label, verbose=False)
    if port and server.get_port() != port:  # somebody was faster, and viser took another
        close(server)
        raise _taken(host, port, "it is in use")
    return server


def close(server: PageServer) -> None:
    """End the server, and the connections of all browsers."""
    with _quietly():
        server.stop()


def refusal(headers: Any, names: set[str]) -> str:
    """Why a request is refused; empty where it is not.

    A page of another site has another Origin. One whose name was made to lead here (DNS rebinding) has a Host that is
    none of ours: a number, or one of ``names``.

    Args:
        headers: of the request, as websockets has them.
        names: of this machine.
    """
    hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
    if len(hosts) != 1 or not _is_ours(hosts[0], names):
        return "this server is known by its address and by the machine's name"
    if any(origin.partition("://")[2] != hosts[0] for origin in origins):
        return "another page asks"
    return ""


def _is_ours(host: str, names: set[str]) -> bool:
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    if name.lower() in {each.lower() for each in names}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _guarded(names: set[str]) -> Iterator[None]:
    """Have viser, which offers no way to do so, look at each request before it is answered."""
    serve = websockets_server.serve

    def guarded_serve(handler: Any, host: str, port: int, *, process_request: Any, **options: Any) -> Any:
        def look(connection: Any, request: Any) -> Any:
            if why := refusal(request.headers, names):
                return connection.respond(HTTPStatus.FORBIDDEN, f"{why}\n")
            response = process_request(connection, request)
            if response is not None:  # else it is no page that is asked for, but the way to talk to it
                response.headers.update(HEADERS)
            return response

        return serve(handler, host, port, process_request=look, **{**options, "max_size": LARGEST})

    websockets_server.serve = guarded_serve
    try:
        yield
    finally:
        websockets_server.serve = serve


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what viser prints of itself from the terminal."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _check_free(host: str, port: int) -> None:
    """Hold the address against this machine; viser itself goes on to the next port in silence, a thousand times."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError, OverflowError) as error:
        raise _taken(host, port, str(getattr(error, "strerror", None) or error).lower()) from None


def _taken(host: str, port: int, why: str) -> SettingError:
    remedy = f"Name another port, as --port {port + 1}, or 0 for any; --host is an address of this machine."
    return SettingError(f"port {port} of {quoted(host)} cannot be had: {why}", remedy)
