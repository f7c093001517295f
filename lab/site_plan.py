"""A site: the address plan, the machines, the names and the habits that a seed gives.

Two sites with different names or seeds differ in addresses, host names, users, sizes, counts, timings and server options.
The same name and seed give the same site, though a run's packets still differ in time and in their random fields."""

import ipaddress
import random
from dataclasses import dataclass, field

USERS_MAX = 9
SEGMENTS = ("user", "server", "outside")
OUTSIDE_NETS = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
WORDS = (
    "amber birch cedar delta ember falcon grove harbor iris juniper kestrel lumen maple nimbus orchid pine quartz raven "
    "sable tundra umber violet willow yarrow zephyr anchor beacon coral drift elm fjord garnet hazel indigo jasper"
).split()
PEOPLE = "alice bruno chen dora emil fatima goran hana ivan julia karim lena marco nadia omar petra".split()


@dataclass
class Machine:
    """One machine, that is one network namespace."""

    name: str
    segment: str
    v4: str
    v6: str
    delay_ms: float = 0.0
    more_v4: list = field(default_factory=list)


class Site:
    """Everything that is decided before the first packet."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        rng = self.rng("plan")
        self.block = rng.randint(10, 250)
        self.user_net = ipaddress.ip_network(f"10.{self.block}.{rng.randint(1, 99)}.0/24")
        self.server_net = ipaddress.ip_network(f"10.{self.block}.{rng.randint(100, 240)}.0/24")
        self.user_net6 = ipaddress.ip_network(f"2001:db8:{self.block:x}:1::/64")
        self.server_net6 = ipaddress.ip_network(f"2001:db8:{self.block:x}:2::/64")
        self.outside_net6 = ipaddress.ip_network("2001:db8:ffff:f::/64")
        self.machines = {}
        self._users(rng)
        self._servers(rng)
        self._outside(rng)
        self._names(rng)
        self._habits(rng)

    def rng(self, purpose):
        """A random source of its own for each purpose, so that one activity's draws do not move another's."""
        return random.Random(f"{self.name}/{self.seed}/{purpose}")

    def machine(self, name):
        return self.machines[name]

    def _users(self, rng):
        count = rng.randint(5, USERS_MAX)
        numbers = rng.sample(range(20, 220), count + 1)
        self.users = [f"user{i + 1}" for i in range(count)]
        for machine, number in zip(self.users + ["admin"], numbers):
            self._add(machine, "user", self.user_net[number], self.user_net6[number])
        victims = rng.sample(self.users, 4)
        self.beacon_user, self.theft_user, self.dns_user, self.scan_user = victims

    def _servers(self, rng):
        roles = ["dns", "web", "shell", "mail", "db", "ops"]
        for role, number in zip(roles, rng.sample(range(2, 60), len(roles))):
            self._add(role, "server", self.server_net[number], self.server_net6[number])

    def _outside(self, rng):
        nets = [ipaddress.ip_network(net) for net in OUTSIDE_NETS]
        names = ["cdn", "control", "drop", "names", "tunnel", "relay", "home", "visitor", "scanner", "guesser", "slow", "bots", "prober"]
        used = set()
        for name in names:
            machine = self._add(name, "outside", self._free(rng, nets, used), self.outside_net6[len(used) + 16])
            machine.delay_ms = round(rng.uniform(2, 45), 1)
        for name, count in (("visitor", rng.randint(4, 8)), ("bots", rng.randint(10, 16)), ("slow", rng.randint(1, 3))):
            self.machines[name].more_v4 = [str(self._free(rng, nets, used)) for _ in range(count)]
        self.nobody = str(self._free(rng, nets, used))

    def _free(self, rng, nets, used):
        while True:
            address = rng.choice(nets)[rng.randint(5, 250)]
            if address not in used:
                used.add(address)
                return address

    def _add(self, name, segment, v4, v6):
        self.machines[name] = Machine(name, segment, str(v4), str(v6))
        return self.machines[name]

    def _names(self, rng):
        words = rng.sample(WORDS, 14)
        self.domain = f"{words[0]}.example"
        self.vhosts = [
            f"www.{words[1]}news.example", f"shop.{words[2]}.example", f"static.{words[3]}cdn.example",
            f"mirror.{words[4]}linux.example", f"api.{words[5]}.example", f"video.{words[6]}.example",
        ]
        self.mirror, self.api = self.vhosts[3], self.vhosts[4]
        self.web_hosts = [f"www.{self.domain}", f"portal.{self.domain}", f"wiki.{self.domain}"]
        self.control_host = f"sync.{words[7]}-{words[8]}-telemetry.example"
        self.drop_host = f"files.{words[9]}share.example"
        self.tunnel_domain = f"t.{words[10]}{words[11]}.example"
        self.relay_host = f"mx.{words[12]}.example"
        self.people = rng.sample(PEOPLE, 6)

    def _habits(self, rng):
        """Counts, sizes and periods that differ from site to site."""
        self.http_port = rng.choice([80, 80, 8080])
        self.ssh_port = rng.choice([22, 22, 2222])
        self.beacon_s = rng.choice([5, 7, 8, 10, 12])
        self.beacon_jitter = rng.uniform(0.02, 0.2)
        self.http2 = rng.random() < 0.5
        self.scan_style = rng.choice(["-T4", "-T3"])
        self.guess_tasks = rng.choice([2, 4, 6])
        self.tls_max = rng.choice(["1.2", "1.3", "1.3"])
        self.beacon_scheme, self.beacon_bytes = rng.choice(["https", "https", "http"]), rng.choice([0, 0, 200, 900])
        self.theft_scheme = rng.choice(["https", "https", "http"])
        self.slow_part = rng.choice(["headers", "headers", "body"])
        if self.name == "sample":
            self.http_port, self.ssh_port, self.tls_max = 80, 22, "1.3"
            self.beacon_scheme, self.beacon_bytes, self.theft_scheme, self.slow_part = "https", 0, "https", "headers"
