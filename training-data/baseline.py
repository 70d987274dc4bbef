#!/usr/bin/env python3
"""A common baseline: scikit-learn's tf-idf + logistic regression, one model per corpus label, scored on the dev split.

What
    For every "corpus.label" of DATA/mapping.toml, text only:
    TfidfVectorizer(lowercase, word 1- and 2-grams, min_df=2, sublinear_tf, strip_accents=None), fitted on the texts of
    the corpus' train split; LogisticRegression(liblinear, no class weights), C out of 0.3, 1, 3, 10 by the mean ROC AUC
    of 4 folds of the train split; fitted on train, scored on dev. A test split is never opened.
    Positive: label >= 0.5. A row without the label is left out.
    Wanted: 60 rows of each class in train, 5 of each in dev.
    A corpus that has only a dev split: 5-fold cross-validation on dev (20 rows of each class wanted); in each fold
    vectoriser, C and threshold come from the other four alone (C by 4 folds of these); the five parts' predictions are
    scored together. "protocol" says which of the two it was.
    Folds keep the classes' shares and, where rows have a thread_id, threads whole ("grouped": true).
    In the 4 folds that choose C the vocabulary and idf come from the whole train split (texts, not labels).

    Reply stance ([stance_parent] of mapping.toml): the same features, text only; multinomial logistic regression (lbfgs),
    class_weight="balanced", C by macro-F1. Stance to a target needs the target beside the text and is left out.

Output
    --out: a JSON list of {product, corpus, label, ship, protocol, grouped, n, positives, train_n, train_positives,
    roc_auc, average_precision, f1 (at 0.5), f1_tuned (at "threshold", best on out-of-fold train predictions), threshold,
    best_f1 (best threshold on the scored rows themselves: an upper bound), brier, C}. n and positives: rows scored.
    With cross-validation, C and threshold are the medians over the folds, train_n is null, and roc_auc_fold_mean, the
    mean of the five folds' AUCs, stands beside the pooled roc_auc (folds differ in C, so their scores in scale).
    Reply stance rows have macro_f1, accuracy, f1_per_class, n_per_class in place of the two-class figures.
    stdout: one line per label, then what was left out and why.

Usage
    python3 baseline.py DATA --out baseline.json [--only CORPUS ...]
    Made with Python 3.11, scikit-learn 1.9.1, numpy 2.4, scipy 1.17 (`pip install scikit-learn`); one thread,
    random_state 0: the same versions give the same file. The corpora have licences of their own; see DATA/SOURCES.md.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before numpy: one thread, repeatable sums
    os.environ[name] = "1"

import argparse
import gzip
import json
import platform
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (accuracy_score, average_precision_score, brier_score_loss, f1_score,
                             precision_recall_curve, roc_auc_score)
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

CS = (0.3, 1.0, 3.0, 10.0)
MIN_TRAIN, MIN_DEV, MIN_CV = 60, 5, 20  # rows of each class
TO_DEV, CV_ON_DEV = "train -> dev", "5-fold cv on dev"


def read_split(folder, split):
    path = folder / f"{split}.jsonl.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def vectoriser():
    return TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, strip_accents=None, lowercase=True)


class Corpus:
    """A corpus' train and dev splits with their tf-idf matrices, kept for all of its labels."""

    def __init__(self, folder):
        self.rows = {s: read_split(folder, s) for s in ("train", "dev")}
        self.x = None
        self.fold_x = {}  # rows fitted on -> (their matrix, the matrix of the rows to score)

    def matrices(self):
        if self.x is None:
            v = vectoriser()
            self.x = {"train": v.fit_transform([r["text"] for r in self.rows["train"]])}
            self.x["dev"] = v.transform([r["text"] for r in self.rows["dev"]])
        return self.x

    def fold(self, fit, score):
        key = (fit.tobytes(), score.tobytes())
        if key not in self.fold_x:
            texts, v = [r["text"] for r in self.rows["dev"]], vectoriser()
            self.fold_x[key] = v.fit_transform([texts[i] for i in fit]), v.transform([texts[i] for i in score])
        return self.fold_x[key]


def groups_of(rows):
    """Thread numbers, a row without a thread being its own; None if no row has one."""
    if not any(r.get("thread_id") for r in rows):
        return None
    names = [f"t{r['thread_id']}" if r.get("thread_id") else f"r{i}" for i, r in enumerate(rows)]
    return np.unique(names, return_inverse=True)[1]


def folds(k, y, groups):
    if groups is None:
        return list(StratifiedKFold(k, shuffle=True, random_state=0).split(y, y))
    return list(StratifiedGroupKFold(k, shuffle=True, random_state=0).split(y, y, groups))


