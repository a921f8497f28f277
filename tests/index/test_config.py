"""The settings of indexes against devpi's keys, texts and messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localpi.errors import InvalidIndexConfig
from localpi.index.config import IndexConfig, MirrorConfig, StageConfig, apply_patch, parse_config, to_json

STAGE = StageConfig(acl_upload=("alice",))
MIRROR = MirrorConfig(mirror_url="https://mirror.example/simple/")


def test_new_stage_is_devpis() -> None:
    """A stage made from nothing has devpi's defaults, key for key."""
    config, userinfo = parse_config("alice", {})
    assert (config, userinfo) == (STAGE, None)
    assert to_json(config) == {
        "volatile": True,
        "acl_toxresult_upload": [":ANONYMOUS:"],
        "acl_upload": ["alice"],
        "bases": [],
        "mirror_whitelist_inheritance": "intersection",
        "mirror_whitelist": [],
        "type": "stage",
    }


def test_new_mirror_is_devpis() -> None:
    """A mirror shows the keys that were given and volatile, and no other."""
    raw = {"type": "mirror", "mirror_url": "https://h.example/s", "mirror_cache_expiry": "60", "title": "Fake"}
    config, _ = parse_config("alice", raw)
    assert to_json(config) == {
        "volatile": True,
        "mirror_url": "https://h.example/s",
        "title": "Fake",
        "mirror_cache_expiry": 60,
        "type": "mirror",
    }
    assert isinstance(config, MirrorConfig)
    assert config.simple_url == "https://h.example/s/"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"volatile": "False"}, {"volatile": False}),
        ({"volatile": "YES"}, {"volatile": True}),
        ({"bases": "root/pypi, /alice/dev/,,root/pypi"}, {"bases": ("root/pypi", "alice/dev")}),
        ({"bases": ["root/pypi"]}, {"bases": ("root/pypi",)}),
        ({"acl_upload": "alice,:anonymous:"}, {"acl_upload": ("alice", ":ANONYMOUS:")}),
        ({"acl_upload": ""}, {"acl_upload": ()}),
        ({"mirror_whitelist": "Foo_Bar,*"}, {"mirror_whitelist": ("foo-bar", "*")}),
        ({"custom_data": {"a": [1]}}, {"custom_data": {"a": [1]}}),
        ({"resolution": "merge"}, {"resolution": "merge"}),
        ({"projects": ["ignored"], "type": "stage"}, {}),
    ],
)
def test_values_come_as_texts_or_json(raw: dict[str, Any], expected: dict[str, Any]) -> None:
    """Texts with commas and JSON values make the same settings."""
    assert parse_config("alice", raw)[0] == StageConfig(**{"acl_upload": ("alice",)} | expected)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"foo": "bar"}, "indexconfig got unexpected keyword arguments: foo=bar"),
        ({"volatile": "maybe"}, "Unknown boolean value 'maybe'."),
        ({"volatile": 1}, "Unknown boolean value 1."),
        ({"bases": "pypi"}, "invalid base index spec: 'pypi'"),
        ({"bases": "a/b/c"}, "invalid base index spec: 'a/b/c'"),
        ({"bases": 7}, "'bases' must be a list of at most 1000 texts"),
        ({"bases": [7]}, "'bases' must be a list of texts"),
        ({"type": "constrained"}, "unknown index type 'constrained'"),
        ({"type": ["stage"]}, "unknown index type \"['stage']\""),
        (
            {"mirror_url": "https://h.example/"},
            "indexconfig got unexpected keyword arguments: mirror_url=https://h.example/",
        ),
        ({"title": 5}, "'title' must be a text of at most 10000 characters"),
        ({"resolution": "last"}, "'resolution' must be one of first, merge, not 'last'"),
        ({"mirror_whitelist": "a b"}, "'mirror_whitelist': 'a b' is not a project name"),
        (
            {"mirror_url": "https://u:secret@h.example/"},
            "indexconfig got unexpected keyword arguments: mirror_url=***@h.example/",
        ),
        ({"bases": "https://u:secret@h.example/"}, "invalid base index spec: '***@h.example'"),
        ({"volatile": "https://secret@h.example/"}, "Unknown boolean value ***@h.example/'."),
        ({"custom_data": json.loads("[" * 300 + "]" * 300)}, "'custom_data' nests too deep"),
        ({"custom_data": "x" * 200_000}, "'custom_data' is larger than 100000 bytes"),
        ({"type": "mirror"}, "an index of type mirror needs a mirror_url"),
    ],
)
def test_wrong_settings_are_refused(raw: dict[str, Any], message: str) -> None:
    """What cannot be a setting is refused with devpi's sentence where it has one."""
    with pytest.raises(InvalidIndexConfig) as refused:
        parse_config("alice", raw)
    assert refused.value.message == message


