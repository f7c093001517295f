"""A wire with latency: two tap devices joined by a process that holds each frame back for its machine's delay.

Usage: wire.py END END MAC=MILLISECONDS...   Prints "ready" when both ends exist; runs until it is ended."""

import fcntl
import heapq
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
FRAME_MAX = 65_600
HELD_MAX = 50_000
DEFAULT_DELAY_S = 0.001


def main():
    ends = [tap(name) for name in sys.argv[1:3]]
    delays = {}
    for word in sys.argv[3:]:
        address, _, delay_ms = word.partition("=")
        delays[bytes.fromhex(address.replace(":", ""))] = float(delay_ms) / 1000
    print("ready", flush=True)
    carry(ends, delays)


def tap(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP_NO_PI))
    return end


def carry(ends, delays):
    held, count = [], 0
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        for end in select.select(ends, [], [], wait)[0]:
            for _ in range(64):
                try:
                    frame = os.read(end, FRAME_MAX)
                except OSError:
                    break
                if len(held) < HELD_MAX:
                    delay = delays.get(frame[0:6]) or delays.get(frame[6:12]) or DEFAULT_DELAY_S
                    count += 1
                    heapq.heappush(held, (time.monotonic() + delay, count, other[end], frame))
        while held and held[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(held)
            try:
                os.write(end, frame)
            except OSError:
                pass


if __name__ == "__main__":
    main()
