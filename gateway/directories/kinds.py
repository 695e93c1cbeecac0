"""Opens the source of each kind of directory. Imports a kind's modules only when a directory of the kind is opened."""

from pathlib import Path
from typing import assert_never

from gateway.directories.file_reader import FileReader
from gateway.directories.source import DirectorySource, InThreads, ServerReader
from gateway.model.directory import Directory, FileSource, HttpSource, LdapSource, PostgresqlSource, SqliteSource


def open_directory(directory: Directory, folder: Path) -> DirectorySource:
    """Opens the source for a worker. `folder`: the folder of the file indexes."""
    source = directory.source
    match source:
        case FileSource():
            return InThreads(directory.name, FileReader(folder, directory))
        case SqliteSource():
            return InThreads(directory.name, server_reader(directory))
        case LdapSource() | PostgresqlSource():
            return InThreads(directory.name, server_reader(directory), source.connections)
        case HttpSource():
            from gateway.directories.http_reader import HttpReader

            return HttpReader(directory, source)
        case _:
            assert_never(source)


def server_reader(directory: Directory) -> ServerReader:
    """Opens the reader of a kind that is queried directly, without an index."""
    source = directory.source
    match source:
        case LdapSource():
            from gateway.directories.ldap_reader import LdapReader

            return LdapReader(directory, source)
        case HttpSource():
            from gateway.directories.http_reader import HttpByHand

            return HttpByHand(directory, source)
        case SqliteSource():
            from gateway.directories.sqlite_file import SqliteFileReader

            return SqliteFileReader(directory, source)
        case PostgresqlSource():
            from gateway.directories.postgresql_reader import PostgresqlReader

            return PostgresqlReader(directory, source)
        case FileSource():
            raise TypeError("what is made of a file is read by FileReader")
        case _:
            assert_never(source)
