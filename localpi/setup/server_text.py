"""What to paste for a localpi server: in a container, behind nginx, under supervisord. Pure: facts in, text out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.setup.env_text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVERS = ("docker", "nerdctl", "podman", "compose", "dockerfile", "nginx", "supervisor")
USER = 10141
"""The user id in the image: nobody's on the host."""
FILE = "Dockerfile.localpi"


@dataclass(frozen=True, slots=True)
class Server:
    """What the texts have to know."""

    port: int
    names: tuple[str, ...]
    """By which clients call it."""
    outside_url: str = ""
    """Under which nginx shows it, without a slash at the end."""
    max_upload: int = 4 << 30
    program: tuple[str, ...] = ("localpi",)
    user: str = ""
    home: str = ""
    data: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    """What says where its folders are."""


def dockerfile_server(server: Server) -> Text:
    """Return a Dockerfile: not root, one volume, a health check that asks the daemon itself."""
    text = f"""\
# A localpi server. In a clone of localpi:
#   localpi env --for dockerfile --server >{FILE}
#   docker build -t localpi -f {FILE} .
FROM python:3-slim AS build
COPY . /src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /src

FROM python:3-slim
COPY --from=build /wheels /wheels
RUN python -m venv /opt/localpi \\
 && /opt/localpi/bin/pip install --no-cache-dir /wheels/*.whl \\
 && rm -r /wheels \\
 && install -d -o {USER} -g {USER} -m 0700 /data
ENV PATH=/opt/localpi/bin:$PATH HOME=/data LOCALPI_HOME=/data LOCALPI_HOST=0.0.0.0 LOCALPI_PORT={server.port}
USER {USER}:{USER}
WORKDIR /data
VOLUME /data
EXPOSE {server.port}
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["localpi", "status"]
CMD ["localpi", "serve"]"""
    return Text(text)


def compose_server(server: Server) -> Text:
    """Return a compose.yaml with the server, its volume, and the password that its first start sets."""
    text = f"""\
services:
  localpi:
    image: localpi
    build:
      context: .  # a clone of localpi
      dockerfile: {FILE}  # localpi env --for dockerfile --server >{FILE}
    user: "{USER}:{USER}"
    restart: unless-stopped
    stop_grace_period: 30s
    ports:
      - "127.0.0.1:{server.port}:{server.port}"  # for other machines: "{server.port}:{server.port}"
    volumes:
      - localpi-data:/data:Z
    environment:
      LOCALPI_ROOT_PASSWORD: "${{LOCALPI_ROOT_PASSWORD:?the first start sets the password of root}}"
      LOCALPI_ALLOWED_HOSTS: "{",".join(server.names)}"
      # LOCALPI_OPEN_READING: "1"  # whoever reaches it may install without a credential
    read_only: true
    tmpfs:
      - /tmp
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    healthcheck:
      test: ["CMD", "localpi", "status"]
      interval: 30s
      timeout: 5s
      start_period: 30s
volumes:
  localpi-data:"""
    return Text(text, notes=(PASSWORD_NOTE,))


PASSWORD_NOTE = "put LOCALPI_ROOT_PASSWORD into .env or the environment; an empty one would be an empty password"  # noqa: S105 -- a sentence


def run_server(runtime: str, server: Server) -> Text:
    """Return the command that runs the image."""
    words: Sequence[str] = (
        runtime, "run", "--detach", "--name", "localpi", "--restart", "unless-stopped", "--stop-timeout", "30",
        "--publish", f"127.0.0.1:{server.port}:{server.port}", "--volume", "localpi-data:/data:Z",
        "--env", "LOCALPI_ROOT_PASSWORD", "--env", f"LOCALPI_ALLOWED_HOSTS={','.join(server.names)}",
        "--read-only", "--tmpfs", "/tmp", "--cap-drop",  # noqa: S108 -- the container's own
        "ALL", "--security-opt", "no-new-privileges", "localpi",
    )  # fmt: skip
    notes = (f"the image: localpi env --for dockerfile --server >{FILE} && {runtime} build -t localpi -f {FILE} .",)
    return Text(shlex.join(words), arguments=tuple(words), notes=(*notes, PASSWORD_NOTE.replace(".env or ", "")))


def nginx_text(server: Server) -> Text:
    """Return a server of nginx, on a path of its own where the outside URL has one.

    Links carry the path because X-Outside-Url says it. The Host that we get is our own, as nginx has chosen by the
    client's; so no setting has to know the outside name.
    """
    parts = urlsplit(server.outside_url)
    path = parts.path.rstrip("/")
    redirect = f"    location = {path} {{\n        return 301 {server.outside_url}/;\n    }}\n" if path else ""
    if parts.scheme == "https":
        listen = "    listen 443 ssl;\n    ssl_certificate /etc/ssl/certs/localpi.pem;  # yours\n"
        listen += "    ssl_certificate_key /etc/ssl/private/localpi.key;  # yours\n"
    else:
        listen = f"    listen {parts.port or 80};\n"
    text = f"""\
server {{
{listen}    server_name {parts.hostname or "_"};
    client_max_body_size {-(-server.max_upload // (1 << 20)) + 16}m;
{redirect}    location {path}/ {{
        proxy_pass http://127.0.0.1:{server.port}/;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host 127.0.0.1:{server.port};
        proxy_set_header X-Outside-Url {server.outside_url};
        proxy_set_header X-Forwarded-Prefix "";
        proxy_request_buffering off;
        proxy_max_temp_file_size 0;
        proxy_read_timeout 300s;
    }}
}}"""
    note = "to localpi who comes through nginx is on this machine and may read: limit it there (allow, auth_basic)"
    return Text(text, notes=(note,))


def supervisor_text(server: Server) -> Text:
    """Return a program of supervisord, which starts it again when it fails and not when that would not help."""
    variables = ",".join(f'{name}="{_percent(value)}"' for name, value in (("HOME", server.home), *server.variables))
    text = f"""\
[program:localpi]
command={_percent(shlex.join((*server.program, "serve")))}
user={server.user}
directory={_percent(server.data)}
environment={variables}
umask=077
autostart=true
autorestart=unexpected
exitcodes=0,2,78
startsecs=2
stopsignal=TERM
stopwaitsecs=30
redirect_stderr=true
stdout_logfile=AUTO
stdout_logfile_maxbytes=5MB"""
    return Text(text, notes=("supervisord wants the folder to be there: localpi up && localpi down makes it",))


def _percent(value: str) -> str:
    return value.replace("%", "%%")
