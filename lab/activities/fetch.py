"""One run of curl with exact rows of truth: curl says which local ports it used."""

from truth import GRACE_US, now_us

AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "curl/7.88.1")
ENDS = "\\n@@ %{local_ip} %{local_port} %{remote_ip} %{remote_port}\\n"
URLS_MAX = 40


def fetch(lab, machine, activity, urls, options=(), timeout_s=40, agent=AGENTS[0]):
    """Gets `urls` in one curl, that is, over as few connections as curl needs.

    Where a host has IPv4 and IPv6, `options` must hold -4 or -6: else curl tries both at once and is silent about the loser."""
    start_us = now_us()
    command = ["curl", "-sk", "-m", timeout_s, "-A", agent, "-w", ENDS, *options]
    for url in urls[:URLS_MAX]:
        command += ["-o", "/dev/null", url]
    output = lab.run(machine, command, timeout_s + 2)
    found = [line.split()[1:] for line in output.splitlines() if line.startswith("@@ ")]
    for local_ip, local_port, remote_ip, remote_port in {tuple(ends) for ends in found if len(ends) == 4}:
        lab.ledger.add(activity, local_ip, remote_ip, "tcp", remote_port, local_port, start_us=start_us, end_us=now_us() + GRACE_US)
    return output
