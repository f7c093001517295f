"""What machines do by themselves: clocks, logs, messages, checks, pings, connections that idle, and name lookups."""

import sys
import threading
from pathlib import Path

from activities.fetch import fetch
from truth import GRACE_US, now_us

TOOLS = Path(__file__).parent.parent / "tools"
ROUNDS_MAX = 80
LINES_MAX = 150
IDLE_MAX = 14
# The capture begins a little before the activities do.
BEFORE_US = 30_000_000


def clocks(lab, seconds):
    rng = lab.rng("clocks")
    for _ in lab.until(seconds, ROUNDS_MAX):
        machine = rng.choice(lab.site.users + ["admin", "web", "db", "mail", "shell"])
        with lab.ledger.during("time_sync", lab.v4(machine), lab.v4("ops"), "udp", 123):
            lab.run(machine, ["sntp", "-t", 2, lab.v4("ops")], 8)
        lab.sleep(seconds / 45 * rng.uniform(0.5, 1.5))


def logs(lab, seconds):
    rng = lab.rng("logs")
    words = ("session opened", "session closed", "accepted request", "disk usage at 61 percent", "job finished", "cache refreshed")
    for _ in lab.until(seconds, LINES_MAX):
        machine = rng.choice(["web", "db", "mail", "shell", rng.choice(lab.site.users)])
        with lab.ledger.during("log_shipping", lab.v4(machine), lab.v4("ops"), "udp", 514):
            lab.run(machine, ["logger", "-n", lab.v4("ops"), "-P", 514, "-d", "-t", "app", f"{rng.choice(words)} {rng.randint(1, 9999)}"], 5)
        lab.sleep(rng.expovariate(LINES_MAX / seconds))


def messages(lab, seconds):
    """Subscribers that stay connected for up to 100 s, and publishers of readings."""
    rng = lab.rng("messages")
    threads = []
    for number in lab.until(seconds, 12):
        stay_s = rng.randint(25, 100)
        listener = rng.choice(lab.site.users)
        thread = threading.Thread(target=_subscribe, args=(lab, listener, stay_s), daemon=True)
        thread.start()
        threads.append(thread)
        for _ in range(rng.randint(1, 4)):
            machine = rng.choice(["web", "shell", "mail"])
            with lab.ledger.during("message_bus", lab.v4(machine), lab.v4("ops"), "tcp", 1883):
                lab.run(machine, ["mosquitto_pub", "-h", lab.v4("ops"), "-t", f"plant/{number}", "-m", f'{{"reading": {rng.random():.4f}}}'], 8)
        lab.sleep(seconds / 12 * rng.uniform(0.3, 1.2))
    for thread in threads:
        thread.join(max(0.0, lab.left_s()) + 5)


def _subscribe(lab, machine, stay_s):
    with lab.ledger.during("message_bus", lab.v4(machine), lab.v4("ops"), "tcp", 1883):
        lab.run(machine, ["mosquitto_sub", "-h", lab.v4("ops"), "-t", "plant/#", "-k", 15, "-W", stay_s], stay_s + 5)


def checks(lab, seconds):
    """The operations machine looks at every service: HTTP, ping and SNMP. Regular like a beacon, and harmless."""
    rng, every_s = lab.rng("checks"), lab.rng("checks-period").choice([12, 15, 20])
    for _ in lab.until(seconds, ROUNDS_MAX):
        fetch(lab, "ops", "health_check", [f"http://{lab.v4('web')}:{lab.site.http_port}/index.html"], timeout_s=8, agent="healthcheck/2")
        for machine in rng.sample(["web", "db", "mail", "shell"], 2):
            _ping(lab, "ops", lab.v4(machine), "icmp", 1)
        for machine in ("web", "db"):
            with lab.ledger.during("monitoring", lab.v4("ops"), lab.v4(machine), "udp", 161):
                lab.run("ops", ["snmpget", "-v2c", "-c", "public", "-t", 1, "-r", 0, lab.v4(machine), "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"], 6)
        lab.sleep(every_s * rng.uniform(0.97, 1.03))


def pings(lab, seconds):
    rng = lab.rng("pings")
    for _ in lab.until(seconds, 14):
        machine, target = rng.choice(lab.site.users), rng.choice(["cdn", "web", "mail", "relay"])
        if rng.random() < 0.4:
            _ping(lab, machine, lab.v6(target), "ipv6-icmp", rng.randint(2, 6), lab.v6(machine))
        else:
            _ping(lab, machine, lab.v4(target), "icmp", rng.randint(2, 6))
        lab.sleep(seconds / 14 * rng.uniform(0.4, 1.2))


def _ping(lab, machine, address, protocol, count, source=None):
    with lab.ledger.during("ping", source or lab.v4(machine), address, protocol):
        lab.run(machine, ["ping", "-n", "-c", count, "-i", 0.5, "-W", 1, address], 8)


def idles(lab, seconds):
    """Connections that stay open for 35 to 100 s and say little, as push channels do."""
    rng, threads = lab.rng("idles"), []
    for _ in lab.until(seconds, IDLE_MAX):
        machine, stay_s = rng.choice(lab.site.users), rng.randint(35, 100)
        thread = threading.Thread(target=_idle, args=(lab, machine, stay_s, rng.randint(6, 25)), daemon=True)
        thread.start()
        threads.append(thread)
        lab.sleep(seconds / IDLE_MAX * rng.uniform(0.4, 1.2))
    for thread in threads:
        thread.join(max(0.0, lab.left_s()) + 5)


def _idle(lab, machine, stay_s, every_s):
    with lab.ledger.during("idle_connection", lab.v4(machine), lab.v4("ops"), "tcp", 9000):
        lab.run(machine, [sys.executable, TOOLS / "idle.py", lab.v4("ops"), 9000, stay_s, every_s], stay_s + 5)


def lookups(lab, seconds):
    """dig for names that exist, of several kinds, and now and then one that is mistyped."""
    rng, site = lab.rng("lookups"), lab.site
    names = site.vhosts + site.web_hosts + [f"mail.{site.domain}", f"db.{site.domain}", site.relay_host]
    for _ in lab.until(seconds, ROUNDS_MAX):
        name = rng.choice(names) if rng.random() < 0.9 else "ww" + rng.choice(names)
        lab.run(rng.choice(site.users + ["mail", "web"]), ["dig", "+tries=1", "+time=2", name, rng.choice(["A", "A", "AAAA", "MX"])], 6)
        lab.sleep(rng.expovariate(ROUNDS_MAX / seconds))


def standing_rows(lab):
    """Rows for what goes on all the time without being started by an activity: lookups for names, and neighbour discovery."""
    site, began_us = lab.site, now_us()
    start_us, end_us = began_us - BEFORE_US, began_us + int((lab.run_s + 60) * 1e6) + GRACE_US
    span = {"start_us": start_us, "end_us": end_us}
    for net in (site.user_net, site.server_net):
        lab.ledger.add("name_lookup", net, lab.v4("dns"), "udp", 53, **span)
    for machine in site.machines.values():
        if machine.segment == "outside":
            for address in (machine.v4, *machine.more_v4):
                lab.ledger.add("name_lookup", address, lab.v4("names"), "udp", 53, **span)
    lab.ledger.add("name_forwarding", lab.v4("dns"), lab.v4("names"), "udp", 53, **span)
    lab.ledger.add("background", "", "", "ipv6-icmp", **span)
