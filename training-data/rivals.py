#!/usr/bin/env python3
"""What alt-profanity-check (a linear model of the same kind, PyPI) says of every mapped corpus label: ROC AUC on the dev splits.

usage: rivals.py DATA --out rivals.json

It gives one probability a text, "profane or offensive"; it is compared with every label of the incivility family, as its users use it. It was
trained on Wikipedia talk pages and tweets (Jigsaw's and Davidson's sets), so that it saw much of what lies in jigsaw_wikipedia and davidson_tweets.
Needs `pip install alt-profanity-check` (made with 1.9.1 beside scikit-learn 1.9.1); nothing is drawn at random.
"""
import argparse
import gzip
import json
import tomllib
from pathlib import Path

from profanity_check import predict_prob
from sklearn.metrics import roc_auc_score

PRODUCTS = ["incivility", "toxicity", "severe_toxicity", "insult", "profanity", "threat", "identity_attack", "sexism", "attack_on_commenter", "hostile", "antagonistic"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("rivals.json"))
    args = parser.parse_args()
    datasets = tomllib.loads((args.data / "datasets.toml").read_text())
    mapping = tomllib.loads((args.data / "mapping.toml").read_text())
    wanted = {}
    for product in PRODUCTS:
        for name in mapping[product].get("ship", []) + mapping[product].get("local", []):
            corpus, label = name.split(".", 1)
            wanted.setdefault(corpus, set()).add(label)
    out = []
    for corpus, labels in sorted(wanted.items()):
        dev = args.data / datasets[corpus]["family"] / corpus / "dev.jsonl.gz"
        if not dev.exists():
            continue
        with gzip.open(dev, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        scores = predict_prob([row["text"] for row in rows])
        for label in sorted(labels):
            pairs = [(row["labels"][label] >= 0.5, score) for row, score in zip(rows, scores) if row.get("labels", {}).get(label) is not None]
            if len({truth for truth, _ in pairs}) == 2:
                auc = roc_auc_score([t for t, _ in pairs], [s for _, s in pairs])
                out.append({"rival": "alt-profanity-check", "corpus": corpus, "label": label, "n": len(pairs), "roc_auc": round(float(auc), 4)})
    args.out.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
