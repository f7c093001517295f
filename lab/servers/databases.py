"""Databases on one machine: PostgreSQL and Redis."""

import pathlib
import shutil

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
REDIS_PASSWORD = "the-lab-s-own-cache-word"
ROWS = 20_000


def start(lab):
    folder = lab.folder_for("db")
    redis = folder / "redis.conf"
    redis.write_text(f"bind 0.0.0.0 ::\nprotected-mode no\nport 6379\nrequirepass {REDIS_PASSWORD}\nsave \"\"\ndir {folder}\ndaemonize no\n")
    lab.start("db", ["redis-server", redis])
    _postgresql(lab, folder)


def _postgresql(lab, folder):
    data = folder / "postgresql"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    lab.jobs.run([*as_owner, str(PROGRAMS / "initdb"), "-D", str(data), "-A", "trust", "-N", "-E", "UTF8", "--locale=C"], 60)
    with open(data / "pg_hba.conf", "a") as rules:
        rules.write("host all all 0.0.0.0/0 trust\nhost all all ::/0 trust\n")
    lab.start("db", [*as_owner, PROGRAMS / "postgres", "-D", data, "-c", "listen_addresses=*", "-c", "fsync=off",
                     "-c", "unix_socket_directories=", "-c", "ssl=off"])
    fill = (f"create table orders as select n as id, md5(n::text) as customer, (random() * 1000)::int as amount from generate_series(1, {ROWS}) n;"
            "create index on orders (id);")
    for _ in lab.until(30, 60):
        if "CREATE INDEX" in lab.run("db", ["psql", "-h", "127.0.0.1", "-U", "postgres", "-c", fill], 20):
            return
        lab.sleep(0.5)
    raise RuntimeError(f"PostgreSQL did not start: see {lab.folder}/db-setpriv.log")
