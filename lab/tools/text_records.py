"""A name server that answers every question with a TXT record of random letters, as the far end of a tunnel does.

Usage: text_records.py ADDRESS SEED"""

import base64
import random
import socket
import sys

ANSWER_BYTES = (30, 150)


def main():
    rng = random.Random(sys.argv[2])
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    while True:
        query, asker = server.recvfrom(2048)
        end = query.find(b"\0", 12) + 5
        if end < 17:
            continue
        text = base64.b32encode(rng.randbytes(rng.randint(*ANSWER_BYTES)))[:250]
        record = b"\xc0\x0c\0\x10\0\x01\0\0\0\0" + (len(text) + 1).to_bytes(2, "big") + bytes([len(text)]) + text
        server.sendto(query[:2] + b"\x84\0\0\x01\0\x01\0\0\0\0" + query[12:end] + record, asker)


if __name__ == "__main__":
    main()
