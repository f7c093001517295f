"""JSON lines to vectors and Parquet as one would write it in Python: orjson, numpy, onnxruntime, pyarrow.

    embed.py --model MODEL.onnx --out FOLDER --processes N FILE.jsonl

Each process takes its share of the file by bytes, in pieces that end at line ends, and writes its own Parquet file with the same columns
and codecs as ours. It promises less: no order over the processes, no dead letters, no checksums, no resuming, nothing synced
before the end. Prints one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import re
import time
from operator import itemgetter
from pathlib import Path

import numpy as np
import onnxruntime
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
PIECE_BYTES = 16 << 20
BATCH_EVENTS = 1024
ROW_GROUP_EVENTS = 8192


def features():
    """The names of the features, from the schema's own source."""
    text = (ROOT / "event/src/feature.rs").read_text()
    block = text[text.index("pub const FEATURE_NAMES") :]
    return re.findall(r'"(\w+)"', block[: block.index("];")])


def services():
    """Names, aliases and ports to places, from the table's own source."""
    text = (ROOT / "event/src/service.rs").read_text()
    block = text[text.index("pub const SERVICES") :]
    names, ports = {}, {}
    for place, (name, aliases, numbers) in enumerate(
        re.findall(r'service\("([^"]+)", &\[([^\]]*)\], &\[([^\]]*)\]\)', block[: block.index("];\n")])
    ):
        for known in [name, *re.findall(r'"([^"]+)"', aliases)]:
            names.setdefault(known, place)
        for port in re.findall(r"\d+", numbers):
            ports.setdefault(int(port), place)
    return names, ports


NAMES = features()
SERVICE_NAMES, SERVICE_PORTS = services()
FEATURES_OF = itemgetter(*NAMES)


def service_of(app, flow):
    place = SERVICE_NAMES.get(app)
    if place is not None:
        return place
    protocol = flow["protocol"]
    if protocol in (1, 58):
        return SERVICE_NAMES["icmp"]
    if protocol == 47:
        return SERVICE_NAMES["gre"]
    if protocol in (6, 17, 132):
        return SERVICE_PORTS.get(flow["dst_port"], SERVICE_PORTS.get(flow["src_port"], 0))
    return 0


def pieces(path, begin, end):
    """The lines that start in [begin, end), a piece at a time."""
    with open(path, "rb") as file:
        if begin > 0:
            file.seek(begin - 1)
            file.readline()
        while file.tell() < end:
            piece = file.read(min(PIECE_BYTES, end - file.tell()))
            if not piece.endswith(b"\n"):
                piece += file.readline()
            yield piece.splitlines()


def columns(events, rows, vectors):
    """The table of one row group; the columns and their types are ours."""
    flows = [event["flow"] for event in events]
    text, whole = pa.string(), pa.int64()
    made = {}
    for name, kind in [("schema_version", text), ("event_id", text), ("start_us", whole), ("end_us", whole),
                       ("node_id", text), ("sensor", text), ("interface", text)]:
        made[name] = pa.array([event[name] for event in events], kind)
    for name, kind in [("src_ip", text), ("dst_ip", text), ("src_port", pa.uint16()), ("dst_port", pa.uint16()),
                       ("protocol", pa.uint8()), ("vlan", pa.uint16()), ("segment", pa.uint32()), ("community_id", text)]:
        made[name] = pa.array([flow[name] for flow in flows], kind)
    score = pa.float32()
    for part, name, column, kind in [
        ("app", "protocol", "app_protocol", text), ("app", "host", "app_host", text),
        ("scores", "fast", "score_fast", score), ("scores", "ml", "score_ml", score),
        ("scores", "final", "score_final", score), ("scores", "divergence", "score_divergence", score),
        ("class", "verdict", "verdict", text), ("class", "family", "family", text), ("class", "technique", "technique", text),
        ("label", "truth", "label_truth", text), ("label", "validated", "label_validated", pa.bool_()),
    ]:
        made[column] = pa.array([event[part][name] for event in events], kind)
    for place, name in enumerate(NAMES):
        made[name] = pa.array(rows[:, place], pa.float64(), from_pandas=True)
    made["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    return pa.table(made)


def share(job):
    """One process's share; gives the events in it."""
    path, model, out, begin, end, number = job
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    writer, done, waiting = None, 0, []
    target = os.path.join(out, f"part-{number:05}.parquet")
    codecs = {name: "zstd" for name in NAMES}

    def write(lines):
        nonlocal writer
        events = [orjson.loads(line) for line in lines]
        rows = np.array([FEATURES_OF(event["features"]) for event in events], dtype=np.float64)
        narrow = rows.astype(np.float32)
        protocols = np.array([event["flow"]["protocol"] for event in events], dtype=np.int64)
        kinds = np.array([service_of(event["app"]["protocol"], event["flow"]) for event in events], dtype=np.int64)
        vectors = []
        for at in range(0, len(events), BATCH_EVENTS):
            to = at + BATCH_EVENTS
            inputs = {"features": narrow[at:to], "protocol": protocols[at:to], "service": kinds[at:to]}
            vectors.append(session.run(None, inputs)[0])
        table = columns(events, rows, np.concatenate(vectors))
        if writer is None:
            for name in table.schema.names:
                codecs.setdefault(name, "zstd")
            codecs["vector"] = "none"
            writer = pq.ParquetWriter(target, table.schema, compression=codecs, compression_level=None,
                                      use_dictionary=["src_ip", "dst_ip", "app_protocol", "app_host"],
                                      write_statistics=[name for name in table.schema.names if name != "vector"])
        writer.write_table(table, row_group_size=ROW_GROUP_EVENTS)
        return len(events)

    for lines in pieces(path, begin, end):
        waiting.extend(lines)
        while len(waiting) >= ROW_GROUP_EVENTS:
            done += write(waiting[:ROW_GROUP_EVENTS])
            del waiting[:ROW_GROUP_EVENTS]
    if waiting:
        done += write(waiting)
    if writer is not None:
        writer.close()
        with open(target, "rb") as file:
            os.fsync(file.fileno())
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("file")
    asked = parser.parse_args()
    os.makedirs(asked.out)
    size = os.path.getsize(asked.file)
    bounds = [size * number // asked.processes for number in range(asked.processes + 1)]
    jobs = [(asked.file, asked.model, asked.out, bounds[n], bounds[n + 1], n) for n in range(asked.processes)]
    began, before = time.monotonic(), os.times()
    if asked.processes == 1:
        events = share(jobs[0])
    else:
        # Joined, and not only ended, so that the system knows their processor time.
        pool = multiprocessing.Pool(asked.processes)
        events = sum(pool.map(share, jobs))
        pool.close()
        pool.join()
    seconds, after = time.monotonic() - began, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    written = sum(file.stat().st_size for file in Path(asked.out).iterdir())
    print(json.dumps({"processes": asked.processes, "events": events, "seconds": seconds, "events_per_second": events / seconds,
                      "cpu_us_per_event": cpu / events * 1e6, "bytes_written": written}))


if __name__ == "__main__":
    main()
