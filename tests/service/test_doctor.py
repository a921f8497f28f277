"""`localpi doctor` under a real systemd user instance."""

from __future__ import annotations

from pathlib import Path

from made.user_instance import Ran, UserInstance

UNIT = ".config/systemd/user/localpi.service"


def findings(ran: Ran) -> dict[str, tuple[str, str]]:
    """Severity and remedy of the last finding of each check."""
    return {row["check"]: (row["severity"], row["remedy"]) for row in ran.json["findings"]}


def what(ran: Ran, check: str) -> str:
    """The last finding of a check, in its words."""
    return [str(row["what"]) for row in ran.json["findings"] if row["check"] == check][-1]


def test_doctor_knows_the_service_its_socket_and_a_dead_interpreter(instance: UserInstance, port: int) -> None:
    """A service that is well; one that waits in its socket, whose port is nobody else's; one whose program is gone."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    well = instance.localpi("doctor", "--json")
    assert well.code == 0, well.out
    assert findings(well)["service"] == ("ok", "")

    assert instance.systemctl("stop", "localpi.service").code == 0
    waiting = instance.localpi("doctor", "--json")
    assert waiting.code == 0, waiting.out
    assert findings(waiting)["daemon"] == ("note", "localpi up")
    assert "held by systemd" in what(waiting, "port")

    unit = Path(instance.home / UNIT)
    lines = [
        "ExecStart=/gone/bin/localpi serve" if line.startswith("ExecStart=") else line
        for line in unit.read_text().splitlines()
    ]
    unit.write_text("\n".join(lines) + "\n")
    broken = instance.localpi("doctor", "--json")
    assert broken.code == 1
    assert findings(broken)["service"] == ("problem", "localpi service install")
    assert "/gone/bin/localpi is not there" in what(broken, "service")
