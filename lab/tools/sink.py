"""A server that takes what it is sent and drops it. Usage: sink.py udp|tcp ADDRESS PORT"""

import socket
import sys
import threading


def main():
    kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "udp":
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((address, port))
        while True:
            server.recv(65_535)
    server = socket.create_server((address, port))
    while True:
        threading.Thread(target=drain, args=(server.accept()[0],), daemon=True).start()


def drain(connection):
    with connection:
        try:
            while connection.recv(65_535):
                pass
        except OSError:
            pass


if __name__ == "__main__":
    main()
