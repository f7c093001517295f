"""What people do: reading pages, files, mail, calls, films, shells, and the databases behind it all."""

from .archetype import any_port, archetype
from .meter import ACK, RST, SYN
from .schema import TCP, UDP
from .talk import Talk


def tls(talk: Talk) -> Talk:
    """The opening of an encrypted session."""
    return talk.ask(talk.between(200, 700), talk.between(1200, 5000)).ask(talk.between(60, 140), talk.between(50, 300))


def web_open(rng, *ports: int) -> Talk:
    """A connection to a web server, encrypted where the port says so."""
    talk = Talk(rng, TCP, any_port(rng, *ports, odd=0.08)).open()
    return tls(talk) if talk.port in (443, 8443) or talk.chance(0.1) else talk


@archetype("browsing benign", "", weight=2.5)
def browsing(rng):
    """Pages and their parts, with pauses to read."""
    talk = web_open(rng, 80, 443, 443)
    for _ in range(int(talk.between(1, 25))):
        talk.ask(talk.between(150, 1500), talk.between(300, 250_000), 0.01)
        if talk.chance(0.25):
            talk.wait(0.2, 15)
    return talk.close()


@archetype("browsing benign", "", weight=1)
def quic_page(rng):
    """A page over QUIC."""
    talk = Talk(rng, UDP, 443, "quic" if rng.random() < 0.5 else None)
    talk.say(False, 1200).travel()
    for _ in range(3):
        talk.say(True, 1200)
    for _ in range(int(talk.between(1, 40))):
        talk.say(False, talk.between(30, 800)).travel()
        for _ in range(int(talk.between(1, 60))):
            talk.say(True, 1200 if talk.chance(0.8) else talk.between(30, 1200))
        if talk.chance(0.2):
            talk.wait(0.1, 10)
    return talk


@archetype("api benign", "beacon c2 attack", weight=1.3)
def api_calls(rng):
    """A program asking an endpoint, once or at intervals."""
    talk = web_open(rng, 80, 443, 8080, 9200)
    pause = talk.between(0.01, 20)
    for _ in range(int(talk.between(1, 20))):
        talk.ask(talk.between(120, 1500), talk.between(80, 6000), 0.01)
        if pause > 0.05:
            talk.wait(pause * 0.5, pause * 1.5)
    return talk.close()


