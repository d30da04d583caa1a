"""Chromium without a screen, as a test drives it: by Chrome's DevTools protocol, and nothing besides."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 120.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page, in a ``with`` statement.

    Attributes:
        requests: addresses that the page has asked for.
        complaints: errors that it has written to its console.
    """

    def __init__(self, folder: Path, width: int = 1400, height: int = 860) -> None:
        from websockets.sync.client import connect

        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._numbers = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        program = find_chromium()
        assert program
        order = [program, *OPTIONS, f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"]
        self._process = subprocess.Popen(
            order, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._talk = connect(self._address(folder / "DevToolsActivePort"), max_size=None, open_timeout=PATIENCE)
            for part in ("Page", "Runtime", "Network", "Log"):
                self.call(f"{part}.enable")
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            self.call("Emulation.setDeviceMetricsOverride", **size)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._talk.close()
        self.close()

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _address(self, file: Path) -> str:
        """Where its first page is talked to; the file with its port is written when it listens."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self._process.poll() is None, "chromium has ended"
            try:
                port = int(file.read_text().splitlines()[0])
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
                    pages = [each for each in json.load(answer) if each["type"] == "page"]
            except (OSError, ValueError, IndexError):
                pages = []
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
            time.sleep(0.1)
        raise AssertionError("chromium does not listen")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._talk.send(json.dumps({"id": number, "method": method, "params": parameters}))
        end = time.monotonic() + PATIENCE
        while number not in self._answers:
            self._hear(end - time.monotonic())
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def _hear(self, seconds: float) -> None:
        said = json.loads(self._talk.recv(max(0.0, seconds)))
        if "id" in said:
            self._answers[said["id"]] = said
            return
        told = said["params"]
        if said["method"] == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif said["method"] == "Network.webSocketCreated":
            self.requests.append(told["url"])
        elif said["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"])[:500])
        elif said["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def text(self) -> str:
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for(
        self, condition: Callable[[], object], what: str, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited for {what}; the page shows:\n{self.text()}\n{self.complaints}")
            meanwhile()
            time.sleep(0.05)

    def picture(self, path: Path, **options: Any) -> None:
        """Save what is to be seen."""
        options = {"format": path.suffix.removeprefix(".").replace("jpg", "jpeg"), **options}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))

    def drag(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Press the mouse at a place, move it, and let it go."""
        self._mouse("mousePressed", x, y)
        for part in (0.25, 0.5, 0.75, 1.0):
            self._mouse("mouseMoved", x + part * (to_x - x), y + part * (to_y - y))
        self._mouse("mouseReleased", to_x, to_y)

    def _mouse(self, kind: str, x: float, y: float) -> None:
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)
