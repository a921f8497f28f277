from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from localpi.errors import SettingError
from localpi.settings.file import read_file, set_in_file, unset_in_file
from localpi.settings.load import Origin, Settings, load_settings, value_of
from localpi.settings.paths import Paths
from localpi.settings.schema import TABLE, find_setting
from localpi.settings.values import mask_userinfo, show_duration, show_size


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "localpi")


def test_table_and_dataclass_name_the_same_settings_in_the_same_order() -> None:
    """The table and `Settings` cannot drift apart."""
    fields = [field.name for field in dataclasses.fields(Settings) if field.name not in {"root_password", "origins"}]
    assert fields == [setting.attribute for setting in TABLE]


def test_every_default_has_the_type_that_settings_say() -> None:
    """A default is a value of its own kind: parsing what it shows gives it back."""
    types = {field.name: str(field.type) for field in dataclasses.fields(Settings)}
    for setting in TABLE:
        assert type(setting.default).__name__ == types[setting.attribute].partition("[")[0]
        assert setting.default == setting.parse(setting.kind.show(setting.default), "test")


def test_nothing_set_gives_defaults_and_makes_nothing(paths: Paths) -> None:
    """Loading reads and never writes."""
    settings = load_settings(paths, {})
    expected = {setting.key: setting.default for setting in TABLE}
    assert expected == {setting.key: value_of(settings, setting.key) for setting in TABLE}
    assert set(settings.origins.values()) == {Origin("default")}
    assert settings.root_password is None
    assert not paths.config.parent.exists()


def test_flag_beats_variable_beats_file_beats_default(paths: Paths) -> None:
    """Each level gives way to the one above, and says where the value came from."""
    seen = []
    seen.append(load_settings(paths, {}))
    set_in_file(paths.config_file, "port", "4001")
    seen.append(load_settings(paths, {}))
    seen.append(load_settings(paths, {"LOCALPI_PORT": "4002"}))
    seen.append(load_settings(paths, {"LOCALPI_PORT": "4002"}, {"port": 4003, "host": None}))
    assert [
        (3141, Origin("default")),
        (4001, Origin("file", str(paths.config_file))),
        (4002, Origin("variable", "LOCALPI_PORT")),
        (4003, Origin("flag", "--port")),
    ] == [(settings.port, settings.origins["port"]) for settings in seen]


def test_empty_variable_is_not_set(paths: Paths) -> None:
    """`LOCALPI_PORT=` means nothing was said, as it does for pip."""
    assert load_settings(paths, {"LOCALPI_PORT": ""}).port == 3141


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"LOCALPI_ROOT_PASSWORD": ""}, ""),
        ({"DEVPI_PASSWORD": "d"}, "d"),
        ({"LOCALPI_ROOT_PASSWORD": "l", "DEVPI_PASSWORD": "d"}, "l"),
    ],
)
def test_root_password_comes_from_the_environment_and_is_not_shown(
    paths: Paths, environ: dict[str, str], expected: str | None
) -> None:
    """Empty is an empty password, unset is none, and a repr in a log does not have it."""
    settings = load_settings(paths, environ)
    assert settings.root_password == expected
    assert "root_password" not in repr(settings)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("port", "0", 0),
        ("host", "::1", "::1"),
        ("allowed_hosts", " a.example , b ,, a.example", ("a.example", "b")),
        ("default_index", "alice/dev-1.x", "alice/dev-1.x"),
        ("login_ttl", "10h", 36000),
        ("login_ttl", "90", 90),
        ("open_registration", "1", True),
        ("open_registration", "no", False),
        ("offline", "ON", "on"),
        ("upload.max_size", "500MB", 500_000_000),
        ("upload.max_size", "1.5 GiB", 1_610_612_736),
        ("cache.max_size", "10g", 10_000_000_000),
        ("outside_url", "https://h.example/pypi/", "https://h.example/pypi"),
        ("upstream.proxy", "", ""),
        ("upstream.no_proxy", "intranet.example, 10.0.0.0/8", ("intranet.example", "10.0.0.0/8")),
        ("listen", "172.17.0.1, [fd00::1],172.17.0.1", ("172.17.0.1", "fd00::1")),
        ("upstream.ca_bundle", "/etc/../etc/ca.pem", "/etc/../etc/ca.pem"),
    ],
)
def test_values_are_read_as_people_write_them(paths: Paths, key: str, text: str, expected: object) -> None:
    """Variables and the file read alike."""
    variable = find_setting(key).variable
    assert expected == value_of(load_settings(paths, {variable: text}), key)
    set_in_file(paths.config_file, key, text)
    assert expected == value_of(load_settings(paths, {}), key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("port", "65536"),
        ("listen", "docker0"),
        ("listen", "0.0.0.0"),
        ("listen", "172.17.0.1:80"),
        ("port", "-1"),
        ("port", "http"),
        ("port", "9" * 30),
        ("host", "a b"),
        ("default_index", "root"),
        ("default_index", "root/pypi/x"),
        ("default_index", "root/+x"),
        ("login_ttl", "1s"),
        ("login_ttl", "soon"),
        ("open_registration", "maybe"),
        ("offline", "sometimes"),
        ("upload.max_size", "4 GX"),
        ("upload.max_size", "-4"),
        ("outside_url", "ftp://h"),
        ("outside_url", "http://h:port"),
        ("outside_url", "http://h?x=1"),
        ("upstream.proxy", "h:3128"),
        ("log_level", "a\nb"),
    ],
)
def test_values_that_cannot_be_are_refused_with_key_and_place(paths: Paths, key: str, text: str) -> None:
    """The refusal names the setting and where the value stands, and the file stays as it was."""
    variable = find_setting(key).variable
    with pytest.raises(SettingError, match=key) as refused:
        load_settings(paths, {variable: text})
    assert variable in refused.value.message
    assert refused.value.hint
    with pytest.raises(SettingError):
        set_in_file(paths.config_file, key, text)
    assert not paths.config_file.exists()