# --- two classes ---------------------------------------------------------------------------------

def fit_two(x, y, c):
    return LogisticRegression(C=c, solver="liblinear", max_iter=1000, random_state=0).fit(x, y)


def best_threshold(y, p):
    """The threshold with the best F1 and that F1 (p >= threshold is positive)."""
    precision, recall, thresholds = precision_recall_curve(y, p)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float(thresholds[best]), float(f1[best])


def choose_two(x, y, groups):
    """C by the mean AUC of 4 folds, and the threshold with the best F1 on that C's out-of-fold predictions."""
    parts, best = folds(4, y, groups), None
    for c in CS:
        p, aucs = np.zeros(len(y)), []
        for fit, score in parts:
            if len(np.unique(y[fit])) < 2:  # threads so large that a class lies in one fold
                p[score] = y[fit].mean()
                continue
            p[score] = fit_two(x[fit], y[fit], c).predict_proba(x[score])[:, 1]
            if len(np.unique(y[score])) == 2:
                aucs.append(roc_auc_score(y[score], p[score]))
        auc = float(np.mean(aucs)) if aucs else 0.5
        if best is None or auc > best[0] + 1e-9:
            best = auc, c, best_threshold(y, p)[0]
    return best[1:]


def figures_two(y, p, tuned):
    return {"n": len(y), "positives": int(y.sum()), "roc_auc": float(roc_auc_score(y, p)),
            "average_precision": float(average_precision_score(y, p)),
            "f1": float(f1_score(y, p >= 0.5, zero_division=0)), "f1_tuned": float(f1_score(y, tuned, zero_division=0)),
            "best_f1": best_threshold(y, p)[1], "brier": float(brier_score_loss(y, p))}


def labelled(rows, label):
    """Indices of the rows that carry the label, and the label as 0 / 1."""
    keep = [i for i, r in enumerate(rows) if (r.get("labels") or {}).get(label) is not None]
    return np.array(keep, dtype=int), np.array([rows[i]["labels"][label] >= 0.5 for i in keep], dtype=int)


def smaller_class(y):
    return int(min(y.sum(), len(y) - y.sum()))


def score_two(corpus, label):
    """Return (figures, None) or (None, why not)."""
    train, dev = corpus.rows["train"], corpus.rows["dev"]
    if dev is None:
        return None, "no dev split"
    at, y = labelled(dev, label)
    if train is None:
        if smaller_class(y) < MIN_CV:
            return None, f"dev only: {int(y.sum())} positives of {len(y)}"
        groups = groups_of([dev[i] for i in at])
        p, tuned = np.zeros(len(y)), np.zeros(len(y), dtype=int)
        cs, thresholds, aucs = [], [], []
        for fit, score in folds(5, y, groups):
            x_fit, x_score = corpus.fold(at[fit], at[score])
            c, threshold = choose_two(x_fit, y[fit], None if groups is None else groups[fit])
            p[score] = fit_two(x_fit, y[fit], c).predict_proba(x_score)[:, 1]
            tuned[score] = p[score] >= threshold
            cs.append(c)
            thresholds.append(threshold)
            if len(np.unique(y[score])) == 2:
                aucs.append(roc_auc_score(y[score], p[score]))
        return {"protocol": CV_ON_DEV, "grouped": groups is not None, "train_n": None, "train_positives": None,
                **figures_two(y, p, tuned), "roc_auc_fold_mean": float(np.mean(aucs)),
                "threshold": float(np.median(thresholds)), "C": float(np.median(cs))}, None
    train_at, train_y = labelled(train, label)
    if smaller_class(train_y) < MIN_TRAIN or smaller_class(y) < MIN_DEV:
        return None, f"positives: train {int(train_y.sum())} of {len(train_y)}, dev {int(y.sum())} of {len(y)}"
    groups = groups_of([train[i] for i in train_at])
    x = corpus.matrices()
    x_train, x_dev = x["train"][train_at], x["dev"][at]
    c, threshold = choose_two(x_train, train_y, groups)
    p = fit_two(x_train, train_y, c).predict_proba(x_dev)[:, 1]
    return {"protocol": TO_DEV, "grouped": groups is not None, "train_n": len(train_y),
            "train_positives": int(train_y.sum()), **figures_two(y, p, p >= threshold), "threshold": threshold, "C": c}, None


# --- reply stance --------------------------------------------------------------------------------

def fit_many(x, y, c):
    return LogisticRegression(C=c, solver="lbfgs", max_iter=1000, class_weight="balanced", random_state=0).fit(x, y)


