// The same entry points from CommonJS.
import adapters = require('changeover/adapters');
import adopt = require('changeover/adopt');
import changeover = require('changeover');
import testing = require('changeover/testing');

const provider: changeover.StateProvider<Partial<{ dark: boolean }>> = adapters.object({ dark: true });
const adoption: changeover.Adoption = adopt.fromZustandPersist('cart');
const done: Promise<void> = testing.everySchemaReaches(1, { schema: 1 });
export = [provider, adoption, done];
