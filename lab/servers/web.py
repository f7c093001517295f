"""Web servers: nginx with several names on HTTP and HTTPS, a certificate of the lab's own, pages of many sizes."""

import random

SITE_SIZES = (("index.html", 6_000), ("style.css", 14_000), ("app.js", 90_000), ("photo.jpg", 160_000), ("news.json", 2_500))
BIG_SIZES = (("package.deb", 1_200_000), ("update.bin", 2_400_000), ("image.iso", 4_000_000))
UPLOAD_MAX = "64m"


def start(lab):
    site = lab.site
    _server(lab, "cdn", site.vhosts, [80, 443], big=True)
    _server(lab, "web", site.web_hosts, sorted({80, site.http_port, 443}), big=False)
    _server(lab, "control", [site.control_host], [80, 443], big=False)
    _server(lab, "drop", [site.drop_host], [80, 443], big=False)


def _server(lab, machine, hosts, ports, big):
    folder = lab.folder_for(machine)
    _pages(folder, lab.rng(f"pages/{machine}"), big)
    _certificate(lab, folder, hosts)
    config = folder / "nginx.conf"
    config.write_text(_config(lab.site, folder, hosts, ports))
    lab.start(machine, ["/usr/sbin/nginx", "-c", config, "-e", folder / "error.log", "-g", "daemon off;"])


def _pages(folder, rng: random.Random, big):
    root = folder / "www"
    root.mkdir(exist_ok=True)
    for name, size in SITE_SIZES + (BIG_SIZES if big else ()):
        size = int(size * rng.uniform(0.6, 1.4))
        (root / name).write_bytes(rng.randbytes(size))


def _certificate(lab, folder, hosts):
    names = ",".join(f"DNS:{host}" for host in hosts)
    lab.jobs.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={hosts[0]}",
                  "-addext", f"subjectAltName={names}", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], 30)


def _config(site, folder, hosts, ports):
    listen = "\n".join(f"    listen {_port(port, site.http2)};\n    listen [::]:{_port(port, site.http2)};" for port in ports)
    protocols = "TLSv1.2 TLSv1.3" if site.tls_max == "1.3" else "TLSv1.2"
    temporary = "\n".join(f"  {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
user root;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
{temporary}
  access_log {folder}/access.log;
  keepalive_timeout 30s;
  client_header_timeout 120s;
  client_max_body_size {UPLOAD_MAX};
  server {{
    listen 127.0.0.1:8999;
    location / {{ return 201 "stored\\n"; }}
  }}
  server {{
{listen}
    server_name {' '.join(hosts)};
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols {protocols};
    root {folder}/www;
    location /upload {{ proxy_pass http://127.0.0.1:8999; }}
    location /v1/ {{ default_type application/json; return 200 '{{"status":"ok","work":[],"next":600}}\\n'; }}
    location /login {{ return 401 "wrong name or password\\n"; }}
  }}
}}
"""


def _port(port, http2):
    return f"{port}{' ssl' + (' http2' if http2 else '') if port == 443 else ''}"
