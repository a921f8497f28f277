"""What a shell says and a service would not hear."""

from __future__ import annotations

import pytest

from localpi.errors import SettingError
from localpi.service.shell import ShellSetting, find_shell_settings, folder_environ

PROXY = "http://me:secret@proxy.example:3128"


def found(
    environ: dict[str, str], service: dict[str, str] | None = None, in_file: dict[str, object] | None = None
) -> list[tuple[str, str, object]]:
    return [
        (each.variable, each.key, each.value) for each in find_shell_settings(environ, service or {}, in_file or {})
    ]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, []),
        ({"LOCALPI_PORT": "4000"}, [("LOCALPI_PORT", "port", 4000)]),
        ({"LOCALPI_PORT": ""}, []),
        ({"LOCALPI_HOME": "/x", "LOCALPI_ROOT_PASSWORD": "p", "LOCALPI_NONSENSE": "1"}, []),
        ({"LOCALPI_ALLOWED_HOSTS": "a,b"}, [("LOCALPI_ALLOWED_HOSTS", "allowed_hosts", ("a", "b"))]),
        ({"HTTPS_PROXY": PROXY}, [("HTTPS_PROXY", "upstream.proxy", PROXY)]),
        ({"HTTPS_PROXY": "x", "https_proxy": PROXY}, [("https_proxy", "upstream.proxy", PROXY)]),
        ({"http_proxy": "proxy.example:3128"}, [("http_proxy", "upstream.proxy", "http://proxy.example:3128")]),
        ({"ALL_PROXY": "socks5://proxy.example"}, []),
        ({"NO_PROXY": "a.example, b.example c"}, [("NO_PROXY", "upstream.no_proxy", ("a.example", "b.example", "c"))]),
        ({"REQUESTS_CA_BUNDLE": "/a.pem", "SSL_CERT_FILE": "/b.pem"},
         [("REQUESTS_CA_BUNDLE", "upstream.ca_bundle", "/a.pem")]),
        ({"SSL_CERT_FILE": "/b.pem"}, [("SSL_CERT_FILE", "upstream.ca_bundle", "/b.pem")]),
        ({"LOCALPI_UPSTREAM_PROXY": "http://ours.example", "HTTPS_PROXY": PROXY},
         [("LOCALPI_UPSTREAM_PROXY", "upstream.proxy", "http://ours.example")]),
    ],
)  # fmt: skip
def test_settings_proxies_and_cas_are_found(environ: dict[str, str], expected: list[tuple[str, str, object]]) -> None:
    """Ours, and the variables of other programs that stand for them."""
    assert found(environ) == expected


@pytest.mark.parametrize(
    ("environ", "service", "in_file"),
    [
        ({"HTTPS_PROXY": PROXY}, {"HTTPS_PROXY": PROXY}, {}),
        ({"LOCALPI_PORT": "4000"}, {}, {"port": 4000}),
        ({"HTTPS_PROXY": PROXY}, {}, {"upstream.proxy": "http://chosen.example"}),
        ({"NO_PROXY": "a"}, {}, {"upstream.no_proxy": ["b"]}),
    ],
)
def test_what_a_service_knows_is_not_written(
    environ: dict[str, str], service: dict[str, str], in_file: dict[str, object]
) -> None:
    """By its own variables or by the file; what was chosen for localpi stays, whatever all programs are told."""
    assert found(environ, service, in_file) == []


def test_our_own_variable_beats_the_file() -> None:
    """As it does in the shell."""
    assert found({"LOCALPI_PORT": "4000"}, {}, {"port": 3141}) == [("LOCALPI_PORT", "port", 4000)]
    assert found({"LOCALPI_PORT": "4000"}, {}, {"port": "nonsense"}) == [("LOCALPI_PORT", "port", 4000)]


def test_bad_value_of_ours_is_refused() -> None:
    """It would be by the daemon too."""
    with pytest.raises(SettingError):
        found({"LOCALPI_PORT": "http"})


def test_passwords_are_not_in_a_repr() -> None:
    """A proxy's may be in its URL."""
    assert "secret" not in repr(ShellSetting("HTTPS_PROXY", "upstream.proxy", PROXY))


@pytest.mark.parametrize(
    ("environ", "home", "expected"),
    [
        ({}, None, ()),
        ({"XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/r", "XDG_CACHE_HOME": ""}, None, (("XDG_DATA_HOME", "/d"),)),
        ({"XDG_DATA_HOME": "/d"}, "/home/me/lp", (("LOCALPI_HOME", "/home/me/lp"),)),
    ],
)
def test_what_moves_the_folders_goes_into_the_unit(
    environ: dict[str, str], home: str | None, expected: tuple[tuple[str, str], ...]
) -> None:
    """It cannot be in config.toml, which is in one of them."""
    assert folder_environ(environ, home) == expected
