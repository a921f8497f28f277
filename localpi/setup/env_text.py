"""What to paste so that a shell, a container or a CI job installs from this index. Pure: facts in, text out.

PIP_INDEX_URL and UV_DEFAULT_INDEX, and PIP_TRUSTED_HOST where pip would not take plain http otherwise. Credentials are
in none of it: build arguments stay in an image's history, CI files in a repository.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.wiring.wish import pip_trusts

if TYPE_CHECKING:
    from localpi.setup.roads import Road

TOKEN = "LOCALPI_TOKEN"  # noqa: S105 -- a variable's name
CLIENTS = ("shell", "docker", "nerdctl", "podman", "compose", "dockerfile", "github", "gitlab")


@dataclass(frozen=True, slots=True)
class Text:
    """What to paste, what it is made of, and what there is to say about it."""

    text: str
    variables: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def index_variables(
    road: Road, port: int, index: str, *, outside_url: str = "", proxied: bool = False, token: str = f"${{{TOKEN}}}"
) -> tuple[tuple[str, str], ...]:
    """Return names and values; where reading needs a credential, `token` stands for it."""
    shown = f"[{road.host}]" if ":" in road.host else road.host
    base = outside_url or f"http://{shown}:{port}"
    url = f"{base}/{index}/+simple/"
    host = urlsplit(base).hostname or ""
    if road.credential:
        url = url.replace("://", f"://__token__:{token}@", 1)
    found = [("PIP_INDEX_URL", url)]
    if base.startswith("http://") and not pip_trusts(host):
        found.append(("PIP_TRUSTED_HOST", host))
    found.append(("UV_DEFAULT_INDEX", url))
    if proxied and not outside_url:
        found.append(("NO_PROXY", host))
    return tuple(found)


def shell_text(variables: tuple[tuple[str, str], ...], notes: tuple[str, ...] = ()) -> Text:
    """Return lines for a shell, or for `eval "$(localpi env --for shell)"`."""
    lines = []
    for name, value in variables:
        if name == "NO_PROXY":  # what is there already stays; pip reads the one in small letters first
            lines += [f'export {each}="${{{each}:+${each},}}{value}"' for each in ("NO_PROXY", "no_proxy")]
        else:
            lines.append(f"export {name}=" + (f'"{value}"' if f"${{{TOKEN}}}" in value else shlex.quote(value)))
    return Text("\n".join(lines), variables, notes=notes)


def run_text(runtime: str, road: Road, variables: tuple[tuple[str, str], ...]) -> Text:
    """Return arguments for `docker run` and its kin, in one line: `docker run $(localpi env --for docker) IMAGE`."""
    arguments = (*road.arguments, *(word for name, value in variables for word in ("-e", f"{name}={value}")))
    notes = (f"{runtime} run --rm $(localpi env --for {runtime}) IMAGE pip install NAME",)
    if road.credential:
        notes = (f'{runtime} run --rm $(eval echo "$(localpi env --for {runtime})") IMAGE pip install NAME',)
    return Text(" ".join(arguments), variables, arguments, (*notes, *road.notes))


def compose_text(road: Road, variables: tuple[tuple[str, str], ...]) -> Text:
    """Return what goes into a service of compose.yaml, for its build and for its run."""
    lines = ["services:", "  app:  # yours"]
    hosts = ["extra_hosts:", f'  - "{road.host}:{road.address}"'] if road.address else []
    pairs = [f'{name}: "{value}"' for name, value in variables]
    lines.append("    build:")
    lines.append("      context: .")
    if road.shares_network:
        lines.append("      network: host")
    lines += [f"      {line}" for line in hosts]
    if road.credential:
        lines.append("      # no build arguments: the credential would stay in the image; see --for dockerfile")
    else:
        lines.append("      args:  # each one wants an ARG line in the Dockerfile")
        lines += [f"        {pair}" for pair in pairs]
    if road.shares_network:
        lines.append("    network_mode: host")
    lines += [f"    {line}" for line in hosts]
    lines.append("    environment:")
    lines += [f"      {pair}" for pair in pairs]
    return Text("\n".join(lines), variables, road.arguments, road.notes)


def dockerfile_text(road: Road, variables: tuple[tuple[str, str], ...]) -> Text:
    """Return the lines of a Dockerfile, with the command that builds it."""
    if road.credential:
        return _dockerfile_with_secret(road, variables)
    given = [word for name, value in variables for word in ("--build-arg", f"{name}={value}")]
    command = shlex.join(["docker", "build", *road.arguments, *given, "."])
    lines = [
        f"# {command}",
        "FROM python:3",
        "# Build arguments, no ENV: they are for this build, and the image does not keep installing from here.",
        *(f"ARG {name}" for name, _ in variables),
        "RUN pip install NAME",
    ]
    return Text("\n".join(lines), variables, (*road.arguments, *given), road.notes)


def _dockerfile_with_secret(road: Road, variables: tuple[tuple[str, str], ...]) -> Text:
    told = dict(variables)
    url = told["PIP_INDEX_URL"].replace(f"${{{TOKEN}}}", "%s")
    trusted = f"trusted-host = {told['PIP_TRUSTED_HOST']}\\n" if "PIP_TRUSTED_HOST" in told else ""
    lines = [
        f"# printf '[global]\\nindex-url = {url}\\n{trusted}' \"$(localpi token create --scope read)\" >pip.secret",
        f"# {shlex.join(['docker', 'build', *road.arguments, '--secret', 'id=pip,src=pip.secret', '.'])}",
        "FROM python:3",
        "# The credential is there while this line runs; it is in no layer, and not in the history.",
        "RUN --mount=type=secret,id=pip,target=/etc/pip.conf pip install NAME",
    ]
    return Text("\n".join(lines), (), road.arguments, road.notes)


def github_text(variables: tuple[tuple[str, str], ...], *, local: bool) -> Text:
    """Return what goes into a workflow of GitHub Actions; a token is a secret of the repository."""
    shown = [(name, value.replace(f"${{{TOKEN}}}", f"${{{{ secrets.{TOKEN} }}}}")) for name, value in variables]
    lines = ["env:", *(f"  {name}: {value}" for name, value in shown)]
    notes = ("for runners on this machine alone (self-hosted); --host NAME names it for others",) if local else ()
    return Text("\n".join(lines), tuple(shown), notes=(*notes, *_secret_note(variables, "a secret of the repository")))


def gitlab_text(variables: tuple[tuple[str, str], ...], *, local: bool) -> Text:
    """Return what goes into .gitlab-ci.yml; a token is a masked variable of the project."""
    lines = ["variables:", *(f'  {name}: "{value}"' for name, value in variables)]
    notes = ("for a shell runner on this machine alone; --host NAME names it for others",) if local else ()
    return Text("\n".join(lines), variables, notes=(*notes, *_secret_note(variables, "a masked CI/CD variable")))


def _secret_note(variables: tuple[tuple[str, str], ...], kept: str) -> tuple[str, ...]:
    if not any(TOKEN in value for _, value in variables):
        return ()
    return (f"{TOKEN} is {kept}: localpi token create --scope read",)
