"""Mail and databases."""

from servers.databases import REDIS_PASSWORD, ROWS

LETTERS_MAX, QUERIES_MAX, CACHE_MAX = 20, 40, 40
STATEMENTS = ("select count(*) from orders", "select * from orders where id = {n}",
              "select customer, amount from orders where amount > 990 limit {n}",
              "update orders set amount = amount + 1 where id = {n}", "select sum(amount) from orders where id < {n}")


def letters(lab, seconds):
    """Users hand letters to the mail server, which hands some on to the outside."""
    rng, site = lab.rng("mail"), lab.site
    letter = lab.folder / "letter.bin"
    for _ in lab.until(seconds, LETTERS_MAX):
        letter.write_bytes(rng.randbytes(int(10 ** rng.uniform(2.5, 5.3))))
        sender, goes_out = rng.choice(site.users), rng.random() < 0.4
        _letter(lab, sender, "mail", letter, rng)
        if goes_out:
            _letter(lab, "mail", "relay", letter, rng)
        lab.sleep(seconds / LETTERS_MAX * rng.uniform(0.4, 1.3))


def _letter(lab, machine, server, letter, rng):
    people = lab.site.people
    with lab.ledger.during("mail", lab.v4(machine), lab.v4(server), "tcp", 25):
        lab.run(machine, ["swaks", "--server", lab.v4(server), "--helo", f"{machine}.{lab.site.domain}", "--from",
                          f"{rng.choice(people)}@{lab.site.domain}", "--to", f"{rng.choice(people)}@example.org",
                          "--header", "Subject: report", "--body", "Please see the file.", "--attach", f"@{letter}"], 30)


def queries(lab, seconds):
    """The application on the web server, and a clerk, ask the database."""
    rng = lab.rng("queries")
    for _ in lab.until(seconds, QUERIES_MAX):
        machine = rng.choice(["web", "web", "web", lab.site.users[1]])
        feed = [(rng.uniform(0.01, 1.5), rng.choice(STATEMENTS).format(n=rng.randint(1, ROWS)) + ";\n") for _ in range(rng.randint(1, 12))]
        with lab.ledger.during("database_query", lab.v4(machine), lab.v4("db"), "tcp", 5432):
            lab.run(machine, ["psql", "-q", "-h", lab.v4("db"), "-U", "postgres"], 30, feed)
        lab.sleep(seconds / QUERIES_MAX * rng.uniform(0.1, 0.8))


def cache(lab, seconds):
    """The application keeps short-lived values in the cache."""
    rng = lab.rng("cache")
    for _ in lab.until(seconds, CACHE_MAX):
        times, pause_s = rng.randint(2, 40), round(rng.choice([0, rng.uniform(0.005, 0.3)]), 3)
        asked = [rng.choice(["GET", "INCR", "TTL"]), f"key{rng.randint(1, 500)}"]
        with lab.ledger.during("cache_query", lab.v4("web"), lab.v4("db"), "tcp", 6379):
            lab.run("web", ["redis-cli", "-h", lab.v4("db"), "-a", REDIS_PASSWORD, "--no-auth-warning", "-r", times, "-i", pause_s, *asked], 20)
        lab.sleep(seconds / CACHE_MAX * rng.uniform(0.1, 0.8))
