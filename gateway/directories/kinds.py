"""The source of each kind of directory. What a kind needs is imported where one of it is asked."""

from pathlib import Path
from typing import assert_never

from gateway.directories.file_reader import FileReader
from gateway.directories.source import DirectorySource, InThreads, ServerReader
from gateway.model.directory import Directory, FileSource, HttpSource, LdapSource, PostgresqlSource, SqliteSource


def opened(directory: Directory, folder: Path) -> DirectorySource:
    """As a worker asks it. `folder`: where the indexes of files are."""
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
    """Of a kind that is asked as it is, and has no index made of it."""
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
