import { useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';

/** Domain, role and isolation, always in sight. */
export function StatusItem(): JSX.Element {
  const studio = useStudio();
  const { trans, session } = studio;
  const isolated = session !== null && session.isolation.level !== 'none';
  return (
    <button type="button" className="jp-Studio-statusItem" title={session?.isolation.detail} data-testid={TEST.statusItem} onClick={() => studio.open('domain')}>
      <Icon name={isolated ? 'shield' : 'warning'} size={14} />
      <span>{session?.domain}</span>
      <span>{session?.role}</span>
      <span className={isolated ? undefined : 'jp-mod-warning'}>{isolated ? trans.__('isolated') : trans.__('not isolated')}</span>
    </button>
  );
}
