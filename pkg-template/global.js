// The script tag: <script src="changeover.js" data-release="/changeover/release.json"></script>
import { KEY, openPage } from './loader.js';

try {
  const { dataset } = document.currentScript || document.querySelector('[data-release]');
  if (!self[KEY]) self[KEY] = self.changeover = openPage(dataset, () => import(dataset.runtime || './runtime.js')).api;
} catch {}
