"""Which road leads from where, and the text that is printed for it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from configparser import RawConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from localpi.errors import BadRequest
from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.setup import env_text, server_text
from localpi.setup.env import FORMS, Wanted, make_text
from localpi.setup.roads import Road, Surroundings, find_road

NATIVE = Surroundings(engine_here=True)
BRIDGE = replace(NATIVE, listen=("172.17.0.1",))
INDEX = "root/local"


@pytest.mark.parametrize(
    ("runtime", "around", "host", "arguments", "credential"),
    [
        ("shell", Surroundings(), "127.0.0.1", (), False),
        ("github", Surroundings(), "127.0.0.1", (), False),
        # in a virtual machine, or nothing known of an engine here: the name of the gateway
        ("docker", Surroundings(), "host.docker.internal", (), False),
        ("compose", Surroundings(), "host.docker.internal", (), False),
        ("dockerfile", Surroundings(), "host.docker.internal", (), False),
        ("nerdctl", Surroundings(), "host.lima.internal", (), False),
        ("podman", Surroundings(), "host.containers.internal", (), False),
        # an engine on this machine, with a context that leads into a machine all the same
        ("docker", replace(NATIVE, endpoint="desktop-linux"), "host.docker.internal", (), False),
        ("docker", replace(NATIVE, endpoint="unix:///home/me/.colima/docker.sock"), "host.docker.internal", (), False),
        ("compose", replace(NATIVE, endpoint="rancher-desktop"), "host.docker.internal", (), False),
        ("docker", replace(NATIVE, endpoint="unix:///home/me/.orbstack/run/docker.sock"), "host.docker.internal", (),
         False),
        # an engine on this machine: no gateway leads to its loopback
        ("docker", NATIVE, "127.0.0.1", ("--network=host",), False),
        ("docker", replace(NATIVE, endpoint="default"), "127.0.0.1", ("--network=host",), False),
        ("podman", NATIVE, "127.0.0.1", ("--network=host",), False),
        ("nerdctl", NATIVE, "127.0.0.1", ("--network=host",), False),
        # but the daemon may listen on the bridge, where reading needs a credential unless it is opened
        ("docker", BRIDGE, "host.docker.internal", ("--add-host=host.docker.internal:172.17.0.1",), True),
        ("podman", replace(BRIDGE, listen=("10.88.0.1",)), "host.containers.internal",
         ("--add-host=host.containers.internal:10.88.0.1",), True),
        ("nerdctl", replace(BRIDGE, open_reading=True), "host.docker.internal",
         ("--add-host=host.docker.internal:172.17.0.1",), False),
        # a daemon whose first address is not loopback wants one everywhere
        ("shell", Surroundings(open_loopback=False), "127.0.0.1", (), True),
        ("docker", Surroundings(open_loopback=False), "host.docker.internal", (), True),
    ],
)  # fmt: skip
def test_road_for_each_runtime(
    runtime: str, around: Surroundings, host: str, arguments: tuple[str, ...], credential: bool
) -> None:
    """The table of PLATFORM, as a person meets it."""
    road = find_road(runtime, around)
    assert (road.host, road.arguments, road.credential) == (host, arguments, credential)


@pytest.mark.parametrize(
    ("host", "credential"), [("host.lima.internal", False), ("127.0.0.1", False), ("pypi.lan", True)]
)
def test_name_that_is_given_is_believed(host: str, credential: bool) -> None:
    """A gateway's name leads to loopback; any other comes in somewhere else."""
    assert find_road("docker", NATIVE, host) == replace(
        Road(host), credential=credential, notes=find_road("docker", NATIVE, host).notes
    )


