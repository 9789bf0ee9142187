"""Outputs on disk: written as a whole or not at all, by one run at a time, readable by their owner only.

A run holds its output from its start, by a lock that the system frees when the run ends, however it ends. Until it
is done it writes into a hidden folder beside the output::

    .county.part/lock    held by the run that writes county
    .county.part/new     what it writes
    .county.part/old     the county it replaces, for a moment, where the file system cannot exchange two names

Then the new output gets its name in one step. Whenever a run is killed, the name refers to the complete old output
or the complete new one. The next run that writes the same output removes what is left.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from relapse_risk.errors import OutputBusy, OutputExists, StorageError, UsageError

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_LOCK, _NEW, _OLD = "lock", "new", "old"
#: How many foreign entries an error names.
_NAMED = 3
#: Attempts at a lock whose holder removes its folder at the same moment.
_TRIES = 100
#: The flag of ``renameat2``, and its value for the current folder.
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100
#: Errors of systems and file systems that cannot exchange two names.
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY)


class Held:
    """An output that only this run writes; ``hold`` makes one.

    Parameters
    ----------
    path : Path
        The output, as the caller named it.
    target : Path
        The same with symbolic links resolved: a link stays, and what it points to is replaced.
    aside : Path
        The hidden folder beside it.
    """

    def __init__(self, path: Path, target: Path, aside: Path) -> None:
        self.path = path
        self._target = target
        self._aside = aside

    @contextmanager
    def folder(
        self, marker: str, lacking: str, option: str = "--out", ours: Collection[str] | None = None
    ) -> Iterator[Path]:
        """Yield an empty folder to fill; it gets the name of the output if the block succeeds.

        Parameters
        ----------
        marker : str
            File that an existing folder must have to be replaced.
        lacking : str
            What the error says of a folder without it, such as "is not a records folder".
        option : str
            Option that named the output.
        ours : collection of str, optional
            What the folder that is replaced may hold; anything otherwise.

        Raises
        ------
        OutputExists
            If something else has that name, or the folder holds something else, which would be lost.
        """
        self._refuse_foreign(marker, lacking, option, ours)
        new = self._aside / _NEW
        with _naming(self.path):
            new.mkdir(_FOLDER_MODE)
        with _reporting_full_disk(self.path):
            yield new
            for file in new.rglob("*"):
                _settle(file)
            _settle(new)
        self._refuse_foreign(marker, lacking, option, ours)  # again: it may have changed meanwhile
        with _naming(self.path):
            if self._target.exists():
                _exchange(new, self._target, self._aside / _OLD)
            else:
                new.rename(self._target)
        _flush(self._target.parent)

    @contextmanager
    def file(self) -> Iterator[Path]:
        """Yield a path to write the file to, with the same suffix; it gets the output's name if the block succeeds.

        Raises
        ------
        OutputExists
            If the output is a folder or a device.
        """
        if self._target.exists() and not self._target.is_file():
            raise OutputExists(f"{self.path} exists and is not a file; name another file")
        new = self._aside / f"{_NEW}{self.path.suffix}"
        with _reporting_full_disk(self.path):
            yield new
            _settle(new)
        with _naming(self.path):
            new.replace(self._target)
        _flush(self._target.parent)

    def addition(self, suffix: str) -> Addition:
        """Return a file to be written and added to the output, a folder whose other files stay.

        Parameters
        ----------
        suffix : str
            Of the file's name.
        """
        return Addition(self.path, self._target, self._aside / f"{_NEW}{suffix}")

    def _refuse_foreign(self, marker: str, lacking: str, option: str, ours: Collection[str] | None) -> None:
        if not os.path.lexists(self._target):
            return
        if not (self._target / marker).is_file():
            raise OutputExists(f"{self.path} exists and {lacking}; choose another {option}")
        if self._target.is_mount():
            raise OutputExists(
                f"{self.path} is where a disk is mounted and cannot be replaced; name a folder in it"
            )
        others = [] if ours is None else sorted({entry.name for entry in self._target.iterdir()} - set(ours))
        if others:
            named = ", ".join(others[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
            raise OutputExists(
                f"{self.path} is replaced as a whole, and would lose what is not its own: {named}. "
                f"Move it elsewhere, or choose another {option}"
            )


class Addition:
    """A file on its way into a folder whose other files stay; ``Held.addition`` makes one.

    Parameters
    ----------
    folder : Path
        The folder, as the caller named it; it need not exist.
    target : Path
        The same with symbolic links resolved.
    path : Path
        Where to write the file.
    """

    def __init__(self, folder: Path, target: Path, path: Path) -> None:
        self.path = path
        self._folder = folder
        self._target = target
        self._made: list[Path] = []

    def put(self, name: str) -> None:
        """Give the file, once it is on the disk, its name in the folder; a file of that name is replaced."""
        _settle(self.path)
        with _naming(self._folder):
            if not self._target.exists():
                self._target.mkdir(_FOLDER_MODE)
                self._made.append(self._target)
                _flush(self._target.parent)
            if not (self._target / name).exists():
                self._made.append(self._target / name)
            self.path.replace(self._target / name)
        _flush(self._target)

    def undo(self) -> None:
        """Remove what ``put`` made, but no file that was there before."""
        for path in reversed(self._made):
            with suppress(OSError):
                path.rmdir() if path == self._target else path.unlink()


@contextmanager
def hold(path: Path | str, *, wait: bool = False) -> Iterator[Held]:
    """Hold an output so that no other run writes it, and remove what a killed run left of it.

    To be called before the work, so that a second run is refused at its start.

    Parameters
    ----------
    path : path
        The output; it need not exist. Folders above it are made, and removed again if they stay empty.
    wait : bool
        Wait for another run instead of raising; for outputs that are written quickly.

    Yields
    ------
    Held

    Raises
    ------
    OutputBusy
        If another run holds it.
    StorageError
        If it cannot be written there.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with hold(folder / "records"), hold(folder / "records"):
    ...     pass
    Traceback (most recent call last):
    ...
    relapse_risk.errors.OutputBusy: another run is writing ...
    """
    path = Path(path)
    target = _resolved(path)
    aside = target.with_name(f".{target.name}.part")
    made: list[Path] = []
    try:
        with _naming(path):
            descriptor = _lock(path, aside, made, wait=wait)
        try:
            with _naming(path):
                _sweep(target, aside)
            yield Held(path, target, aside)
        finally:
            try:
                if _is_named(descriptor, aside / _LOCK):
                    _sweep(target, aside)
            finally:
                _release(aside, descriptor)
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def new_folder(
    path: Path | str, marker: str, lacking: str, option: str = "--out", ours: Collection[str] | None = None
) -> Iterator[Path]:
    """Hold an output and yield an empty folder that gets its name if the block succeeds.

    Parameters
    ----------
    path
        See ``hold``.
    marker, lacking, option, ours
        See ``Held.folder``.
    """
    with hold(path) as held, held.folder(marker, lacking, option, ours) as new:
        yield new


@contextmanager
def new_file(path: Path | str) -> Iterator[Path]:
    """Hold an output and yield the path of a file that gets its name if the block succeeds.

    Parameters
    ----------
    path
        See ``hold``.
    """
    with hold(path) as held, held.file() as new:
        yield new


def check_folder(folder: Path | str, option: str) -> None:
    """Refuse a folder that no output can be written in, before the work.

    Raises
    ------
    UsageError
        If it, or something above it, is a file.
    StorageError
        If nothing can be written there.
    """
    folder = Path(folder)
    nearest = _resolved(folder)
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UsageError(f"{option} {folder}: {nearest} is a file. Valid: a folder, which need not exist yet.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StorageError(f"{option} {folder}: nothing can be written in {nearest}. Name another folder.")


def sweep_folder(folder: Path | str, is_ours: Callable[[str], object]) -> None:
    """Remove what killed runs left in a folder of outputs, except of outputs that another run holds.

    Parameters
    ----------
    folder : path
        Folder of outputs.
    is_ours : callable
        Whether a name is that of such an output.
    """
    for aside in sorted(Path(folder).glob(".*.part")):
        name = aside.name.removeprefix(".").removesuffix(".part")
        if is_ours(name):
            with suppress(OutputBusy, StorageError), hold(aside.with_name(name)):
                pass


def _resolved(path: Path) -> Path:
    if "\0" in str(path):
        raise UsageError("a path holds the character NUL; name another one")
    target = Path(os.path.realpath(path))
    if not target.name:
        raise UsageError(f"{path}: name a folder or file below it")
    return target


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the output in errors of the system."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StorageError(
            f"cannot write {path}: {error.strerror or type(error).__name__}{where}. Nothing was changed; name "
            "another place, or make this one writable."
        ) from error


@contextmanager
def _reporting_full_disk(path: Path) -> Iterator[None]:
    """Report a full disk with its place; each library has a message of its own."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageError(
            f"cannot write in {path.parent}: {os.strerror(error.errno)}. What was there is unchanged; free space, "
            "or name another place."
        ) from error


