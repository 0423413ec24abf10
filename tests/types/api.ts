// The public types as an app uses them, and the mistakes they catch.
import { createChangeover } from 'changeover';
import type { AbortReason, Changeover, ChangeoverEvent, Events, Options, Prompt, Status, Undo } from 'changeover';

const options: Options = { release: '/changeover/release.json', interval: 5_000, stream: 'off', prompt: false, lang: 'de', labels: { reload: 'Neu laden' } };
const changeover: Changeover = createChangeover(options);
createChangeover();

// Every option is optional, and none may be something else.
// @ts-expect-error: milliseconds, not a text
createChangeover({ interval: '5s' });
// @ts-expect-error: no such option
createChangeover({ url: '/release.json' });
// @ts-expect-error: no such label
createChangeover({ labels: { ok: 'OK' } });

// A listener gets the event of its kind; '*' gets the union.
const undo: Undo = changeover.on('skewFound', (event) => {
  const sequence: number = event.sequence;
  const from: string | null = event.from;
  // @ts-expect-error: this event has no url
  void event.url;
  return [sequence, from];
});
undo();
changeover.on('*', (event: ChangeoverEvent) => {
  if (event.type === 'chunkFailed') {
    const url: string | null = event.url;
    return url;
  }
});
// @ts-expect-error: no such event
changeover.on('updated', () => {});

// Every kind of event names itself.
type Named = { [K in keyof Events]: Events[K]['type'] extends K ? (K extends Events[K]['type'] ? true : never) : never };
const named: Record<keyof Events, true> = {} as Named;
export { named };

// State: restore takes what capture gives.
const forget: Undo = changeover.state('draft', { capture: () => ({ text: 'hello' }), restore: (draft) => void draft.text.length });
forget();
changeover.state<number>('scroll', { capture: async () => undefined, restore: async () => {} });
changeover.state<{ text: string }>('draft', {
  capture: () => ({ text: '' }),
  // @ts-expect-error: a number is not what capture gives
  restore: (draft: number) => void draft,
});

const release: Undo = changeover.hold('upload', { deadline: 60_000 });
release();
// @ts-expect-error: a hold has a reason
changeover.hold();

// The status can be read, not written; a prompt may be absent.
const status: Status = changeover.status;
const prompt: Prompt | null = status.prompt;
// @ts-expect-error: read only
changeover.status = status;
// @ts-expect-error: there may be no release yet
void status.release.sequence;
const level: 'starting' | 'loader' | 'full' | 'off' = status.level;

const why: Promise<AbortReason> = changeover.reload();
const next: Promise<Status> = changeover.check();
const nothing: void = changeover.dispose();
export { level, next, nothing, prompt, why };
