import ast
import inspect

import pytest

from gateway.model import ports

PORTS = [value for value in vars(ports).values() if isinstance(value, type) and getattr(value, "_is_protocol", False)
         and value.__module__ == ports.__name__]  # fmt: skip


def test_the_ports_are_what_the_lanes_need() -> None:
    assert {port.__name__ for port in PORTS} == {"Callers", "ErrorPages", "Revoker"}


@pytest.mark.parametrize("port", PORTS)
def test_a_port_says_what_is_to_be_done_and_does_nothing(port: type) -> None:
    (body,) = ast.parse(inspect.getsource(port)).body
    assert isinstance(body, ast.ClassDef)
    for method in (part for part in body.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)):
        assert all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in method.body)


def test_a_page_is_a_value() -> None:
    page = ports.Page(401, ((b"Content-Type", b"text/html"),), b"x")
    assert page == ports.Page(401, ((b"Content-Type", b"text/html"),), b"x")
    assert hash(page)
