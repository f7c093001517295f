"""Guessing: passwords of the lab's own sshd, web login and cache, and paths of its own web server. No guess can succeed."""

from activities.fetch import fetch

SSH_GUESSES_MAX, LOGIN_GUESSES_MAX, CACHE_GUESSES_MAX, PATH_RUNS_MAX = 60, 40, 16, 30
ENDINGS = ("", "1", "123", "2024", "!", "_1", "99")
PATHS = ("admin", "backup", "config", "old", "test", "dev", "phpmyadmin", "api", "private", "db", "sql", "log", "tmp", "console", "status")


def ssh_guessing(lab, _seconds):
    """hydra with a short list, several connections at a time."""
    rng = lab.rng("ssh_guessing")
    words = lab.folder / "guesses.txt"
    words.write_text("\n".join(rng.choice(lab.site.people) + rng.choice(ENDINGS) for _ in range(SSH_GUESSES_MAX)))
    with lab.ledger.during("ssh_guessing", lab.v4("guesser"), lab.v4("shell"), "tcp", lab.site.ssh_port):
        lab.run("guesser", ["hydra", "-I", "-l", "root", "-P", words, "-t", lab.site.guess_tasks, "-s", lab.site.ssh_port,
                            f"ssh://{lab.v4('shell')}"], 100)


def ssh_guessing_slowly(lab, seconds):
    """sshpass, one guess every few seconds."""
    rng = lab.rng("ssh_guessing_slowly")
    for _ in lab.until(seconds, SSH_GUESSES_MAX // 3):
        word = rng.choice(lab.site.people) + rng.choice(ENDINGS)
        command = ["sshpass", "-p", word, "ssh", "-F", "/dev/null", "-p", lab.site.ssh_port, "-o", "StrictHostKeyChecking=no", "-o",
                   f"UserKnownHostsFile={lab.folder}/known_hosts", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
                   f"{rng.choice(['root', 'admin', *lab.site.people])}@{lab.v4('shell')}", "true"]
        with lab.ledger.during("ssh_guessing", lab.v4("prober"), lab.v4("shell"), "tcp", lab.site.ssh_port):
            lab.run("prober", command, 15)
        lab.sleep(rng.uniform(1.5, 5))


def login_guessing(lab, seconds):
    """The web login, one POST a connection, the answer is always 401."""
    rng, site = lab.rng("login_guessing"), lab.site
    for _ in lab.until(seconds, LOGIN_GUESSES_MAX):
        body = f"name={rng.choice(site.people)}&password={rng.choice(PATHS)}{rng.choice(ENDINGS)}"
        fetch(lab, "guesser", "web_login_guessing", [f"http://{site.web_hosts[1]}/login"], ["-4", "-d", body], 10, "python-requests/2.31")
        lab.sleep(rng.uniform(0.1, 0.9))


def cache_guessing(lab, seconds):
    """From outside, passwords of the cache that should not be reachable from there."""
    rng = lab.rng("cache_guessing")
    for _ in lab.until(seconds, CACHE_GUESSES_MAX):
        word = rng.choice(PATHS) + rng.choice(ENDINGS)
        with lab.ledger.during("cache_password_guessing", lab.v4("prober"), lab.v4("db"), "tcp", 6379):
            lab.run("prober", ["redis-cli", "-h", lab.v4("db"), "-a", word, "--no-auth-warning", "INFO"], 10)
        lab.sleep(rng.uniform(0.3, 2.5))


def path_guessing(lab, seconds):
    """Paths that may be there by mistake, several on each connection, most answered with 404."""
    rng, site = lab.rng("path_guessing"), lab.site
    for _ in lab.until(seconds, PATH_RUNS_MAX):
        urls = [f"http://{site.web_hosts[0]}/{rng.choice(PATHS)}{rng.choice(['', '.php', '.zip', '.bak', '/'])}" for _ in range(rng.randint(8, 30))]
        fetch(lab, "prober", "path_guessing", urls, ["-4"], 15, "gobuster/3.6")
        lab.sleep(rng.uniform(0.2, 1.5))
