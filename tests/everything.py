"""`make test`: the suite on SQLite, then on PostgreSQL, and how many tests ran on each.

What is missing is installed where it may be; else it is named, and nothing counts as passed,
unless WITHOUT names the part to leave out (`postgresql`, `browser`, `gdal`, `r`)."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.cluster import cluster, programs


def browser() -> bool:
    """Whether there is Chromium, and the libraries that Playwright's driver wants are there too."""
    driver = [sys.executable, "-m", "playwright", "--version"]
    return bool(shutil.which("chromium")) and subprocess.run(driver, capture_output=True).returncode == 0


# A part, the Debian packages it comes in, and how to tell that it is there.
PARTS = {
    "postgresql": (["postgresql"], programs),
    "browser": (["chromium", "fonts-dejavu-core", "libatomic1"], browser),
    "gdal": (["gdal-bin"], lambda: shutil.which("ogrinfo")),
    "r": (["r-base-core", "r-cran-readr", "r-cran-sf"], lambda: shutil.which("Rscript")),
}


def apt_install(packages: list[str]) -> None:
    """Install Debian's packages, where that is ours to do."""
    if os.getuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(
            ["apt-get", "install", "-qy", "--no-install-recommends", *packages], env=quiet, check=True
        )


def install(missing: list[str]) -> None:
    """Install the packages of the missing parts, or say which they are and end."""
    packages = [package for part in missing for package in PARTS[part][0]]
    apt_install(packages)
    if still := [part for part in missing if not PARTS[part][1]()]:
        sys.exit(
            f"Missing: {', '.join(still)}. On Debian: apt-get install {' '.join(packages)}\n"
            f'To do without: make test WITHOUT="{" ".join(still)}"'
        )


def suite(engine: str, choice: list[str], data: str, url: str) -> tuple[bool, str]:
    """Run the suite; whether it passed, and a line that says what ran."""
    report = Path(data, f"{engine}.xml")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-n2", f"--junitxml={report}", *choice]
    environment = os.environ | {"DATABASE_URL": url, "REGISTER_TESTS": data}
    passed = subprocess.run(command, env=environment).returncode == 0
    if not report.exists():
        return False, f"{engine}: the suite did not run"
    told = ElementTree.parse(report).getroot()[0].attrib
    tests, skipped, failures, errors = (int(told[key]) for key in ("tests", "skipped", "failures", "errors"))
    line = f"{engine}: {tests - skipped} tests ran, {failures + errors} failed"
    return passed, line + f", {skipped} do not apply (named above)" * bool(skipped)


def main() -> None:
    without = os.environ.get("WITHOUT", "").split()
    if unknown := set(without) - set(PARTS):
        sys.exit(f"WITHOUT knows {', '.join(PARTS)}; not {', '.join(sorted(unknown))}.")
    if missing := [part for part in PARTS if part not in without and not PARTS[part][1]()]:
        install(missing)
    marked = " and ".join(f"not {part}" for part in without if part != "postgresql")
    choice = ["-m", marked] if marked else []
    # One data folder for both: the gazetteer's index is built once.
    with tempfile.TemporaryDirectory(prefix="register-tests-") as data:
        outcomes = [suite("SQLite", choice, data, "")]
        if "postgresql" not in without:
            with cluster() as url:
                outcomes.append(suite("PostgreSQL", choice, data, url))
    print()
    for _, line in outcomes:
        print(line)
    if without:
        print(f"Left out: {', '.join(without)}")
    sys.exit(not all(passed for passed, _ in outcomes))


if __name__ == "__main__":
    main()
