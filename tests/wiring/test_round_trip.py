"""Made-up files of every shape: what their tool can read can be wired, and comes back to the byte."""

from __future__ import annotations

import configparser
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.wiring import ini_pieces, ini_text, toml_text
from localpi.wiring.edits import Edit, NotEditable, decode
from localpi.wiring.pip import forget_plan, plan_pip
from localpi.wiring.publishing import plan_twine
from localpi.wiring.uv import plan_uv
from localpi.wiring.wish import Wish

WISH = Wish("http://127.0.0.1:3141", "root/local", replace=True)
LIMA = WISH.under("host.lima.internal")

BLANKS = st.text(" \t", max_size=4)
KEYS = st.sampled_from(
    [
        "index-url",
        "Index_URL",
        "--index-url",
        "trusted-host",
        "timeout",
        "index",
        "index-servers",
        "repository",
        "a b",
        "é",
    ]
)
VALUES = st.sampled_from(
    [
        "",
        "1",
        "https://a.example/simple",
        "x # y",
        "%(z)s",
        "a = b",
        "[c]",
        "http://d.example/u/i/+simple/",
        "pypi corp",
    ]
)
SECTIONS = st.sampled_from(["global", "install", "search", "distutils", "localpi", "DEFAULT", "Global", "a]b"])
LINES = st.one_of(
    st.builds("[{}]{}".format, SECTIONS, st.sampled_from(["", " ", " # x", "\t"])),
    st.builds("{}{}{}{}{}{}{}".format, BLANKS, KEYS, BLANKS, st.sampled_from("=:"), BLANKS, VALUES, BLANKS),
    st.builds("{}{}{}".format, BLANKS, st.sampled_from("#;"), st.text("ab =:[]", max_size=6)),
    BLANKS,
    st.builds(
        "{}{}".format, st.sampled_from(["  ", "\t", "      "]), st.sampled_from(["/srv", "more", "x = 1", "#no"])
    ),
    st.text("ab=:[]#; \t\u2028\f", max_size=8),
)
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def ini_files(draw: st.DrawFn) -> str:
    """An INI file, mostly one that can be read: sections and keys may be double."""
    end = draw(ENDS)
    lines = draw(st.lists(LINES, max_size=12))
    text = end.join(lines)
    return text + draw(st.sampled_from(["", end])) if lines else text


def reads(text: str) -> bool:
    parser = configparser.RawConfigParser()
    parser.optionxform = ini_pieces.normalise  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    return True


def same(one: str, other: str) -> bool:
    """Equal; or one got the end of its last line, without which nothing could follow it."""
    return one == other or one in {other + "\n", other + "\r\n"}


@given(ini_files(), st.sampled_from([WISH, LIMA]))
def test_ini(text: str, wish: Wish) -> None:
    """What RawConfigParser reads is wired and withdrawn; what it does not is refused."""
    for plan in (plan_pip, plan_twine):
        if not reads(text):
            with pytest.raises(NotEditable):
                plan(text, wish)
            continue
        made = plan(text, wish)
        back, notes = ini_text.withdraw(made.text, made.changes)
        removed = any(change.value is None for change in made.changes)
        assert notes == ()
        assert removed or same(back, text)
        assert ini_pieces.read_values(back) == ini_pieces.read_values(text) or removed
        assert plan(made.text, wish).text == made.text
        forget_plan(made.text)


HEADERS = ["[pip]", "[ pip ]  # x", "[pip.more]", "[[index]]", "[pypi.extra]", "[other]"]
TOML_KEYS = st.sampled_from(["index-url", "url", "system", "pip.system", "name", "é"])
TOML_VALUES = st.sampled_from(['"v"', "'w'", "true", "1", "[1, 2]", "{ a = 1 }"])
TOML_LINES = st.one_of(
    st.sampled_from([*HEADERS, 'x = """', '"""', "a = [", "pip = { system = true }"]),
    st.builds("{}{}{}={}{}{}".format, BLANKS, TOML_KEYS, BLANKS, BLANKS, TOML_VALUES, st.sampled_from(["", " # c"])),
    st.builds("{}#{}".format, BLANKS, st.text("ab =[]", max_size=5)),
    BLANKS,
)


@given(st.lists(TOML_LINES, max_size=10), ENDS, st.booleans(), st.booleans())
def test_toml(lines: list[str], end: str, closed: bool, project_wide: bool) -> None:
    """What tomllib does not read is refused; what is changed comes back, comments and all."""
    text = end.join(lines) + (end if closed and lines else "")
    wish = Wish("http://127.0.0.1:3141", "root/local", replace=True, project_wide=project_wide)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(NotEditable):
            plan_uv(text, wish)
        return
    try:
        made = plan_uv(text, wish)
    except NotEditable:
        return
    back, notes = toml_text.withdraw(made.text, made.changes)
    assert notes == ()
    assert toml_text._same(tomllib.loads(back), before)
    assert [line.strip() for line in back.splitlines() if "#" in line] == [
        line.strip() for line in text.splitlines() if "#" in line
    ]
    if not any("{" in line for line in lines):
        assert same(back, text)


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Bytes are a text that stays, or refused."""
    try:
        text = decode(data)
    except NotEditable:
        return
    assert text.encode() == data
    for plan in (plan_pip, plan_uv, plan_twine):
        try:
            made = plan(text, WISH)
        except NotEditable:
            continue
        assert made.text.startswith(text.rstrip("\r\n")) or made.changes


@given(st.lists(st.sampled_from(["a", "bb", "c.example", "localpi"]), max_size=5, unique=True), st.booleans())
def test_a_word_more_and_less(words: list[str], long: bool) -> None:
    """A list gets one word, which goes again; also when others were added behind it."""
    text = "[s]\nlist =" + ("".join(f"\n    {word}" for word in words) if long else " " + " ".join(words)) + "\nx = 1\n"
    new, changes = ini_text.edit(text, [Edit(("s",), "list", "localpi", word=True)])
    assert ini_pieces.read_values(new)["s"]["list"].split() == [
        *words,
        *(["localpi"] if "localpi" not in words else []),
    ]
    assert ini_text.withdraw(new, changes) == (text, ())
    if changes and words:
        more = new.replace("localpi", "localpi later")
        assert ini_pieces.read_values(ini_text.withdraw(more, changes)[0])["s"]["list"].split() == [*words, "later"]