def _lock(path: Path, aside: Path, made: list[Path], *, wait: bool) -> int:
    """Lock the hidden folder, making it if needed; folders made above it are added to ``made``."""
    for left in reversed(range(_TRIES)):
        try:
            _make_parents(aside.parent, made)
            _make_aside(aside)
            descriptor = _open_lock(aside)
        except FileNotFoundError:  # its last holder has just removed it
            if not left:
                raise
            continue
        _wait_or_refuse(descriptor, path, wait=wait)
        if _is_named(descriptor, aside / _LOCK):
            with suppress(OSError):  # the lock holds even if its text cannot be written
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
            return descriptor
        os.close(descriptor)
    raise OutputBusy(f"other runs are writing {path}. Wait until they are done, or name another place.")


def _make_parents(folder: Path, made: list[Path]) -> None:
    """Make missing folders above an output; they are private too, because they may contain nothing but records."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for lacking in reversed(missing):
        with suppress(FileExistsError):
            lacking.mkdir(_FOLDER_MODE)
            made.append(lacking)


def _make_aside(aside: Path) -> None:
    """Make the hidden folder; one that belongs to another user is refused."""
    with suppress(FileExistsError):
        aside.mkdir(_FOLDER_MODE)
    status = aside.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise StorageError(
            f"{aside} belongs to another user: one of their runs, or what is left of it. Make sure that none is "
            "running and remove it, or name another place."
        )
    aside.chmod(_FOLDER_MODE)


def _open_lock(aside: Path) -> int:
    try:
        return os.open(aside / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _FILE_MODE)
    except OSError:
        with suppress(OSError):
            aside.rmdir()
        raise


def _wait_or_refuse(descriptor: int, path: Path, *, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        who = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
        os.close(descriptor)
        raise OutputBusy(
            f"another run is writing {path} ({who}). Wait until it is done, stop it, or name another place."
        ) from None
    except BaseException:
        os.close(descriptor)
        raise


def _is_named(descriptor: int, file: Path) -> bool:
    """Return whether the locked file still has that name; its last holder may have removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), file.lstat())
    return False


