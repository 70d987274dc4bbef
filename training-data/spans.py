#!/usr/bin/env python3
"""How well the words that `polemic explain` shows are those that people marked: character F1 of SemEval-2021 task 5 (Pavlopoulos et al. 2021).

    python3 training-data/spans.py CORPUS/train.jsonl.gz CORPUS/dev.jsonl.gz --model models/news-en/0.3.0

Rows need `text` and `spans`, a list of [first character, character after the last, kind]; only spans of kind `toxic` count, those of the
shared task. The share from which a word counts as marked is chosen on the first file, the figures are on the second. Beside the model stands
a word list learnt from the first file: the words that people marked at least half of the times they occur (and twice or more).
"""
import argparse
import collections
import gzip
import json
import re
import subprocess
import tempfile

WORD = re.compile(r"[^\W_][\w'’*@$#!]*", re.UNICODE)


def rows(path, most):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    found = [r for r in found if any(s[2] == "toxic" for s in r.get("spans") or [])]
    return found[:most]


def marked(row):
    return {c for start, end, kind in row["spans"] if kind == "toxic" for c in range(start, end)}


def f1(gold, found):
    if not gold or not found:
        return float(gold == found)
    both = len(gold & found)
    return 2 * both / (len(gold) + len(found))


def shares(rows, labels, model, polemic):
    """For each row the words of the text, as characters, and the largest share that any of the labels gives them."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for i, row in enumerate(rows):
            file.write(json.dumps({"id": str(i), "text": row["text"]}) + "\n")
        file.flush()
        command = [polemic, "explain", "--file", file.name, "--model", model]
        for label in labels:
            command += ["--label", label]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = []
    for row, line in zip(rows, out.splitlines(), strict=True):
        units = utf16_to_characters(row["text"])
        words = collections.defaultdict(float)
        for label in json.loads(line).get("labels", []):
            of_label = collections.defaultdict(float)
            for share in label["shares"]:
                if share["kind"] == "word":
                    of_label[units[share["utf16_start"]], units[share["utf16_end"]]] += share["share"]
            for span, share in of_label.items():
                words[span] = max(words[span], share)
        result.append(dict(words))
    return result


def utf16_to_characters(text):
    table = []
    for i, c in enumerate(text):
        table += [i] * (2 if ord(c) > 0xFFFF else 1)
    return table + [len(text)]


def spans_of(words, at_least):
    """Characters of the words from a share on; neighbours are joined across the blank between them."""
    chosen = sorted(span for span, share in words.items() if share >= at_least)
    found = set()
    last = None
    for start, end in chosen:
        found.update(range(start, end))
        if last is not None and 0 < start - last <= 1:
            found.update(range(last, start))
        last = end
    return found


def word_list(rows):
    seen, hit = collections.Counter(), collections.Counter()
    for row in rows:
        gold = marked(row)
        for match in WORD.finditer(row["text"]):
            word = match.group().lower()
            seen[word] += 1
            hit[word] += all(c in gold for c in range(*match.span()))
    return {w for w, n in hit.items() if n >= 2 and n * 2 >= seen[w]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("dev")
    parser.add_argument("--model", required=True)
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--polemic", default="target/release/polemic")
    parser.add_argument("--most", type=int, default=3000, help="rows of the first file that are looked at")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    labels = args.label or ["toxicity", "insult", "profanity", "identity_attack", "threat"]
    train, dev = rows(args.train, args.most), rows(args.dev, 10**9)
    mean = lambda values: sum(values) / max(len(values), 1)
    of_train = shares(train, labels, args.model, args.polemic)
    golds = [marked(row) for row in train]
    grid = [i / 20 for i in range(1, 60)]
    best = max(grid, key=lambda t: mean([f1(g, spans_of(w, t)) for g, w in zip(golds, of_train)]))
    of_dev = shares(dev, labels, args.model, args.polemic)
    known = word_list(train)
    listed = [
        {(m.start(), m.end()): 1.0 for m in WORD.finditer(row["text"]) if m.group().lower() in known} for row in dev
    ]
    golds = [marked(row) for row in dev]
    figures = {
        "rows": len(dev),
        "share_from": best,
        "labels": labels,
        "character_f1": round(mean([f1(g, spans_of(w, best)) for g, w in zip(golds, of_dev)]), 4),
        "word_list_f1": round(mean([f1(g, spans_of(w, 1.0)) for g, w in zip(golds, listed)]), 4),
        "words_in_list": len(known),
    }
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
