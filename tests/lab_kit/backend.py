# SPDX-License-Identifier: BSD-3-Clause
"""A backend of the lab: a namespace with an nginx in it.

It closes first on PORT_CLOSING, its client on PORT_KEEPALIVE. PORT_STATUS is asked from inside.
"""

import subprocess

from lab_kit.namespace import Namespace
from lab_kit.process import wait_until

PORT_CLOSING = 80
PORT_KEEPALIVE = 8080
PORT_STATUS = 81

NGINX = """
worker_processes 1;
daemon off;
user root;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {work}/body;
  proxy_temp_path {work}/proxy;
  fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi;
  scgi_temp_path {work}/scgi;
  client_max_body_size 1g;
  add_header X-Backend {address};
  root {www};
  server {{
    listen {address}:80 backlog=65535;
    listen [::]:80 ipv6only=on backlog=65535;
    keepalive_timeout 0;
    lingering_close off;
    location /upload/ {{ root {work}; dav_methods PUT; create_full_put_path on; }}
  }}
  server {{
    listen {address}:8080 backlog=65535;
    keepalive_timeout 600;
    keepalive_requests 1000000;
    location /upload/ {{ root {work}; dav_methods PUT; create_full_put_path on; }}
  }}
  server {{
    listen {address}:81;
    location / {{ stub_status; }}
  }}
}}
"""


class Backend(Namespace):
    """`work` is the folder of its nginx."""

    def __init__(self, name, address, work):
        super().__init__(name)
        self.address = address
        self.work = work
        self.config = work / "nginx.conf"
        # All TIME_WAIT sockets must have room: one that is thrown out early hides the failure.
        self.sysctl(**{"net.core.somaxconn": 65535, "net.ipv4.tcp_max_syn_backlog": 65535,
                       "net.ipv4.tcp_max_tw_buckets": 2000000, "net.ipv4.tcp_syncookies": 0})

    def configure(self, www):
        self.work.mkdir()
        self.config.write_text(NGINX.format(work=self.work, www=www, address=self.address))

    def start_nginx(self):
        """Returns the process, which answers only a moment later: see wait_until_up()."""
        log = open(self.work / "nginx.out", "a")
        return self.start("nginx", "-c", self.config, "-e", self.work / "error.log", stdout=log,
                          stderr=subprocess.STDOUT)

    def wait_until_up(self):
        wait_until(lambda: self.requests_served() is not None, 10, "nginx does not answer")

    def requests_served(self):
        """Requests that it has served, as nginx counts them; None while it is not up."""
        url = f"http://{self.address}:{PORT_STATUS}/"
        page = self.run("curl", "-sf", "--max-time", "2", url, check=False)
        return int(page.split()[9]) if page else None
