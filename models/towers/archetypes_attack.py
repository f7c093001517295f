"""Attacks: scans, guesses, floods, slow requests, control channels, tunnels, theft."""

from .archetype import MTU, any_port, archetype
from .meter import ACK, PSH, RST, SYN
from .schema import ICMP, TCP, UDP
from .talk import Talk

PROBED = (21, 22, 23, 25, 80, 110, 111, 135, 139, 143, 443, 445, 993, 1433, 3306, 3389, 5432, 5900, 8080)
SINGLE = "scan attack benign"


@archetype("scan_tcp", "syn_flood flood dos", weight=2.5)
def syn_probe(rng):
    """A half-open probe: to a closed port, an open one, or one behind a filter."""
    talk = Talk(rng, TCP, any_port(rng, *PROBED, odd=0.5))
    talk.options, talk.windows[0] = (0, 1024) if talk.chance(0.7) else (talk.options, talk.windows[0])
    outcome = rng.choice(["closed", "open", "filtered"], p=[0.6, 0.2, 0.2])
    extra = 4 if talk.options == 0 else 8
    talk.packet(False, 0, SYN, extra)
    if outcome == "filtered":
        for _ in range(int(rng.integers(0, 3))):
            talk.wait(0.5, 3)
            talk.packet(False, 0, SYN, extra)
        return talk
    talk.travel()
    talk.packet(True, 0, RST | ACK if outcome == "closed" else SYN | ACK, 0 if outcome == "closed" else 4)
    if outcome == "open":
        talk.travel()
        talk.packet(False, 0, RST)
    return talk


@archetype("scan_tcp", "", weight=1.5)
def connect_probe(rng):
    """A full connection that is dropped at once, sometimes after the banner."""
    talk = Talk(rng, TCP, any_port(rng, *PROBED, odd=0.4)).open()
    if talk.chance(0.3):
        talk.wait(0.001, 2)
        talk.say(True, talk.between(10, 120))
    elif talk.chance(0.3):
        talk.ask(talk.between(4, 60), talk.between(1, 400))
    talk.close("reset" if talk.chance(0.6) else "fin")
    return talk


@archetype("scan_udp", "", weight=1.2)
def udp_probe(rng):
    """One or a few small datagrams to some port, mostly without an answer."""
    talk = Talk(rng, UDP, any_port(rng, 53, 69, 111, 123, 137, 161, 500, 514, 520, 631, 1434, 1900, 5353, odd=0.5))
    for _ in range(int(rng.integers(1, 4))):
        talk.packet(False, int(rng.choice([0, 0, 8, 20, 40])))
        talk.wait(0.3, 2)
    if talk.chance(0.1):
        talk.say(True, talk.between(8, 300))
    return talk


@archetype("sweep", "ping", weight=1.2)
def ping_sweep(rng):
    """One echo request to a host that may not be there."""
    talk = Talk(rng, ICMP)
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        talk.packet(False, int(rng.choice([0, 0, 8, 32, 56])))
        if talk.chance(0.35):
            talk.travel()
            talk.packet(True, talk.rows[-1][2])
        talk.wait(0.001, 1)
    return talk


@archetype("brute", "", weight=2)
def ssh_guess(rng):
    """Key exchange, a few refused passwords, the end."""
    talk = Talk(rng, TCP, any_port(rng, 22, 2222), "ssh").open()
    talk.say(False, talk.between(18, 45)).say(True, talk.between(18, 45))
    talk.say(False, talk.between(600, 1600)).say(True, talk.between(400, 1200))
    talk.ask(talk.between(40, 1300), talk.between(300, 1600), 0.01)
    talk.ask(talk.between(40, 90), talk.between(30, 60))
    for _ in range(int(rng.integers(1, 7))):
        talk.ask(talk.between(60, 160), talk.between(40, 90), talk.between(0.05, 3))
    return talk.close("fin" if talk.chance(0.8) else "reset")


