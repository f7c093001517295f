"""Names: dnsmasq inside, which forwards to a dnsmasq outside; and a small server for the tunnel's domain."""

import pathlib
import sys

TOOLS = pathlib.Path(__file__).parent.parent / "tools"
ENDINGS = ("example", "com", "net", "org", "info", "biz", "arpa")


def start(lab):
    site = lab.site
    outside = [(name, "cdn") for name in site.vhosts]
    outside += [(site.control_host, "control"), (site.drop_host, "drop"), (site.relay_host, "relay")]
    inside = [(name, "web") for name in site.web_hosts]
    inside += [(f"{name}.{site.domain}", name) for name in ("shell", "mail", "db", "ops")]
    outer = _options(lab, "names") + [f"--local=/{ending}/" for ending in ENDINGS] + _records(lab, outside + inside)
    inner = _options(lab, "dns") + [f"--local=/{site.domain}/", f"--server={lab.v4('names')}", f"--max-ttl=20",
                                    f"--server=/{site.tunnel_domain}/{lab.v4('tunnel')}"] + _records(lab, inside)
    lab.start("names", ["dnsmasq", *outer])
    lab.start("dns", ["dnsmasq", *inner])
    lab.start("tunnel", [sys.executable, TOOLS / "text_records.py", lab.v4("tunnel"), site.seed])


def _options(lab, machine):
    return ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
            f"--listen-address={lab.v4(machine)}", "--bind-interfaces", "--local-ttl=15", "--neg-ttl=5"]


def _records(lab, names):
    return [f"--host-record={name},{lab.v4(machine)},{lab.v6(machine)}" for name, machine in names]
