#!/usr/bin/env python3
"""Figures of a model on every mapped corpus with a dev split, beside the engine and scikit-learn trained on that corpus.

usage: evaluate.py DATA --model DIR [--polemic BIN] [--baseline baseline.json] [--rivals rivals.json] [--engine] [--out evaluation.json] [--table table.md]

DATA holds FAMILY/NAME/{train,dev}.jsonl.gz, datasets.toml (family of each corpus) and mapping.toml (product label -> corpus
labels). Three columns for each pair of product label and corpus label, all on the corpus's dev split:
  model     the model, as it is
  engine    `polemic train` with its defaults on the corpus's own train split (--engine; minutes)
  baseline  scikit-learn's tf-idf logistic regression on the same train split, from baseline.py
  rival     alt-profanity-check as it is, from rivals.py
Also stance toward the parent on rumoureval2019_sdqc, and the text written for this project (training-data/test.jsonl).
Standard library only; nothing is drawn at random but the bootstrap of `polemic evaluate`, which is seeded.
"""
import argparse, json, subprocess, sys, tempfile, tomllib
from pathlib import Path

HERE = Path(__file__).parent


def pairs(data):
    """Corpus -> [(product label, corpus label, may be shipped)]."""
    mapping = tomllib.loads((data / "mapping.toml").read_text())
    out = {}
    for product, lists in mapping.items():
        for kind in ("ship", "local"):
            for name in lists.get(kind, []):
                if not product.startswith("stance"):
                    corpus, label = name.split(".", 1)
                    out.setdefault(corpus, []).append((product, label, kind == "ship"))
    return out


def teachers(model):
    """(corpus, label) -> product labels that the model's recipe learns from it, and all corpora of the recipe."""
    sources = tomllib.loads((model / "recipe.toml").read_text())["source"]
    out = {}
    for source in sources:
        for product, labels in source.get("labels", {}).items():
            for label in [labels] if isinstance(labels, str) else labels:
                out.setdefault((source["name"], label), set()).add(product)
    return out, {source["name"] for source in sources}


