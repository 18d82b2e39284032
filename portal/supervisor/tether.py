"""Processes that do not outlive the one that started them, even where that one is killed without a word."""

import ctypes
import os
import signal
import sys

# From <linux/prctl.h>; the kernel's promise is described in prctl(2) under PR_SET_PDEATHSIG.
PR_SET_PDEATHSIG = 1

# Loaded here and not in the child: between fork and exec as little as possible may happen.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Ask the kernel, in a new child, to kill it as soon as the process `parent` is gone.

    The kernel means the thread that forked, so children are started from the main thread alone. Only Linux has this;
    elsewhere the parent's own clearing up must do.

    :raises OSError: when the kernel refuses.
    """
    if _libc is None:
        return
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused PR_SET_PDEATHSIG")
    # The parent may have died before the kernel was asked; then nobody sends the signal any more.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
