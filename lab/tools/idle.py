"""A connection that stays open and says a few bytes now and then. Usage: idle.py ADDRESS PORT SECONDS EVERY"""

import socket
import sys
import time


def main():
    address, port, seconds, every = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    end = time.monotonic() + seconds
    with socket.create_connection((address, port), 5) as connection:
        while time.monotonic() < end:
            connection.sendall(b"still here\n")
            time.sleep(max(0.0, min(every, end - time.monotonic())))


if __name__ == "__main__":
    main()
