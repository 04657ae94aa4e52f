"""Accuracy of text alone: country, city, calibration, by kind of cue.

    python benchmarks/bench_texts.py [--errors] [--rows FILE] [--ablation] [--cross]

Rows are {"id", "lines", "country", "also", "city", "lat", "lon", "kinds", "difficulty"}. A case has evidence if its
country is known. "also" lists other countries consistent with the text; the strict figures ignore it.
--ablation adds the contribution of each kind of cue; --cross adds figures with reliabilities fitted on the other folds.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from _shared import data, table

from geoagent import GeoAgent, LatLon
from geoagent.evidence.cues import KINDS
from geoagent.evidence.scripts import script_of
from geoagent.worlds.evaluation.cues import judged, measure, read_texts


def main() -> None:
    """Place every text and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--errors", action="store_true", help="print every case that is wrong")
    parser.add_argument("--ablation", action="store_true", help="leave out one kind of cue at a time")
    parser.add_argument("--cross", action="store_true", help="fit reliabilities by cross-validation")
    args = parser.parse_args()
    path = args.rows or data("sign_texts.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    agent = GeoAgent.load(ocr="nothing")
    prior = agent.assets.world.country_prior
    groups: dict[str, list[tuple[bool, bool, bool, float]]] = defaultdict(list)
    city_hits, city_all, loss, drift, seconds = 0, 0, [], [], []
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    held = {50: 0, 90: 0}
    for row in rows:
        seen = agent.observe_text(row["lines"], id=row["id"])
        answer = agent.answer(seen)
        seconds.append(sum(answer.timings_s.values()))
        shares = {c.code: c.p for c in answer.countries}
        if row["country"] is None:
            drift.append(sum(p * math.log(p / prior[c]) for c, p in shares.items() if p > 0))
            if drift[-1] > 1e-9:
                print("moved without evidence:", row["id"], row["lines"], [(c.kind, c.value) for c in answer.cues])
            continue
        ranked = [c.code for c in answer.countries]
        allowed = {row["country"], *row["also"]}
        first, strict = ranked[0] in allowed, ranked[0] == row["country"]
        third = bool(set(ranked[:3]) & allowed)
        p_true = max(sum(shares.get(c, 0.0) for c in allowed), 1e-9)
        loss.append(-math.log(p_true))
        bins[min(9, int(answer.confidence * 10))].append((answer.confidence, first))
        result = (first, strict, third, loss[-1])
        scripts = {script for text in row["lines"] if (script := script_of(text)) != "Zyyy"}
        names = ("all", row["difficulty"], *(f"kind {k}" for k in row["kinds"]), *(f"script {s}" for s in scripts))
        for group in names:
            groups[group].append(result)
        km = None
        if row["lat"] is not None:
            end = agent.estimate(seen)  # a point even where the answer names no place
            km = LatLon(row["lat"], row["lon"]).distance_km(end.latlon)
            city_all += 1
            city_hits += km <= 25
            for share in held:
                held[share] += km <= getattr(end, f"radius_{share}_km")
        if args.errors and (not first or (km or 0) > 25):
            far = "" if km is None else f" {km:.0f} km from {row['city']}"
            want = f"{row['country']}{row['also'] or ''}"
            print(f"{row['id']} want {want} got {ranked[:3]}{far} | {' // '.join(row['lines'])}")
            for cue in answer.cues:
                top = ", ".join(f"{p.name or p.code} {p.p:.2f}" for p in cue.places[:3])
                print(f"      {cue.nats:+6.2f} {cue.kind} {cue.value!r} r={cue.reliability} → {top}")
    order = ["all", "easy", "medium", "hard", *sorted(g for g in groups if g.startswith(("kind", "script")))]
    table(
        ["cases with evidence", "n", "top-1", "top-1 strict", "top-3", "log loss"],
        [
            [g, len(groups[g]), *(sum(r[i] for r in groups[g]) / len(groups[g]) for i in (0, 1, 2, 3))]
            for g in order
            if groups[g]
        ],
    )
    total = sum(len(b) for b in bins.values())
    ece = sum(abs(sum(c for c, _ in b) - sum(h for _, h in b)) for b in bins.values()) / total
    print(f"\ncity within 25 km: {city_hits} of {city_all} ({city_hits / city_all:.1%}); floor 50 %")
    print(f"50 % radius holds {held[50] / city_all:.1%} of cities, 90 % radius {held[90] / city_all:.1%}")
    print(f"no evidence: {len(drift)} cases, largest divergence from the prior {max(drift, default=0.0):.2e} nats")
    print(f"ECE of the country {ece:.3f}; median {1000 * sorted(seconds)[len(seconds) // 2]:.0f} ms per text")
    if args.ablation:
        ablate(path, agent)
    if args.cross:
        report = measure([path], agent)
        print(f"\nreliabilities as shipped:   {report['before']}")
        print(f"fitted on the other folds:  {report['crossed']}")


def ablate(path: Path, agent: GeoAgent) -> None:
    """Print the loss in the country figures without each kind of cue, and the figures of each kind alone."""
    texts = [text for text in read_texts([path], agent) if text.allowed]
    everything = judged(texts, agent)
    rows = [["all kinds", sum(len(text.cues) for text in texts), *everything, 0.0, 0.0]]
    for kind in KINDS:
        count = sum(cue.kind == kind for text in texts for cue in text.cues)
        if count:
            without = judged([replace(t, cues=tuple(c for c in t.cues if c.kind != kind)) for t in texts], agent)
            alone = judged([replace(t, cues=tuple(c for c in t.cues if c.kind == kind)) for t in texts], agent)
            rows.append([f"without {kind}", count, *without, without[1] - everything[1], alone[1]])
    print()
    table(["ablation", "cues", "top-1", "log loss", "lost nats", "log loss of it alone"], rows)


if __name__ == "__main__":
    main()
