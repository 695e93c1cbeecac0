import json

from gateway.trial.comparing import Change, changed_files, replayed, tried_on_both
from gateway.trial.matrix import People, requests_of
from gateway.trial.recorded import read_log
from gateway.trial.request import Circumstances
from tests.config.samples import PERMIS, sample_files, sample_snapshot

OLD = sample_snapshot()
NEW = sample_snapshot({"apps/permis.yaml": PERMIS.replace("{group: administrateurs}", "{group: ONDE}")})
AROUND = Circumstances(0.0)


def compared(new: str) -> list[Change]:
    after = sample_snapshot({"apps/permis.yaml": new})
    requests, people = requests_of((OLD, after), []), People((OLD, after), [])
    tried, changes = tried_on_both(OLD, after, requests, people, AROUND)
    assert tried == sum(len(people.before(request)) for request in requests)
    return changes


def short(changes: list[Change]) -> set[tuple[str, str, str, str]]:
    return {
        (one.request.split(" ")[1].partition(":8080")[2], one.who, one.before.outcome, one.after.outcome)
        for one in changes
    }


def test_the_same_folder_differs_in_nothing() -> None:
    assert compared(PERMIS) == []


def test_a_changed_rule_is_seen_by_whom_it_concerns() -> None:
    assert short(compared(PERMIS.replace("{group: administrateurs}", "{group: ONDE}"))) == {
        ("/admin/x", "somebody of metropole, groups administrateurs", "allow", "deny"),
        ("/admin/x", "somebody of metropole, groups ONDE", "deny", "allow"),
    }


def test_what_the_application_is_told_otherwise_is_a_change_too() -> None:
    changes = compared(PERMIS.replace("    X-Remote-User: {from: uid}\n", "    X-Remote-User: {from: groups}\n"))
    assert {one.before.outcome == one.after.outcome for one in changes} == {True}
    assert changes


def test_one_text_in_other_bytes_is_a_change() -> None:
    told = "    X-Service: {value: Préfecture, encoding: %s}\n    X-Remote-User:"
    before, after = (
        sample_snapshot({"apps/permis.yaml": PERMIS.replace("    X-Remote-User:", told % encoding)})
        for encoding in ("utf8", "latin1")
    )
    requests, people = requests_of((before, after), []), People((before, after), [])
    _, changes = tried_on_both(before, after, requests, people, AROUND)
    assert changes
    for one in changes:
        assert one.before.shown_headers["X-Service"] == r"Préfecture  (utf8: Pr\xc3\xa9fecture)"
        assert one.after.shown_headers["X-Service"] == r"Préfecture  (latin1: Pr\xe9fecture)"


def test_an_application_that_goes() -> None:
    changes = compared(PERMIS.replace("hosts: [permis.localhost]", "hosts: [autre.localhost]"))
    assert ("/public/x", "nobody", "allow", "refuse") in short(changes)
    assert ("/public/x", "nobody", "refuse", "allow") in short(changes)


def test_of_a_log_only_what_may_have_been_is_a_change() -> None:
    def line(path: str, status: int) -> str:
        return json.dumps({"event": "access", "app": "permis", "method": "GET", "path": path, "status": status})

    recorded, number = read_log(
        [line("/admin/users", 200)] * 3 + [line("/admin/users", 403), line("/public/", 200), line("/x", 200)]
    )
    changes = replayed(OLD, NEW, recorded, People((OLD, NEW), []), AROUND)
    assert number == 6
    assert [(one.times, one.before.outcome, one.after.outcome) for one in changes] == [
        (3, "allow", "deny"),
        (1, "deny", "allow"),
    ]
    assert changes[0].who == "somebody of metropole, groups administrateurs"


def test_files_that_differ() -> None:
    old = sample_files({"apps/autre.yaml": "a", "apps/gone.yaml": "b"})
    new = sample_files({"apps/autre.yaml": "c", "tests/new.yaml": "d"})
    assert changed_files(old, new) == [
        ("changed", "apps/autre.yaml"),
        ("removed", "apps/gone.yaml"),
        ("added", "tests/new.yaml"),
    ]


def test_what_a_shadow_answers_is_told_apart_from_what_comes() -> None:
    def shadow(group: str) -> str:
        return f"{PERMIS}  - {{path: /admin/**, allow: {{group: {group}}}, shadow: true}}\n"

    began = compared(shadow("ONDE"))
    assert {(change.of_shadows, change.who) for change in began} == {
        (True, "somebody of metropole, groups ONDE"),
        (True, "somebody of metropole, groups administrateurs"),
    }
    assert {len(change.before.differing()) for change in began} == {0}
    live = compared(PERMIS.replace("{group: administrateurs}", "{group: ONDE}"))
    both = compared(shadow("ONDE").replace("{group: administrateurs}", "{group: ONDE}"))
    assert {change.of_shadows for change in both} == {False}
    assert short(both) == short(live)
