"""What models with several named outputs predict, kept as arrays: no table is built to be taken apart again."""

from typing import Any


class Named:
    """Output → its array. `records`: MLflow answers it as a table (a list of {output: value}), else as {output: array};
    a slice of it is that of every array."""

    def __init__(self, arrays: dict[str, Any], *, records: bool) -> None:
        self.arrays = arrays
        self.records = records

    def __len__(self) -> int:
        """Rows, or 0 if the outputs have not equally many."""
        lengths = {len(array) if array.ndim else -1 for array in self.arrays.values()}
        return max(0, lengths.pop()) if len(lengths) == 1 else 0

    def __getitem__(self, rows: slice) -> "Named":
        return Named({name: array[rows] for name, array in self.arrays.items()}, records=self.records)

    def plain(self) -> Any:
        """As JSON has it."""
        columns = {name: array.tolist() for name, array in self.arrays.items()}
        if not self.records:
            return columns
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