@archetype("brute", "", weight=1.5)
def line_guess(rng):
    """Short lines of a text protocol: user, password, refused; once or a few times."""
    port = int(rng.choice([21, 21, 21, 23, 110, 143, 25]))
    talk = Talk(rng, TCP, port if talk_usual(rng) else any_port(rng)).open()
    talk.wait(0.001, 0.3)
    talk.say(True, talk.between(15, 120))
    for _ in range(int(rng.integers(1, 6))):
        talk.ask(talk.between(8, 30), talk.between(15, 60))
        talk.ask(talk.between(8, 30), talk.between(15, 50), talk.between(0.02, 3))
    if talk.chance(0.4):
        talk.ask(6, 14)
    return talk.close()


@archetype("brute", "remote_desktop api", weight=1)
def web_or_desktop_guess(rng):
    """A login form posted, or a remote desktop or file-share session set up and refused."""
    port = int(rng.choice([80, 443, 8080, 3389, 445, 5900]))
    talk = Talk(rng, TCP, port).open()
    if port in (443, 3389, 445):
        talk.ask(talk.between(100, 600), talk.between(900, 4000))
    for _ in range(int(rng.integers(1, 5))):
        talk.ask(talk.between(150, 700), talk.between(150, 2500), talk.between(0.02, 1))
    return talk.close()


@archetype("syn_flood", "scan scan_tcp", weight=1.2)
def syn_flood(rng):
    """Openings that are never completed: one of a forged source, or many of one source port."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 22, 53, 25, odd=0.3))
    answered = talk.chance(0.5)
    for _ in range(int(talk.between(1, 2000)) if talk.chance(0.5) else int(rng.integers(1, 4))):
        talk.packet(False, int(talk.between(1, 1400)) if talk.chance(0.03) else 0, SYN, -talk.options)
        if answered and talk.chance(0.7):
            talk.now += 40
            talk.packet(True, 0, SYN | ACK, 4 - talk.options)
        talk.now += talk.gap * 5
    return talk


@archetype("udp_flood", "", weight=1.5)
def udp_flood(rng):
    """Datagrams at a high rate, mostly alike, hardly answered."""
    talk = Talk(rng, UDP, any_port(rng, 53, 80, 123, 5060, odd=0.7))
    size, gap = talk.between(1, MTU), talk.between(1, 3000)
    for _ in range(int(talk.between(100, 6000))):
        talk.packet(False, size if talk.chance(0.9) else talk.between(1, MTU))
        talk.now += gap * rng.uniform(0.2, 1.8)
    return talk


@archetype("icmp_flood", "", weight=0.6)
def icmp_flood(rng):
    """Echo requests far faster than anyone pings."""
    talk = Talk(rng, ICMP)
    size, gap, answered = talk.between(8, MTU), talk.between(1, 4000), talk.chance(0.5)
    for _ in range(int(talk.between(200, 5000))):
        talk.packet(False, size)
        if answered:
            talk.now += 20
            talk.packet(True, size)
        talk.now += gap
    return talk


@archetype("http_flood", "browsing api", weight=1.5)
def http_flood(rng):
    """Many requests on one connection, or one quick request of very many, the server getting slower."""
    talk = Talk(rng, TCP, any_port(rng, 80, 80, 443, 8080)).open()
    for _ in range(int(talk.between(1, 250))):
        talk.say(False, talk.between(80, 900))
        if talk.chance(0.85):
            talk.travel()
            talk.say(True, talk.between(100, 12_000))
    return talk.close("reset" if talk.chance(0.4) else "fin")


@archetype("slow_dos", "", weight=2)
def slow_request(rng):
    """Headers or a body sent in drips, for as long as the server will wait."""
    talk = Talk(rng, TCP, any_port(rng, 80, 80, 443, 8080)).open()
    talk.say(False, talk.between(20, 400))
    every, end = talk.between(0.8, 25), talk.between(12, 118)
    while talk.now < end * 1e6:
        talk.wait(every * 0.8, every * 1.2)
        talk.say(False, talk.between(1, 40))
    if talk.chance(0.3):
        talk.say(True, talk.between(100, 600))
    return talk.close(str(rng.choice(["fin", "reset", "none"])))


@archetype("slow_dos", "keepalive", weight=0.7)
def slow_reader(rng):
    """A connection opened and held without a request, or an answer read through a tiny window."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 8080)).open()
    if talk.chance(0.5):
        talk.windows[0] = int(talk.between(1, 300))
        talk.say(False, talk.between(60, 400))
        for _ in range(int(rng.integers(4, 30))):
            talk.wait(0.5, 8)
            talk.packet(True, int(talk.between(1, 300)), ACK | PSH)
            talk.packet(False, 0, ACK)
    else:
        talk.wait(5, 100)
    return talk.close(str(rng.choice(["fin", "reset", "none"])))


