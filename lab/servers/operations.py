"""Operations: time, logs, messages, and counters to be read."""

import pathlib
import sys

TOOLS = pathlib.Path(__file__).parent.parent / "tools"


def start(lab):
    folder = lab.folder_for("ops")
    _time(lab, folder)
    broker = folder / "mosquitto.conf"
    broker.write_text("listener 1883\nallow_anonymous true\nuser root\n")
    lab.start("ops", ["mosquitto", "-c", broker])
    for machine in ("ops", "web", "db"):
        agent = lab.folder_for(machine) / "snmpd.conf"
        agent.write_text("agentaddress udp:161\nrocommunity public\nsyslocation lab\n")
        lab.start(machine, ["/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", agent, "-p", folder / f"snmpd-{machine}.pid"])
    lab.start("ops", [sys.executable, TOOLS / "sink.py", "udp", lab.v4("ops"), 514])
    lab.start("ops", [sys.executable, TOOLS / "sink.py", "tcp", lab.v4("ops"), 9000])


def _time(lab, folder):
    """chronyd with -x: it serves the machine's own clock and never sets it."""
    config = folder / "chrony.conf"
    config.write_text(f"local stratum 3\nallow all\npidfile {folder}/chrony.pid\ncmdport 0\nbindcmdaddress /\nuser root\n")
    lab.start("ops", ["/usr/sbin/chronyd", "-x", "-d", "-f", config])
