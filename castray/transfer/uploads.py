"""Files that somebody sends in pieces: hidden until they are whole, then there at once."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from castray.cast_models import IfExists
from castray.core.paths import shown
from castray.errors import CastError, TargetFileError, UnsafePathError
from castray.transfer.beneath import open_regular, open_root, resolve
from castray.transfer.buffers import READ_BYTES
from castray.transfer.destination import PROBLEMS, Destination, explain
from castray.transfer.existing import DIFFERS
from castray.transfer.linux import rename_new
from castray.transfer.partial import open_partial
from castray.transfer.placing import other_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.core.paths import RootedPath
    from castray.transfer.agent_link import UploadOrder
    from castray.transfer.partial import Partial

__all__ = ["Uploads"]

logger = logging.getLogger(__name__)

IDLE_S = 3600.0
"""An upload of which nothing came for so long is dropped."""

MAX_UPLOADS = 64
"""How many may be under way at once; each holds a few open files."""

MAX_REMEMBERED = 256
"""How many finished uploads are remembered, for who did not hear that they are."""

UNKNOWN = "is no upload that is going on here: begin it again"

CONTENT = "0"
"""What the file is called while it is hidden."""

MODE = 0o644
"""What the file may be used for in the end."""


class Uploads:
    """All uploads of a node; for many threads.

    A call that fails, other than for a piece that is missing, ends its upload and removes it.
    """

    def __init__(self) -> None:
        self._uploads: dict[str, _Upload] = {}
        self._finished: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def begin(self, order: UploadOrder, path: RootedPath) -> None:
        """Make ready; the same order again changes nothing.

        Raises:
            UnsafePathError: It may not be written there.
            TargetFileError: It cannot be written, or is there already.
            CastError: Too many uploads are under way.
        """
        self.drop_idle(time.monotonic())
        with self._lock:
            if order.upload_id in self._uploads or order.upload_id in self._finished:
                return
            if len(self._uploads) >= MAX_UPLOADS:
                raise CastError(
                    shown(order.path), f"must wait: {MAX_UPLOADS} uploads are under way"
                )
            self._uploads[order.upload_id] = _Upload(order, path)

    def append(self, upload_id: str, offset: int, data: bytes) -> None:
        """Take the next piece; what came before is taken for granted.

        Raises:
            CastError: There is no such upload any more, or a piece is missing before this one.
            TargetFileError: It cannot be written.
        """
        with self._ending_if_it_fails(upload_id) as upload:
            upload.append(offset, data)

    def finish(self, upload_id: str) -> str:
        """Give the file its name, synced to the disk.

        Returns:
            Its path.

        Raises:
            CastError: There is no such upload any more.
            TargetFileError: It cannot be placed.
        """
        if upload_id in self._finished:
            return self._finished[upload_id]
        with self._ending_if_it_fails(upload_id) as upload:
            path = upload.finish()
        with self._lock:
            self._finished[upload_id] = path
            if len(self._finished) > MAX_REMEMBERED:
                self._finished.popitem(last=False)
        self.abort(upload_id)
        return path

    def abort(self, upload_id: str) -> None:
        """Forget it, with everything that came."""
        with self._lock:
            upload = self._uploads.pop(upload_id, None)
        if upload is not None:
            upload.close()

    def drop_idle(self, now: float) -> None:
        """Forget those of which nothing came for too long; `now` is of the monotonic clock."""
        for upload_id, upload in list(self._uploads.items()):
            if now - upload.touched_at > IDLE_S:
                logger.info("nothing more came of %s: it is dropped", upload)
                self.abort(upload_id)

    def close(self) -> None:
        """Forget all."""
        for upload_id in list(self._uploads):
            self.abort(upload_id)

    @contextmanager
    def _ending_if_it_fails(self, upload_id: str) -> Iterator[_Upload]:
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise CastError(upload_id, UNKNOWN)
        try:
            with upload.lock:
                if upload.is_closed:
                    raise CastError(upload_id, UNKNOWN)
                yield upload
        except OSError as error:
            self.abort(upload_id)
            raise TargetFileError(str(upload), explain(error)) from error
        except (TargetFileError, UnsafePathError):
            self.abort(upload_id)
            raise


class _Upload:
    """One file on its way; for one thread at a time.

    Raises:
        UnsafePathError: It may not be written there, or has no name.
        TargetFileError: It cannot be written, or is there already.
    """

    def __init__(self, order: UploadOrder, path: RootedPath) -> None:
        self.lock = Lock()
        self.is_closed = False
        self.touched_at = time.monotonic()
        self._path = path
        self._if_exists = order.if_exists
        self._destination = Destination(path)
        self._received = 0
        if self._destination.new_name is None:
            raise UnsafePathError(str(self), "is a directory: name the file that is to be there")
        self._name = self._destination.new_name
        with ExitStack() as opened:
            try:
                self._root = opened.enter_context(open_root(path.root))
                self._check_free()
                self._partial = opened.enter_context(
                    open_partial(self._root, self._destination.directory, order.upload_id)
                )
                self._file = opened.enter_context(_created(self._partial))
            except OSError as error:
                raise TargetFileError(str(self), explain(error)) from error
            self._opened = opened.pop_all()

    def __str__(self) -> str:
        return shown(str(self._path))

    def append(self, offset: int, data: bytes) -> None:
        """Write a piece where it belongs."""
        self.touched_at = time.monotonic()
        if offset > self._received:
            raise CastError(
                str(self), f"has {self._received} bytes so far: send those from there on first"
            )
        missing = memoryview(data)[self._received - offset :]
        while missing:
            count = os.pwrite(self._file, missing, self._received)
            self._received += count
            missing = missing[count:]

    def finish(self) -> str:
        """Sync and place it; returns its path."""
        os.fchmod(self._file, MODE)
        os.fsync(self._file)
        with self._destination.open(self._root) as directory:
            name = self._place(directory)
            os.fsync(directory)
        return "/".join([self._path.root.rstrip("/"), *self._destination.directory, name])

    def close(self) -> None:
        """Remove what is left of it."""
        with self.lock, self._opened:
            self.is_closed = True
            try:
                self._partial.discard()
            except (OSError, UnsafePathError) as error:
                logger.warning("cannot remove what came of %s: %s", self, error)

    def _check_free(self) -> None:
        """Refuse at once what could only fail in the end."""
        try:
            with resolve(self._root, self._path.parts[:-1], follow=True) as parent:
                there = os.stat(self._name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if self._if_exists is IfExists.FAIL:
            raise TargetFileError(str(self), PROBLEMS[errno.EEXIST])
        if stat.S_ISDIR(there.st_mode) and self._if_exists is not IfExists.RENAME:
            raise TargetFileError(str(self), PROBLEMS[errno.EISDIR])

    def _place(self, directory: int) -> str:
        """Rename it into its directory; returns what it is called there."""
        places = (self._partial.descriptor, directory)
        if self._if_exists is IfExists.OVERWRITE:
            os.replace(CONTENT, self._name, src_dir_fd=places[0], dst_dir_fd=places[1])
            return self._name
        for name in other_names(self._name):
            try:
                rename_new(CONTENT, name, *places)
            except FileExistsError:
                if self._if_exists is IfExists.FAIL:
                    raise
                if self._if_exists is IfExists.SKIP:
                    self._check_same(directory)
                    return name
            else:
                return name
        raise AssertionError("there is always another name")

    def _check_same(self, directory: int) -> None:
        """Make sure that what is there has this very content."""
        with open_regular(directory, [self._name], follow=False) as there:
            is_same = os.fstat(there).st_size == self._received and all(
                os.pread(there, READ_BYTES, offset) == os.pread(self._file, READ_BYTES, offset)
                for offset in range(0, self._received, READ_BYTES)
            )
        if not is_same:
            raise TargetFileError(str(self), DIFFERS)


@contextmanager
def _created(partial: Partial) -> Iterator[int]:
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        descriptor = os.open(CONTENT, flags, 0o600, dir_fd=partial.descriptor)
    except OSError:
        partial.discard()
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)
