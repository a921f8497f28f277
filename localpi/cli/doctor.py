"""`doctor`: what is wrong here, what that means, and the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.output import data, json_option, print_json, say
from localpi.cli.scene import Scene, pass_scene
from localpi.reports import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.reports import Finding

MARKS = {"ok": "ok     ", "note": "note   ", "warning": "warning", "problem": "PROBLEM"}


@click.command("doctor")
@click.option(
    "--fix", is_flag=True, help="Mend what is safe to mend: modes of our own files, what a crash left behind."
)
@json_option
@pass_scene
def doctor_command(scene: Scene, *, fix: bool, as_json: bool) -> int:
    """Look at the daemon, the machine, the bases and the wiring, and say what is wrong and what mends it.

    Works while the daemon is down and with settings or database broken. Exits with 1 when something is wrong.
    """
    from localpi.setup.doctor import examine, is_well, mend  # noqa: PLC0415 -- psutil and parsers, not for help
    from localpi.setup.doctor_gather import gather_facts  # noqa: PLC0415 -- as above

    facts = gather_facts(scene.paths, scene.environ, sys.platform, _progress)
    mended = mend(facts, scene.paths) if fix else ()
    if mended:
        facts = gather_facts(scene.paths, scene.environ, sys.platform, _progress)
    findings = examine(facts)
    well = is_well(findings)
    if as_json:
        rows = [asdict(finding) for finding in findings]
        print_json({"well": well, "findings": rows, "mended": [asdict(one) for one in mended]})
    else:
        for one in mended:
            say(f"could not: {one.what}: {one.failed}" if one.failed else f"mended: {one.what}")
        _show(findings)
        _sum_up(findings, fixed=fix)
    return exits.DONE if well else exits.NO


def _progress(what: str) -> None:
    """Say on a terminal what is looked at, on one line that goes again."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[Klooking at {what} …" if what else "\r\x1b[K", nl=False, err=True)


def _show(findings: Sequence[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        data(f"{MARKS[finding.severity]}  {finding.check.ljust(width)}  {finding.what}")
        margin = " " * (width + 11)
        if finding.meaning:
            data(f"{margin}{finding.meaning}")
        if finding.remedy:
            data(f"{margin}→ {finding.remedy}")


def _sum_up(findings: Sequence[Finding], *, fixed: bool) -> None:
    counts = {severity: sum(one.severity == severity for one in findings) for severity in MARKS}
    wrong = [plural(counts[severity], severity) for severity in ("problem", "warning") if counts[severity]]
    say(", ".join(wrong) or "nothing is wrong")
    mends = [finding.mend for finding in findings if finding.mend]
    if mends and not fixed:
        say(f"localpi doctor --fix would: {'; '.join(mends)}")