@pytest.mark.parametrize(
    ("road", "kwargs", "expected"),
    [
        (Road("127.0.0.1"), {}, {"PIP_INDEX_URL": "http://127.0.0.1:3141/root/local/+simple/"}),
        (Road("host.lima.internal"), {},
         {"PIP_INDEX_URL": "http://host.lima.internal:3141/root/local/+simple/",
          "PIP_TRUSTED_HOST": "host.lima.internal"}),
        (Road("192.168.5.2"), {"proxied": True},
         {"PIP_INDEX_URL": "http://192.168.5.2:3141/root/local/+simple/", "PIP_TRUSTED_HOST": "192.168.5.2",
          "NO_PROXY": "192.168.5.2"}),
        (Road("fd00::1"), {},
         {"PIP_INDEX_URL": "http://[fd00::1]:3141/root/local/+simple/", "PIP_TRUSTED_HOST": "fd00::1"}),
        (Road("127.0.0.1"), {"outside_url": "https://pypi.example/py"},
         {"PIP_INDEX_URL": "https://pypi.example/py/root/local/+simple/"}),
        (Road("pypi.lan", credential=True), {},
         {"PIP_INDEX_URL": "http://__token__:${LOCALPI_TOKEN}@pypi.lan:3141/root/local/+simple/",
          "PIP_TRUSTED_HOST": "pypi.lan"}),
    ],
)  # fmt: skip
def test_variables(road: Road, kwargs: dict[str, object], expected: dict[str, str]) -> None:
    """Pip's trust only for names that it does not trust itself; uv needs none."""
    found = dict(env_text.index_variables(road, 3141, INDEX, **kwargs))  # type: ignore[arg-type]  # a table's
    assert found == {**expected, "UV_DEFAULT_INDEX": expected["PIP_INDEX_URL"]}


def variables(road: Road, *, proxied: bool = False) -> tuple[tuple[str, str], ...]:
    return env_text.index_variables(road, 3141, INDEX, proxied=proxied)


@pytest.mark.parametrize(("before", "after"), [("", "127.0.0.1"), ("intranet", "intranet,127.0.0.1")])
def test_shell_evaluates_it(before: str, after: str) -> None:
    """`eval "$(localpi env)"`: what is in NO_PROXY stays in it."""
    text = env_text.shell_text(variables(Road("127.0.0.1"), proxied=True)).text
    ran = subprocess.run(
        ["sh", "-euc", f'{text}\necho "$PIP_INDEX_URL" "$UV_DEFAULT_INDEX" "$NO_PROXY" "${{PIP_TRUSTED_HOST-none}}"'],
        env={"PATH": os.environ["PATH"], "NO_PROXY": before, "no_proxy": before},
        capture_output=True,
        text=True,
        check=True,
    )
    url = "http://127.0.0.1:3141/root/local/+simple/"
    assert ran.stdout.split() == [url, url, after, "none"]


def test_arguments_for_run_are_one_line_of_words() -> None:
    """`docker run $(localpi env --for docker) IMAGE`: nothing in it needs quotes."""
    made = env_text.run_text("docker", find_road("docker", NATIVE), variables(Road("127.0.0.1")))
    assert "\n" not in made.text
    assert tuple(made.text.split()) == tuple(shlex.split(made.text)) == made.arguments
    assert made.arguments[0] == "--network=host"


@pytest.mark.parametrize("around", [Surroundings(), NATIVE, BRIDGE])
def test_no_credential_is_in_build_arguments(around: Surroundings) -> None:
    """They stay in the image's history: a secret is mounted instead."""
    road = find_road("docker", around)
    for made in (env_text.dockerfile_text(road, variables(road)), env_text.compose_text(road, variables(road))):
        building = made.text.partition("environment:")[0]
        assert "LOCALPI_TOKEN" not in building
        assert "__token__:$" not in building
        assert ("--build-arg" in made.text or "args:" in made.text) is not road.credential
    assert ("type=secret" in env_text.dockerfile_text(road, variables(road)).text) is road.credential


def test_ci_takes_the_token_from_its_own_secrets() -> None:
    """Files of CI are in the repository."""
    road = Road("pypi.lan", credential=True)
    assert "__token__:${{ secrets.LOCALPI_TOKEN }}@pypi.lan" in env_text.github_text(variables(road), local=False).text
    gitlab = env_text.gitlab_text(variables(road), local=False)
    assert ("__token__:${LOCALPI_TOKEN}@pypi.lan" in gitlab.text, "masked" in gitlab.notes[0]) == (True, True)


# -- servers ----------------------------------------------------------------------------------------------------------

SERVER = server_text.Server(
    port=3141,
    names=("pypi.example",),
    outside_url="https://pypi.example/py",
    program=("/opt/100%/localpi",),
    user="me",
    home="/home/me",
    data="/home/me/data",
)


