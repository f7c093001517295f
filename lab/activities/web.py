"""People and programs on the web: browsing, downloads, calls of an interface, and visitors from outside."""

from activities.fetch import AGENTS, fetch

PAGES = ("index.html", "style.css", "app.js", "photo.jpg", "news.json")
VISITS_MAX, DOWNLOADS_MAX, CALLS_MAX = 70, 14, 40


def browsing(lab, seconds):
    rng, site = lab.rng("browsing"), lab.site
    for _ in lab.until(seconds, VISITS_MAX):
        user = rng.choice(site.users + ["admin"])
        host = rng.choice([h for h in site.vhosts if h != site.mirror] + site.web_hosts)
        scheme = rng.choice(["https", "https", "https", "http"])
        port = f":{site.http_port}" if scheme == "http" and host in site.web_hosts else ""
        pages = rng.sample(PAGES, rng.randint(1, len(PAGES)))
        family = rng.choice(["-4", "-4", "-6"])
        pace = ["--limit-rate", f"{rng.randint(30, 900)}k"] if rng.random() < 0.4 else []
        fetch(lab, user, "browsing", [f"{scheme}://{host}{port}/{page}" for page in pages], [family, *pace], agent=rng.choice(AGENTS))
        lab.sleep(rng.expovariate(1 / 4))


def downloads(lab, seconds):
    rng, site = lab.rng("downloads"), lab.site
    for _ in lab.until(seconds, DOWNLOADS_MAX):
        scheme = rng.choice(["http", "http", "https"])
        name = rng.choice(["package.deb", "package.deb", "update.bin"])
        pace = [rng.choice(["-4", "-4", "-6"]), "--limit-rate", f"{rng.randint(300, 2500)}k"]
        fetch(lab, rng.choice(site.users), "download", [f"{scheme}://{site.mirror}/{name}"], pace, agent="Debian APT-HTTP/1.3 (2.6.1)")
        lab.sleep(seconds / DOWNLOADS_MAX * rng.uniform(0.5, 1.2))


def api_calls(lab, seconds):
    """An application on the web server asks an interface outside, now and then, a few requests at a time."""
    rng, site = lab.rng("api"), lab.site
    for _ in lab.until(seconds, CALLS_MAX):
        urls = [f"https://{site.api}/v1/orders/{rng.randint(1, 9999)}" for _ in range(rng.randint(1, 5))]
        fetch(lab, "web", "api_calls", urls, ["-4"], agent="python-requests/2.28")
        lab.sleep(rng.expovariate(CALLS_MAX / seconds))


def visitors(lab, seconds):
    """Strangers read the site's own pages."""
    rng, site = lab.rng("visitors"), lab.site
    addresses = [site.machine("visitor").v4, *site.machine("visitor").more_v4]
    for _ in lab.until(seconds, VISITS_MAX):
        host, scheme = rng.choice(site.web_hosts), rng.choice(["http", "https"])
        pages = [f"{scheme}://{host}/{page}" for page in rng.sample(PAGES, rng.randint(1, 4))]
        there = ["--interface", rng.choice(addresses), "-4"] if rng.random() < 0.8 else ["-6"]
        fetch(lab, "visitor", "visitors", pages, there, agent=rng.choice(AGENTS))
        lab.sleep(rng.expovariate(1 / 4))
