"""What was measured, held against what was asked, as text."""

import lines as bench_lines

LIMITS = {
    "encode_4_2_gb_per_s": ("ISA-L encode 4+2", "GB/s"),
    "crc32c_gb_per_s": ("CRC32C", "GB/s"),
    "memory_copy_gb_per_s": ("memory copy", "GB/s"),
    "md5_gb_per_s": ("MD5", "GB/s"),
    "sha256_gb_per_s": ("SHA-256", "GB/s"),
    "fdatasync_per_s": ("fdatasync", "/s"),
    "sequential_write_mib_per_s": ("sequential write, synced", "MiB/s"),
}
FIGURES = {
    "memory": ("memory after all that", "MiB", 200),
    "idle": ("idle CPU", "%", 0.5),
    "start": ("start, new directories", "s", 0.3),
    "start_again": ("start, with all that stored", "s", None),
}


def ratio(ours, peer):
    return ours / peer if ours is not None and peer else None


def verdicts(line, ours, peer):
    """What the line had to reach and whether it did: [(text, met)], met None when unknown."""
    found = []
    if line.goal_ratio is not None:
        got = ratio(ours.get(line.rate), peer and peer.get(line.rate))
        found.append((f"{line.goal_ratio:g}x", None if got is None else got >= line.goal_ratio))
    if line.goal_rate is not None:
        found.append((f"{line.goal_rate:,.0f}{bench_lines.UNITS[line.rate]}".replace("k", " k"),
                      ours[line.rate] >= line.goal_rate))
    if line.goal_cpu_us is not None:
        found.append((f"{line.goal_cpu_us:g} us CPU", ours["server_cpu_us"] <= line.goal_cpu_us))
    if line.goal_first_byte_us is not None:
        found.append((f"first byte under {line.goal_first_byte_us / 1000:g} ms",
                      ours["first_byte_p50_us"] < line.goal_first_byte_us))
    if line.goal_growth_mib is not None:
        growth = ours["memory_peak_mib"] - ours["memory_before_mib"]
        found.append((f"memory +{growth:.0f} MiB of {line.goal_growth_mib:g}",
                      growth <= line.goal_growth_mib))
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


def line_row(line, title, found):
    """Ours, the peer's if there is one, and the verdict."""
    unit = bench_lines.UNITS[line.rate]
    ours = found["ashlar"]
    peer = next((found[name] for name in ("minio", "ganesha") if name in found), None)
    row = [title, figure(ours[line.rate], unit), latency(ours["p50_us"]),
           latency(ours["p99_us"]), figure(ours["server_cpu_us"])]
    if peer is None:
        row += ["", "", ""]
    else:
        row += [figure(peer[line.rate], unit), figure(peer["server_cpu_us"]),
                f"{ratio(ours[line.rate], peer[line.rate]):.2f}x"]
    return row + [verdict_text(verdicts(line, ours, peer))]


def figure_row(name, found):
    title, unit, goal = FIGURES[name]
    verdict = "" if goal is None else \
        verdict_text([(f"{goal:g} {unit}", found["ashlar"] <= goal)])
    peer = figure(found["minio"], unit) if "minio" in found else ""
    return [title, figure(found["ashlar"], unit), "", "", "", peer, "", "", verdict]


def warp_row(line, title, found):
    """The rates by warp, of which either may be missing."""
    unit = bench_lines.UNITS[line.rate]
    rates = [found.get(name, {}).get(line.rate) for name in ("ashlar", "minio")]
    got = ratio(*rates)
    verdict = [(f"{line.goal_ratio:g}x", None if got is None else got >= line.goal_ratio)]
    return [title, *(figure(rate, unit if rate is not None else "") for rate in rates),
            "-" if got is None else f"{got:.2f}x", verdict_text(verdict)]


def head_text(results):
    info = results["machine"]
    limits = "; ".join(f"{title} {figure(info['limits'][name], unit)}"
                       for name, (title, unit) in LIMITS.items() if name in info["limits"])
    text = [f"{info['time']}, commit {info['commit']}, {info['cores']} cores "
            f"({info.get('processor', 'unknown')}) for servers and client, "
            f"Linux {info['kernel']}, {info['seconds_a_line']:g} s a line"
            + (", free memory filled with page cache before" if info.get("warm") else ""),
            f"this machine at best: {limits}"]
    text += [f"{name}: {server['durability']}" for name, server in results["servers"].items()]
    text += [f"{name} is left out: {why}" for name, why in results["left_out"].items()]
    return "\n".join(text)


def tables(results, quick):
    """All of it as text."""
    # An interrupted run ends in a line without our figure.
    lines = [line for line in bench_lines.LINES if "ashlar" in results["lines"].get(line.name, {})]
    out = [head_text(results)]
    for door, peer in (("s3", "minio"), ("nfs", "ganesha")):
        rows = [line_row(line, line.title_of(quick), results["lines"][line.name])
                for line in lines if line.door == door]
        if door == "s3":
            rows += [figure_row(name, results["figures"][name])
                     for name in FIGURES if name in results["figures"]]
        if rows:
            peer = peer if peer in results["servers"] else ""
            head = ["work", "ashlar", "p50", "p99", "CPU us", peer, peer and "CPU us",
                    peer and "ratio", "to reach"]
            out.append(aligned([head] + rows))
    by_warp = [warp_row(line, line.title_of(quick), results["lines"][line.name]["warp"])
               for line in lines if "warp" in results["lines"][line.name]]
    if by_warp:
        out.append(aligned([["by warp", "ashlar", "minio", "ratio", "to reach"]] + by_warp))
    return "\n\n".join(out)
