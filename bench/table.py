"""The table of figures, and the bars that they are held against."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

#: Below so many reports the bars on time are not judged, unless JUDGE is set.
JUDGED_FROM = 1_000_000


@dataclass(frozen=True)
class Bar:
    """What a row must hold: ``of`` the figure itself, its ratio to the peer, or what it is over the peer.

    ``timed``: it means something at full size alone, and on a machine that does nothing else.
    """

    of: str
    limit: float
    unit: str = "×"
    at_least: bool = False
    timed: bool = True

    def __str__(self) -> str:
        over = " over" if self.of == "over" else ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{'' if self.unit == '×' else ' '}{self.unit}{over}"


#: Every bar, by the name that the row which is held against it gives.
BARS = {
    "csv same query": Bar("ratio", 1.1),
    "csv flat table": Bar("ratio", 1.2),
    "csv sqlite": Bar("ratio", 0.9),
    "first row": Bar("figure", 0.3, "s"),
    "export memory": Bar("figure", 30, "MiB"),
    "csv filtered": Bar("ratio", 1.3),
    "csv as of": Bar("ratio", 2),
    "ndjson": Bar("ratio", 1.5),
    "geoparquet": Bar("ratio", 1.5),
    "geopackage": Bar("ratio", 1.5),
    "first byte": Bar("figure", 1, "s"),
    "format memory": Bar("figure", 50, "MiB"),
    "xlsx memory": Bar("figure", 200, "MiB"),
    "list sql": Bar("figure", 5, "ms"),
    "list page": Bar("over", 40, "ms"),
    "list flat": Bar("ratio", 1.5),
    "layer flat": Bar("ratio", 2),
    "map unfiltered": Bar("over", 10, "ms"),
    "map covered": Bar("over", 200, "ms"),
    "map any": Bar("over", 2_000, "ms"),
    "map size": Bar("figure", 200, "kB", timed=False),
    "home": Bar("over", 10, "ms"),
    "list then": Bar("figure", 2_000, "ms"),
    "figures then": Bar("figure", 10_000, "ms"),
    "export then": Bar("ratio", 2),
    "logging errors": Bar("figure", 0, "errors", timed=False),
    "logging lost": Bar("figure", 0, "lost", timed=False),
    "logging": Bar("ratio", 0.35, at_least=True),
    "logging p99 sqlite": Bar("figure", 1.5, "s"),
    "logging p99 postgresql": Bar("figure", 0.7, "s"),
    "logging under exports": Bar("ratio", 0.45, at_least=True),
    "wal": Bar("figure", 256, "MiB", timed=False),
    "import": Bar("figure", 600, "/s", at_least=True),
    "import beside bulk_create": Bar("ratio", 1.5, at_least=True),
    "gazetteer": Bar("figure", 5_000, "/s", at_least=True),
    "edition of all": Bar("figure", 10, "min"),
    "edition of a day": Bar("figure", 10, "s"),
    "verify": Bar("figure", 5, "min"),
    "verify flat": Bar("ratio", 1.5),
    "verify findings": Bar("figure", 0, "findings", timed=False),
    "disk": Bar("figure", 9, "kB"),
}


class Table:
    """The figures, printed as they come."""

    def __init__(self, *, judged: bool) -> None:
        self.judged = judged
        self.lines: list[tuple[str, ...]] = []
        self.fallen: list[str] = []
        self._print(("what", "register", "limit or peer", "ratio", "bar", "holds"))

    def add(
        self,
        what: str,
        ours: float | str,
        unit: str = "",
        *,
        beside: str = "",
        peer: float | None = None,
        bar: str = "",
    ) -> None:
        """One figure in ``unit``; ``peer`` is another in the same unit, ``beside`` says whose."""
        ratio = ours / peer if peer and isinstance(ours, (int, float)) else None
        rule, holds = BARS.get(bar), ""
        if bar and rule is None:
            raise KeyError(bar)
        if rule and isinstance(ours, (int, float)):
            over = ours - (peer or 0)
            found = {"figure": ours, "ratio": ratio if ratio is not None else 0.0, "over": over}[rule.of]
            if rule.of == "ratio" and ratio is None:
                holds = "no peer"
            elif rule.timed and not self.judged:
                holds = "not judged"
            else:
                fits = found >= rule.limit if rule.at_least else found <= rule.limit
                holds = "yes" if fits else "**no**"
                if not fits:
                    self.fallen.append(what)
        shown = f"{beside} {_figure(peer, unit)}".strip() if peer is not None else beside
        line = (
            what,
            _figure(ours, unit),
            shown,
            f"{ratio:.2f}×" if ratio is not None else "",
            str(rule or ""),
            holds,
        )
        self.lines.append(line)
        self._print(line)

    def fail(self, what: str, error: Exception) -> None:
        """A part that could not be measured, which is a bar that fell."""
        self.fallen.append(what)
        self.lines.append((what, "failed", " ".join(str(error).split())[:200], "", "", "**no**"))
        self._print(self.lines[-1])

    def note(self, text: str) -> None:
        """A remark under the table."""
        self.lines.append((text,))
        print(f"    {text}", flush=True)

    @staticmethod
    def _print(line: tuple[str, ...]) -> None:
        widths = (64, 12, 40, 8, 14, 10)
        print(" ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)), flush=True)

    def markdown(self, title: str) -> str:
        rows = "\n".join(f"| {' | '.join(line)} |" for line in self.lines if len(line) > 1)
        notes = "".join(f"- {line[0]}\n" for line in self.lines if len(line) == 1)
        head = "| what | register | limit or peer | ratio | bar | holds |\n|---|---|---|---|---|---|\n"
        fallen = f"\n{len(self.fallen)} of the bars fell.\n" if self.fallen else ""
        return f"# {title}\n\n{machine()}\n\n{head}{rows}\n{fallen}\n{notes}"


def _figure(value: float | str | None, unit: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def machine() -> str:
    """What this ran on, in a sentence."""
    cores = len(os.sched_getaffinity(0))
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = found[0].partition(":")[2].strip() if found else platform.machine()
    return (
        f"{cores} cores ({model}), {pages >> 30} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {_engine()}."
    )


def _engine() -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0]}"
    return f"SQLite {'.'.join(map(str, connection.Database.sqlite_version_info))}"
