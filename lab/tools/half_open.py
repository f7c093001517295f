"""A bounded number of TCP SYNs over a raw socket, each from another port. Usage: half_open.py FROM SERVER PORT COUNT SEED"""

import random
import socket
import struct
import sys
import time

COUNT_MAX = 1_000


def main():
    source, server, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), min(int(sys.argv[4]), COUNT_MAX)
    rng = random.Random(sys.argv[5])
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for own_port in rng.sample(range(1024, 20_000), count):
        sender.sendto(ip_header(source, server, rng.getrandbits(16)) + syn(source, server, own_port, port, rng.getrandbits(32)), (server, 0))
        time.sleep(rng.expovariate(60))


def ip_header(source, server, number):
    """The kernel fills in length and checksum (raw(7)); the source address need not be our own."""
    return struct.pack(">BBHHHBBH", 0x45, 0, 40, number, 0, 64, socket.IPPROTO_TCP, 0) + socket.inet_aton(source) + socket.inet_aton(server)


def syn(source, server, own_port, port, sequence):
    def header(checksum):
        return struct.pack(">HHIIBBHHH", own_port, port, sequence, 0, 5 << 4, 2, 1024, checksum, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(server) + struct.pack(">BBH", 0, 6, 20)
    return header(checksum(pseudo + header(0)))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


if __name__ == "__main__":
    main()
