import type { Isolation, Mechanism } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Section, Skeleton, StatusPill } from '../../ui';
import { Failure, ISectionProps, Page } from './parts';

/** What holds this domain apart on this host, honestly: what was tried, what stands, what does not, what to do. */
export function IsolationPage({ domain }: ISectionProps): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('isolation', client => client.domain.isolation(), { topics: ['running'] });
  const missing = data?.mechanisms.filter(item => !item.enforced) ?? [];
  const standing = data?.mechanisms.filter(item => item.enforced) ?? [];
  return (
    <Page name="isolation" title={trans.__('Isolation report')} lead={trans.__('What keeps code of this domain apart on this computer. Only what was tried here is claimed.')}>
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={8} />}
      {data && (
        <>
          <Verdict report={data} />
          <Ladder report={data} />
          {missing.length > 0 && (
            <Section title={trans.__('Not enforced (%1)', missing.length)}>
              <Mechanisms items={missing} domain={domain.name} />
            </Section>
          )}
          {standing.length > 0 && (
            <Section title={trans.__('Enforced (%1)', standing.length)}>
              <Mechanisms items={standing} domain={domain.name} />
            </Section>
          )}
        </>
      )}
    </Page>
  );
}

function Verdict({ report }: { report: Isolation }): JSX.Element {
  const { trans } = useStudio();
  const isolated = report.level !== 'none';
  const words = isolated ? trans.__('Code of other domains cannot reach what lies here, and code here cannot reach theirs.') : trans.__('Code runs as ordinary processes: nothing keeps domains apart.');
  return (
    <div className={`jp-Studio-isolation${isolated && report.runs ? '' : ' jp-mod-warning'}`} data-testid={TEST.isolationLevel}>
      <Icon name={isolated && report.runs ? 'shield' : 'warning'} />
      <div>
        <b>{!report.runs ? trans.__('Nothing of this domain runs here') : isolated ? trans.__('Isolated') : trans.__('Not isolated')}</b>
        <p>{report.runs ? words : report.refusal}</p>
      </div>
    </div>
  );
}

/** The levels from weak to strong; each holds what stands before it. */
function Ladder({ report }: { report: Isolation }): JSX.Element {
  const { trans } = useStudio();
  const levels = Object.entries(report.levels);
  const reached = levels.findIndex(([name]) => name === report.level);
  return (
    <ol className="jp-Studio-ladder" aria-label={trans.__('Levels of isolation')}>
      {levels.map(([name, meaning], i) => (
        <li key={name} className={i <= reached && reached > 0 && i > 0 ? 'jp-mod-reached' : undefined} aria-current={i === reached ? 'step' : undefined}>
          <b>
            {name}
            {i === reached && <em>{trans.__('this host')}</em>}
            {name === report.required && name !== 'none' && <em>{trans.__('required')}</em>}
          </b>
          <span>{meaning}</span>
        </li>
      ))}
    </ol>
  );
}

function Mechanisms({ items, domain }: { items: Mechanism[]; domain: string }): JSX.Element {
  const { trans } = useStudio();
  return (
    <ul className="jp-Studio-mechanisms">
      {items.map(item => (
        <li key={item.name}>
          <StatusPill state={item.enforced ? 'Enforced' : 'NotEnforced'} compact />
          <b>{item.name}</b>
          <div>
            <p>{item.detail}</p>
            {item.why && <p className="jp-Studio-hint">{trans.__('Why: %1.', item.why.replace(/\.$/, ''))}</p>}
            {item.cure && <p className="jp-Studio-hint">{trans.__('What to do: %1', item.cure.replace('NAME', domain))}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}