@pytest.mark.parametrize(
    "raw",
    [
        {"mirror_url": "ftp://h.example/"},
        {"mirror_url": "https://"},
        {"mirror_url": "https://h.example:99999/"},
        {"mirror_url": "https://[::1/"},
        {"mirror_url": "https://h.example/?q"},
        {"mirror_url": "https://u:secret@h.example/#f"},
        {"mirror_url": "https://h.example/\r\nHost: x"},
        {"mirror_url": "https://h.example/" + "a" * 3000},
        {"mirror_url": None},
        {"mirror_url": "https://h.example/", "mirror_cache_expiry": -1},
        {"mirror_url": "https://h.example/", "mirror_cache_expiry": True},
        {"mirror_url": "https://h.example/", "mirror_web_url_fmt": "javascript:alert(1)"},
        {"mirror_url": "https://h.example/", "mirror_web_url_fmt": "https://u:secret@h.example/{name}"},
        {"mirror_url": "https://h.example/", "claims": "a[b]"},
        {"mirror_url": "https://h.example/", "cooldown": "7d"},
        {"mirror_url": "https://h.example/", "unseen": "maybe"},
        {"mirror_url": "https://h.example/", "bases": "root/pypi"},
    ],
)
def test_wrong_mirrors_are_refused_without_their_secret(raw: dict[str, Any]) -> None:
    """A mirror that cannot be spoken to is refused, and the refusal repeats no password."""
    with pytest.raises(InvalidIndexConfig) as refused:
        parse_config("alice", {"type": "mirror"} | raw)
    assert "secret" not in refused.value.message


def test_userinfo_is_split_off() -> None:
    """User and password of a mirror's address are returned beside settings that do not hold them."""
    config, userinfo = parse_config("root", {"type": "mirror", "mirror_url": "https://me:p%40ss@h.example:8443/simple"})
    assert (config, userinfo) == (MirrorConfig(mirror_url="https://h.example:8443/simple"), "me:p%40ss")


def test_own_keys_of_a_mirror() -> None:
    """Our own keys are normalised and shown once they are set."""
    raw = {"claims": "Acme_*,acme.core", "unseen": "hold"}
    config, _ = apply_patch(MIRROR, raw)
    assert config == MirrorConfig(
        mirror_url="https://mirror.example/simple/", claims=("acme-*", "acme-core"), unseen="hold"
    )
    assert isinstance(config, MirrorConfig)
    assert to_json(config)["claims"] == ["acme-*", "acme-core"]
    assert apply_patch(config, ["claims-=", "unseen-="])[0] == MIRROR


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (["bases=alice/prod"], {"bases": ("alice/prod",)}),
        (["bases+=alice/mirror"], {"bases": ("root/pypi", "alice/mirror")}),
        (["bases+=root/pypi"], {}),
        (["bases-=root/pypi"], {"bases": ()}),
        (["mirror_whitelist+=*", "title=Hi there"], {"mirror_whitelist": ("*",), "title": "Hi there"}),
        (["title-="], {"title": None}),
        (["title=a=b+=c"], {"title": "a=b+=c"}),
        ({"volatile": False}, {"volatile": False}),
        ({"type": "indexconfig", "result": {"volatile": False, "type": "stage", "projects": []}}, {"volatile": False}),
        ({"title": None}, {"title": None}),
        ([], {}),
    ],
)
def test_patches_of_devpis_client(patch: Any, expected: dict[str, Any]) -> None:
    """A list of typed texts and a JSON object change what they name and nothing else."""
    before: dict[str, Any] = {"acl_upload": ("alice",), "bases": ("root/pypi",), "title": "Old"}
    assert apply_patch(StageConfig(**before), patch)[0] == StageConfig(**before | expected)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (["bases-=alice/x"], "The 'bases' setting doesn't have value 'alice/x'"),
        (["volatile-="], "Default values can't be removed."),
        (["type=mirror"], "the 'type' of an index can't be changed"),
        (["volatile=maybe"], "Unknown boolean value 'maybe'."),
        (["title+=x"], "The 'title' setting is not a list"),
        (["nonsense"], "not of the form key=value: 'nonsense'"),
        ([3], "not of the form key=value: '3'"),
        (["foo=bar"], "indexconfig got unexpected keyword arguments: foo=bar"),
        ("title=x", "a patch is an object, or a list of key=value texts"),
        (None, "a patch is an object, or a list of key=value texts"),
        ({"volatile": None}, "Unknown boolean value None."),
    ],
)
def test_wrong_patches_are_refused(patch: Any, message: str) -> None:
    """A patch that cannot be applied is refused with devpi's sentence."""
    with pytest.raises(InvalidIndexConfig) as refused:
        apply_patch(STAGE, patch)
    assert refused.value.message == message


@pytest.mark.parametrize(
    "config",
    [
        STAGE,
        MIRROR,
        StageConfig(acl_upload=(), volatile=False, bases=("a/b",), resolution="merge", custom_data={"k": 1}),
        MirrorConfig(mirror_url="http://h.example/", mirror_use_external_urls=True, claims=("a-*",)),
    ],
)
def test_json_comes_back_the_same(config: IndexConfig) -> None:
    """What is written to the database reads as the same settings."""
    assert parse_config("someone", to_json(config)) == (config, None)