def test_server_in_a_container_is_nobody_and_keeps_one_volume() -> None:
    """Not root, a health check, a volume (relabelled for SELinux), a password at the first start, a name."""
    image, compose = server_text.dockerfile_server(SERVER).text, server_text.compose_server(SERVER).text
    user = re.search(r"(?m)^USER (\d+):\d+$", image)
    assert user is not None
    assert int(user[1]) > 1000
    assert f"-o {user[1]} -g {user[1]} -m 0700 /data" in image
    for line in ("VOLUME /data", 'CMD ["localpi", "status"]', "LOCALPI_HOME=/data", "LOCALPI_HOST=0.0.0.0"):
        assert line in image
    for line in (f'user: "{user[1]}:{user[1]}"', "localpi-data:/data:Z", "healthcheck:", "LOCALPI_ROOT_PASSWORD:?",
                 'LOCALPI_ALLOWED_HOSTS: "pypi.example"', '- "127.0.0.1:3141:3141"', "read_only: true"):  # fmt: skip
        assert line in compose
    for runtime in ("docker", "nerdctl", "podman"):
        words = server_text.run_server(runtime, SERVER).arguments
        assert (words[:2], words[-1]) == ((runtime, "run"), "localpi")
        assert {"localpi-data:/data:Z", "LOCALPI_ROOT_PASSWORD", "--cap-drop"} <= set(words)


def test_supervisors_file_is_one(tmp_path: Path) -> None:
    """Read back by its own rules: INI, percent signs doubled; what would not help is not started again."""
    (tmp_path / "x.conf").write_text(server_text.supervisor_text(SERVER).text)
    read = RawConfigParser(interpolation=None)
    read.read(tmp_path / "x.conf")
    program = read["program:localpi"]
    assert program["command"] % {} == "/opt/100%/localpi serve"
    assert (program["exitcodes"], program["autorestart"], program["user"]) == ("0,2,78", "unexpected", "me")


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        ("https://pypi.example", ["listen 443 ssl;", "location / {"]),
        ("http://pypi.example:8080/a/b", ["listen 8080;", "location /a/b/ {", "location = /a/b {"]),
    ],
)
def test_nginx_gets_the_path_and_the_port(url: str, lines: list[str]) -> None:
    """The rest is tried with a real nginx."""
    text = server_text.nginx_text(replace(SERVER, outside_url=url)).text
    for line in (*lines, f"proxy_set_header X-Outside-Url {url};", "server_name pypi.example;"):
        assert f"    {line}\n" in text


# -- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("server", [False, True])
def test_every_form_has_a_text_or_says_that_it_has_none(tmp_path: Path, form: str, server: bool) -> None:
    """For a server only those that can be one."""
    paths = Paths.under(tmp_path)
    settings = load_settings(paths, {"LOCALPI_PORT": "4321"})
    wanted = Wanted(form, INDEX, server=server)
    if server and form not in server_text.SERVERS:
        with pytest.raises(BadRequest):
            make_text(wanted, settings, paths, {"HOME": str(tmp_path)})
        return
    made = make_text(wanted, settings, paths, {"HOME": str(tmp_path), "PATH": "/nowhere"})
    assert ("4321" in made.text) is (form != "supervisor")
    assert made.text == made.text.rstrip("\n")


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        ('{"proxies": {"default": {"httpProxy": "http://p"}}}', {}, True),
        ("{}", {"HTTPS_PROXY": "http://p"}, False),
        ("not JSON", {}, False),
        ("[]", {}, False),
    ],
)
def test_proxy_that_docker_puts_into_containers_is_gone_around(
    tmp_path: Path, config: str, environ: dict[str, str], expected: bool
) -> None:
    """Pip and uv would ask it for our name; the shell's own proxy is not in the container."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(config)
    paths = Paths.under(tmp_path / "lp")
    environ = {"HOME": str(tmp_path), "DOCKER_CONTEXT": "desktop-linux", **environ}
    made = make_text(Wanted("docker", INDEX), load_settings(paths, {}), paths, environ)
    assert ("NO_PROXY" in dict(made.variables)) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"http_proxy": "http://p"}, True),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "localhost"}, True),
        ({"HTTPS_PROXY": "http://p", "no_proxy": "localhost,127.0.0.1"}, False),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "127.0.0.0/8"}, False),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}, False),
    ],
)
def test_proxy_of_the_shell_is_gone_around(tmp_path: Path, environ: dict[str, str], expected: bool) -> None:
    """With a proxy in the shell, pip and uv send it what is for 127.0.0.1."""
    paths = Paths.under(tmp_path)
    made = make_text(Wanted("shell", INDEX), load_settings(paths, {}), paths, {"HOME": str(tmp_path), **environ})
    assert ("NO_PROXY" in dict(made.variables)) is expected
