"""On PYTHONPATH, this moves the wall clock of a program by the seconds that the file of ECLUSE_TEST_CLOCK says.

Time that must not go by is not waited for: only `time.time` is moved, for every module that imports it later.
"""

import os
import time

_path = os.environ.get("ECLUSE_TEST_CLOCK")
if _path:
    _real = time.time

    def _moved() -> float:
        # A file of one line, seldom asked for in a test.
        with open(_path, "rb") as file:
            return _real() + float(file.read() or b"0")

    time.time = _moved
