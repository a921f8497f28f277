"""nginx: the upstream of all the others, and the limit they are compared with."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.corpus import publish
from benchmarks.processes import HOST, BenchmarkError
from benchmarks.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.corpus import Corpus

PLACES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx")

CONFIGURATION = """\
{user}
daemon off;
worker_processes 2;
pid {home}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 600;
    keepalive_requests 1000000000;
    client_body_temp_path {home}/temp;
    proxy_temp_path {home}/temp;
    fastcgi_temp_path {home}/temp;
    uwsgi_temp_path {home}/temp;
    scgi_temp_path {home}/temp;
    types {{
        text/html html;
        application/vnd.pypi.simple.v1+json json;
    }}
    default_type application/octet-stream;
    map $http_accept $form {{
        default html;
        {json}
    }}
    server {{
        listen {host}:{port} backlog=1024;
        rewrite ^/simple/$ /pages/index.$form last;
        rewrite ^/simple/(?<project>[a-z0-9-]+)/$ /pages/$project.$form last;
        location /pages/ {{
            internal;
            root {home};
            add_header Cache-Control "max-age=600, public";
            add_header Vary Accept;
        }}
        location /files/ {{ alias {files}/; add_header Cache-Control "max-age=365000000, immutable, public"; }}
    }}
}}
"""


class Nginx(Server):
    """nginx over the corpus; JSON for those who accept it unless `html_only`."""

    name = "nginx"
    health = "/simple/"

    def __init__(self, work: Path, corpus: Corpus, *, html_only: bool) -> None:
        super().__init__(work)
        self._corpus = corpus
        self._html_only = html_only

    @property
    def url(self) -> str:
        """The root of its simple index."""
        return f"http://{HOST}:{self.port}/simple/"

    def prepare(self, say: Callable[[str], None]) -> None:
        """Look whether it is installed."""
        del say
        find_nginx()

    def version(self) -> str:
        """Give its version."""
        run = subprocess.run([find_nginx(), "-v"], capture_output=True, text=True, check=True, timeout=30)
        return run.stderr.strip().rpartition("/")[2]

    def command(self) -> Sequence[str]:
        """Write the pages and the configuration for the port, and run it in the foreground."""
        publish(self._corpus, self.home / "pages", f"http://{HOST}:{self.port}")
        (self.home / "temp").mkdir(exist_ok=True)
        configuration = self.home / "nginx.conf"
        as_root = os.geteuid() == 0  # its workers would become somebody who cannot read the work folder
        text = CONFIGURATION.format(
            user=f"user {getpass.getuser()} {grp.getgrgid(os.getegid()).gr_name};" if as_root else "",
            home=self.home,
            host=HOST,
            port=self.port,
            files=self._corpus.root / "files",
            json="" if self._html_only else '"~application/vnd\\.pypi\\.simple\\.v1\\+json" json;',
        )
        configuration.write_text(text, encoding="utf-8")
        return (find_nginx(), "-e", "stderr", "-p", str(self.home), "-c", str(configuration))

    def page(self, project: str) -> str:
        """Give the path."""
        return f"/simple/{project}/"


def find_nginx() -> str:
    """Give the path of nginx, which PATH need not name."""
    found = shutil.which("nginx") or next((place for place in PLACES if Path(place).exists()), None)
    if found is None:
        raise BenchmarkError("nginx is not installed: it is the upstream of all rows, nothing can be measured")
    return found
