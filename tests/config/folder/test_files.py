from gateway.config.folder.files import Files, is_app, is_provider


def test_which_file_is_what() -> None:
    paths = [
        "gateway.yaml",
        "providers/a.yaml",
        "apps/a.yaml",
        "apps/team/a.yaml",
        "apps/a.yml",
        "tests/a.yaml",
        "apps.yaml",
    ]
    assert [path for path in paths if is_provider(path)] == ["providers/a.yaml"]
    assert [path for path in paths if is_app(path)] == ["apps/a.yaml", "apps/team/a.yaml"]


def test_a_path_is_shown_below_the_folder_as_it_was_given() -> None:
    assert Files("../policies", "/srv/policies", {}).shown("apps/a.yaml") == "../policies/apps/a.yaml"
