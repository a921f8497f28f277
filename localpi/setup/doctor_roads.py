"""What is wrong between clients, the daemon and its bases: one small function for each question. Pure."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from localpi.reports import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localpi.setup.doctor_facts import BaseFacts, Facts, ToolFacts

SLOW_MS = 1000
MISDIRECTED = 421
OFFLINE = "what is here installs, what is not does not"
PUBLISH_ONLY = ("poetry", "twine")
"""Tools that are wired to publish, not to install."""
PROXIES = ("http_proxy", "all_proxy")


def check_bases(facts: Facts) -> Iterator[Finding]:
    """Whether each mirror's upstream can be reached, and how fast."""
    for base in facts.bases:
        yield _away(base) if base.health.state in {"off", "auth", "captive", "down"} else _near(base)


def _away(base: BaseFacts) -> Finding:
    """Say why nothing comes from it, and from when on."""
    health, mirror = base.health, quote(base.health.index)
    short = mirror.removeprefix("root/")  # as `base` takes it
    severity, what, remedy = {
        "off": ("note", "was set offline by hand", f"localpi offline auto {mirror}"),
        "auth": (
            "problem",
            "wants other credentials",
            f"localpi base set {short} --credentials",
        ),
        "captive": ("warning", "seems to be behind a login page", "log in to the network, in a browser"),
        "down": (
            "warning",
            "is down",
            f"it is looked for; if {base.url or 'its URL'} is wrong: localpi base set {short} URL",
        ),
    }[health.state]
    since = f" since {health.since}" if health.since else ""
    said, _, advice = health.reason.partition("; ")
    reason = f": {said}" if said and health.state != "off" else ""
    if advice and health.state in {"captive", "down"}:
        remedy = advice  # made for what was seen
    return Finding("bases", severity, f"{health.index} {what}{since}{reason}", OFFLINE, remedy)


def _near(base: BaseFacts) -> Finding:
    health, name = base.health, base.health.index
    if base.said:
        what = f"{name} counts as {health.state}, but {base.reached} cannot be connected to: {base.said}"
        return Finding(
            "bases", "warning", what, OFFLINE, "look at the network, the VPN, the proxy: localpi config show"
        )
    took = f"{base.reached} answers in {base.latency_ms} ms" if base.latency_ms is not None else "not measured"
    if health.state == "slow" or (base.latency_ms or 0) > SLOW_MS:
        reason = f" ({health.reason})" if health.reason else ""
        meaning = "pages come from the cache and are refreshed behind; first downloads take their time"
        return Finding("bases", "note", f"{name} is slow{reason}: {took}", meaning)
    return Finding("bases", "ok", f"{name}: {took}")


def check_wiring(facts: Facts) -> Iterator[Finding]:
    """Whether the tools that a person has install from here, and their files say what was written."""
    for tool in facts.tools:
        if tool.used or tool.state in {"wired", "drifted"}:
            yield from _tool_findings(tool, facts)
    free = [tool.tool for tool in facts.tools if tool.used and tool.state == "unwired"]
    if "pip" in free:
        meaning = "pip goes to PyPI itself: nothing of it is here when you are offline"
        yield Finding("wiring", "note", "pip is not wired", meaning, "localpi wire-pip")
    others = [tool for tool in free if tool != "pip"]
    if others:
        what = f"{', '.join(others)} could use this index and {'do' if len(others) > 1 else 'does'} not"
        yield Finding("wiring", "note", what, "", f"localpi wire {others[0] if len(others) == 1 else 'all'}")


def _tool_findings(tool: ToolFacts, facts: Facts) -> Iterator[Finding]:
    name, does = tool.tool, "publishes to" if tool.tool in PUBLISH_ONLY else "installs from"
    again = _wire_command(tool)
    if tool.state == "broken":
        what = f"{tool.path} cannot be read: {tool.reason}"
        yield Finding("wiring", "problem", what, f"{name} itself may fail on it", f"mend {tool.path} by hand")
    elif tool.state == "drifted":
        now = f"names {tool.url}" if tool.url else "names no index"
        what = f"{tool.path} was edited since it was wired, and {now}"
        remedy = f"{again}, or keep it so: localpi {_unwire_command(tool)}"
        yield Finding("wiring", "warning", what, f"{name} may not use this index", remedy)
    elif tool.ours and tool.index_there is False:
        what = f"{name} {does} {tool.index}, which is no index here"
        remedy = f"localpi index create {quote(tool.index)}, or: {again}"
        yield Finding("wiring", "problem", what, f"every request of {name} gets 404", remedy)
    elif tool.state == "wired" and not tool.ours:
        what = f"{name} is wired to {tool.url}, the daemon is at {facts.daemon.url}"
        yield Finding("wiring", "problem", what, f"{name} does not reach it", again)
    elif tool.ours:
        yield Finding("wiring", "ok", f"{name} {does} {tool.url}")
    elif tool.state == "by-hand" and tool.tool not in PUBLISH_ONLY:
        what = f"{name} installs from {tool.url} ({tool.path})"
        yield Finding("wiring", "note", what, "not from this index", again)


