"""What was measured, held against what was asked, as text."""


def ratio(ours, peer):
    return ours / peer if ours is not None and peer else None


def verdicts(line, ours, peer):
    """What the line had to reach and whether it did: [(text, met)], met None when unknown."""
    found = []
    if line.goal_ratio is not None:
        got = ratio(ours.get(line.rate), peer and peer.get(line.rate))
        found.append((f"{line.goal_ratio:g}x", None if got is None else got >= line.goal_ratio))
    if line.goal_rate is not None:
        found.append((f"{line.goal_rate:,.0f}", ours[line.rate] >= line.goal_rate))
    if line.goal_cpu_us is not None:
        met = ours["server_cpu_us"] <= line.goal_cpu_us
        found.append((f"{line.goal_cpu_us:g} us CPU", met))
    if line.goal_first_byte_us is not None:
        met = ours["first_byte_p50_us"] < line.goal_first_byte_us
        found.append((f"first byte < {line.goal_first_byte_us / 1000:g} ms", met))
    return found


def verdict_text(found):
    return "; ".join(f"{text}: {'?' if met is None else 'met' if met else 'MISSED'}"
                     for text, met in found)


def figure(value, unit=""):
    """Three digits that count, thousands apart."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{' ' if unit and not unit.startswith('/') else ''}{unit}"


def latency(us):
    return f"{us / 1000:.1f} ms" if us >= 1000 else f"{us:.0f} us"


def aligned(rows):
    """Rows of text as columns: the first and the last begin at one place, the others end at one."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join("  ".join(
        cell.ljust(width) if i in (0, last) else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)
