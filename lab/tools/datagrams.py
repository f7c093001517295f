"""A bounded flood of datagrams. Usage: datagrams.py SERVER PORT COUNT PER_SECOND SIZE SEED FROM..."""

import random
import socket
import sys
import time

COUNT_MAX = 20_000


def main():
    server, port, count = sys.argv[1], int(sys.argv[2]), min(int(sys.argv[3]), COUNT_MAX)
    rate, size, rng = float(sys.argv[4]), int(sys.argv[5]), random.Random(sys.argv[6])
    sockets = []
    for source in sys.argv[7:]:
        for _ in range(2):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sender.bind((source, 0))
            sockets.append(sender)
    for _ in range(count):
        rng.choice(sockets).sendto(rng.randbytes(rng.randint(size // 2, size)), (server, port))
        time.sleep(rng.expovariate(rate))


if __name__ == "__main__":
    main()
