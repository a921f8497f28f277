"""`env`: text to paste, so that a container, a CI job or a server uses this index."""

from __future__ import annotations

import click

from localpi.cli.output import data, json_option, print_json, say
from localpi.cli.scene import Scene, index_option, pass_scene

FORMS = ("shell", "docker", "nerdctl", "podman", "compose", "dockerfile", "github", "gitlab", "nginx", "supervisor")


@click.command("env")
@click.option("--for", "form", type=click.Choice(FORMS), default="shell", show_default=True, help="What it is for.")
@click.option("--server", is_flag=True, help="Run localpi there, instead of installing from the one here.")
@click.option("--host", metavar="NAME", default="", help="The name by which it is reached, where it is not the usual.")
@click.option("--outside-url", metavar="URL", default="", help="The URL under which a reverse proxy shows it.")
@index_option
@json_option
@pass_scene
def env_command(
    scene: Scene, *, form: str, server: bool, host: str, outside_url: str, index: str | None, as_json: bool
) -> None:
    """Print text to paste: PIP_INDEX_URL, PIP_TRUSTED_HOST and UV_DEFAULT_INDEX with the name that is right there.

    `eval "$(localpi env)"` for this shell, `docker run $(localpi env --for docker) IMAGE` for a container.
    """
    from localpi.settings.schema import find_setting  # noqa: PLC0415 -- not needed for help
    from localpi.setup.env import Wanted, make_text  # noqa: PLC0415 -- as above

    outside = str(find_setting("outside_url").parse(outside_url, "--outside-url"))
    host = str(find_setting("host").parse(host, "--host")) if host else ""
    wanted = Wanted(form, scene.index(index), server=server, host=host, outside_url=outside)
    made = make_text(wanted, scene.settings, scene.paths, scene.environ)
    if as_json:
        print_json(
            {
                "for": form,
                "server": server,
                "text": made.text,
                "variables": dict(made.variables),
                "arguments": list(made.arguments),
                "notes": list(made.notes),
            }
        )
        return
    data(made.text)
    for note in made.notes:
        say(f"# {note}")
