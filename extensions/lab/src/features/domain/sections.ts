import type { TranslationBundle } from '@jupyterlab/translation';

import type { IconName } from '../../icons';

export const SECTIONS = ['overview', 'members', 'keys', 'sessions', 'policy', 'audit', 'volume', 'spaces', 'environments', 'limits', 'isolation'] as const;

export type SectionName = (typeof SECTIONS)[number];

export interface ISection {
  name: SectionName;
  title: string;
  icon: IconName;
}

export interface ISectionGroup {
  title: string;
  sections: ISection[];
}

/** The domain's page in groups, as its side bar shows them. */
export function sectionGroups(trans: TranslationBundle): ISectionGroup[] {
  return [
    { title: '', sections: [{ name: 'overview', title: trans.__('Overview'), icon: 'domain' }] },
    {
      title: trans.__('People'),
      sections: [
        { name: 'members', title: trans.__('Members'), icon: 'people' },
        { name: 'keys', title: trans.__('Access keys'), icon: 'key' },
        { name: 'sessions', title: trans.__('My sessions'), icon: 'monitor' }
      ]
    },
    {
      title: trans.__('Rules'),
      sections: [
        { name: 'policy', title: trans.__('Policy'), icon: 'rules' },
        { name: 'audit', title: trans.__('Audit log'), icon: 'note' }
      ]
    },
    {
      title: trans.__('Storage'),
      sections: [
        { name: 'volume', title: trans.__('Volume & snapshots'), icon: 'data' },
        { name: 'spaces', title: trans.__('Spaces'), icon: 'folder' }
      ]
    },
    {
      title: trans.__('Where code runs'),
      sections: [
        { name: 'environments', title: trans.__('Environments'), icon: 'environments' },
        { name: 'limits', title: trans.__('Network & limits'), icon: 'sliders' },
        { name: 'isolation', title: trans.__('Isolation report'), icon: 'shield' }
      ]
    }
  ];
}

export interface IWanted {
  section: SectionName;
  /** The section's dialog is to be open: its item ends in a plus. */
  acts: boolean;
}

/** What an item of the domain's panel asks for: `policy`, `members+`. */
export function wantedOf(item: string): IWanted {
  const name = item.replace(/\+$/, '');
  const section = SECTIONS.find(known => known === name);
  return { section: section ?? 'overview', acts: section !== undefined && item.endsWith('+') };
}
