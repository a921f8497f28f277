"""launchd's exit codes and its asynchronous bootout, by a scripted launchctl."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localpi.service.agent import LABEL
from localpi.service.launchd import Launchd, Patience
from localpi.service.outcomes import Outcome, ServiceState, What
from localpi.service.spec import ServiceSpec
from made import launchctl

QUICK = Patience(ask=20.0, poll=0.1, teardown=20.0, bootstrap=20.0)
HURRIED = Patience(ask=20.0, poll=0.02, teardown=0.2, bootstrap=0.2)


class Mac:
    """A home, a launchctl and the agent in between."""

    def __init__(self, folder: Path, patience: Patience = QUICK, **told: Any) -> None:
        self.home = folder / "home"
        (self.home / "logs").mkdir(parents=True)
        self._state, environ = launchctl.install(folder / "bin", **told)
        self.launchd = Launchd(self.home, environ, self.home, patience)
        self.spec = ServiceSpec(
            program=("/opt/localpi/bin/localpi",),
            addresses=("127.0.0.1",),
            port=3141,
            data=str(self.home / "data"),
            logs=str(self.home / "logs"),
        )

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self._state.read_text()))

    def tell(self, **told: Any) -> None:
        self._state.write_text(json.dumps({**self.state, **told}))

    def calls(self) -> list[str]:
        """The commands since the last time, without what only looks."""
        found = [words[0] for words in self.state["calls"] if words[0] not in {"print", "print-disabled"}]
        self.tell(calls=[])
        return found


MakeMac = Callable[..., Mac]


@pytest.fixture
def mac(tmp_path: Path) -> MakeMac:
    """Make a Mac; keyword arguments go to its launchctl."""

    def make(patience: Patience = QUICK, **told: Any) -> Mac:
        return Mac(tmp_path, patience, **told)

    return make


def installed(made: Mac) -> Mac:
    """With the agent installed and started."""
    assert made.launchd.install(made.spec) == Outcome(What.INSTALLED)
    assert made.launchd.start() == Outcome(What.STARTED)
    made.calls()
    return made


def test_install_writes_enables_and_starts(mac: MakeMac) -> None:
    """The file is the user's alone to write; a label that was disabled once is enabled."""
    made = mac(disabled=True)
    assert made.launchd.install(made.spec) == Outcome(What.INSTALLED)
    assert made.launchd.plist.stat().st_mode & 0o777 == 0o644
    assert made.launchd.start() == Outcome(What.STARTED)
    assert (made.calls(), made.state["running"]) == (["enable", "enable", "bootstrap"], True)
    assert made.launchd.state() == ServiceState(
        LABEL,
        installed=True,
        enabled=True,
        activity="running",
        pid=401,
        program=made.spec.program,
        data=Path(made.spec.data),
        restarts=0,
        files=(made.launchd.plist,),
    )


def test_installing_again_touches_nothing(mac: MakeMac) -> None:
    """A running agent goes on."""
    made = installed(mac())
    before = made.launchd.plist.stat()
    assert made.launchd.install(made.spec) == Outcome(What.UNCHANGED)
    assert made.launchd.start() == Outcome(What.ALREADY_RUNNING)
    assert (made.calls(), made.launchd.plist.stat()) == (["enable"], before)


def test_changed_agent_is_taken_out_waited_for_and_brought_in(mac: MakeMac) -> None:
    """What launchd has read it keeps; bootout comes back before the agent is gone."""
    made = installed(mac(teardown_s=0.15))
    assert made.launchd.install(replace(made.spec, program=("/new/localpi",))) == Outcome(What.CHANGED)
    assert made.state["loaded"] is False
    assert made.launchd.start() == Outcome(What.STARTED)
    assert made.calls() == ["bootout", "enable", "enable", "bootstrap"]
    assert made.launchd.state().program == ("/new/localpi",)


@pytest.mark.parametrize("code", [0, 3, 5, 112, 113])
def test_bootout_of_an_agent_that_is_not_there_is_no_failure(mac: MakeMac, code: int) -> None:
    """3 for years, 5 on the newest macOS, 112 and 113 without a domain or a service."""
    made = mac(not_loaded=code)
    made.launchd.install(made.spec)
    assert made.launchd.stop() == Outcome(What.NOT_RUNNING)
    assert made.launchd.uninstall() == Outcome(What.REMOVED)
    assert not made.launchd.plist.exists()
    assert made.launchd.uninstall() == Outcome(What.NOT_INSTALLED)


