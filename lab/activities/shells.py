"""Remote shells: people who type, programs that run a command, files that are copied.

Each of these has machines of its own, so that machine, server and time are enough to tell the flows apart."""

import threading

SESSIONS_MAX, COMMANDS_MAX, COPIES_MAX, BACKUPS_MAX = 14, 20, 12, 3
TYPED = ("ls -l /usr/share/doc | head -40\n", "uname -a\n", "uptime\n", "df -h | head\n", "ps aux | head -20\n", "date\n",
         "head -c 4000 /usr/share/common-licenses/GPL-3\n", "ls /var\n", "cat /etc/services | head -60\n")


def sessions(lab, seconds):
    """Interactive: keys at a person's pace, with pauses for thought; some from outside."""
    rng = lab.rng("sessions")
    typists, started = ["admin", "admin", "home", lab.site.users[0]], []
    for _ in lab.until(seconds, SESSIONS_MAX):
        feed = list(_keys(rng, rng.randint(3, 12)))
        thread = threading.Thread(target=_session, args=(lab, rng.choice(typists), feed), daemon=True)
        thread.start()
        started.append(thread)
        lab.sleep(seconds / SESSIONS_MAX * rng.uniform(0.5, 1.3))
    for thread in started:
        thread.join(max(0.0, lab.left_s()) + 10)


def commands(lab, seconds):
    """A program of the operators asks the server how it is."""
    rng = lab.rng("commands")
    for _ in lab.until(seconds, COMMANDS_MAX):
        asked = rng.choice(["uptime", "df", "date", "free"])
        _ssh(lab, "ops", "ssh_command", ["ssh", *_options(lab), _there(lab), asked], 20)
        lab.sleep(seconds / COMMANDS_MAX * rng.uniform(0.4, 1.4))


def copies(lab, seconds):
    """scp and sftp both ways with files of 20 kB to 800 kB."""
    rng = lab.rng("copies")
    for number in lab.until(seconds, COPIES_MAX):
        path = _file(lab, f"report{number}.bin", rng.randbytes(int(10 ** rng.uniform(4.3, 5.9))))
        out, back = [path, f"{_there(lab)}:{path}.copy"], [f"{_there(lab)}:{path}", "/dev/null"]
        program, ends = rng.choice([("scp", out), ("scp", out), ("scp", back), ("sftp", back)])
        _ssh(lab, rng.choice(lab.site.users[1:3]), "file_copy", [program, "-q", *_options(lab, "-P"), *ends], 40)
        lab.sleep(seconds / COPIES_MAX * rng.uniform(0.4, 1.3))


def backups(lab, seconds):
    """The database machine copies its dump to the file server: large, but it stays inside."""
    rng = lab.rng("backups")
    for number in lab.until(seconds, BACKUPS_MAX):
        path = _file(lab, f"dump{number}.sql.gz", rng.randbytes(int(rng.uniform(1.2e6, 2.2e6))))
        _ssh(lab, "db", "backup", ["scp", "-q", *_options(lab, "-P"), path, f"{_there(lab)}:{path}.copy"], 40)
        lab.sleep(seconds / BACKUPS_MAX)


def _session(lab, machine, feed):
    shell = ["ssh", "-tt", *_options(lab), _there(lab), "env HISTFILE=/dev/null bash --norc"]
    _ssh(lab, machine, "ssh_session", shell, 105, feed)


def _keys(rng, commands_count):
    yield 1.0, "\n"
    for _ in range(commands_count):
        yield rng.uniform(0.5, 7), ""
        for letter in rng.choice(TYPED):
            yield rng.uniform(0.04, 0.22), letter
    yield 1.0, "exit\n"


def _ssh(lab, machine, activity, command, timeout_s, feed=None):
    with lab.ledger.during(activity, lab.v4(machine), lab.v4("shell"), "tcp", lab.site.ssh_port):
        lab.run(machine, command, timeout_s, feed)


def _there(lab):
    return f"root@{lab.v4('shell')}"


def _file(lab, name, content):
    path = lab.folder / "shell" / "files" / name
    path.write_bytes(content)
    return path


def _options(lab, port_flag="-p"):
    return [port_flag, lab.site.ssh_port, "-i", lab.folder / "shell" / "user_key", "-F", "/dev/null", "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", f"UserKnownHostsFile={lab.folder}/known_hosts"]
