"""The parts of the lab that decide what is true: cutting flows, names, rows of truth, and the sample's own answers.

    python3 -m unittest discover -s lab/tests"""

import contextlib
import io
import pathlib
import struct
import sys
import tempfile
import unittest

LAB = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(LAB))

import answers
import names
import pcap
import questions
import truth
from flows import ACTIVE_US, ACK, FIN, IDLE_US, RST, SYN, Flow, flows
from site_plan import Site

A, B = ("10.0.0.1", 1000), ("203.0.113.9", 80)


def frame(src, dst, flags, payload=b""):
    tcp = struct.pack(">HHIIBBHHH", src[1], dst[1], 1, 1, 5 << 4, flags, 1024, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return bytes(12) + b"\x08\x00" + ip + bytes(map(int, src[0].split("."))) + bytes(map(int, dst[0].split("."))) + tcp


def cut(*packets):
    """The flows of (time, sender, receiver, flags) packets."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.pcap"
        with open(path, "wb") as out:
            out.write(pcap.HEADER.pack(pcap.MAGIC, 2, 4, 0, 0, 65_535, 1))
            for time_us, src, dst, flags, *payload in packets:
                data = frame(src, dst, flags, *payload)
                out.write(pcap.RECORD.pack(time_us // 1_000_000, time_us % 1_000_000, len(data), len(data)) + data)
        return flows(path)


class Flows(unittest.TestCase):
    def test_a_flow_ends_with_the_ack_that_answers_the_last_fin(self):
        found = cut((1, A, B, SYN), (2, B, A, SYN | ACK), (3, A, B, FIN | ACK), (4, B, A, FIN | ACK), (5, A, B, ACK), (6, B, A, ACK))
        self.assertEqual([(f.spkts, f.dpkts, f.opened) for f in found], [(3, 2, True), (1, 0, False)])

    def test_a_reset_ends_a_flow_and_the_next_packet_begins_one(self):
        found = cut((1, A, B, SYN), (2, B, A, RST | ACK), (3, A, B, SYN))
        self.assertEqual([(f.start_us, f.spkts, f.dpkts) for f in found], [(1, 1, 1), (3, 1, 0)])

    def test_timeouts_cut_and_count_segments(self):
        half = ACTIVE_US // 2
        found = cut((0, A, B, SYN), (half, A, B, ACK), (ACTIVE_US + 1, A, B, ACK), (ACTIVE_US + IDLE_US + 2, A, B, ACK))
        self.assertEqual([(f.spkts, f.segment) for f in found], [(2, 0), (1, 1), (1, 0)])

    def test_bytes_are_ip_lengths(self):
        (found,) = cut((1, A, B, ACK, b"12345"), (2, B, A, ACK, b"1"))
        self.assertEqual((found.sbytes, found.dbytes, found.fwd_len_tot, found.bwd_len_tot), (45, 41, 5, 1))


class Names(unittest.TestCase):
    def test_a_host_header_and_a_question_are_read(self):
        (found,) = cut((1, A, B, ACK, b"GET / HTTP/1.1\r\nHost: WWW.Example.org:80\r\n\r\n"))
        self.assertEqual(found.host, "www.example.org")
        self.assertEqual(names.question(bytes(4) + b"\0\1" + bytes(6) + b"\3www\7Example\3org\0\0\1\0\1"), "www.example.org")

    def test_nothing_is_read_past_the_end(self):
        hello = b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + bytes(32) + b"\xff"
        for length in range(len(hello)):
            self.assertEqual(names.server_name(hello[:length]), "")
            names.question(hello[:length])


class Rows(unittest.TestCase):
    def row(self, **changes):
        plain = dict(activity="ping", family="benign", technique="", src_ip="10.0.0.0/8", dst_ip="203.0.113.9", src_port="", dst_port="80",
                     protocol="tcp", host="", start_us=0, end_us=10)
        return truth.Row(**(plain | changes))

    def test_a_row_covers_both_directions_and_only_its_time(self):
        flow = Flow(*A[:1], B[0], A[1], B[1], 6, 5, 5)
        back = Flow(B[0], A[0], B[1], A[1], 6, 5, 5)
        self.assertTrue(self.row().covers(flow) and self.row().covers(back))
        for changes in ({"end_us": 4}, {"start_us": 6}, {"dst_port": "81"}, {"protocol": "udp"}, {"host": "a.example"}, {"src_ip": "11.0.0.0/8"}):
            self.assertFalse(self.row(**changes).covers(flow), changes)

    def test_rows_that_say_the_same_amount_must_agree(self):
        flow = Flow(A[0], B[0], A[1], B[1], 6, 5, 5)
        _, problems = answers.label([flow], [self.row(), self.row(activity="mail")])
        self.assertEqual(len(problems), 1)
        labelled, problems = answers.label([flow], [self.row(), self.row(activity="mail", src_ip="10.0.0.1")])
        self.assertEqual((labelled[0][1].activity, problems), ("mail", []))
        self.assertEqual(len(answers.label([flow], [])[1]), 1)


class Questions(unittest.TestCase):
    def test_an_unknown_condition_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[[question]]\nid = "a"\ntext = "b"\nkind = "filter"\nright = { colour = "red" }\n')
            file.flush()
            with self.assertRaises(ValueError):
                questions.read(file.name)


class Sites(unittest.TestCase):
    def test_a_seed_gives_one_site_and_another_gives_another(self):
        one, same, other = Site("x", 1), Site("x", 1), Site("x", 2)
        self.assertEqual(one.machines, same.machines)
        self.assertNotEqual(one.machines, other.machines)
        addresses = [a for m in one.machines.values() for a in (m.v4, *m.more_v4)] + [one.nobody]
        self.assertEqual(len(addresses), len(set(addresses)))


class Sample(unittest.TestCase):
    def test_the_committed_answers_are_what_capture_truth_and_questions_give(self):
        said, sys.argv = io.StringIO(), ["answers.py", str(LAB / "sample"), "--check"]
        with contextlib.redirect_stdout(said):
            code = answers.main()
        self.assertEqual(code, 0, said.getvalue())


if __name__ == "__main__":
    unittest.main()
