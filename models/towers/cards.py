"""The card of each model, from the manifests and the evaluation, so that no figure is typed by hand."""

import json

from . import captures, splits
from .schema import MODELS, SPACE

PURPOSE = {
    "event-256": "Turns a network flow's 83 features, protocol and service into a vector of 256 numbers and length 1, near the vectors of\n"
    "questions that describe it. Neither addresses nor times of day nor labels are inputs; ports only as the name of a service.",
    "query-256": "Turns a question in plain English, cut to hashed words and letter groups (`hashed-ngrams-v1`), into a vector of 256 numbers and\n"
    "length 1, near the vectors of flows that answer it. Addresses, ports, numbers and times are no business of it: they are filters.",
}
LIMITS = {
    "event-256": """- One flow is all it sees. What shows only over many flows (a scan over many hosts, a beacon of separate connections, guesses spread
  over connections) is told from what one such flow looks like, and an innocent flow can look the same.
- Attacks were generated, made in a lab, or taken from CIC-IDS2017; other tools and other networks will differ.
- A source that gives few features (NetFlow, Zeek) gives a vector that says less.
- It ranks; it does not decide whether something is an attack.""",
    "query-256": """- English only, and a small vocabulary: a word that no training phrase holds is known by its letter groups alone, often wrongly.
- Nonsense gets a vector too; put a floor under the cosine before showing hits.
- Negation is not understood here ("not ssh" is near "ssh"); the question parser has to take it out first.
- The author of the training phrases wrote the test phrases too.""",
}


def main() -> None:
    """Writes both cards."""
    report = json.loads((MODELS / "evaluation.json").read_text())
    for name in PURPOSE:
        manifest = json.loads((MODELS / name / "manifest.json").read_text())
        (MODELS / name / "CARD.md").write_text(card(name, manifest, report))


def card(name: str, manifest: dict, report: dict) -> str:
    """A card."""
    lines = [f"# {name}, version {manifest['version']}", "", PURPOSE[name], "", f"Space `{SPACE}`; opset {manifest['opset']}; default `{manifest['default']}`.", "", "## Files", ""]
    lines += [f"- `{f['file']}` ({kind}): SHA-256 `{f['sha256']}`" for kind, f in manifest["files"].items()]
    if name == "event-256":
        int8 = manifest["files"]["int8"]
        lines += ["", f"Cosine of int8 to fp32 on {int8['cosine_events']} events of validation sources: at least {int8['cosine_to_fp32_min']}, mean {int8['cosine_to_fp32_mean']}.",
                  f"Events per CPU second, one thread, batches of 512, busy machine: {report['speed']['model.onnx']:,} fp32, {report['speed']['model.int8.onnx']:,} int8.",
                  "The ranges of int8 are fixed, so that a vector does not depend on the other events of its batch."]
    else:
        lines += ["", "The table of pieces is stored in 8 bits with a scale per row and used as float32."]
    lines += ["", "## Training", "", "Contrastive (InfoNCE with many positives, both ways) between phrases of a grammar (`phrases/train.txt`, `phrases/services.txt`, and, where",
              "present, sentences of public security texts) and events. Features, service and protocol are dropped at random. Seeds are fixed.", "", "Events by source:", ""]
    lines += [f"- {source}: {count}" for source, count in report["training_sources"].items()]
    lines += ["", "## Splits", "", "Whole sources are held apart; the committed sample of the lab and its questions serve none of these.", ""]
    lines += [f"- training: generated traffic; lab sites {', '.join(captures.LAB_SITES['train'])}; {', '.join(splits.TRAIN_CIC)}; captures of {', '.join(splits.TRAIN_CAPTURES)}"]
    lines += [f"- validation: lab sites {', '.join(captures.LAB_SITES['validation'])}; {', '.join(splits.VALIDATION_CIC)}; captures of {', '.join(splits.VALIDATION_CAPTURES)}; `phrases/validation.txt`"]
    lines += [f"- test: lab sites {', '.join(captures.LAB_SITES['test'])}; Westermo OT; USTC-TFC2016; captures of {', '.join(splits.TEST_CAPTURES)}; `phrases/test.txt`"]
    lines += ["", "The lab's sites differ in addresses, names, sizes, counts and timings but run the same programs, so that a lab site not trained on is", "an easier test than a public capture. CIC tables of training and validation come from the same five days, metered differently.", ""]
    lines += ["## Figures", "", "Test phrases on test sources, precision@10 and nDCG@10; `EVALUATION.md` has the baselines, the spread over seeds and the phrases that fail.", "", "| pool | precision@10 | nDCG@10 | by lot |", "|---|---|---|---|"]
    for pool in report["pools"]:
        ours = pool["methods"]["towers (committed)"]
        lines.append(f"| {pool['name']} ({pool['phrases']} phrases) | {ours['p@10']:.3f} | {ours['ndcg@10']:.3f} | {pool['methods']['by lot']['p@10']:.3f} |")
    return "\n".join([*lines, "", "## Limits", "", LIMITS[name], ""])


if __name__ == "__main__":
    main()
