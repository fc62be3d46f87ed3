"""Every check of the project. `nox` runs what CI runs; `nox -s bench` measures the ratios in docs/benchmarks.md."""

from __future__ import annotations

import os
import tomllib
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "docs", "tests", "lab", "build"]
nox.options.reuse_existing_virtualenvs = False

HERE = Path(__file__).parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text())
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
PACKAGES = ("pipework_core", "pipework_backends", "pipework_drivers")
#: What is promised. nox names those that this machine does not have, and goes on.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
nox.options.error_on_missing_interpreters = False
# pyenv keeps its Pythons off PATH.
os.environ["PATH"] = os.pathsep.join((os.environ["PATH"], *map(str, Path.home().glob(".pyenv/versions/*/bin"))))


def wheel(session: nox.Session) -> Path:
    """Build the wheel into the session's folder and return it."""
    folder = Path(session.create_tmp())
    for old in folder.glob("*.whl"):
        old.unlink()
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), silent=True)
    return next(folder.glob("*.whl"))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, import rules."""
    session.install("-e", ".", *GROUPS["lint"])
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types."""
    session.install("-e", ".", *GROUPS["types"])
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Make the site of the documents in `site/`; a link that leads nowhere is an error."""
    session.install(*GROUPS["docs"])
    session.run("sphinx-build", "-b", "html", "-q", "-n", "-W", "--keep-going", "docs", "site")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run what needs no kernel and no other program, on the built wheel."""
    session.install(str(wheel(session)), *GROUPS["test"])
    session.run("pytest", "--ignore=tests/lab", "-n", "2", *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """Run on real kernels, containers and switches, on the built wheel."""
    session.install(str(wheel(session)), *GROUPS["test"])
    # Most of it waits for leases and renewals, and each file has its private hosts to itself. The second kernel needs a
    # processor of its own.
    side_by_side = ("--ignore=tests/lab/kernel", "-n", "3", "--dist", "loadfile")
    session.run("pytest", "tests/lab", *side_by_side, *session.posargs)
    workers = str(min(len(os.sched_getaffinity(0)), 4))
    session.run("pytest", "tests/lab/kernel", "-n", workers, "--dist", "loadfile", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Check that the wheel puts exactly our three packages into somebody's site-packages."""
    with zipfile.ZipFile(wheel(session)) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    extra = {top for top in tops if not top.endswith(".dist-info")} ^ set(PACKAGES)
    if extra:
        session.error(f"the wheel's top level differs by {sorted(extra)}")


@nox.session
def zipapp(session: nox.Session) -> None:
    """Build `dist/pipework.pyz`, one file for every Python and machine for which its library in C can be had."""
    built = wheel(session)
    session.install(f"{built}[ssh,up,watch]", "packaging")
    session.run("python", "-P", "packaging/zipapp/build.py", str(built), str(dist() / "pipework.pyz"), "--every")


@nox.session
def deb(session: nox.Session) -> None:
    """Build Debian's package in `dist/`; it takes debhelper, dh-python and python3-pluggy."""
    built = wheel(session)
    session.run("python", "-P", "packaging/debian/build.py", str(built), ".", str(dist()))


def dist() -> Path:
    """Return the folder for what people install."""
    folder = HERE / "dist"
    folder.mkdir(exist_ok=True)
    return folder


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the ratios in docs/benchmarks.md; needs root and Docker Engine, and fails for none of its figures.

    `nox -s bench -- --against PYTHON` compares with an older version, which is installed in that Python's environment.
    """
    session.install(str(wheel(session)), *GROUPS["test"])
    # As pip leaves it: a Python that may write no bytecode would compile everything in every run.
    session.run("python", "-m", "compileall", "-q", str(Path(session.virtualenv.location) / "lib"))
    for script in (
        "run",
        "plugins",
        "fleet",
        "listing",
        "dhcp",
        "watch",
        "beside",
        "serve",
        "machines",
        "ovn",
        "house",
    ):
        if (HERE / "bench" / f"{script}.py").exists():
            session.run("python", "-P", f"bench/{script}.py", *(session.posargs if script == "house" else ()))
