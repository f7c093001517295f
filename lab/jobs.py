"""Processes the lab starts: every one has a time limit and is ended, by its own id, when the lab ends."""

import os
import signal
import subprocess
import threading
import time

KILL_AFTER_S = 3.0


class Jobs:
    """The set of running processes. Ending it ends them all: SIGTERM first, SIGKILL after `KILL_AFTER_S`."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self._closed = False

    def start(self, command, **options):
        """Starts a process in a session of its own, so that its children end with it."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        with self._lock:
            if self._closed:
                raise Closed("the lab is ending")
            process = subprocess.Popen(command, start_new_session=True, **options)
            self._running.add(process)
        return process

    def run(self, command, timeout_s, feed=None, delay=time.sleep):
        """Runs a process to its end or its time limit and gives its standard output.

        `feed` is an iterable of (pause in seconds, text) typed into the standard input."""
        stdin = subprocess.PIPE if feed is not None else subprocess.DEVNULL
        process = self.start(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout_s
        try:
            if feed is not None:
                _type(process, feed, deadline, delay)
            output, _ = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.end(process)
            output = process.stdout.read() if process.stdout else b""
        finally:
            self._forget(process)
        return output.decode("utf-8", "replace")

    def end(self, process):
        """Ends one process and its session."""
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            process.wait(KILL_AFTER_S)
        self._forget(process)

    def close(self):
        """Ends everything; nothing can be started afterwards."""
        with self._lock:
            self._closed = True
            left = list(self._running)
        for process in left:
            _signal_group(process, signal.SIGTERM)
        for process in left:
            self.end(process)

    def _forget(self, process):
        with self._lock:
            self._running.discard(process)


class Closed(Exception):
    """Something was to be started after the lab began to end."""


def _signal_group(process, number):
    if process.poll() is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass


def _type(process, feed, deadline, delay):
    try:
        for pause_s, text in feed:
            if time.monotonic() + pause_s > deadline:
                break
            delay(pause_s)
            process.stdin.write(text.encode())
            process.stdin.flush()
    except BrokenPipeError:
        pass
