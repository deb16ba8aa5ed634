"""A child process that ends when its parent does, even by kill -9, so that Ctrl-C and crashes leave nothing running."""

import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(ending: signal.Signals) -> Callable[[], None] | None:
    """What a child does between fork and exec (`preexec_fn`), on Linux: ask for `ending` at its parent's death.

    The kernel sends it when *the thread* that forked ends: start such children from the main thread. A change of user clears the
    request, and `subprocess` changes user first. Elsewhere than on Linux None: nothing can be asked for.
    """
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - loading it costs 10 ms, and who starts no child never comes here

    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the question was put
            os._exit(1)

    return ask_for_signal
