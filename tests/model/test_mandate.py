from gateway.model.mandate import TermColumns


def test_columns_are_those_that_are_named() -> None:
    told = TermColumns("fonction", "siren", "siren", "debut", "fin", zone="Europe/Paris")
    assert told.columns == ("fonction", "siren", "debut", "fin")
    assert TermColumns("f", "c", "insee", "d", "e", zone_column="z").columns == ("f", "c", "d", "e", "z")
