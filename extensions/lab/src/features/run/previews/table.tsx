import type { Cell } from '../../../api/model';
import { formatCount } from '../../../format';
import { useStudio } from '../../../hooks';
import { DataTable, IColumn } from '../../../ui';
import type { ITable } from './tables';

interface IRow {
  number: number;
  cells: Cell[];
}

/** Rows of a file, with their numbers. */
export function TableView({ table, name, fit }: { table: ITable; name: string; fit?: number }): JSX.Element {
  const { trans } = useStudio();
  const columns: IColumn<IRow>[] = [
    { key: '#', label: '', width: 44, grow: 0, align: 'right', cell: row => <span className="jp-Studio-hint">{row.number}</span> },
    ...table.columns.map((column, i): IColumn<IRow> => {
      const numeric = table.rows.length > 0 && table.rows.every(row => isNumber(row[i]));
      return {
        key: `${i}`,
        label: column,
        width: Math.max(72, Math.min(180, column.length * 8 + 20)),
        align: numeric ? 'right' : undefined,
        cell: row => text(row.cells[i])
      };
    })
  ];
  const rows = table.rows.map((cells, i): IRow => ({ number: i + 1, cells }));
  return (
    <>
      <DataTable name={name} label={trans.__('Rows')} columns={columns} rows={rows} rowKey={row => String(row.number)} fit={fit} />
      {table.cut && <p className="jp-Studio-hint">{trans.__('The first %1 rows. Download the file for all of it.', formatCount(rows.length))}</p>}
    </>
  );
}

function isNumber(cell: Cell | undefined): boolean {
  return typeof cell === 'number' || cell === null || cell === undefined || cell === '' || (typeof cell === 'string' && Number.isFinite(Number(cell)));
}

function text(cell: Cell | undefined): string {
  if (typeof cell === 'number' && !Number.isInteger(cell)) {
    return String(Number(cell.toPrecision(6)));
  }
  return cell === null || cell === undefined ? '–' : String(cell);
}