def test_an_unknown_key_is_refused_with_the_nearest_one(paths: Paths) -> None:
    """A typing mistake in the file is not passed over in silence."""
    paths.config.mkdir(parents=True)
    paths.config_file.write_text("[upstream]\nproxi = 'http://p:1'\n")
    with pytest.raises(SettingError, match=r"upstream\.proxi.*upstream\.proxy"):
        load_settings(paths, {})
    assert unset_in_file(paths.config_file, "upstream.proxi")
    assert load_settings(paths, {}).upstream_proxy == ""


def test_comments_and_order_survive_set_and_unset(paths: Paths) -> None:
    """Only the line that was asked for changes."""
    paths.config.mkdir(parents=True)
    before = "# mine\nport = 4000  # because\n\n[cache]\n# small disk\nmax_size = '1GiB'\n"
    paths.config_file.write_text(before)
    set_in_file(paths.config_file, "port", 4001)
    set_in_file(paths.config_file, "upload.max_size", "2GiB")
    assert before.replace("4000", "4001") in paths.config_file.read_text()
    assert read_file(paths.config_file) == {"port": 4001, "cache.max_size": "1GiB", "upload.max_size": "2GiB"}
    assert unset_in_file(paths.config_file, "upload.max_size")
    assert not unset_in_file(paths.config_file, "upload.max_size")
    set_in_file(paths.config_file, "port", 4000)
    assert before == paths.config_file.read_text().rstrip("\n") + "\n"


def test_a_top_level_key_is_not_put_into_the_last_table(paths: Paths) -> None:
    """TOML's tables swallow what comes after them."""
    set_in_file(paths.config_file, "cache.max_size", "1GiB")
    set_in_file(paths.config_file, "port", "4000")
    assert read_file(paths.config_file) == {"cache.max_size": "1GiB", "port": 4000}


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"a" * 1_000_001, b"port = 1\nport = 2\n"])
def test_a_file_that_cannot_be_read_is_left_alone(paths: Paths, content: bytes) -> None:
    """Reading, setting and unsetting refuse, and name the file."""
    paths.config.mkdir(parents=True)
    paths.config_file.write_bytes(content)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: load_settings(paths, {}),
        lambda: set_in_file(paths.config_file, "port", 1),
        lambda: unset_in_file(paths.config_file, "port"),
    )
    for attempt in attempts:
        with pytest.raises(SettingError, match=r"config\.toml"):
            attempt()
    assert content == paths.config_file.read_bytes()


@pytest.mark.parametrize(("size", "shown"), [(0, "0"), (1000, "1000"), (1024, "1KiB"), (4 * 1024**3, "4GiB")])
def test_sizes_are_shown_in_the_largest_exact_unit(size: int, shown: str) -> None:
    """Nothing is rounded."""
    assert shown == show_size(size)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0s"), (90, "90s"), (36000, "10h"), (172800, "2d")])
def test_durations_are_shown_in_the_largest_exact_unit(seconds: int, shown: str) -> None:
    """Nothing is rounded."""
    assert shown == show_duration(seconds)


def test_userinfo_is_masked() -> None:
    """A proxy's password does not appear where settings are shown."""
    assert mask_userinfo("http://me:secret@proxy:1/x") == "http://***@proxy:1/x"
