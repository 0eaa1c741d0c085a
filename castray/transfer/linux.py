"""System calls that Python has no name for, each with a plain way where there is none."""

from __future__ import annotations

import ctypes
import errno
import os

__all__ = ["rename_new", "reserve", "start_writing", "sync_all"]

UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

libc = ctypes.CDLL(None, use_errno=True)
fallocate = getattr(libc, "fallocate64", None) or getattr(libc, "fallocate", None)
sync_file_range = getattr(libc, "sync_file_range", None)
syncfs = getattr(libc, "syncfs", None)
renameat2 = getattr(libc, "renameat2", None)

RENAME_NOREPLACE = 1
TMPFS_MAGIC = 0x01021994
SYNC_FILE_RANGE_WRITE = 2


def reserve(descriptor: int, size: int) -> None:
    """Give an empty file its size, and its place on the disk where the file system can at once.

    Python's own call would write into every page where the file system cannot; one in memory does
    so itself, which takes as long as to receive the file.

    Raises:
        OSError: The disk has not that much left.
    """
    if fallocate is not None and not _is_in_memory(descriptor):
        start, length = ctypes.c_int64(0), ctypes.c_int64(size)
        if not fallocate(descriptor, 0, start, length):
            return
        number = ctypes.get_errno()
        if number not in UNSUPPORTED:
            raise OSError(number, os.strerror(number))
    os.ftruncate(descriptor, size)


def start_writing(descriptor: int, offset: int, length: int) -> None:
    """Have the disk begin with these bytes, so that a sync at the end has little left to do.

    It promises nothing: an error shows at that sync.
    """
    if sync_file_range is not None:
        start, count = ctypes.c_int64(offset), ctypes.c_int64(length)
        sync_file_range(descriptor, start, count, SYNC_FILE_RANGE_WRITE)


def sync_all(descriptor: int) -> None:
    """Bring everything on the file system of an open file to the disk.

    Raises:
        OSError: The disk failed.
    """
    if syncfs is None:
        os.sync()
    elif syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def rename_new(old: str, new: str, old_directory: int, new_directory: int) -> None:
    """Rename a file, if there is nothing under its new name, in one step.

    Raises:
        FileExistsError: There is something, and it stays as it is.
        OSError: It cannot be renamed.
    """
    if renameat2 is not None:
        names = os.fsencode(old), os.fsencode(new)
        done = renameat2(old_directory, names[0], new_directory, names[1], RENAME_NOREPLACE)
        number = ctypes.get_errno() if done else 0
        if number not in UNSUPPORTED:
            if number:
                raise OSError(number, os.strerror(number))
            return
    _link_and_unlink(old, new, old_directory, new_directory)


def _link_and_unlink(old: str, new: str, old_directory: int, new_directory: int) -> None:
    places = {"src_dir_fd": old_directory, "dst_dir_fd": new_directory}
    try:
        os.link(old, new, **places, follow_symlinks=False)
    except FileExistsError:
        mine = os.stat(old, dir_fd=old_directory, follow_symlinks=False)
        there = os.stat(new, dir_fd=new_directory, follow_symlinks=False)
        # A sudden end between the two steps has left both names.
        if not os.path.samestat(mine, there):
            raise
    os.unlink(old, dir_fd=old_directory)


def _is_in_memory(descriptor: int) -> bool:
    """Whether an open file is on a tmpfs."""
    status = ctypes.create_string_buffer(256)
    is_known = libc.fstatfs(descriptor, status) == 0
    return is_known and ctypes.c_long.from_buffer(status).value == TMPFS_MAGIC
