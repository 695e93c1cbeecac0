"""nginx twice: the upstream that both proxies stand before, and the plain proxy that ours is measured against."""

import subprocess
import time
from contextlib import closing
from pathlib import Path
from socket import create_connection

KILOBYTE, MEBIBYTE = b"x" * 1024, b"x" * (1 << 20)

_COMMON = """
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log error;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type text/plain;
  keepalive_requests 100000000;
  client_max_body_size 4g;
  client_body_temp_path {folder}/{name}.body;
  proxy_temp_path {folder}/{name}.proxy;
  fastcgi_temp_path {folder}/{name}.f; uwsgi_temp_path {folder}/{name}.u; scgi_temp_path {folder}/{name}.s;
"""

# A POST is read whole before it is answered: an answer that came first would be another measurement.
_UPSTREAM = (
    _COMMON
    + """
  upstream ok {{ server unix:{folder}/ok.sock; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder}/www;
    location / {{ try_files /1k =404; }}
    location = /private/whoami {{ return 200 "$http_x_remote_user"; }}
    location /private/picture {{ try_files /3k =404; }}
    location /private/script {{ try_files /20k =404; }}
    location /private/big {{ try_files /1m =404; }}
    location /public/huge {{ try_files /1g =404; }}
    location /private/post {{
      client_body_buffer_size 2m;
      proxy_pass http://ok; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }}
  }}
  server {{ listen unix:{folder}/ok.sock; location / {{ return 200 "ok"; }} }}
}}
"""
)

_PROXY = (
    _COMMON
    + """
  upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    listen 127.0.0.1:{tls_port} ssl backlog=4096;
    ssl_certificate {folder}/site.pem; ssl_certificate_key {folder}/site.key;
    ssl_protocols TLSv1.3;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    location / {{ proxy_pass http://app; }}
    location /denied {{ return 403; }}
    location /signed-in/ws {{
      proxy_pass http://app;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $host;
    }}
    location /private/big {{
      proxy_pass http://app;
      proxy_buffer_size 256k; proxy_buffers 8 256k; proxy_busy_buffers_size 512k;
    }}
    location /private/post {{ proxy_pass http://app; client_body_buffer_size 2m; }}
  }}
}}
"""
)


class Nginx:
    def __init__(self, folder: Path, name: str, config: str, port: int) -> None:
        path = folder / f"{name}.conf"
        path.write_text(config)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(path), "-p", str(folder)])
        until = time.monotonic() + 10
        while True:
            try:
                with closing(create_connection(("127.0.0.1", port), 1)):
                    return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def upstream(folder: Path, port: int) -> Nginx:
    www = folder / "www"
    www.mkdir()
    (www / "1k").write_bytes(KILOBYTE)
    (www / "3k").write_bytes(KILOBYTE * 3)
    (www / "20k").write_bytes(KILOBYTE * 20)
    (www / "1m").write_bytes(MEBIBYTE)
    with (www / "1g").open("wb") as sparse:
        sparse.truncate(1 << 30)
    return Nginx(folder, "upstream", _UPSTREAM.format(folder=folder, name="upstream", workers=1, port=port), port)


def proxy(folder: Path, port: int, tls_port: int, upstream_port: int) -> Nginx:
    config = _PROXY.format(folder=folder, name="proxy", workers=2, port=port, tls_port=tls_port, upstream=upstream_port)
    return Nginx(folder, "proxy", config, port)
