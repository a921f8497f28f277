"""Names: one normaliser, one rule for file names, and what a file name says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidName
from localpi.simple.names import (
    Filename,
    ParsedFilename,
    ProjectName,
    belonging,
    check_filename,
    check_sha256,
    normalize,
    parse_filename,
    project_candidates,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Flask", "flask"),
        ("zope.interface", "zope-interface"),
        ("a-_.-b", "a-b"),
        ("A", "a"),
        ("0", "0"),
        ("ruamel.yaml.clib", "ruamel-yaml-clib"),
    ],
)
def test_a_name_has_one_normal_form(name: str, expected: str) -> None:
    """Names normalise as PEP 503 says."""
    assert expected == normalize(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", ".a", "_", "a b", "a/b", "ä", "a\n", "../a", "a" * 201, "İ", "a\0", "+simple", "٣"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    """Only names of the core metadata specification have a normal form."""
    with pytest.raises(InvalidName):
        normalize(name)


@pytest.mark.parametrize(
    "name",
    [
        "a-1.0-py3-none-any.whl",
        "torch-2.0+cu118-cp311-cp311-linux_x86_64.whl",
        "a-1!2.0.tar.gz",
        "A-1.0.win32-py2.7.exe",
        "a-1.0-py2.7.egg",
        "a-1.0-variants.json",
        "a" * 251,
    ],
)
def test_file_names_of_distributions_pass(name: str) -> None:
    """The kind of file does not matter, its characters do."""
    assert name == check_filename(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".whl", "a/b", "a\\b", "../a.zip", "a b", "a\n", "a\0", "ä", "-a", "_a", "a%2Fb", "a" * 252, "٣"],
)
def test_file_names_with_tricks_are_refused(name: str) -> None:
    """No separator, control character, space, escape or leading dot."""
    with pytest.raises(InvalidName):
        check_filename(name)


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 63 + "\n", "é" * 64])
def test_only_64_lower_case_digits_are_a_sha256(text: str) -> None:
    """A digest has one spelling."""
    with pytest.raises(InvalidName):
        check_sha256(text)
    assert check_sha256("0123456789abcdef" * 4) == "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "project", "version", "filetype"),
    [
        ("Flask-3.0.0.tar.gz", "flask", "3.0.0", "sdist"),
        ("zope.interface-5.0.zip", "zope-interface", "5.0", "sdist"),
        ("a-b-1.0rc1.tar.gz", "a-b", "1.0rc1", "sdist"),
        ("zope_interface-5.0-cp311-cp311-win_amd64.whl", "zope-interface", "5.0", "bdist_wheel"),
        ("torch-2.0+cu118-cp311-cp311-linux_x86_64.whl", "torch", "2.0+cu118", "bdist_wheel"),
        ("a-1!2.0-1-py3-none-any.whl", "a", "1!2.0", "bdist_wheel"),
        ("a-1.0-RC1.tar.gz", None, "", ""),
        ("a-1.0.tar.bz2", None, "", ""),
        ("a-1.0.exe", None, "", ""),
        ("a.tar.gz", None, "", ""),
        ("..-1.0-py3-none-any.whl", None, "", ""),
        ("a\\b-1.0-py3-none-any.whl", None, "", ""),
        ("../evil-1.0.tar.gz", None, "", ""),
        ("a--1.0.tar.gz", None, "", ""),
        ("a-1.0-py3-none.whl", None, "", ""),
        ("a-x-py3-none-any.whl", None, "", ""),
        ("a-" + "1" * 130 + ".tar.gz", None, "", ""),
    ],
)
def test_wheels_and_sdists_are_taken_apart(name: str, project: str | None, version: str, filetype: str) -> None:
    """A file name gives project, version and type, or is refused."""
    if project is None:
        with pytest.raises(InvalidName):
            parse_filename(name)
    else:
        assert ParsedFilename(Filename(name), ProjectName(project), version, filetype) == parse_filename(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a-b-1.0.tar.gz", ("a-b", "a")),
        ("Flask-3.0.tar.gz", ("flask",)),
        ("zope_interface-5.0-cp311-cp311-win_amd64.whl", ("zope-interface",)),
        ("zope.interface-3.3.0-py2.4.egg", ("zope-interface",)),
        ("foo-1.0.win32-py2.7.exe", ("foo", "foo-1-0-win32")),
        ("foo-2-1.0.tar.bz2", ("foo-2", "foo")),
        ("foo-1.0.linux-x86_64.tar.gz", ("foo", "foo-1-0-linux")),
        ("a-b-c.zip", ("a-b", "a")),
        ("a.tar.gz", ()),
        ("a-1.0.txt", ()),
        ("../a-1.0.tar.gz", ()),
        ("", ()),
    ],
)
def test_a_file_may_belong_to_these_projects(name: str, expected: tuple[str, ...]) -> None:
    """Every split of the name counts, the likeliest first."""
    assert expected == project_candidates(name)


@pytest.mark.parametrize(
    ("name", "project", "expected"),
    [
        ("acme-1.0.tar.gz", "acme", True),
        ("Acme.Lib-1.0.zip", "acme-lib", True),
        ("acme__lib-1.0-py3-none-any.whl", "acme-lib", True),
        ("acme-lib-1.0-1.noarch.rpm", "acme-lib", True),
        ("acme-1.0.win32-py2.7.exe", "acme", True),
        ("acme-lib-1.0.tar.gz", "acme", True),  # version "lib-1.0", says pip too
        ("acme_lib-1.0.tar.gz", "acme", False),
        ("acme.lib-1.0.tar.gz", "acme", False),
        ("acme_lib-1.0-py3-none-any.whl", "acme", False),
        ("acme-lib-1.0-py2.7.egg", "acme-lib", False),  # an egg's name ends with its first dash
        ("acme-1.0-py2.7.egg", "acme", True),
        ("acmes-1.0.tar.gz", "acme", False),
        ("acme.tar.gz", "acme", False),
        ("acme.whl", "acme", False),
    ],
)
def test_a_file_belongs_to_the_name_before_one_of_its_dashes(name: str, project: str, expected: bool) -> None:
    """As pip takes it: a dash ends the name, a dot or an underscore goes on with it."""
    belongs = belonging(ProjectName(project))
    assert [expected] * 2 == [belongs(name), belongs(name)]
    assert not expected or project in project_candidates(name)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}[A-Za-z0-9]", fullmatch=True), st.sampled_from(["1.0", "2.0rc1"]))
def test_an_sdist_belongs_to_the_project_it_was_named_after(name: str, version: str) -> None:
    """Of any project's sdist the project is a candidate, and it belongs to it."""
    project = normalize(name)
    for stem in (project, project.replace("-", "_")):
        assert project in project_candidates(f"{stem}-{version}.tar.gz")
        assert belonging(project)(f"{stem}-{version}.tar.gz")
        assert not belonging(ProjectName(project + "x"))(f"{stem}-{version}.tar.gz")


@given(st.text(max_size=60))
def test_names_are_taken_or_refused_and_nothing_else(text: str) -> None:
    """Whatever comes, the answer is a name or InvalidName."""
    for function in (normalize, check_filename, check_sha256, parse_filename):
        try:
            function(text)
        except InvalidName as error:
            assert error.message  # noqa: PT017  # either outcome is right, this one has to have words
    project_candidates(text)
    project_candidates(text + ".tar.gz")
