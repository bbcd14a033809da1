"""Medians and minima over the samples of a contestant."""


def median(values):
    v = sorted(values)
    h = len(v) // 2
    return v[h] if len(v) % 2 else (v[h - 1] + v[h]) / 2


def summary(samples):
    """field -> {median, min, max} over the numeric fields that all samples have."""
    out = {"runs": len(samples)}
    for field in samples[0]:
        values = [s[field] for s in samples if isinstance(s.get(field), (int, float)) and not isinstance(s.get(field), bool)]
        if len(values) == len(samples):
            out[field] = {"median": median(values), "min": min(values), "max": max(values)}
    return out
