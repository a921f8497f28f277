"""The overview: one look tells what works here and now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, ProgressBar, Static

from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import AWAY, Place
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows
from localpi.tui.workers import start

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from localpi.remote.told import Base, Event, Saved
    from localpi.reports import CacheUse, Status
    from localpi.tui.desk import ServiceState


class Overview(Place):
    """URL, daemon, service, wiring; bases; cache; last events."""

    group = "overview"
    BINDINGS = bindings_of("overview")

    def __init__(self) -> None:
        super().__init__()
        self._shown: Status | None = None
        self._service: ServiceState | None = None

    def middle(self) -> ComposeResult:
        """Three bands: where to install from, who is there, what it was good for."""
        with Vertical(classes="panel", id="install") as install:
            install.border_title = "Install from"
            with Horizontal(id="url-row"):
                yield Static("…", id="index-url", markup=False)
                yield Button("c copy", id="copy", tooltip="Copy the index URL (key c)")
            yield Static("", id="headline", markup=False)
            yield Static("", id="facts", markup=False)
        with Vertical(classes="panel", id="overview-bases") as bases:
            bases.border_title = "Bases"
            yield Rows(*BASE_COLUMNS, id="bases", empty="No mirror yet: 3, then n.")
        with Horizontal(id="overview-below"):
            with Vertical(classes="panel", id="overview-cache") as cache:
                cache.border_title = "Cache"
                yield Static(Content.styled("Loading …", "dim"), id="saved", markup=False)
                yield ProgressBar(id="budget", show_eta=False, show_percentage=False)
            with Vertical(classes="panel", id="overview-events") as events:
                events.border_title = "Last events"
                yield Rows(Column("", 6), Column(""), id="events", classes="quiet", empty="Nothing has happened yet.")

    def on_mount(self) -> None:
        """Follow the daemon's state: it is asked for in the app."""
        self.query_one("#bases", Rows).focus()
        self.query_one("#budget").display = False
        self.watch(self.room, "status", self._show_status)

    def offers(self, action: str) -> bool:
        """Leave out what is done already, and services where nothing could start one."""
        service, status = self._service, self.room.status
        if action == "overview.install_service":
            return service is not None and bool(service.kind) and not service.installed
        if action == "overview.remove_service":
            return service is not None and service.installed
        return action != "overview.wire_pip" or (status is not None and "pip" not in status.wired)

    def on_button_pressed(self) -> None:
        """Copy, by mouse."""
        start(self, "deeds", self.app.run_action, "do('everywhere.copy_url')")

    def fail(self, error: Exception) -> None:
        """Say it where the cache would stand, too."""
        super().fail(error)
        if not self.query_one("#budget").display:
            self.query_one("#saved", Static).update(Content.styled("Nothing is known of it.", "dim"))

    async def load(self) -> None:
        """Read bases, cache, events; what the daemon does not tell stays empty."""
        desk, now = self.room.desk, self.room.now()
        service = await self.ask(desk.running.service_state)
        self._show_service(service)
        status = self.room.status
        if status is None:
            await self.room.look_now()
            status = self.room.status
        if status is None or not status.running:
            for rows in self.query(Rows):
                rows.show((), note=AWAY)
            self.query_one("#saved", Static).update(Content.styled(AWAY, "dim"))
            self.query_one("#budget").display = False
            return
        lines = base_lines(await self.ask(desk.bases.base_rows), now)
        self.query_one("#bases", Rows).show(lines)
        self.query_one("#overview-bases").styles.height = max(LEAST_BASES, min(len(lines), MOST_BASES)) + 3
        use, saved = await self.ask(desk.cache.cache_use), await self.ask(desk.cache.saved)
        self._show_cache(use, saved)
        self.query_one("#events", Rows).show(event_lines(await self.ask(desk.log.events), now))

    def _show_status(self, status: Status | None) -> None:
        if status is None:
            return
        self._tell(status=status_words(status), wired=wired_words(status))
        lasting = replace(status, uptime_s=None)
        if lasting != self._shown:  # else nothing has happened: five calls every few seconds would be 1 % of a core
            self._shown = lasting
            self.query_one("#index-url", Static).update(status.index_url)
            text, tone = headline(status, self.room.now())
            self.query_one("#headline", Static).update(Content.styled(text, STYLES[tone]))
            self.refresh_bindings()
            self.reload()

    def _show_service(self, service: ServiceState) -> None:
        if service != self._service:
            self._service = service
            self.refresh_bindings()
        self._tell(service=service_words(service))

    def _tell(self, **words: tuple[str, wording.Tone]) -> None:
        known = getattr(self, "_words", {})
        if words.items() <= known.items():  # else the whole screen is laid out and drawn again every few seconds
            return
        self._words = known | words
        parts = [self._words[name] for name in ("status", "service", "wired") if name in self._words]
        self.query_one("#facts", Static).update(
            Content("  ·  ").join(Content.styled(text, STYLES[tone]) for text, tone in parts)
        )

    def _show_cache(self, use: CacheUse, saved: Saved) -> None:
        bar = self.query_one("#budget", ProgressBar)
        bar.display = bool(use.budget)
        bar.update(total=use.budget or 1, progress=min(use.bytes, use.budget or 1))
        lines = [Content.assemble((f"{label:<7}", "dim"), value) for label, value in cache_words(use, saved)]
        empty = Content.styled("Empty: what pip and uv install through localpi is kept here.", "dim")
        self.query_one("#saved", Static).update(Content("\n").join(lines) if use.files else empty)


