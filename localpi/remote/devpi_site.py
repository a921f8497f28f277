"""A running devpi-server, read over its own API: indexes and what stages hold. Password hashes stay where they are."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from localpi.errors import BadRequest, CannotKnow, LocalpiError
from localpi.remote.devpi import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_S = 60.0
LARGEST_JSON = 256_000_000
LARGEST_FILE = 16 * 1024**3
_PIECE = 1 << 18


class Site:
    """The server at `url` (its root); a user and password may stand in it."""

    def __init__(self, url: str) -> None:
        """Ask for `+api`. Raises `BadRequest` when that is no devpi, `CannotKnow` when it does not answer."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"{url} is no http or https URL")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        port = f":{parts.port}" if parts.port else ""
        self.name, self.lost = f"{parts.scheme}://{parts.hostname}{port}{self._path}", list[str]()
        self._known: dict[str, Any] | None = None
        api = self._json("/+api")
        if api.get("type") != "apiconfig":
            raise BadRequest(f"{self.name} is no devpi-server: /+api says something else")

    def users(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the users; no password can be had from here."""
        return {
            name: {key: value for key, value in facts.items() if key not in ("indexes", "username")}
            for name, facts in self._all().items()
        }

    def indexes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings."""
        return {
            f"{user}/{name}": config
            for user, facts in self._all().items()
            for name, config in (facts.get("indexes") or {}).items()
        }

    def mirrored(self) -> Mapping[str, tuple[str, ...]]:
        """Return nothing: a mirror's list may be its upstream's, with all of its names."""
        return {}

    def items(self, index: str) -> Iterator[Item]:
        """Give releases, files and attachments, project by project."""
        listed = self._json(f"/{quote(index)}").get("result") or {}
        for project in listed.get("projects") or ():
            try:
                found = self._json(f"/{quote(index)}/{quote(project)}?ignore_bases=").get("result") or {}
            except LocalpiError as error:
                self.lost.append(f"{index}: {project}: {error.message}")
                continue
            for version, release in found.items():
                yield from self._release(index, project, version, release)

    def _release(self, index: str, project: str, version: str, release: dict[str, Any]) -> Iterator[Item]:
        metadata = {key: value for key, value in release.items() if not key.startswith("+")}
        links = [link for link in release.get("+links") or () if f"/{index}/" in unquote(str(link.get("href")))]
        if not links:
            yield Item(index=index, name=project, version=version, metadata=metadata)
        for link in sorted(links, key=lambda link: link.get("rel") != "releasefile"):
            href = str(link["href"])
            path = urlsplit(href).path.removeprefix(self._path)
            filename = unquote(path.rpartition("/")[2])
            hashes = link.get("hashes") or {}
            kind, _, digest = str(link.get("hash_spec", "")).partition("=")
            yield Item(
                index=index,
                name=str(metadata.get("name") or project),
                version=version,
                rel=str(link.get("rel")),
                filename=filename,
                sha256=str(hashes.get("sha256") or (digest if kind == "sha256" else "")),
                md5=digest if kind == "md5" else "",
                of=unquote(str(link.get("for_href", "")).rpartition("/")[2]),
                metadata=metadata,
                log=tuple(entry for entry in link.get("log") or () if isinstance(entry, dict)),
                fetch=lambda path=path, filename=filename: self._download(path, filename),  # type: ignore[misc]
            )

    def _all(self) -> dict[str, Any]:
        if self._known is None:
            found = self._json("/").get("result")
            self._known = found if isinstance(found, dict) else {}
        return self._known

    def _json(self, path: str) -> dict[str, Any]:
        with self._answer(path, self._headers) as answer:
            body = answer.read(LARGEST_JSON + 1)
        try:
            found = json.loads(body) if len(body) <= LARGEST_JSON else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BadRequest(f"{self.name}{path} is not the JSON of a devpi-server")
        return found

    @contextmanager
    def _download(self, path: str, filename: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="localpi-import-") as folder:
            target = Path(folder) / Path(filename).name
            with self._answer(path, {**self._headers, "Accept": "*/*"}) as answer, target.open("wb") as file:
                size = 0
                while piece := answer.read(_PIECE):
                    size += len(piece)
                    if size > LARGEST_FILE:
                        raise BadRequest(f"{filename} has more than {LARGEST_FILE:,} bytes")
                    file.write(piece)
            yield target

    @contextmanager
    def _answer(self, path: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        connection: http.client.HTTPConnection
        if self._scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        with closing(connection):
            try:
                connection.request("GET", self._path + path, headers=dict(headers))
                answer = connection.getresponse()
                if answer.status != 200:
                    raise BadRequest(f"{self.name}{path} answers {answer.status} {answer.reason[:100]}")
                yield answer
            except (OSError, http.client.HTTPException) as error:
                raise CannotKnow(self.name, f"does not answer: {type(error).__name__}") from error
