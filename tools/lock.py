"""Write requirements.lock: resolve pyproject.toml with all its extras in a fresh environment and list what came.

Run by `make lock` on a machine whose pip finds a CPU build of torch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"  # the build that is known to come without CUDA; see docs/dependencies.md
HEAD = f"""\
# Every package that make installs, exactly. Written by `make lock`, installed with --no-deps.
# {TORCH}: a CPU build where the machine is set up for one; see docs/dependencies.md.
"""


def main() -> None:
    extras = ",".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", TORCH], check=True)
        subprocess.run([*pip, "install", "--quiet", f"{ROOT}[{extras}]"], check=True)
        listed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    lines = [line.split("+")[0] for line in listed.splitlines() if "==" in line and not line.startswith("cinescope")]
    (ROOT / "requirements.lock").write_text(HEAD + "\n".join(lines) + "\n")
    print(f"{len(lines)} packages", file=sys.stderr)


if __name__ == "__main__":
    main()
