// The script tag: <script src="changeover.js" data-release="/changeover/release.json"></script>
import { KEY, openPage } from './loader.js';

try {
  const { dataset } = document.currentScript;
  if (!self[KEY]) self[KEY] = self.changeover = openPage(dataset, async ({ runtime, base }) => import((runtime && new URL(runtime, base)) || './runtime.js')).api;
} catch {}