def evaluate(polemic, model, files, maps):
    command = [polemic, "evaluate", *map(str, files), "--model", str(model), "--json"]
    for ours, theirs in maps:
        command += ["--map", f"{ours}={theirs}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)["groups"][0]


def figures(group, label, against):
    for row in group["labels"]:
        if row["label"] == label and (row["against"] or label) == against:
            f = row["figures"]
            names = ("n", "positives", "roc_auc", "average_precision", "f1", "threshold", "best_f1", "brier", "ece")
            out = {name: f[name] for name in names}
            out["roc_auc_95"] = row["intervals"]["roc_auc"]
            return out
    return None


def stance(group, name):
    for row in group["stances"]:
        if row["name"] == name:
            f = row["figures"]
            return {"n": f["n"], "macro_f1": f["macro_f1"], "macro_f1_95": row["intervals"]["macro_f1"], "accuracy": f["accuracy"],
                    "per_class_f1": {c["class"]: c["f1"] for c in f["per_class"]}}
    return None


def engine_model(polemic, train, labels, stance, folder):
    """A model of the corpus's own train split, only the labels that are compared."""
    recipe = folder / "recipe.toml"
    names = ", ".join(f"{json.dumps(label)} = {json.dumps(label)}" for label in sorted(labels))
    recipe.write_text(f"[[source]]\npath = {json.dumps(str(train.resolve()))}\nlabels = {{ {names} }}\nstance = false\n"
                      f"reply_stance = {'true' if stance else 'false'}\n")
    model = folder / "model"
    done = subprocess.run([polemic, "train", str(recipe), "-o", str(model)], capture_output=True, text=True)
    return model if done.returncode == 0 else None


def table(out):
    """The label figures as a Markdown table: ROC AUC of the three columns, F1 of the model at its threshold."""
    lines = ["| label | corpus.label | positives / n | model AUC [95 %] | model F1 | engine AUC | scikit-learn AUC | alt-profanity-check AUC |", "|---|---|--:|--:|--:|--:|--:|--:|"]

    def auc(figures):
        return "" if not figures or figures.get("roc_auc") is None else f"{figures['roc_auc']:.3f}"

    for row in sorted(out["labels"], key=lambda r: (r["product"], not r["in_training"], r["corpus"])):
        model, size = row["model"], row["model"] or row["engine"] or row["baseline"]
        span = model and model["roc_auc_95"]
        interval = f" [{span[0]:.3f}, {span[1]:.3f}]" if span else ""
        mark = "" if row["in_training"] or not model else " (other labels seen)" if row["corpus_in_training"] else " (zero-shot)"
        f1 = f"{model['f1']:.3f}" if model else ""
        lines.append(f"| {row['product']} | {row['corpus']}.{row['label']}{mark} | {size['positives']} / {size['n']} | {auc(model)}{interval} "
                     f"| {f1} | {auc(row['engine'])} | {auc(row['baseline'])} | {auc(row['rival'])} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--polemic", default="polemic")
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--out", type=Path, default=Path("evaluation.json"))
    args = parser.parse_args()
    datasets = tomllib.loads((args.data / "datasets.toml").read_text())
    manifest = json.loads((args.model / "manifest.json").read_text())
    have = {label["name"] for label in manifest["labels"]}
    taught, seen = teachers(args.model)
    baseline = {}
    if args.baseline:
        baseline = {(row["product"], row["corpus"], row["label"]): row for row in json.loads(args.baseline.read_text())}
    rivals = {}
    if args.rivals:
        rivals = {(row["corpus"], row["label"]): row for row in json.loads(args.rivals.read_text())}
    rows = []
    for corpus, wanted in pairs(args.data).items():
        folder = args.data / datasets[corpus]["family"] / corpus
        train, dev = folder / "train.jsonl.gz", folder / "dev.jsonl.gz"
        if not dev.exists():
            continue
        # A corpus that shares texts with one of the model's is no test of the model.
        shares = seen & set(datasets[corpus].get("never_with", []))
        ours = [(product, label) for product, label, _ in wanted if product in have and not shares]
        of_model = evaluate(args.polemic, args.model, [dev], ours) if ours else {"labels": []}
        of_engine = {"labels": []}
        with tempfile.TemporaryDirectory() as work:
            if args.engine and train.exists():
                model = engine_model(args.polemic, train, {label for _, label, _ in wanted}, False, Path(work))
                if model:
                    of_engine = evaluate(args.polemic, model, [dev], [])
        for product, label, _ in wanted:
            row = {"product": product, "corpus": corpus, "label": label}
            row["in_training"] = product in taught.get((corpus, label), ())
            row["corpus_in_training"] = corpus in seen
            row["model"] = figures(of_model, product, label)
            row["engine"] = figures(of_engine, label, label)
            base = baseline.get((product, corpus, label))
            keep = ("protocol", "n", "positives", "roc_auc", "average_precision", "f1", "f1_tuned", "best_f1", "brier")
            row["baseline"] = base and {k: base[k] for k in keep if k in base}
            row["rival"] = rivals.get((corpus, label))
            if row["model"] or row["engine"] or row["baseline"]:
                rows.append(row)
                print(corpus, product, label, *(f"{c} {row[c]['roc_auc']}" for c in ("model", "engine", "baseline") if row[c]), flush=True)
    replies = args.data / "stance" / "rumoureval2019_sdqc"
    stances = {"corpus": "rumoureval2019_sdqc", "model": stance(evaluate(args.polemic, args.model, [replies / "dev.jsonl.gz"], []), "parent")}
    if args.engine:
        with tempfile.TemporaryDirectory() as work:
            model = engine_model(args.polemic, replies / "train.jsonl.gz", set(), True, Path(work))
            stances["engine"] = stance(evaluate(args.polemic, model, [replies / "dev.jsonl.gz"], []), "parent")
    base = [row for row in baseline.values() if row.get("corpus") == "rumoureval2019_sdqc"]
    stances["baseline"] = base and {k: base[0][k] for k in base[0] if k in ("protocol", "n", "macro_f1", "accuracy", "f1_per_class")}
    own = evaluate(args.polemic, args.model, [HERE / "test.jsonl"], [])
    out = {
        "model": f"{manifest['name']}@{manifest['version']}",
        "split": "dev",
        "command": "python3 training-data/evaluate.py DATA --model MODEL" + (" --engine" if args.engine else "")
        + (" --baseline baseline.json" if args.baseline else "") + (" --rivals rivals.json" if args.rivals else ""),
        "columns": {
            "model": "the published model; in_training: it learnt this label from this corpus (train split); corpus_in_training: it saw its texts",
            "engine": "polemic train with its defaults on the corpus's own train split; weights not published",
            "baseline": "scikit-learn tf-idf (1-2 grams) logistic regression on the same train split",
            "rival": "alt-profanity-check as it is (training-data/rivals.py): one probability for all labels",
        },
        "labels": rows,
        "stance_parent": stances,
        "own_text": {
            "note": "text written and labelled by ourselves (training-data/test.jsonl): not an independent measurement",
            "labels": {row["label"]: figures(own, row["label"], row["label"]) for row in own["labels"]},
            "stance_parent": stance(own, "parent"),
        },
    }
    args.out.write_text(json.dumps(out, indent=1) + "\n")
    if args.table:
        args.table.write_text(table(out))


if __name__ == "__main__":
    main()
