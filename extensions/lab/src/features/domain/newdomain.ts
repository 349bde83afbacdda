import type { IStudio } from '../../tokens';

/**
 * Leads to the dialog on Studio's own page: a domain is made by who runs the installation, and only there, where
 * nothing that members of a domain wrote is shown.
 */
export function openNewDomain(studio: IStudio): void {
  window.open(`${studio.session?.address ?? ''}/?new`, '_blank', 'noopener');
}