@archetype("amplification", "", weight=1)
def amplification(rng):
    """Small questions, large answers, again and again, towards an address that never asked."""
    talk = Talk(rng, UDP, int(rng.choice([53, 123, 389, 1900, 11211, 161, 19])))
    question, answer, seen = talk.between(8, 80), talk.between(400, 4000), talk.chance(0.7)
    for _ in range(int(talk.between(3, 800))):
        if seen:
            talk.say(False, question)
            talk.travel()
        left = answer
        while left > 0:
            talk.packet(seen, min(left, MTU))
            left -= MTU
        talk.now += talk.gap * 20
    return talk


@archetype("web_attack", "", weight=1.3)
def web_attack(rng):
    """Requests with long odd parameters, one after another, answered with errors or small pages."""
    talk = Talk(rng, TCP, any_port(rng, 80, 80, 443, 8080)).open()
    for _ in range(int(talk.between(1, 80))):
        talk.ask(talk.between(350, 2500), talk.between(150, 2500), talk.between(0.001, 0.3))
    return talk.close()


@archetype("beacon", "api keepalive", weight=1.5)
def beacon_held(rng):
    """One connection on which a few bytes go out and come back at even intervals."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 8080, 4444, 53, odd=0.4)).open()
    if talk.port == 443:
        talk.ask(talk.between(200, 600), talk.between(1200, 4500))
    every, jitter, size = talk.between(1, 50), rng.uniform(0, 0.25), talk.between(20, 500)
    end = talk.between(max(15, 4 * every), 400)
    while talk.now < end * 1e6:
        talk.ask(size * rng.uniform(0.95, 1.05), talk.between(10, 300))
        talk.now += every * 1e6 * (1 + jitter * rng.uniform(-1, 1))
    return talk.close()


@archetype("beacon", "api browsing", weight=1.2)
def beacon_once(rng):
    """One check-in of many: connect, a small post, a small answer, gone."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 8080, 8443, 4444, odd=0.4)).open()
    if talk.port in (443, 8443):
        talk.ask(talk.between(200, 600), talk.between(1200, 4500))
    talk.ask(talk.between(60, 500), talk.between(10, 300))
    return talk.close("fin")


@archetype("c2", "interactive", weight=0.7)
def reverse_shell(rng):
    """Commands come from the server's side, answers from the client that connected."""
    talk = Talk(rng, TCP, any_port(rng, 443, 4444, 53, 1337, odd=0.6)).open()
    for _ in range(int(rng.integers(2, 20))):
        talk.wait(0.5, 15)
        talk.say(True, talk.between(3, 60))
        talk.travel()
        talk.say(False, talk.between(10, 3000))
    return talk.close()


@archetype("dns_tunnel", "", weight=1.5)
def dns_tunnel(rng):
    """Long names asked at a high rate from one port, with long answers."""
    talk = Talk(rng, UDP, 53, "dns")
    question, answer, pause = talk.between(90, 260), talk.between(90, 500), talk.between(0.001, 2)
    for _ in range(int(talk.between(1, 600))):
        talk.ask(question * rng.uniform(0.7, 1.1), answer * rng.uniform(0.5, 1.3))
        talk.wait(pause * 0.3, pause * 2)
    return talk


def talk_usual(rng) -> bool:
    """Whether a server stands on its usual port."""
    return rng.random() < 0.9