def test_bootout_that_is_in_progress_is_waited_for(mac: MakeMac) -> None:
    """36 is "operation now in progress"."""
    made = installed(mac(teardown_s=0.2))
    made.tell(script={"bootout": [36]}, loaded=True)
    made.tell(gone_at=0)
    assert made.launchd.stop() in {Outcome(What.STOPPED), Outcome(What.NOT_RUNNING)}
    assert made.state["loaded"] is False


def test_stop_waits_until_it_is_gone_and_start_brings_it_back(mac: MakeMac) -> None:
    """KeepAlive cannot revive an agent that is not loaded."""
    made = installed(mac(teardown_s=0.15))
    assert made.launchd.stop() == Outcome(What.STOPPED)
    assert made.state["loaded"] is False
    assert made.launchd.stop() == Outcome(What.NOT_RUNNING)
    assert made.launchd.start() == Outcome(What.STARTED)
    assert made.launchd.state().activity == "running"


def test_teardown_without_end_is_given_up(mac: MakeMac) -> None:
    """A process that does not die is said, not waited for for ever."""
    made = installed(mac(teardown_s=600.0))
    made.launchd._patience = HURRIED
    outcome = made.launchd.stop()
    assert (outcome.what, "has not ended it" in outcome.reason) == (What.FAILED, True)
    assert made.launchd.state().activity == "stopping"
    assert made.launchd.uninstall().what is What.FAILED
    assert made.launchd.plist.exists(), "what cannot be stopped is not forgotten"


@pytest.mark.parametrize("code", [5, 37, 119])
def test_bootstrap_is_tried_again_while_something_is_in_the_way(mac: MakeMac, code: int) -> None:
    """EIO for seconds after a teardown (the eleventh try worked), 119 until enable has taken effect."""
    made = mac(script={"bootstrap": [code] * 4})
    made.launchd.install(made.spec)
    assert made.launchd.start() == Outcome(What.STARTED)
    assert made.calls().count("bootstrap") == 5


def test_bootstrap_that_never_works_says_so(mac: MakeMac) -> None:
    """Within a bound, with launchctl's own words."""
    made = mac(HURRIED, script={"bootstrap": [5] * 1000})
    made.launchd.install(made.spec)
    assert made.launchd.start() == Outcome(What.FAILED, "launchctl bootstrap ended with 5: Could not do that: 5")


@pytest.mark.parametrize("code", [5, 36, 37])
def test_bootstrap_of_an_agent_that_is_loaded_is_a_start(mac: MakeMac, code: int) -> None:
    """Somebody else loaded it meanwhile: kicked, without -k."""
    made = mac()
    made.launchd.install(made.spec)
    made.calls()
    made.tell(script={"print": [113], "bootstrap": [code]}, loaded=True)
    assert made.launchd.start() == Outcome(What.STARTED)
    assert made.calls() == ["enable", "bootstrap", "kickstart"]


@pytest.mark.parametrize(("code", "expected"), [(36, What.STARTED), (37, What.STARTED), (113, What.STARTED),
                                                (3, What.STARTED), (1, What.FAILED)])  # fmt: skip
def test_kick_of_an_agent_that_is_loaded_and_does_not_run(mac: MakeMac, code: int, expected: What) -> None:
    """Already in progress is what was wanted; gone in between is brought in."""
    made = installed(mac())
    made.tell(running=False, script={"kickstart": [code]})
    assert made.launchd.start().what is expected


def test_restart_is_one_step(mac: MakeMac) -> None:
    """No bootout, so no race with the teardown."""
    made = installed(mac())
    assert made.launchd.restart() == Outcome(What.RESTARTED)
    assert (made.calls(), made.state["pid"]) == (["kickstart"], 402)


@pytest.mark.parametrize("code", [3, 5, 112, 113])
def test_restart_of_an_agent_that_is_not_loaded_brings_it_in(mac: MakeMac, code: int) -> None:
    """The plist is there, launchd has forgotten it."""
    made = mac(script={"kickstart": [code]})
    made.launchd.install(made.spec)
    made.calls()
    assert made.launchd.restart() == Outcome(What.STARTED)
    assert made.calls() == ["kickstart", "enable", "bootstrap"]


def test_restart_that_fails_says_why(mac: MakeMac) -> None:
    """Any other code."""
    made = installed(mac())
    made.tell(script={"kickstart": [1]})
    assert made.launchd.restart() == Outcome(What.FAILED, "launchctl kickstart ended with 1: Could not do that: 1")


