"""Whether a text is in the memory of a process: manager_memory.py PROCESS FILE. Exit status 0: it is not, 1: it is, 77:
the memory may not be read here. A part from the middle of the file's text is looked for, since what is given back to the
allocator loses its beginning."""

import re
import sys

process, file = sys.argv[1:]
with open(file, "rb") as text:
    wanted = text.read().strip()
wanted = wanted[len(wanted) // 2 :][:80]
assert len(wanted) == 80, "the text is too short"
try:
    memory = open(f"/proc/{process}/mem", "rb", 0)
except PermissionError:
    sys.exit(77)
with memory, open(f"/proc/{process}/maps", encoding="utf-8") as maps:
    for line in maps:
        place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if not place:
            continue
        begin, end = (int(number, 16) for number in place.groups())
        if end - begin > 1 << 30:  # the books of sanitizers
            continue
        try:
            memory.seek(begin)
            if wanted in memory.read(end - begin):
                sys.exit(1)
        except OSError:
            pass
