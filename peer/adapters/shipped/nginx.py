"""nginx as the server of client-server."""

from pathlib import Path

from peer.adapters.life.server import Service

# Its one process stays what it is. For root it would make folders of another user, which the namespace of an ordinary
# user does not have.
_SETTINGS = """\
user root;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
        root {root};
    }}
}}
"""


class Nginx(Service):
    """One process that serves the folder of the file."""

    program = "nginx"
    install = "apt-get install nginx-light"
    version_option = "-v"

    def command(self) -> list[str | Path]:
        file, site = self.folder / "nginx.conf", self.site
        root = site.file.absolute().parent if site.file is not None else self.folder
        file.write_text(_SETTINGS.format(folder=self.folder, address=site.address, root=root))
        return [self.executable(), "-e", "stderr", "-p", self.folder, "-c", file]