LEAST_BASES, MOST_BASES = 2, 10
"""Lines of the table on the overview; more scroll."""
BASE_COLUMNS = (
    Column("index", 12, fit=26), Column("state", 9), Column("since", 6), Column("answers in", 13, fit=16),
    Column("why"),
)  # fmt: skip

STYLES: dict[str, str] = {
    "": "",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "$text-error bold",
    "dim": "dim",
    "strong": "bold",
}


def headline(status: Status, now: datetime) -> tuple[str, wording.Tone]:
    """Return what works here and now, in one sentence."""
    if not status.running:
        return "○ Nothing installs from here: the daemon is not running. s starts it.", "bad"
    off = [base.index for base in status.bases if base.state == "off"]
    away = [base for base in status.bases if base.state not in {"ok", "slow", "off"}]
    if off and len(off) == len(status.bases):
        return "◐ Offline by hand: what is here installs, nobody is contacted.", "warn"
    if away:
        names = " and ".join(base.index for base in away[:2]) + (f" and {len(away) - 2} more" if away[2:] else "")
        since = f" since {wording.clock(away[0].since, now)}" if len(away) == 1 and away[0].since else ""
        verb = "is" if len(away) == 1 else "are"
        return f"◐ {names} {verb} away{since}; what is here of it still installs.", "warn"
    if not status.bases:
        return "● Your own packages install; for others there is no mirror yet (3, then n).", "good"
    return "● Everything installs: your own packages, and what the bases have.", "good"


def status_words(status: Status) -> tuple[str, wording.Tone]:
    """Return how the daemon is, in a few words."""
    if not status.running:
        return "daemon stopped", "dim"
    # No seconds: they would have the screen laid out and drawn anew, 14 KB each over ssh, for nothing.
    uptime_s = status.uptime_s or 0
    for_ = f", {wording.span(uptime_s)}" if uptime_s >= 60 else ""
    return f"daemon {status.version}{for_}", "dim"


def service_words(service: ServiceState) -> tuple[str, wording.Tone]:
    """Return how it is started, in a few words."""
    if not service.kind:
        return "runs until the next boot", "dim"
    if service.installed:
        return f"starts at login ({service.kind})", "dim"
    return "not a service: i", "warn"


def wired_words(status: Status) -> tuple[str, wording.Tone]:
    """Return what is wired, in a few words."""
    if status.wired:
        return f"wired: {', '.join(status.wired)}", "dim"
    return "pip not wired: w", "warn"


def base_lines(bases: tuple[Base, ...], now: datetime) -> list[Row]:
    """Return a line per mirror."""
    lines = []
    for base in bases:
        health = base.health
        offline = f" (offline {health.offline})" if health.offline != "auto" else ""
        latency = f"{base.latency_ms} ms" if base.latency_ms is not None and health.state in {"ok", "slow"} else ""
        probe = wording.within(health.next_probe, now)
        reason = health.reason + offline or base.url
        lines.append(
            Row(
                health.index,
                (
                    health.index,
                    wording.state(health.state),
                    wording.day(health.since, now),
                    latency
                    or (
                        f"probe {probe}"
                        if probe and health.state != "ok"
                        else ("not asked yet" if health.state == "ok" else "", "dim")
                    ),
                    (reason, "" if health.reason else "dim"),
                ),
            )
        )
    return lines


def event_lines(events: tuple[Event, ...], now: datetime) -> list[Row]:
    """Return a line per event, newest first."""
    tones: dict[str, wording.Tone] = {"good": "good", "bad": "bad"}
    return [
        Row(str(at), ((wording.day(event.at, now), "dim"), (event.text, tones.get(event.kind, ""))))
        for at, event in enumerate(events)
    ]


def cache_words(use: CacheUse, saved: Saved) -> list[tuple[str, str]]:
    """Return what the cache takes and was good for, as labels and values."""
    of = f" of {wording.size(use.budget)}" if use.budget else ""
    words = [("takes", f"{wording.size(use.bytes)}{of}"), ("files", f"{use.files:,}")]
    if saved.rate is not None:
        words.append(("hits", f"{saved.rate:.0%} of {saved.hits + saved.misses:,}"))
    if saved.bytes or saved.seconds:
        words.append(("saved", f"{wording.size(saved.bytes)}, {wording.span(saved.seconds)}"))
    return words
