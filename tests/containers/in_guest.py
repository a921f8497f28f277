"""What is tried in a Lima machine: run there with the variables that `localpi env` printed; prints one JSON object."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

JSON = "application/vnd.pypi.simple.v1+json"


def ask(host: str, port: int, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    body = headers.pop("body", "").encode() or None
    sent = {name.replace("_", "-"): each for name, each in headers.items()}
    connection.request(method, path, body=body, headers=sent)
    answer = connection.getresponse()
    return answer.status, answer.read()


def wait_until_it_serves(host: str, port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if ask(host, port, "GET", "/+health")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("the daemon did not answer")


def run(*words: str) -> list[object]:
    ran = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    return [ran.returncode, ran.stdout[-2000:] + ran.stderr[-2000:]]


def main() -> None:
    """Try everything."""
    place = Path(sys.argv[1])
    uv, token, wheel = sys.argv[2:5]
    index = os.environ["PIP_INDEX_URL"]
    parts = urlsplit(index)
    host, port = parts.hostname or "", parts.port or 80
    wait_until_it_serves(host, port)
    found: dict[str, Any] = {"host": host}
    found["pip"] = run(
        sys.executable, "-m", "pip", "download", "--no-cache-dir", "--disable-pip-version-check", "-d",
        str(place / "pip"), "demo",
    )  # fmt: skip
    found["uv"] = run(
        uv, "pip", "install", "--no-cache", "--python", sys.executable, "--target", str(place / "uv"), "demo"
    )
    status, page = ask(host, port, "GET", f"{parts.path}demo/", Accept=JSON)
    found["page"] = status
    found["links"] = [urljoin(f"{index}demo/", file["url"]) for file in json.loads(page)["files"]]
    form = {"Content_Type": "multipart/form-data; boundary=x", "body": "--x--\r\n"}
    body = {"Content_Type": "application/json", "body": "{}"}
    changes = [("POST", "/root/local/", form), ("PUT", "/root/new", body), ("DELETE", "/root/local", {})]
    found["write"] = [ask(host, port, method, path, **sent)[0] for method, path, sent in changes]
    found["admin"] = ask(host, port, "GET", "/+admin/status")[0]
    found["forged"] = [
        ask(host, port, "GET", f"{parts.path}demo/", Host=name)[0]
        for name in ("evil.example", f"evil.example:{port}", "host.lima.internal.evil.example")
    ]
    try:
        found["own loopback"] = ask("127.0.0.1", port, "GET", "/+health")[0]
    except OSError as error:
        found["own loopback"] = type(error).__name__
    url = f"http://{host}:{port}/root/local/"
    found["publish"] = run(
        uv, "publish", "--publish-url", url, "--token", token, "--trusted-publishing", "never", wheel
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
