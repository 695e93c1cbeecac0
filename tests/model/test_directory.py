from gateway.model.directory import Directory, DirectoryFinding, FileSource, GivenAttribute, KeyPart


def directory(*parts: KeyPart) -> Directory:
    source = FileSource("/srv/communes.csv", "csv")
    gives = (GivenAttribute("uai", "code"), GivenAttribute("name", "label"), GivenAttribute("other", "code"))
    return Directory("communes", "f", source, parts, gives, "one", "refuse", 0, 2.0)


def test_a_provider_is_taken_only_where_each_part_of_the_key_takes_its_word() -> None:
    of_both = KeyPart("siret", "tenant", providers=("alpha", "beta"))
    of_one = KeyPart("uid", "uid", providers=("alpha",))
    assert directory(of_both, of_one).takes("alpha")
    assert not directory(of_both, of_one).takes("beta")
    assert directory(KeyPart("iss", "issuer"), KeyPart("sub", "subject")).takes("whichever")


def test_a_column_that_is_given_twice_is_read_once() -> None:
    assert directory().columns == ("code", "label")


def test_two_findings_that_say_the_same_are_equal_however_old() -> None:
    assert DirectoryFinding("communes", "f", "found", {"uai": ("1",)}, at=1) == DirectoryFinding(
        "communes", "f", "found", {"uai": ("1",)}, at=2
    )
