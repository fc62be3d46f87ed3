"""The entrance of `pipework.pyz`: unpack what is in the file, once, and run pipework from there.

Inside of an archive a module is compiled anew in every run, no shell finds a script, and no library in C can be loaded.
So the content goes into a folder of this user's alone, one for each build and each kind of Python:
/var/cache/pipework for root, ~/.cache/pipework for others, or what PIPEWORK_CACHE names.
"""

# Every Python 3 must be able to read this file, or it could not say which one is needed.
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - where pip does not look: a clone, PYTHONPATH, the single file
    sys.exit(
        f"pipework: error: pipework needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}.\n"
        f"hint: run it with a newer one, for instance: python3.11 {sys.argv[0]}"
    )

from _imp import extension_suffixes  # importlib.machinery, which has them as well, is not imported yet


def find_home() -> str:
    """Return the folder in which this user's unpacked files are, by a path without links that lead elsewhere later."""
    named = os.environ.get("PIPEWORK_CACHE")
    if not named and os.geteuid() == 0:
        named = "/var/cache/pipework"  # not below HOME, which after sudo may be another user's
    if not named:
        named = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pipework")
    return os.path.realpath(named)


def is_ours(folder: str) -> bool:
    """Tell whether a folder exists; raise PermissionError when somebody else could change what is in it."""
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        return False
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(0, f"others may write to {folder}")
    return True


def check_way(folder: str) -> None:
    """Raise PermissionError when somebody else could put another folder in the place of this one.

    In a folder with the sticky bit nobody can replace what is another's. Who owns `/` is root here.
    """
    trusted = {0, os.geteuid(), os.stat("/").st_uid}
    while folder != "/":
        folder = os.path.dirname(folder)
        try:
            found = os.lstat(folder)
        except FileNotFoundError:  # it will be made
            continue
        if found.st_uid not in trusted or (found.st_mode & 0o002 and not found.st_mode & 0o1000):
            raise PermissionError(0, f"others may write to {folder}")


def unpack(content: bytes, home: str, folder: str) -> None:
    """Unpack a zip file as `folder`, whole or not at all, and compile what is in it."""
    import compileall  # noqa: PLC0415 - only the first run needs these
    import fcntl  # noqa: PLC0415 - as above
    import io  # noqa: PLC0415 - as above
    import zipfile  # noqa: PLC0415 - as above

    before = os.umask(0o022)
    try:
        os.makedirs(home, 0o700, exist_ok=True)  # who can open a folder could lock it, and let us wait for ever
        is_ours(home)
        check_way(home)
        lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(folder):  # else another run was quicker
            new = folder + ".new"  # of a run that was killed, perhaps: its files are written anew
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                packed.extractall(new, filter(fits, packed.namelist()))
            # A service may not write here, and PYTHONDONTWRITEBYTECODE would make every run compile.
            compileall.compile_dir(new, ddir=folder, quiet=2)
            os.rename(new, folder)
        os.close(lock)
    finally:
        os.umask(before)


def fits(name: str) -> bool:
    """Tell whether a file is for this Python, and no library for another one."""
    return not name.endswith(".so") or name.endswith(tuple(extension_suffixes()))


def find_folder() -> str:
    """Return the folder with what is in this file, and unpack it when it is not there yet."""
    archive = __loader__.archive
    digest = __loader__.get_data(os.path.join(archive, "digest")).decode()
    home = find_home()
    folder = os.path.join(home, digest + extension_suffixes()[0].partition(".so")[0])
    try:
        check_way(home)
        if not (is_ours(home) and is_ours(folder)):
            unpack(__loader__.get_data(os.path.join(archive, "site.zip")), home, folder)
    except OSError as error:
        sys.exit(
            f"pipework: error: {os.path.basename(archive)} cannot be unpacked into {home}: {error.strerror}.\n"
            "hint: PIPEWORK_CACHE=FOLDER names another place, which is yours alone"
        )
    return folder


sys.path[0] = find_folder()  # in the place of the archive

from pipework_core.__main__ import main  # noqa: E402 - it is there now

main()
