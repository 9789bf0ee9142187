"""Where an export lies: a folder, a file, or a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from relapse_risk.datasets.exports import columnar, delimited, workbook
from relapse_risk.datasets.exports.mapping import Block
from relapse_risk.datasets.exports.postgres import SCHEMES, Database, relation_query
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, joined
from relapse_risk.errors import ImportRefused, NotFoundError

#: Rows read at a time: few enough that their columns take some hundred megabytes.
ROWS_OF_A_BATCH = 1 << 18
SUFFIXES = (*delimited.SUFFIXES, *workbook.SUFFIXES, *columnar.SUFFIXES)


class ExportReader:
    """An export's folder, file or database.

    Parameters
    ----------
    src : str
        Path, or ``postgresql://`` URL.
    rows_of_a_batch : int
        Most rows that are read at a time.

    Raises
    ------
    NotFoundError
        If there is no such file or folder.
    """

    def __init__(self, src: str, rows_of_a_batch: int = ROWS_OF_A_BATCH) -> None:
        self._rows_of_a_batch = rows_of_a_batch
        self._database: Database | None = None
        self._path = Path(src)
        if src.startswith(SCHEMES):
            self._database = Database(src)
        elif not self._path.exists():
            raise NotFoundError(
                f"no export {src}; give a folder, a file ({', '.join(SUFFIXES)}) or a PostgreSQL URL"
            )

    def __enter__(self) -> ExportReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()

    def places(self, block: Block, table: str) -> list[Location]:
        """Return where a block's rows of a record table lie.

        Raises
        ------
        ImportRefused
            If the block does not say, or nothing lies there.
        """
        if self._database is not None:
            if block.relation is None and block.query is None:
                raise ImportRefused("a database was given, but this block names no relation or query")
            query = block.query or relation_query(block.relation or "")
            return [Location(block.relation or f"query for {table}", query=query)]
        return [
            Location(_name(path, block.sheet), path, block.sheet, block.encoding, block.delimiter, block.header_row)
            for path in self._files(block)
        ]

    def _files(self, block: Block) -> list[Path]:
        if block.relation is not None or block.query is not None:
            raise ImportRefused("files were given, but this block names a relation or query of a database")
        if self._path.is_file():
            if block.file is not None and block.file != self._path.name:
                raise ImportRefused(
                    f"{block.file} is asked for, but SRC is the file {self._path.name}; give its folder"
                )
            return [self._path]
        if block.file is None:
            raise ImportRefused("this block names no file; say which file of the folder it reads")
        inside = self._path.resolve()
        if Path(block.file).is_absolute() or ".." in Path(block.file).parts:
            raise ImportRefused(f"{block.file}: a file is named as it lies below SRC")
        found = sorted(p for p in inside.glob(block.file) if p.is_file() and p.resolve().is_relative_to(inside))
        if not found:
            raise ImportRefused(f"no file {block.file} in {self._path}")
        return found

    def survey(self) -> list[Location]:
        """Return all that lies there: every table file and sheet, or every table of the database."""
        if self._database is not None:
            return [Location(name, query=relation_query(name)) for name in self._database.relations()]
        files = [self._path] if self._path.is_file() else sorted(self._path.iterdir())
        places = []
        for path in files:
            if path.suffix.lower() in workbook.SUFFIXES:
                places += [Location(_name(path, sheet), path, sheet) for sheet in workbook.sheets(path)]
            elif path.suffix.lower() in SUFFIXES:
                places.append(Location(path.name, path))
        return places

    def head(self, place: Location, wanted: Collection[str] = ()) -> Head:
        """Return a place's header."""
        if self._database is not None:
            return self._database.head(place)
        kind = _kind(place)
        if kind in workbook.SUFFIXES:
            return workbook.head(place)
        if kind in columnar.SUFFIXES:
            return columnar.head(place)
        return delimited.head(place, wanted)

    def batches(
        self, place: Location, head: Head, at: Mapping[str, int], nulls: Sequence[str]
    ) -> Iterator[RawTable]:
        """Yield a place's columns, by the positions they have in its header, at least one batch of rows."""
        if self._database is not None:
            return self._database.batches(place, head, at, nulls, self._rows_of_a_batch)
        kind = _kind(place)
        if kind in workbook.SUFFIXES:
            return workbook.batches(place, at, nulls, self._rows_of_a_batch)
        if kind in columnar.SUFFIXES:
            return columnar.batches(place, head, at, nulls, self._rows_of_a_batch)
        return delimited.batches(place, head, at, nulls, self._rows_of_a_batch)

    def read(self, place: Location, head: Head, at: Mapping[str, int], nulls: Sequence[str]) -> RawTable:
        """Return a place's columns as a whole."""
        return joined(self.batches(place, head, at, nulls))


def _kind(place: Location) -> str:
    assert place.path is not None  # noqa: S101
    kind = place.path.suffix.lower()
    if kind not in SUFFIXES:
        raise ImportRefused(f"{place.name}: not a kind that can be read. Valid: {', '.join(SUFFIXES)}")
    return kind


def _name(path: Path, sheet: str | None) -> str:
    return f"{path.name}, {sheet}" if sheet else path.name
