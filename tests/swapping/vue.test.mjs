// Slots in a Vue app without single-file components.
import { provesSlots } from './apps.mjs';

const SETUP = '  setup() {\n    const state';

provesSlots('vue', {
  render: ['return () =>\n', "return () => { throw new Error('bad at render'); };\n    return () =>\n"],
  later: [SETUP, "  setup() {\n    onMounted(() => setTimeout(() => { throw new Error('bad later'); }, 1500));\n    const state"],
  silent: ['return () =>\n', 'return () => null;\n    return () =>\n'],
  never: [SETUP, '  async setup() {\n    await new Promise(() => {});\n    const state'],
  // The old generation goes on, hidden, until the new one stays.
  probation: { timers: 2 },
});
