import { useState } from 'react';

import type { AuditPage, AuditRow } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, DataTable, Drawer, EmptyState, ErrorBox, IColumn, Id, KeyValue, Select, Skeleton, StatusPill, TextInput } from '../../ui';
import { IAuditFilter, SPANS, queryOf } from './auditfilter';
import { Failure, ISectionProps, Page } from './parts';
import { actionText, capital } from './rules';

const PAGE = 100;
const NO_PAGE: AuditPage = { rows: [], next: null };
const NOTHING: IAuditFilter = { user: '', action: '', resource: '', outcome: '', days: 0 };

/** Every change and every refusal: who, what, when, from where. */
export function AuditPage({ domain }: ISectionProps): JSX.Element {
  const { trans, client } = useStudio();
  const [filter, setFilter] = useState(NOTHING);
  const [older, setOlder] = useState<AuditPage>(NO_PAGE);
  const [open, setOpen] = useState<AuditRow | null>(null);
  const said = JSON.stringify(filter);
  const newest = useResource(`audit/${said}`, c => c.policy.audit(queryOf(filter, Date.now()), PAGE), { topics: ['members', 'policy'], everyMs: 15000, keep: true });
  const first = newest.data?.rows ?? [];
  const last = first.at(-1)?.seq ?? 0;
  // While new rows come in above, the first page moves on: what lies between it and the older ones is kept too.
  const rows = [...first, ...older.rows.filter(row => row.seq < last)];
  const next = older.rows.length ? older.next : newest.data?.next;
  const more = useAction(async () => {
    const found = await client.policy.audit(queryOf(filter, Date.now()), PAGE, next);
    setOlder({ rows: [...rows, ...found.rows], next: found.next });
  });
  const put = (change: Partial<IAuditFilter>): void => {
    setFilter({ ...filter, ...change });
    setOlder(NO_PAGE);
  };
  const isFiltered = said !== JSON.stringify(NOTHING);
  return (
    <Page
      name="audit"
      title={trans.__('Audit log')}
      lead={trans.__('Every change and every refusal, on record with who, what and when. Each row is sealed to the one before it, so that one that was changed later is found.')}
      aside={
        newest.data && (
          <>
            {(['csv', 'jsonl'] as const).map(form => (
              <a key={form} className="jp-Studio-button jp-mod-plain" href={client.policy.auditExport(queryOf(filter, Date.now()), form)} download>
                {form === 'csv' ? trans.__('Export CSV') : trans.__('JSON lines')}
              </a>
            ))}
          </>
        )
      }
    >
      {newest.error && <Failure error={newest.error} domain={domain} onRetry={() => void newest.refresh()} />}
      {(newest.data ?? !newest.error) && <Filters filter={filter} put={put} people={domain.members.map(member => member.user)} />}
      {!newest.data && !newest.error && <Skeleton rows={8} />}
      {newest.data && rows.length > 0 && (
        <DataTable name="audit" label={trans.__('Audit log')} columns={columnsOf(trans)} rows={rows} rowKey={row => String(row.seq)} onOpen={setOpen} fit={20} />
      )}
      {newest.data && rows.length === 0 && (
        <EmptyState
          icon="note"
          testId={TEST.empty('audit')}
          title={isFiltered ? trans.__('Nothing fits') : trans.__('Nothing on record yet')}
          text={isFiltered ? trans.__('No row has all of that. A pattern such as members.* finds more.') : trans.__('The first change of a member, a key, a rule, an endpoint or a job stands here.')}
          action={isFiltered && <Button onClick={() => put(NOTHING)}>{trans.__('Show everything')}</Button>}
          code={`studio audit list --domain ${domain.name} --outcome denied`}
        />
      )}
      {next && (
        <p className="jp-Studio-more">
          <Button disabled={more.busy} onClick={() => void more.run()}>
            {more.busy ? trans.__('Reading…') : trans.__('Show older')}
          </Button>
        </p>
      )}
      {more.error && <ErrorBox error={more.error} />}
      {open && <RowDrawer row={open} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function Filters({ filter, put, people }: { filter: IAuditFilter; put: (change: Partial<IAuditFilter>) => void; people: string[] }): JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-Studio-auditFilters" data-filter="">
      <TextInput value={filter.action} label={trans.__('Action')} placeholder={trans.__('action, such as members.*')} mono onChange={action => put({ action })} testId={TEST.auditAction} />
      <TextInput value={filter.resource} label={trans.__('Thing')} placeholder={trans.__('thing, such as endpoint/*')} mono onChange={resource => put({ resource })} />
      <Select value={filter.user} label={trans.__('Who')} options={[['', trans.__('everybody')], ...people.map((name): [string, string] => [name, name])]} onChange={user => put({ user })} testId={TEST.auditUser} />
      <Select
        value={filter.outcome}
        label={trans.__('Outcome')}
        options={[
          ['', trans.__('any outcome')],
          ['done', trans.__('done')],
          ['denied', trans.__('denied')]
        ]}
        onChange={outcome => put({ outcome })}
        testId={TEST.auditOutcome}
      />
      <Select
        value={String(filter.days)}
        label={trans.__('When')}
        options={SPANS.map(days => [String(days), days === 0 ? trans.__('any time') : trans._n('last day', 'last %1 days', days)])}
        onChange={days => put({ days: Number(days) })}
      />
    </div>
  );
}

type Trans = ReturnType<typeof useStudio>['trans'];

function columnsOf(trans: Trans): IColumn<AuditRow>[] {
  return [
    { key: 'at', label: trans.__('When'), width: 100, grow: 0, cell: row => <Ago at={row.at_ms} /> },
    { key: 'user', label: trans.__('Who'), width: 80, cell: row => <b>{row.user}</b> },
    { key: 'kind', label: trans.__('As'), width: 76, grow: 0, cell: row => row.kind },
    { key: 'outcome', label: '', width: 96, grow: 0, cell: row => <StatusPill state={row.outcome === 'denied' ? 'Denied' : row.outcome === 'done' ? 'Done' : row.outcome} /> },
    { key: 'action', label: trans.__('What'), width: 184, grow: 2, cell: row => <span title={row.action}>{actionText(row.action, trans)}</span> },
    { key: 'resource', label: trans.__('Thing'), width: 104, grow: 1, cell: row => row.resource || '–' },
    { key: 'detail', label: trans.__('Why'), width: 160, grow: 4, cell: row => row.detail }
  ];
}

function RowDrawer({ row, onClose }: { row: AuditRow; onClose: () => void }): JSX.Element {
  const { trans } = useStudio();
  return (
    <Drawer title={capital(actionText(row.action, trans))} subtitle={<Ago at={row.at_ms} />} width={440} onClose={onClose}>
      {row.detail && <p>{row.detail}</p>}
      <KeyValue
        items={[
          [trans.__('When'), new Date(row.at_ms).toLocaleString()],
          [trans.__('Who'), row.user],
          [trans.__('As'), row.kind],
          [trans.__('Outcome'), row.outcome],
          [trans.__('Action'), row.action],
          [trans.__('Thing'), row.resource || '–'],
          [trans.__('From'), row.address || '–'],
          [trans.__('Request'), row.request ? <Id key="request" id={row.request} whole /> : '–'],
          [trans.__('Credential'), row.credential ? <Id key="credential" id={row.credential} whole /> : '–'],
          [trans.__('Row'), String(row.seq)]
        ]}
      />
    </Drawer>
  );
}
