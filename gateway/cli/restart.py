"""`ecluse restart`: lets the running gateway start the program again, on the present folder. No request is lost."""

from argparse import Namespace

from gateway.cli.answers import Restarted
from gateway.cli.exits import Exit
from gateway.cli.running import asked
from gateway.cli.saying import said_to_be_wrong, say_json
from gateway.server.control import RESTART, ask

# Longer than the gateway waits for its successor.
_ANSWERED_WITHIN = 200.0


def run(told: Namespace) -> Exit:
    question = {**RESTART, "yes": True} if told.yes else RESTART
    answer = asked(told.folder, told.state, lambda where: ask(where, question, _ANSWERED_WITHIN), Restarted)
    if answer is None:
        return Exit.USAGE
    if told.as_json:
        say_json(answer)
    elif "error" in answer:
        said_to_be_wrong(f"nothing was restarted: {answer['error']}")
    else:
        print(f"process {answer['process']} serves; the previous one finishes its requests")
    return Exit.FOUND if "error" in answer else Exit.DONE
