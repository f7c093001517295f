"""A capture of any size on standard output: a small one over and over, each time with the times of its packets moved on.

    repeat_capture.py CAPTURE.pcap[.gz] BYTES | forebay embed - --out OUT --no-index
"""

import gzip
import struct
import sys

FILE_HEADER, PACKET_HEADER = 24, 16
MAGICS = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}


def main():
    path, wanted = sys.argv[1], int(sys.argv[2])
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        content = file.read()
    order = MAGICS[content[:4]]
    packets, places, at = bytearray(content[FILE_HEADER:]), [], 0
    while at + PACKET_HEADER <= len(packets):
        places.append(at)
        at += PACKET_HEADER + struct.unpack_from(order + "I", packets, at + 8)[0]
    seconds = struct.Struct(order + "I")
    times = [seconds.unpack_from(packets, place)[0] for place in places]
    # A gap longer than any timeout, so that each round is flows of its own.
    step = max(times) - min(times) + 600
    out, written = sys.stdout.buffer, FILE_HEADER
    out.write(content[:FILE_HEADER])
    while written < wanted:
        out.write(packets)
        written += len(packets)
        times = [time + step for time in times]
        for place, time in zip(places, times):
            seconds.pack_into(packets, place, time & 0xFFFFFFFF)


if __name__ == "__main__":
    main()
