import { alertsPlugin, sidebarPlugin, statusPlugin } from './plugins/bars';
import { kernelsPlugin } from './plugins/kernels';
import { panelsPlugin } from './plugins/panels';
import { studioPlugin } from './plugins/studio';

export { IStudio } from './tokens';

export default [studioPlugin, panelsPlugin, sidebarPlugin, statusPlugin, alertsPlugin, kernelsPlugin];
