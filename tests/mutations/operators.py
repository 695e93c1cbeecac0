"""Defences against what operators do not see: what is found in their files, and what they are told of their machine."""

from tests.mutations.defence import Defence

_RULES = "lint/about_rules.py"

DEFENCES = (
    # --- folders
    Defence(
        "a file that takes too long to compile",
        "trial/compile_process.py",
        "signal.setitimer(signal.ITIMER_PROF, max(self._seconds - self._taken[self._content], 0.001))",
        "slow server/test_compiling.py",
        "pass",
    ),
    Defence(
        "pages without the notices of the law (EC420)", "lint/about_the_gateway.py", "if lacking:", "lint/test_rules.py"
    ),
    Defence(
        "more people deeper than above (EC116)",
        _RULES,
        "if nearest.deny is not None or not isinstance(nearest.allow, SignedIn | Anyone):",
        "lint/test_rules.py",
    ),
    Defence(
        "of methods that both rules are about (EC116)",
        _RULES,
        "meet(rule, other) != frozenset() and ",
        "lint/test_rules.py",
        "",
    ),
    Defence(
        "a library that does not fit",
        "config/check/extras.py",
        "except Exception as error:",
        "config/check/test_folder.py",
        "except ImportError as error:",
    ),
    Defence(
        "a library of the program's that cannot be loaded",
        "cli/main.py",
        "except ImportError as error:",
        "slow cli/test_main.py",
        "except ZeroDivisionError as error:",
    ),
    Defence(
        "metadata that cannot be kept",
        "federation/metadata_process.py",
        "_Download(folder, document), known",
        "slow federation/test_metadata_process.py",
        "document, known",
    ),
    Defence(
        "what is known of a provider outlives its folder",
        "federation/saml.py",
        "elif known is None:",
        "federation/test_saml.py",
        "else:",
    ),
    Defence(
        "an expression that could cost too much does not load",
        "config/compile/cel.py",
        "if not usual.fits:",
        "config/compile/test_cel_bound.py",
    ),
    Defence(
        "an expression that costs too much for a person is not evaluated",
        "config/compile/cel.py",
        "if self._fits(data) else None",
        "config/compile/test_cel_bound.py",
        "",
    ),
    Defence(
        "a function whose cost is unknown does not load",
        "config/compile/cel_tree.py",
        "if function not in FUNCTIONS:",
        "config/compile/test_cel_bound.py",
    ),
)
