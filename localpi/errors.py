"""Every error that a person or a program may get to see.

An error keeps its facts as attributes and makes its own sentence: `title` and `message` (the reason) say what
happened, `hint` (the remedy) what to do, and `code`, in kebab-case, is for machines. Edges turn them into an HTTP
status (`web/answers.py`) or an exit code (`cli/exits.py`) once, each in one table.
"""

from __future__ import annotations

from typing import ClassVar


class LocalpiError(Exception):
    """What was asked could not be done."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "That did not work"
    hint: str = ""

    @property
    def message(self) -> str:
        """The reason, one sentence."""
        return str(self)


# -- what was asked for is not there --------------------------------------------------------------------------------


class NotFound(LocalpiError):
    """Known to be absent."""

    code = "not-found"
    title = "Not found"


class IndexNotFound(NotFound):
    code = "index-not-found"
    title = "No such index"

    def __init__(self, index: str) -> None:
        self.index = index
        self.hint = "localpi index list"
        super().__init__(f"The stage {index} could not be found.")


class UserNotFound(NotFound):
    code = "user-not-found"
    title = "No such user"

    def __init__(self, user: str) -> None:
        self.user = user
        self.hint = "localpi user list"
        super().__init__(f"no user {user!r}")


class ProjectNotFound(NotFound):
    code = "project-not-found"
    title = "No such project"

    def __init__(self, index: str, project: str) -> None:
        self.index, self.project = index, project
        self.hint = f"localpi why {project}"
        super().__init__(f"no project {project!r} on {index}")


class ReleaseNotFound(NotFound):
    code = "release-not-found"
    title = "No such release"

    def __init__(self, project: str, version: str) -> None:
        self.project, self.version = project, version
        super().__init__(f"The version {version} of project {project} does not exist.")


class FileNotHere(NotFound):
    code = "file-not-found"
    title = "No such file"

    def __init__(self, index: str, filename: str) -> None:
        self.index, self.filename = index, filename
        super().__init__(f"{index} has no file {filename}")


class FileGone(LocalpiError):
    """The file was here and has been deleted: HTTP 410."""

    code = "file-gone"
    title = "File deleted"

    def __init__(self, index: str, filename: str) -> None:
        self.index, self.filename = index, filename
        super().__init__(f"{filename} existed on {index} and was deleted")


class CannotKnow(LocalpiError):
    """Whether it exists cannot be known now, or it is known but not here: HTTP 424.

    `state` is the base's (down, auth, captive) or "" when it is well in general; `since` is a clock time.
    """

    code = "cannot-know"
    title = "A base cannot be reached"

    def __init__(self, base: str, reason: str, *, state: str = "", since: str = "") -> None:
        self.base, self.reason, self.state, self.since = base, reason, state, since
        self.hint = "localpi status"
        condition = f" {state}" + (f" since {since}" if since else "") if state else ""
        super().__init__(f"base {base}{condition}: {reason}")


# -- what was sent is not right -------------------------------------------------------------------------------------


class BadRequest(LocalpiError):
    """What was sent cannot be used: HTTP 400."""

    code = "bad-request"
    title = "That request makes no sense"


class InvalidName(BadRequest):
    code = "invalid-name"
    title = "Not a valid name"

    def __init__(self, name: str, rule: str) -> None:
        self.name, self.rule = name, rule
        super().__init__(f"{name[:80]!r}: {rule}")


class InvalidUpload(BadRequest):
    """The form or the file of an upload cannot be accepted; the message goes into the HTTP reason phrase."""

    code = "invalid-upload"
    title = "Upload refused"


class InvalidIndexConfig(BadRequest):
    code = "invalid-index-config"
    title = "Index settings refused"


class NothingToPush(BadRequest):
    code = "nothing-to-push"
    title = "Nothing to push"

    def __init__(self, name: object, version: object, index: str) -> None:
        self.name, self.version, self.index = name, version, index
        self.hint = f"localpi list --index {index}; what it inherits is pushed from the index that holds it"
        super().__init__(f"there are no files for {str(name)[:100]} {str(version)[:100]} on stage {index}")


class InvalidPage(LocalpiError):
    """What an upstream sent is not a page of the project that was asked for; it never replaces one."""

    code = "invalid-page"
    title = "Not a project page"


class NotAcceptable(LocalpiError):
    """No content type on offer is one that the client takes: HTTP 406."""

    code = "not-acceptable"
    title = "No acceptable content type"

    def __init__(self, asked: str) -> None:
        self.asked = asked
        super().__init__(f"nothing on offer matches {asked[:200]!r}")


class TooLarge(LocalpiError):
    """Beyond a limit: HTTP 413."""

    code = "too-large"
    title = "Too large"

    def __init__(self, what: str, limit: int) -> None:
        self.what, self.limit = what, limit
        super().__init__(f"{what} is larger than the limit of {limit:,} bytes")


# -- what is refused ------------------------------------------------------------------------------------------------


class Conflict(LocalpiError):
    """It contradicts what is there: HTTP 409."""

    code = "conflict"
    title = "Already there"


class FileExists(Conflict):
    code = "file-exists"

    def __init__(self, index: str, filename: str) -> None:
        self.index, self.filename = index, filename
        self.hint = f"raise the version, or allow it: localpi index set {index} volatile=true"
        super().__init__(f"{filename} already exists in non-volatile index")


class NotAuthenticated(LocalpiError):
    """No credential, or one that is not valid: HTTP 401."""

    code = "not-authenticated"
    title = "Log in first"
    hint = "localpi token create --scope upload, then user __token__ with the token as password"


class NotAllowed(LocalpiError):
    """Known who asks, and that they may not: HTTP 403."""

    code = "not-allowed"
    title = "Not allowed"


class HostRefused(LocalpiError):
    """The Host header is not a name of this daemon (DNS rebinding): HTTP 421."""

    code = "host-refused"
    title = "Unknown host name"

    def __init__(self, host: str) -> None:
        self.host = host
        self.hint = f"localpi config set allowed_hosts+={host}"
        super().__init__(f"this daemon does not answer to {host[:120]!r}")


class DiskFull(LocalpiError):
    """No room for what was sent: HTTP 507."""

    code = "disk-full"
    title = "The disk is full"
    hint = "free some space; what is cached can go: localpi cache show"


# -- the daemon and its setting -------------------------------------------------------------------------------------


class DaemonNotRunning(LocalpiError):
    code = "daemon-not-running"
    title = "The daemon is not running"
    hint = "localpi up"


class CannotStart(LocalpiError):
    """The daemon cannot start, and trying again will not help: exit 78."""

    code = "cannot-start"
    title = "The daemon cannot start"


class AlreadyRunning(CannotStart):
    code = "already-running"
    title = "Already running"

    def __init__(self, where: str) -> None:
        self.where = where
        self.hint = "localpi status"
        super().__init__(f"another daemon holds {where}")


class PortTaken(CannotStart):
    code = "port-taken"
    title = "The port is taken"

    def __init__(self, host: str, port: int, *, owner: str, devpi: bool) -> None:
        self.host, self.port, self.owner, self.devpi = host, port, owner, devpi
        kind = ", a devpi-server" if devpi else ""
        self.hint = f"stop it, or take another port: localpi config set port {port + 1}"
        super().__init__(f"{host}:{port} is in use by {owner or 'another program'}{kind}")


class NewerDatabase(CannotStart):
    code = "newer-database"
    title = "The database is newer than this localpi"
    hint = "install the newer localpi again, or restore a backup"

    def __init__(self, path: str, found: int, known: int) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__(f"{path} has schema {found}; this version knows {known}")


class SettingError(LocalpiError):
    """A setting that is unknown, or a value that it cannot have: exit 2."""

    code = "bad-setting"
    title = "Setting refused"


class StoreBroken(LocalpiError):
    """What is on disk contradicts itself."""

    code = "store-broken"
    title = "The store is damaged"


# -- a file that did not come as announced --------------------------------------------------------------------------


class TransferBroken(LocalpiError):
    """Bytes that came are not the file that was announced; they are never stored."""

    code = "transfer-broken"
    title = "The file did not arrive whole"


class Truncated(TransferBroken):
    """Fewer bytes than announced: the rest may still be had."""

    code = "truncated"

    def __init__(self, received: int, total: int) -> None:
        self.received, self.total = received, total
        super().__init__(f"{received:,} of {total:,} bytes came")


class Overlong(TransferBroken):
    """More bytes than announced."""

    code = "overlong"

    def __init__(self, total: int) -> None:
        self.total = total
        super().__init__(f"more than the announced {total:,} bytes came")


class DigestMismatch(TransferBroken):
    """The bytes have another digest than was announced."""

    code = "digest-mismatch"
    title = "The file has another digest than announced"

    def __init__(self, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"sha256 is {found}, announced was {expected}")


class BackupDamaged(LocalpiError):
    """An archive that `localpi restore` cannot use; nothing has been changed."""

    code = "backup-damaged"
    title = "This is no backup that can be used"
    hint = "nothing was changed; take another backup"
