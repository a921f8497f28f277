"""A story of devpi commands: told to two servers, it has to end with the same words, or at least the same statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from made.devpi import DevpiClient, Ran


@dataclass(frozen=True, slots=True)
class Step:
    """One command; what is in braces stands for something that a run has, such as `{url}`.

    `same`: "text" the whole output, "status" exit code and HTTP statuses, "code" the exit code,
    "refused" where devpi takes what is not taken here. `reads` are files of
    the home whose text counts as output. `folder` is where the command runs, below that of the story's files.
    """

    command: tuple[str, ...]
    same: str = "text"
    stdin: str = ""
    reads: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."

    def typed(self, stdin: str) -> Step:
        """Answer its questions."""
        return replace(self, stdin=stdin)

    def reading(self, *files: str) -> Step:
        """Look into files of the home as well."""
        return replace(self, reads=files)

    def among(self, **environ: str) -> Step:
        """Set variables."""
        return replace(self, environ=environ)

    def at(self, folder: str) -> Step:
        """Run in a folder below the story's."""
        return replace(self, folder=folder)

    def fits(self, theirs: Ran, ours: Ran) -> bool:
        """Whether both say the same; the order of lines is not compared."""
        if self.same == "status":
            return theirs.statuses == ours.statuses and theirs.code == ours.code
        if self.same == "text":
            return sorted(theirs.plain.splitlines()) == sorted(ours.plain.splitlines()) and theirs.code == ours.code
        if self.same == "refused":
            return theirs.code == 0 and 400 <= ours.statuses[0] < 500
        return theirs.code == ours.code


Story = Sequence[Step]


def text(*command: str) -> Step:
    return Step(command)


def status(*command: str) -> Step:
    return Step(command, "status")


def code(*command: str) -> Step:
    return Step(command, "code")


def refused(*command: str) -> Step:
    return Step(command, "refused")


def play(story: Story, devpi: DevpiClient, folder: Path, **known: str) -> list[Ran]:
    """Run a story; `known` are the words for what is in braces, `folder` has its files."""

    def fill(word: str) -> str:
        for name, value in {"folder": str(folder), **known}.items():
            word = word.replace("{" + name + "}", value)
        return word

    ran = []
    for step in story:
        environ = {name: fill(value) for name, value in step.environ.items()}
        done = devpi(*map(fill, step.command), cwd=folder / step.folder, stdin=step.stdin, environ=environ)
        files = [f"{path}:\n{_text(devpi.home / fill(path))}" for path in step.reads]
        ran.append(Ran(done.code, "".join([done.output, *files])))
    return ran


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else "(none)\n"


def differences(story: Story, theirs: Sequence[Ran], ours: Sequence[Ran]) -> list[str]:
    """Tell the commands that ended otherwise, with both outputs."""
    return [
        f"$ devpi {' '.join(step.command)}\n--- devpi {their.code}\n{their.plain}--- localpi {our.code}\n{our.plain}"
        for step, their, our in zip(story, theirs, ours, strict=True)
        if not step.fits(their, our)
    ]
