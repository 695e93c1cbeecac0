"""The exit statuses of every command (tools/exit_codes.py says what each means)."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FOUND = 1
    USAGE = 2
    PARTLY = 3
