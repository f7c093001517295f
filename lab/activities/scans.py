"""Looking for machines and open ports, with nmap."""

OUTER_PORTS = 700


def syn_scan(lab, _seconds):
    """From outside: half-open, against the database server."""
    _nmap(lab, "syn_scan", "scanner", lab.v4("db"), "tcp", ["-Pn", "-sS", lab.site.scan_style, "--top-ports", OUTER_PORTS, "--max-retries", 1])


def connect_scan(lab, _seconds):
    """From a user's machine: whole connections, against the web server."""
    _nmap(lab, "connect_scan", lab.site.scan_user, lab.v4("web"), "tcp", ["-Pn", "-sT", "-T4", "--top-ports", 250, "--max-retries", 1])


def udp_scan(lab, _seconds):
    """From outside: datagrams to many ports of the operations server, which answers with port unreachable."""
    with lab.ledger.during("udp_scan", lab.v4("ops"), lab.v4("scanner"), "icmp"):
        _nmap(lab, "udp_scan", "scanner", lab.v4("ops"), "udp", ["-Pn", "-sU", "-T4", "--top-ports", 120, "--max-retries", 0])


def ping_sweep(lab, _seconds):
    """From a user's machine: which servers are alive?"""
    net = str(lab.site.server_net).replace(".0/24", ".0/25")
    _nmap(lab, "ping_sweep", lab.site.scan_user, net, "icmp", ["-sn", "-PE", "--disable-arp-ping", "-T4", "--max-retries", 0])


def port_sweep(lab, _seconds):
    """From a user's machine: one port of every server address."""
    net = str(lab.site.server_net).replace(".0/24", ".0/26")
    port = lab.rng("port_sweep").choice([445, 3389, 5900])
    _nmap(lab, "port_sweep", lab.site.scan_user, net, "tcp", ["-Pn", "-sS", "-p", port, "-T4", "--max-retries", 0], port)


def _nmap(lab, activity, machine, target, protocol, options, dst_port=""):
    with lab.ledger.during(activity, lab.v4(machine), target, protocol, dst_port):
        lab.run(machine, ["nmap", "-n", *options, "--host-timeout", "80s", target], 90)
