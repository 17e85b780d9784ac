"""`make test-newest`: the suite on the newest Python of this machine and the newest Django it takes.

Runs on a bare Python; what it installs goes into .venv-newest/."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path


def pythons() -> dict[tuple[int, ...], str]:
    """The Pythons found on PATH and under pyenv, by version."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    folders += Path.home().glob(".pyenv/versions/*/bin")
    found = {}
    for folder in folders:
        for candidate in folder.glob("python3.*"):
            if re.fullmatch(r"python3\.\d+", candidate.name):
                tell = [candidate, "-c", "import ensurepip, sys; print(*sys.version_info[:3])"]
                answer = subprocess.run(tell, capture_output=True, text=True)
                # A shim of pyenv answers only for the version it is set to.
                if answer.returncode == 0:
                    found[tuple(map(int, answer.stdout.split()))] = str(candidate)
    return found


def main() -> None:
    version, python = max(pythons().items())
    project = tomllib.loads(Path("pyproject.toml").read_text())
    requirements = project["project"]["dependencies"] + project["dependency-groups"]["test"]
    new = ".venv-newest/bin/python"
    subprocess.run([python, "-m", "venv", "--clear", ".venv-newest"], check=True)
    subprocess.run(
        [new, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements], check=True
    )
    django = subprocess.check_output([new, "-m", "django", "--version"], text=True).strip()
    print(f"Python {'.'.join(map(str, version))}, Django {django}", flush=True)
    choice = [] if shutil.which("chromium") else ["-m", "not browser"]
    sys.exit(subprocess.run([new, "-m", "pytest", "-q", "-n2", *choice]).returncode)


if __name__ == "__main__":
    main()