def _wire_command(tool: ToolFacts) -> str:
    if tool.tool != "pip":
        return f"localpi wire {tool.tool}"
    return "localpi wire-pip" + (f" --scope {tool.scope}" if tool.scope in {"global", "site"} else "")


def _unwire_command(tool: ToolFacts) -> str:
    return "unwire-pip" if tool.tool == "pip" else f"unwire {tool.tool}"


def check_shadows(facts: Facts) -> Iterator[Finding]:
    """Whether something beats what the files say: variables, other files, switches, proxies."""
    beating = [shadow for shadow in facts.shadows if shadow.beats]
    for shadow in beating:
        tools = ", ".join(shadow.tools)
        if shadow.where.lower() in PROXIES:
            host = facts.daemon.url.partition("://")[2].partition(":")[0] or "127.0.0.1"
            meaning, remedy = f"{tools}: requests go to the proxy instead", f"export no_proxy={host},localhost"
        elif "/" in shadow.where:
            meaning, remedy = f"{tools}: the wiring does not count there", f"take that line out of {shadow.where}"
        else:
            meaning, remedy = f"{tools}: the wiring does not count in this shell", f"unset {shadow.where}"
        yield Finding("shadows", "warning", _with_place(shadow.what, shadow.where), meaning, remedy)
    if not beating and any(tool.ours for tool in facts.tools):
        yield Finding("shadows", "ok", "no variable, file or proxy gets in the way")


def check_strays(facts: Facts) -> Iterator[Finding]:
    """Whether a tool that installs from here looks elsewhere too."""
    adding = [shadow for shadow in facts.shadows if not shadow.beats]
    meaning = "who asks several indexes takes the greatest version of all, a stranger's too; and waits for each"
    for shadow in adding:
        remedy = f"unset {shadow.where}" if "/" not in shadow.where else f"take it out of {shadow.where}"
        if "index" in shadow.what.lower():
            remedy += "; as a base of this index: localpi base add NAME URL --append"
        yield Finding("strays", "warning", _with_place(shadow.what, shadow.where), meaning, remedy)
    for stray in facts.strays:
        what = f"{stray.tool} looks at {stray.url} as well ({stray.key} in {stray.where})"
        remedy = f"take it out of {stray.where}"
        if stray.url.startswith(("http://", "https://")) and stray.key != "find-links":
            remedy += f"; as a base of this index: localpi base add NAME {quote(stray.url)} --append"
        yield Finding("strays", "warning", what, meaning, remedy)
    if not adding and not facts.strays and any(tool.ours for tool in facts.tools):
        yield Finding("strays", "ok", "no other index beside this one")


def _with_place(what: str, where: str) -> str:
    return what if where in what else f"{what} ({where})"


def check_names(facts: Facts) -> Iterator[Finding]:
    """Whether the names that containers have for this machine are let in, and their bridges listened on."""
    refused = [name for name, status in facts.daemon.names if status == MISDIRECTED]
    for name in refused:
        what = f"the daemon refuses the name {name}"
        meaning = "it was allowed since the daemon started, or is taken by something else"
        yield Finding("containers", "warning", what, meaning, "localpi down && localpi up")
    if facts.daemon.names and not refused:
        names = ", ".join(name for name, _ in facts.daemon.names)
        yield Finding("containers", "ok", f"containers are let in as {names}")
    heard = {facts.settings.host, *facts.settings.listen, facts.daemon.host}
    if heard & {"0.0.0.0", "::", "*"}:  # noqa: S104 -- recognised, not bound
        return
    for bridge in facts.bridges:
        if bridge.address not in heard:
            what = f"containers on the bridge {bridge.name} cannot reach {facts.daemon.url}"
            remedy = f"localpi config set listen+={bridge.address}, then: localpi down && localpi up"
            yield Finding("containers", "note", what, "a bridge is no loopback; --network host works as it is", remedy)


def check_hosts(facts: Facts) -> Iterator[Finding]:
    """Whether somebody called the daemon by a name that it does not have."""
    for refused in facts.daemon.refused:
        times = f"{refused.count} times" if refused.count > 1 else "once"
        ago = f"{refused.ago_s // 60} min ago" if refused.ago_s >= 60 else "just now"
        what = f"the name {refused.host} was refused {times}, {ago}"
        meaning = "a container or proxy that knows this machine by it; or a web page that tried to get in"
        remedy = (
            f"if you know it: localpi config set allowed_hosts+={quote(refused.host)}, then: localpi down && localpi up"
        )
        yield Finding("hosts", "warning", what, meaning, remedy)
    if facts.daemon.state == "serving" and not facts.daemon.refused:
        yield Finding("hosts", "ok", "nobody was refused within the last hour")