def _sweep(target: Path, aside: Path) -> None:
    """Undo an exchange that a killed run had not finished, and remove its partial outputs.

    Other files in the hidden folder are not touched.
    """
    old = aside / _OLD
    if old.exists() and not os.path.lexists(target):
        old.rename(target)
        _flush(target.parent)
    for path in (old, *aside.glob(f"{_NEW}*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)  # what cannot be removed is left to the next run
        else:
            path.unlink(missing_ok=True)


def _release(aside: Path, descriptor: int) -> None:
    """Remove the lock while it is held, so that no other run locks a file that is about to go."""
    with suppress(OSError):
        if _is_named(descriptor, aside / _LOCK):
            (aside / _LOCK).unlink()
        aside.rmdir()  # not empty where another run has taken the next lock
    os.close(descriptor)


def _settle(path: Path) -> None:
    """Make it readable by its owner only, whatever the umask, and flush it to disk."""
    path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
    _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(new: Path, target: Path, old: Path) -> None:
    """Exchange the names of the new folder and the one it replaces, in one step where the file system can.

    Where it cannot, the name is missing for a moment. If the run stops then, the old folder gets its name back: by
    this run, or by the next one if this one was killed.
    """
    if _exchanged_at_once(new, target):
        return
    target.rename(old)
    new.rename(target)


def _exchanged_at_once(one: Path, other: Path) -> bool:
    """Exchange two names; False where the system or the file system cannot."""
    call = _renameat2()
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


@cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:  # a C library from before 2018
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    call.restype = ctypes.c_int
    exchange: Callable[[int, bytes, int, bytes, int], int] = call
    return exchange
