#!/usr/bin/env python3
"""Joins the flows of a capture with its truth, and says which flows answer each question.

    python3 lab/answers.py lab/sample            writes answers.csv, prints coverage and counts
    python3 lab/answers.py lab/sample --check    compares with the answers.csv that is there; writes nothing
    python3 lab/answers.py DIR                   a folder without questions.toml: coverage and counts only

Fails when a flow has no row of truth, when two rows that say the same amount disagree, or when a question has no answer."""

import argparse
import bisect
import collections
import csv
import io
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import questions
import truth
from flows import flows

COLUMNS = ("question", "src_ip", "dst_ip", "src_port", "dst_port", "protocol", "start_us")
SHOWN_MAX = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    labelled, problems = label(flows(options.folder / "traffic.pcap.gz"), truth.read(options.folder / "truth.csv"))
    _report(labelled)
    path = options.folder / "questions.toml"
    if path.exists():
        problems += _answer(options, questions.read(path), labelled)
    for problem in problems[:SHOWN_MAX]:
        print("PROBLEM:", problem)
    print(f"{len(labelled)} flows labelled, {len(problems)} problems")
    return 1 if problems else 0


def label(found, rows):
    """(flow, row) pairs, and what is wrong: flows without a row, and rows that disagree."""
    rows = sorted(rows, key=lambda row: row.start_us)
    starts = [row.start_us for row in rows]
    labelled, problems = [], []
    for flow in found:
        fitting = [row for row in rows[: bisect.bisect_right(starts, flow.start_us)] if row.covers(flow)]
        if not fitting:
            problems.append(f"no truth for {_text(flow)}")
            continue
        most = max(row.weight() for row in fitting)
        best = [row for row in fitting if row.weight() == most]
        if len({row.activity for row in best}) > 1:
            problems.append(f"{sorted({row.activity for row in best})} both claim {_text(flow)}")
        labelled.append((flow, best[0]))
    return labelled, problems


def _answer(options, asked, labelled):
    out, problems = io.StringIO(), []
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for question in asked:
        right = [flow for flow, row in labelled if question.selects(flow, row)]
        print(f"{question.id:28} {question.kind:10} {len(right):5} right  {question.text}")
        if not right:
            problems.append(f"question {question.id} has no right flow")
        for flow in right:
            writer.writerow([question.id, flow.src_ip, flow.dst_ip, flow.src_port, flow.dst_port, flow.protocol, flow.start_us])
    path = options.folder / "answers.csv"
    if not options.check:
        path.write_text(out.getvalue())
    elif path.read_text() != out.getvalue():
        problems.append(f"{path} is not what the capture, the truth and the questions give: run answers.py without --check")
    return problems


def _report(labelled):
    count, packets, size = collections.Counter(), collections.Counter(), collections.Counter()
    for flow, row in labelled:
        count[row.activity] += 1
        packets[row.activity] += flow.spkts + flow.dpkts
        size[row.activity] += flow.sbytes + flow.dbytes
    print("| activity | family | flows | packets | bytes |\n|---|---|---|---|---|")
    for activity in truth.ACTIVITIES:
        if count[activity]:
            print(f"| {activity} | {truth.ACTIVITIES[activity][0]} | {count[activity]} | {packets[activity]} | {size[activity]} |")
    print(f"| all | | {sum(count.values())} | {sum(packets.values())} | {sum(size.values())} |")


def _text(flow):
    return f"{flow.src_ip}:{flow.src_port} > {flow.dst_ip}:{flow.dst_port} protocol {flow.protocol} host {flow.host!r} at {flow.start_us}"


if __name__ == "__main__":
    sys.exit(main())