def test_agent_that_is_switched_off_in_the_settings_is_said(mac: MakeMac) -> None:
    """The user can switch it off in the Login Items; enable does not help then."""
    made = mac(HURRIED, disabled=True, stuck_off=True)
    made.launchd.install(made.spec)
    outcome = made.launchd.start()
    assert (outcome.what, "Login Items" in outcome.reason, "System Settings" in outcome.hint) == (
        What.DISABLED, True, True,
    )  # fmt: skip
    assert made.launchd.state().enabled is False


def test_file_that_others_may_write_is_mended(mac: MakeMac) -> None:
    """122 is bad ownership or permissions."""
    made = mac()
    made.launchd.install(made.spec)
    made.launchd.plist.chmod(0o666)
    assert made.launchd.start() == Outcome(What.STARTED)
    assert made.launchd.plist.stat().st_mode & 0o777 == 0o644


def test_file_that_stays_wrong_is_said(mac: MakeMac) -> None:
    """It is somebody else's, perhaps."""
    made = mac(HURRIED, script={"bootstrap": [122] * 1000})
    made.launchd.install(made.spec)
    assert made.launchd.start().reason == "the agent's file is not the user's own"


@pytest.mark.parametrize(("domains", "domain"), [(["gui", "user"], "gui"), (["user"], "user")])
def test_domain_is_the_sessions_where_there_is_one(mac: MakeMac, domains: list[str], domain: str) -> None:
    """Over ssh and on headless Macs only the user's answers."""
    made = installed(mac(domains=domains))
    assert made.launchd.domain.partition("/")[0] == domain
    assert made.state["running"] is True


def test_domain_that_does_not_take_agents_is_said_at_once(mac: MakeMac) -> None:
    """125, with a probe that worked: no fallback, no patience."""
    made = mac(script={"bootstrap": [125]})
    made.launchd.install(made.spec)
    outcome = made.launchd.start()
    assert (outcome.what, "no place for agents" in outcome.reason) == (What.FAILED, True)
    assert made.calls().count("bootstrap") == 1


def test_no_domain_at_all_is_unavailable(mac: MakeMac) -> None:
    """Nothing is written."""
    made = mac(domains=[])
    assert made.launchd.unavailable().startswith("launchd does not answer")
    outcomes = (made.launchd.install(made.spec), made.launchd.start(), made.launchd.stop(), made.launchd.restart())
    assert {outcome.what for outcome in outcomes} == {What.UNAVAILABLE}
    assert not made.launchd.plist.exists()


def test_another_home_is_not_read_by_launchd(tmp_path: Path) -> None:
    """A HOME that is not the account's: the person's own agent has the same label, and stays."""
    _, environ = launchctl.install(tmp_path / "bin")
    launchd = Launchd(tmp_path / "scratch", environ, tmp_path / "account")
    assert "launchd reads the agents below" in launchd.unavailable()


def test_a_machine_without_launchctl_is_unavailable(tmp_path: Path) -> None:
    """It is no Mac."""
    assert Launchd(tmp_path, {"PATH": str(tmp_path)}, tmp_path).unavailable() == "there is no launchd here"


def test_agent_that_ends_at_once_is_seen(mac: MakeMac) -> None:
    """A busy port ends it with 0, so that launchd does not try for ever; the state tells."""
    made = installed(mac(dies_at_start=True))
    state = made.launchd.state()
    assert (state.activity, state.pid, state.ended) == ("stopped", None, "")


def test_last_exit_code_is_told(mac: MakeMac) -> None:
    """78 is launchd's own for a log folder that is not there, too."""
    made = mac()
    made.launchd.install(replace(made.spec, logs=str(made.home / "no such folder")))
    made.launchd.start()
    state = made.launchd.state()
    assert (state.activity, state.ended, state.ended_status) == ("stopped", "it ended with exit code 78", 78)


def test_state_of_nothing_asks_nobody(mac: MakeMac) -> None:
    """And writes nothing."""
    made = mac()
    assert made.launchd.state() == ServiceState(LABEL, installed=False)
    assert made.state["calls"] == []
    made.launchd.install(made.spec)
    before = {path: path.lstat().st_mtime_ns for path in made.home.rglob("*")}
    made.launchd.state()
    assert {path: path.lstat().st_mtime_ns for path in made.home.rglob("*")} == before