def choose_many(x, y, groups):
    parts, best = folds(4, y, groups), None
    for c in CS:
        f1 = np.mean([f1_score(y[s], fit_many(x[f], y[f], c).predict(x[s]), average="macro", zero_division=0)
                      for f, s in parts])
        if best is None or f1 > best[0] + 1e-9:
            best = f1, c
    return best[1]


def score_many(corpus):
    train, dev = corpus.rows["train"], corpus.rows["dev"]
    if dev is None:
        return None, "no dev split"

    def stances(rows):
        at = np.array([i for i, r in enumerate(rows) if r.get("reply_stance")], dtype=int)
        return at, np.array([rows[i]["reply_stance"] for i in at])

    at, y = stances(dev)
    if train is None:
        groups, predicted, cs = groups_of([dev[i] for i in at]), y.copy(), []
        for fit, score in folds(5, y, groups):
            x_fit, x_score = corpus.fold(at[fit], at[score])
            cs.append(choose_many(x_fit, y[fit], None if groups is None else groups[fit]))
            predicted[score] = fit_many(x_fit, y[fit], cs[-1]).predict(x_score)
        protocol, train_n, c = CV_ON_DEV, None, float(np.median(cs))
    else:
        train_at, train_y = stances(train)
        groups = groups_of([train[i] for i in train_at])
        x = corpus.matrices()
        c = choose_many(x["train"][train_at], train_y, groups)
        predicted = fit_many(x["train"][train_at], train_y, c).predict(x["dev"][at])
        protocol, train_n = TO_DEV, len(train_y)
    classes = sorted(set(y.tolist()))
    each = f1_score(y, predicted, labels=classes, average=None, zero_division=0)
    return {"protocol": protocol, "grouped": groups is not None, "train_n": train_n, "n": len(y),
            "n_per_class": {k: int((y == k).sum()) for k in classes}, "macro_f1": float(np.mean(each)),
            "f1_per_class": dict(zip(classes, map(float, each))), "accuracy": float(accuracy_score(y, predicted)),
            "C": c}, None


# --- all of it -----------------------------------------------------------------------------------

def wanted(mapping):
    """(product, corpus, label, ship) of every entry; label None: reply stance."""
    for product, lists in mapping.items():
        for ship in (True, False):
            for entry in lists.get("ship" if ship else "local", []):
                if product == "stance_parent":
                    yield product, entry.split()[0], None, ship  # a remark may follow the name
                elif product != "stance_target":
                    yield product, *entry.split(".", 1), ship


def rounded(value):
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("data", type=Path, help="the folder with mapping.toml, datasets.toml and the corpora")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--only", nargs="+", metavar="CORPUS", help="these corpora only")
    args = args.parse_args()
    began = time.monotonic()
    print(f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, numpy {np.__version__}, "
          f"scipy {scipy.__version__}", flush=True)
    mapping = tomllib.loads((args.data / "mapping.toml").read_text(encoding="utf-8"))
    datasets = tomllib.loads((args.data / "datasets.toml").read_text(encoding="utf-8"))
    entries = [e for e in wanted(mapping) if not args.only or e[1] in args.only]
    done, results, skipped = {}, {}, []
    for name in dict.fromkeys(e[1] for e in entries):  # corpus by corpus: one in memory at a time
        corpus = None
        for at, (product, of, label, ship) in enumerate(entries):
            if of != name:
                continue
            if name not in datasets:
                skipped.append((product, name, label, "not in datasets.toml"))
                continue
            if datasets[name]["ship"] != ship:
                sys.exit(f"{name}: ship differs between mapping.toml ({ship}) and datasets.toml")
            corpus = corpus or Corpus(args.data / datasets[name]["family"] / name)
            if (name, label) not in done:
                start = time.monotonic()
                done[name, label] = score_many(corpus) if label is None else score_two(corpus, label)
                figures = done[name, label][0]
                if figures:
                    short = {k: v for k, v in rounded(figures).items() if k not in ("grouped", "train_n", "train_positives")}
                    print(f"{name}.{label or 'reply_stance'} ({time.monotonic() - start:.0f} s)", short, flush=True)
            figures, why = done[name, label]
            if figures:
                results[at] = {"product": product, "corpus": name, "label": label or "reply_stance", "ship": ship,
                               **rounded(figures)}
            else:
                skipped.append((product, name, label, why))
    args.out.write_text(json.dumps([results[i] for i in sorted(results)], indent=1) + "\n", encoding="utf-8")
    for product, name, label, why in skipped:
        print(f"left out: {product}: {name}.{label or 'reply_stance'}: {why}")
    print(f"{len(results)} rows, {len(skipped)} left out, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
