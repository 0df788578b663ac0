"""docs/results.md and its plots, of the tables in docs/results/ alone: `python -m train report`."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from i2i_models.errors import DataError

from .results import RESULTS, read

HEAD = """# What the papers' tables show, measured here

Made by `python -m train report` of the files in `docs/results/`, which the commands below write. A number is the mean
over the seeds, ± their standard deviation where there are several. A row without a number has not been run yet.
Minutes are those of one run, measured while the machine did other things, too.
"""
BLUE, ORANGE, GREY = "#2a78b8", "#d9772b", "#8a8a8a"


def report(results: Path = RESULTS, output: Path = Path("docs/results.md")) -> None:
    """Make the page of results and its plots from the tables that experiments left.

    Args:
        results: the folder of the tables, where the plots are put, too.
        output: the Markdown file to write.
    """
    tables = read_all(results)
    output.write_text(markdown(tables, results.name), encoding="utf-8")
    for name, table in tables.items():
        draw(table, results / f"{name}.png")
    print(f"Wrote {output} of {len(tables)} tables.")


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """The tables of a folder by name.

    Raises:
        DataError: there are none, or one is damaged.
    """
    names = sorted(path.stem for path in folder.glob("*.json"))
    if not names:
        raise DataError(f"{folder} has no tables: `python -m train adapt`, ablate, azimuth and invariance make them.")
    return {name: read(folder, name) for name in names}


def markdown(tables: Mapping[str, Mapping[str, Any]], pictures: str) -> str:
    """The page.

    Args:
        tables: by name.
        pictures: the folder of the plots as seen from the page.
    """
    return "\n".join([HEAD, *(_section(name, table, pictures) for name, table in tables.items())])


def _section(name: str, table: Mapping[str, Any], pictures: str) -> str:
    devices = {run["device"] for row in table["rows"].values() for run in row["runs"]}
    parts = [
        f"## {table['title']}",
        f"{table['source']}. {table['here']}",
        "\n".join(_grid(table)),
        f"`{table['command']}`" + (f", on {' and '.join(sorted(devices))}." if devices else ""),
    ]
    if devices:
        parts.append(f"![{table['title']}]({pictures}/{name}.png)")
    parts += [" ".join(table["findings"])] if table.get("findings") else []
    return "\n\n".join(parts) + "\n"


def _grid(table: Mapping[str, Any]) -> list[str]:
    """The lines of a table: beside each column of ours the paper's, where it has one."""
    columns, rows = table["columns"], table["rows"]
    printed = {key for row in rows.values() for key in row["paper"]}
    heads = [""]
    for key, column in columns.items():
        heads += (
            [f"{column['heading']}, paper", f"{column['heading']}, here"] if key in printed else [column["heading"]]
        )
    lines = [_line([*heads, "seeds", "minutes"]), _line(["---", *["--:"] * (len(heads) + 1)])]
    for row in rows.values():
        cells = [row["name"]]
        for key, column in columns.items():
            if key in printed:
                cells.append(f"{row['paper'][key]:.{column['digits']}f}" if key in row["paper"] else "")
            cells.append(_measured(row, key, column["digits"]))
        runs = row["runs"]
        minutes = f"{mean(run['minutes'] for run in runs):.1f}" if runs else ""
        lines.append(_line([*cells, ", ".join(str(run["seed"]) for run in runs), minutes]))
    return lines


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _measured(row: Mapping[str, Any], key: str, digits: int) -> str:
    values = _values(row, key)
    if not row["runs"]:
        return "not run yet"
    if not values:
        return ""
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def _values(row: Mapping[str, Any], key: str) -> list[float]:
    return [run["values"][key] for run in row["runs"] if key in run["values"]]


def draw(table: Mapping[str, Any], path: Path) -> None:
    """Draw a table's first column as bars, the paper's values as marks; or the runs' histograms or points, if any."""
    rows = [row for row in table["rows"].values() if row["runs"]]
    if not rows:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    histograms = [row for row in rows if "histogram" in row["runs"][0]]
    scattered = [row for row in rows if "scatter" in row["runs"][0]]
    if scattered:
        figure, axes = pyplot.subplots(1, len(scattered), figsize=(3.2 * len(scattered), 3.3), squeeze=False)
        for ax, row in zip(axes[0], scattered, strict=True):
            _draw_scatter(ax, row)
    elif histograms:
        figure, axes = pyplot.subplots(len(histograms), 1, figsize=(7, 1.7 * len(histograms)), squeeze=False)
        for ax, row in zip(axes[:, 0], histograms, strict=True):
            _draw_histogram(ax, row)
    else:
        figure, ax = pyplot.subplots(figsize=(7, 0.9 + 0.34 * len(rows)))
        _draw_bars(ax, table, rows)
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": None})
    pyplot.close(figure)


def _draw_bars(ax: Any, table: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> None:
    key, column = next(iter(table["columns"].items()))
    found = [_values(row, key) for row in rows]
    places = range(len(rows))
    spreads = [stdev(values) if len(values) > 1 else 0 for values in found]
    ax.barh(places, [mean(v) if v else 0 for v in found], xerr=spreads, color=BLUE, height=0.6, label="here")
    marked = [(row["paper"][key], place) for place, row in enumerate(rows) if key in row["paper"]]
    if marked:
        ax.scatter(*zip(*marked, strict=True), color=ORANGE, marker="D", zorder=3, label="paper")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.set_yticks(places, [row["name"] for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel(column["heading"])
    ax.spines[["top", "right"]].set_visible(False)


def _draw_histogram(ax: Any, row: Mapping[str, Any]) -> None:
    histogram = dict(row["runs"][0]["histogram"])
    top = histogram.pop("to")
    for (name, counts), colour in zip(histogram.items(), (BLUE, ORANGE), strict=False):
        width = top / len(counts)
        middles = [width * (i + 0.5) for i in range(len(counts))]
        ax.bar(middles, counts, width, color=colour, alpha=0.6, label=name)
    ax.set_title(row["name"], fontsize=9, color="#333333")
    ax.set_yticks([])
    ax.legend(fontsize=7)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _draw_scatter(ax: Any, row: Mapping[str, Any]) -> None:
    """Points of two angles, and the two lines that they may lie on."""
    scatter = dict(row["runs"][0]["scatter"])
    limit = scatter.pop("limit")
    for sign in (-1, 1):
        ax.plot((-limit, limit), (-sign * limit, sign * limit), color=GREY, linewidth=0.8)
    (across, x), (along, y) = scatter.items()
    ax.scatter(x, y, s=9, color=BLUE)
    ax.set(xlabel=across, ylabel=along, xlim=(-1.05 * limit, 1.05 * limit), ylim=(-1.05 * limit, 1.05 * limit))
    ax.set_title("\n".join(textwrap.wrap(row["name"], 32)), fontsize=8, color="#333333")
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)
