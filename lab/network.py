"""The network: a namespace per machine, a router with one bridge per segment, and a wire to the outside.

    user machines   -- bridge "user"   \
                                         router --- bridge "outside" == wire (delays) == bridge "far" -- outside machines
    server machines -- bridge "server" /

All of it lives in namespaces of its own: no address, route or link of the real machine is touched. Bringing it up first
removes what an earlier run of the same site may have left."""

import os
import pathlib
import shutil
import subprocess
import sys

from site_plan import OUTSIDE_NETS

OFFLOADS = ("tso", "gso", "gro", "tx", "rx", "sg")
SYSCTLS = ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", "net.ipv4.ip_local_port_range=20000 60999",
           "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")


class Network:
    """The namespaces of one site."""

    def __init__(self, site, jobs, folder):
        self.site, self.jobs, self.folder = site, jobs, pathlib.Path(folder)
        self.prefix = f"lab-{site.name}-"
        self.router, self.far = self.prefix + "router", self.prefix + "far"

    def ns(self, machine):
        """The name of the namespace of a machine."""
        return self.prefix + machine

    def up(self):
        self.down()
        for name in [self.router, self.far] + [self.ns(m) for m in self.site.machines]:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            self._sysctl(name, SYSCTLS)
        self._router()
        self._wire()
        for number, machine in enumerate(self.site.machines.values()):
            self._machine(machine, number)

    def down(self):
        """Removes the namespaces, and ends what still runs in them. Safe to call at any time."""
        present = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout.split("\n")
        for name in [line.split()[0] for line in present if line.startswith(self.prefix)]:
            pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
            for pid in pids:
                subprocess.run(["kill", "-KILL", pid], capture_output=True)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
            shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)

    def command(self, machine, command):
        """`command` as it is run on a machine."""
        name = self.router if machine == "router" else self.ns(machine)
        return ["ip", "netns", "exec", name, *map(str, command)]

    def _router(self):
        site = self.site
        self._sysctl(self.router, ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0"])
        gateways = {
            "user": [f"{site.user_net[1]}/24", f"{site.user_net6[1]}/64"],
            "server": [f"{site.server_net[1]}/24", f"{site.server_net6[1]}/64"],
            "outside": [net.replace(".0/24", ".1/24") for net in OUTSIDE_NETS] + [f"{site.outside_net6[1]}/64"],
        }
        for bridge, addresses in gateways.items():
            self._bridge(self.router, bridge)
            for address in addresses:
                nodad = ["nodad"] if ":" in address else []
                ip("-n", self.router, "address", "add", address, "dev", bridge, *nodad)
        self._bridge(self.far, "far")

    def _bridge(self, namespace, name):
        ip("-n", namespace, "link", "add", name, "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
        ip("-n", namespace, "link", "set", name, "up")

    def _wire(self):
        ends = [f"lw{os.getpid() % 100000}{side}" for side in "ab"]
        delays = [f"{mac(n)}={m.delay_ms}" for n, m in enumerate(self.site.machines.values()) if m.segment == "outside"]
        tool = pathlib.Path(__file__).parent / "tools" / "wire.py"
        process = self.jobs.start([sys.executable, str(tool), *ends, *delays], stdout=subprocess.PIPE)
        if process.stdout.readline().strip() != b"ready":
            raise RuntimeError("the wire to the outside did not come up: is /dev/net/tun there?")
        for end, namespace, bridge in zip(ends, (self.router, self.far), ("outside", "far")):
            ip("link", "set", end, "netns", namespace)
            ip("-n", namespace, "link", "set", end, "txqueuelen", "10000", "master", bridge, "up")

    def _machine(self, machine, number):
        namespace = self.ns(machine.name)
        hub, bridge = (self.far, "far") if machine.segment == "outside" else (self.router, machine.segment)
        port = f"p{number}"
        ip("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        ip("-n", namespace, "link", "set", "eth0", "address", mac(number))
        for where, device in ((hub, port), (namespace, "eth0")):
            switches = [word for offload in OFFLOADS for word in (offload, "off")]
            subprocess.run(["ip", "netns", "exec", where, "ethtool", "-K", device, *switches], capture_output=True)
        ip("-n", hub, "link", "set", port, "master", bridge, "up")
        ip("-n", namespace, "link", "set", "eth0", "up")
        for address in [machine.v4, *machine.more_v4]:
            ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        ip("-n", namespace, "address", "add", f"{machine.v6}/64", "dev", "eth0", "nodad")
        ip("-n", namespace, "route", "add", "default", "via", machine.v4.rsplit(".", 1)[0] + ".1")
        ip("-n", namespace, "-6", "route", "add", "default", "via", machine.v6.rsplit(":", 1)[0] + ":1")
        self._resolver(machine)

    def _resolver(self, machine):
        """Names are asked of the site's own server; `ip netns exec` puts this file in the place of /etc/resolv.conf."""
        folder = pathlib.Path("/etc/netns") / self.ns(machine.name)
        folder.mkdir(parents=True, exist_ok=True)
        server = self.site.machine("names" if machine.segment == "outside" else "dns").v4
        (folder / "resolv.conf").write_text(f"nameserver {server}\noptions timeout:2 attempts:1\n")

    def _sysctl(self, namespace, settings):
        for setting in settings:
            subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", setting], capture_output=True)


def mac(number):
    """The hardware address of the machine with this number, locally administered."""
    return f"02:1a:b0:00:{number >> 8:02x}:{number & 255:02x}"


def ip(*arguments):
    done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(map(str, arguments))}: {done.stderr.strip()}")