@archetype("download", "benign file_share attack c2", weight=1.7)
def download(rng):
    """A large file towards the client."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 443, 21, 20, 8080, 22)).open()
    if talk.port in (443, 22):
        tls(talk)
    talk.ask(talk.between(80, 900), talk.between(4e5, 8e7), 0.01)
    return talk.close()


@archetype("upload", "benign file_share attack", weight=2)
def upload(rng):
    """A large body from the client: a backup, an upload, or a theft; one flow cannot tell which."""
    talk = Talk(rng, TCP, any_port(rng, 80, 443, 443, 21, 22, 8080, odd=0.25)).open()
    if talk.port in (443, 22):
        tls(talk)
    if talk.chance(0.6):
        talk.ask(talk.between(100, 800), talk.between(20, 200))
    talk.say(False, talk.between(3e5, 6e7), talk.between(0.0005, 0.05) if talk.chance(0.3) else 0)
    talk.travel()
    talk.say(True, talk.between(20, 500))
    return talk.close()


@archetype("file_share benign", "transfer upload download", weight=1.2)
def share(rng):
    """Files opened, read and written on a network drive."""
    talk = Talk(rng, TCP, any_port(rng, 445, 445, 139, 2049, odd=0.03)).open()
    for _ in range(int(rng.integers(4, 12))):
        talk.ask(talk.between(90, 500), talk.between(80, 600))
    for _ in range(int(talk.between(1, 12))):
        talk.ask(talk.between(90, 250), talk.between(100, 400_000))
        if talk.chance(0.3):
            talk.ask(talk.between(1000, 400_000), talk.between(80, 120))
        if talk.chance(0.2):
            talk.wait(0.1, 20)
    return talk.close()


@archetype("interactive benign", "", weight=1.8)
def shell(rng):
    """Somebody types: small packets each way at the pace of fingers, at times a screen of output."""
    talk = Talk(rng, TCP, any_port(rng, 22, 22, 22, 2222, 23)).open()
    if talk.port != 23:
        talk.say(False, talk.between(18, 45)).say(True, talk.between(18, 45))
        talk.ask(talk.between(600, 1600), talk.between(400, 1200)).ask(talk.between(40, 1300), talk.between(300, 1600))
        talk.ask(talk.between(60, 700), talk.between(40, 200), 0.2)
    key = int(rng.choice([1, 36, 52, 44]))
    for _ in range(int(talk.between(1, 25))):
        for _ in range(int(talk.between(1, 30))):
            talk.ask(key, key)
            talk.wait(0.04, 0.6)
        talk.say(True, talk.between(40, 6000))
        if talk.chance(0.5):
            talk.wait(0.5, 12)
    return talk.close()


@archetype("remote_desktop benign", "interactive", weight=1)
def desktop(rng):
    """A screen sent one way, mouse and keys the other."""
    talk = tls(Talk(rng, TCP, any_port(rng, 3389, 3389, 5900, 5901)).open())
    for _ in range(int(talk.between(20, 500))):
        for _ in range(int(rng.integers(1, 6))):
            talk.say(False, talk.between(20, 120))
            talk.wait(0.01, 0.1)
        talk.say(True, talk.between(60, 20_000))
        talk.wait(0.02, 0.5)
    return talk.close()


@archetype("mail benign", "", weight=1.5)
def mail_sent(rng):
    """Greeting, envelope, body, thanks."""
    talk = Talk(rng, TCP, any_port(rng, 25, 25, 587, 465, odd=0.04)).open()
    talk.wait(0.001, 0.5)
    talk.say(True, talk.between(20, 120)).ask(talk.between(12, 50), talk.between(20, 250))
    if talk.chance(0.4):
        talk.ask(10, 30)
        tls(talk)
    for _ in range(int(rng.integers(2, 5))):
        talk.ask(talk.between(12, 70), talk.between(8, 60))
    talk.ask(6, 40).ask(talk.between(300, 300_000), talk.between(20, 80), 0.05).ask(6, 20)
    return talk.close()


@archetype("mail benign", "", weight=0.8)
def mail_read(rng):
    """A mailbox opened, listed, some messages fetched, perhaps held open for news."""
    talk = Talk(rng, TCP, any_port(rng, 143, 993, 993, 110, 995, odd=0.04)).open()
    if talk.port in (993, 995):
        tls(talk)
    talk.say(True, talk.between(20, 150))
    for _ in range(int(rng.integers(3, 12))):
        talk.ask(talk.between(10, 60), talk.between(20, 600))
    for _ in range(int(rng.integers(0, 8))):
        talk.ask(talk.between(15, 60), talk.between(500, 80_000))
    if talk.chance(0.3):
        talk.wait(5, 100)
    return talk.close()


@archetype("database benign", "", weight=1.6)
def database(rng):
    """A login, then statements and rows."""
    talk = Talk(rng, TCP, any_port(rng, 3306, 3306, 5432, 5432, 1433, 6379, 27017, 1521, odd=0.05)).open()
    if talk.port == 3306:
        talk.say(True, talk.between(70, 110))
    for _ in range(int(rng.integers(1, 4))):
        talk.ask(talk.between(30, 300), talk.between(11, 400))
    for _ in range(int(talk.between(1, 60))):
        talk.ask(talk.between(15, 900), talk.between(11, 6000) if talk.chance(0.9) else talk.between(6000, 300_000), 0.005)
        if talk.chance(0.2):
            talk.wait(0.01, 8)
    return talk.close()


@archetype("voip benign", "", weight=1.3)
def call(rng):
    """Voice or a meeting: even datagrams both ways."""
    talk = Talk(rng, UDP, any_port(rng, 3478, odd=0.8), "rtp" if rng.random() < 0.3 else None)
    size, every, both = talk.between(40, 250), float(rng.choice([0.02, 0.02, 0.03, 0.06])), talk.chance(0.85)
    picture = talk.chance(0.25)
    for _ in range(int(talk.between(100, 3000))):
        talk.say(False, size * rng.uniform(0.9, 1.1))
        if both:
            talk.say(True, size * rng.uniform(0.9, 1.1))
        if picture:
            talk.say(talk.chance(0.5), talk.between(500, 1200))
        talk.wait(every * rng.uniform(0.9, 1.1))
    return talk


@archetype("streaming benign", "download", weight=1.3)
def streaming(rng):
    """Pieces of a film fetched ahead every few seconds."""
    talk = web_open(rng, 443, 443, 80, 554)
    piece, every = talk.between(1e5, 3e6), talk.between(1.5, 10)
    for _ in range(int(rng.integers(3, 25))):
        talk.ask(talk.between(200, 1200), piece * rng.uniform(0.6, 1.4), 0.01)
        talk.wait(every * 0.7, every * 1.3)
    return talk.close()


@archetype("p2p", "benign transfer upload download", weight=0.9)
def peers(rng):
    """Pieces of a file both ways, on any port, over either transport."""
    talk = Talk(rng, TCP if rng.random() < 0.6 else UDP, any_port(rng, 6881, 51413, odd=0.6), "bittorrent" if rng.random() < 0.2 else None)
    if talk.protocol == TCP:
        talk.open()
    talk.ask(68, 68)
    for _ in range(int(talk.between(1, 60))):
        talk.ask(talk.between(13, 400), talk.between(20, 32_000))
        if talk.chance(0.4):
            talk.say(False, talk.between(200, 17_000))
        if talk.chance(0.3):
            talk.wait(0.05, 10)
    return talk.close()


@archetype("game benign", "", weight=0.8)
def game(rng):
    """Small datagrams many times a second, more from the server."""
    talk = Talk(rng, UDP, any_port(rng, odd=1))
    up, down, tick = talk.between(25, 120), talk.between(40, 500), talk.between(0.015, 0.1)
    for _ in range(int(talk.between(100, 2500))):
        talk.say(False, up * rng.uniform(0.6, 1.5)).say(True, down * rng.uniform(0.4, 1.8))
        talk.wait(tick * 0.6, tick * 1.5)
    return talk


@archetype("keepalive", "benign beacon c2 attack slow_dos dos", weight=1.3)
def keepalive(rng):
    """An open connection on which next to nothing happens."""
    talk = Talk(rng, TCP, any_port(rng, 443, 22, 80, 5222, 5672, 4222, 993, odd=0.2))
    if talk.chance(0.6):
        talk.open()
        if talk.chance(0.5):
            tls(talk)
    every = talk.between(8, 60)
    for _ in range(int(rng.integers(2, 12))):
        talk.wait(every * 0.97, every * 1.03)
        size = int(rng.choice([0, 1, 2, 36, 31]))
        talk.packet(False, size, ACK)
        talk.travel()
        talk.packet(True, size if size > 1 else 0, ACK)
    return talk.close(str(rng.choice(["fin", "none"])))


@archetype("", "scan scan_tcp brute attack benign syn_flood dos flood", weight=1)
def refused(rng):
    """A client is turned away: reset at once, at times tried again."""
    talk = Talk(rng, TCP, any_port(rng, 22, 80, 443, 3306, 5432, 25))
    talk.packet(False, 0, SYN, 8)
    talk.travel()
    talk.packet(True, 0, RST | ACK, -talk.options)
    return talk


@archetype("", "scan scan_tcp brute attack benign syn_flood dos flood", weight=1)
def unanswered(rng):
    """A client tries and tries, and nobody is there."""
    talk = Talk(rng, TCP, any_port(rng, 22, 80, 443, 3306, 445))
    pause = 1.0
    for _ in range(int(rng.integers(1, 7))):
        talk.packet(False, 0, SYN, 8)
        talk.wait(pause * 1.0, pause * 1.05)
        pause *= 2
    return talk
