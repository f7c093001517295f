"""What machines do by themselves: names, clocks, logs, polls, leases, keys, control of plants, tunnels, routes."""

from .archetype import MTU, any_port, archetype
from .schema import ICMP, TCP, UDP
from .talk import Talk


@archetype("dns_lookup benign", "", weight=2)
def lookup(rng):
    """A question or two to a resolver, and the answers."""
    talk = Talk(rng, UDP, 53)
    for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
        talk.ask(talk.between(24, 70), talk.between(40, 520), talk.between(0.0001, 0.05))
    return talk


@archetype("nxdomain", "benign attack c2 beacon", weight=1)
def no_such_name(rng):
    """Questions whose answers are the question again and a word of who is in charge."""
    talk = Talk(rng, UDP, 53)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        question = talk.between(26, 60)
        talk.ask(question, question + (0 if talk.chance(0.5) else talk.between(40, 110)), talk.between(0.0001, 0.1))
    return talk


@archetype("ping benign", "", weight=1.3)
def ping(rng):
    """Echo and answer once a second."""
    talk = Talk(rng, ICMP)
    size, every = int(rng.choice([56, 32, 48, 64, 1000])), float(rng.choice([1.0, 1.0, 0.2, 5.0]))
    dead = talk.chance(0.1)
    for _ in range(int(talk.between(2, 100))):
        talk.packet(False, size)
        if not dead:
            start = talk.now
            talk.travel()
            talk.packet(True, size)
            talk.now = start
        talk.wait(every * 0.99, every * 1.01)
    return talk


@archetype("time_sync benign", "", weight=1.2)
def clock(rng):
    """48 bytes there, 48 bytes back, now and then again."""
    talk = Talk(rng, UDP, 123)
    every = talk.between(1, 110)
    for _ in range(int(rng.choice([1, 1, 1, 2, 4, 8]))):
        talk.ask(48, 48)
        talk.wait(every)
    return talk


@archetype("logging benign", "", weight=1.3)
def log_lines(rng):
    """Lines one way to a collector."""
    talk = Talk(rng, UDP if rng.random() < 0.7 else TCP, any_port(rng, 514, 514, 6514, odd=0.05))
    if talk.protocol == TCP:
        talk.open()
    pause = talk.between(0.001, 10)
    for _ in range(int(talk.between(1, 300))):
        talk.say(False, talk.between(60, 900))
        talk.wait(pause * 0.1, pause * 3)
    return talk.close()


@archetype("monitoring benign", "", weight=1.2)
def polling(rng):
    """A manager asks counters, the device answers; or a device exports flow records."""
    talk = Talk(rng, UDP, any_port(rng, 161, 161, 161, 2055, 4739, 25826, odd=0.03))
    if talk.port in (2055, 4739, 25826):
        for _ in range(int(talk.between(1, 100))):
            talk.say(False, talk.between(100, MTU))
            talk.wait(0.05, 10)
        return talk
    for _ in range(int(talk.between(1, 60))):
        talk.ask(talk.between(38, 200), talk.between(40, 900))
        talk.wait(0.0005, 1)
    return talk


@archetype("discovery benign", "", weight=1.2)
def announcements(rng):
    """Datagrams to everyone on the network, answered by nobody in this flow."""
    talk = Talk(rng, UDP, any_port(rng, 5353, 1900, 5355, 137, 138, 3702, odd=0.03))
    for _ in range(int(talk.between(1, 12))):
        talk.say(False, talk.between(22, 420))
        talk.wait(0.05, 20)
    return talk


@archetype("addressing benign", "discovery", weight=0.9)
def lease(rng):
    """An address is asked for, offered, and taken."""
    talk = Talk(rng, UDP, any_port(rng, 67, 67, 68, 547, odd=0))
    for _ in range(int(rng.integers(1, 4))):
        talk.say(False, talk.between(244, 350))
        if talk.chance(0.7):
            talk.travel()
            talk.say(True, talk.between(244, 400))
        talk.wait(0.01, 4)
    return talk


@archetype("auth benign", "", weight=1)
def directory(rng):
    """A ticket or a look into the directory."""
    talk = Talk(rng, TCP if rng.random() < 0.75 else UDP, any_port(rng, 88, 88, 389, 389, 636, 1812, odd=0))
    if talk.protocol == TCP:
        talk.open()
    for _ in range(int(rng.integers(1, 8))):
        talk.ask(talk.between(60, 1700), talk.between(60, 1900))
    return talk.close()


@archetype("ot benign", "", weight=1.4)
def control_polls(rng):
    """A controller's registers read over and over at a fixed beat."""
    port = int(rng.choice([502, 502, 502, 102, 20000, 44818, 2404, 4840, 47808]))
    talk = Talk(rng, UDP if port == 47808 else TCP, port)
    if talk.protocol == TCP and talk.chance(0.8):
        talk.open()
    question, answer, every = talk.between(8, 60), talk.between(8, 270), talk.between(0.01, 5)
    for _ in range(int(talk.between(2, 400))):
        talk.ask(question * rng.uniform(0.9, 1.1), answer * rng.uniform(0.9, 1.1))
        talk.wait(every * 0.95, every * 1.05)
    return talk.close(str(rng.choice(["fin", "none"])))


@archetype("iot_telemetry benign", "keepalive", weight=1.2)
def telemetry(rng):
    """Readings published to a broker, with its keep-alives."""
    talk = Talk(rng, TCP, any_port(rng, 1883, 1883, 8883, odd=0.03)).open()
    talk.ask(talk.between(20, 120), 4)
    every = talk.between(0.1, 30)
    for _ in range(int(talk.between(1, 60))):
        if talk.chance(0.8):
            talk.say(False, talk.between(15, 400))
        else:
            talk.ask(2, 2)
        talk.wait(every * 0.8, every * 1.2)
    return talk.close()


@archetype("vpn benign", "transfer upload download", weight=1.2)
def tunnel(rng):
    """Sealed datagrams both ways, of all sizes, for long."""
    talk = Talk(rng, UDP, any_port(rng, 51820, 51820, 1194, 4500, 500, odd=0.05))
    talk.ask(148, 92)
    busy = talk.between(0.0005, 5)
    for _ in range(int(talk.between(2, 800))):
        back = talk.chance(0.55)
        for _ in range(int(talk.between(1, 12))):
            talk.say(back, int(rng.choice([32, 96, 128, 1452, 1420, 500])))
        talk.wait(busy * 0.1, busy * 3)
    return talk


@archetype("routing benign", "keepalive", weight=0.5)
def routes(rng):
    """Neighbours telling each other that they are still there, and what they can reach."""
    talk = Talk(rng, TCP, 179)
    if talk.chance(0.4):
        talk.open().ask(talk.between(29, 80), talk.between(29, 80))
    for _ in range(int(rng.integers(2, 12))):
        talk.say(talk.chance(0.5), 19 if talk.chance(0.8) else talk.between(40, 1500))
        talk.wait(5, 30)
    return talk.close("none")


@archetype("voip benign", "", weight=0.6)
def call_setup(rng):
    """A phone registers or a call is set up."""
    talk = Talk(rng, UDP if rng.random() < 0.8 else TCP, any_port(rng, 5060, 5060, 5061, odd=0))
    if talk.protocol == TCP:
        talk.open()
    for _ in range(int(rng.integers(1, 7))):
        talk.ask(talk.between(350, 1100), talk.between(280, 900), 0.05)
        if talk.chance(0.5):
            talk.wait(0.5, 30)
    return talk.close()
