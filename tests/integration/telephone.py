"""A person at a terminal who types what an operator reads out, wrongly first.

telephone.py FOLDER END COMMAND...: runs the command on a terminal of its own. When it asks, FOLDER/asked is written with the
challenge it showed (empty: none), and FOLDER/answer is waited for. The answer is typed with its first character wrong; then,
when the command has asked again, rightly (END: right), or the input is ended (END: hang-up). What the terminal showed goes
to standard output; the exit status is the command's.
"""

import os
import pty
import re
import select
import signal
import sys
import time

PROMPT = b"reads out: "
LIMIT = 200  # seconds, for all of it


class Terminal:
    """The command on its terminal; every wait ends at the limit."""

    def __init__(self, command):
        self.deadline = time.monotonic() + LIMIT
        self.shown = b""
        self.child, self.file = pty.fork()
        if self.child == 0:
            os.execvp(command[0], command)

    def give_up(self, why):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        sys.exit(f"{why}; the terminal shows: {self.shown!r}")

    def more(self):
        """Reads on; False at the command's end."""
        left = self.deadline - time.monotonic()
        if left <= 0 or not select.select([self.file], [], [], left)[0]:
            self.give_up("nothing comes any more")
        try:
            text = os.read(self.file, 4096)
        except OSError:  # what Linux says when the other end is closed
            return False
        self.shown += text
        return bool(text)

    def until(self, text, after=0):
        """Waits for a text behind a place; the place behind the text."""
        while self.shown.find(text, after) < 0:
            if not self.more():
                self.give_up(f"it ended without {text!r}")
        return self.shown.find(text, after) + len(text)

    def type(self, text):
        os.write(self.file, text)


def ask_operator(terminal, folder):
    """The operator's answer to what is on the screen."""
    heard = re.search(rb"read this to the operator: (\S+)", terminal.shown)
    with open(f"{folder}/asked.new", "wb") as file:
        file.write(heard.group(1) if heard else b"")
    os.rename(f"{folder}/asked.new", f"{folder}/asked")
    while not os.path.exists(f"{folder}/answer"):
        if time.monotonic() > terminal.deadline:
            terminal.give_up("the operator says nothing")
        time.sleep(0.05)
    with open(f"{folder}/answer", "rb") as file:
        return file.read().strip()


def main():
    folder, end, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    terminal = Terminal(command)
    place = terminal.until(PROMPT)
    answer = ask_operator(terminal, folder)
    terminal.type((b"2" if answer[:1] == b"1" else b"1") + answer[1:] + b"\n")
    place = terminal.until(b"group 1 was misheard or mistyped", place)
    terminal.until(PROMPT, place)
    terminal.type(answer + b"\n" if end == "right" else b"\x04")
    while terminal.more():
        pass
    status = os.waitpid(terminal.child, 0)[1]
    sys.stdout.buffer.write(terminal.shown)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
