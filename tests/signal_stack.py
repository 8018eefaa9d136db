"""Undoes what several OpenVINO nets do to this thread's signal stack."""

from __future__ import annotations

import ctypes

_SS_DISABLE = 2


class _Stack(ctypes.Structure):
    _fields_ = (("ss_sp", ctypes.c_void_p), ("ss_flags", ctypes.c_int), ("ss_size", ctypes.c_size_t))


def disable_alternate_signal_stack() -> None:
    """Let signals of this thread run on its ordinary stack again.

    OpenVINO gives the thread an alternate signal stack for each net that uses AMX and puts back the one before when
    the net goes. Nets that go in another order than they came, as they do in tests and never in a stub, leave a
    freed one behind, and the next signal ends the process.
    """
    off = _Stack(None, _SS_DISABLE, 0)
    ctypes.CDLL(None, use_errno=True).sigaltstack(ctypes.byref(off), None)
