"""A program that sizes its own receive buffer by the sidecar's recommendations. Python 3, standard library only.

    python3 client.py /run/forebay/sidecar.sock 127.0.0.1 514      with the target `port:514 mode=advise`
    python3 client.py http://127.0.0.1:8788 127.0.0.1 514          the same over HTTP (server-sent events)
"""
import json
import socket
import sys
import threading
import urllib.request


def recommendations(source, port):
    """Yields recommendations as they come, from a Unix socket or over HTTP."""
    if source.startswith("http://"):
        stream = urllib.request.urlopen(f"{source}/v1/recommendations/stream?port={port}")
        lines = (line[5:] for line in stream if line.startswith(b"data:"))
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(source)
        lines = connection.makefile("rb")
    for line in lines:
        yield json.loads(line)


def drain(receiver):
    while True:
        receiver.recv(65536)


source, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((host, port))
threading.Thread(target=drain, args=[receiver], daemon=True).start()
for recommendation in recommendations(source, port):
    if recommendation["port"] == port:
        # The kernel doubles what it is given, and the recommendation is of what it then has.
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, recommendation["recommended_bytes"] // 2)
        size = receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        print(f"port {port}: {size} bytes", flush=True)
