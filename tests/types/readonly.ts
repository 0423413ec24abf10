// The samples against the types: every sample fits, and every event, field and phase there is has a sample.
import type { AbortReason, ChangeoverEvent, Decision, DecisionKind, Level, Prompt, Status, Urgency } from 'changeover';
import type { events, statuses } from './samples.js';

export type { ChangeoverEvent, Status };
export type ReadonlyDeep<T> = T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T;

type SampledEvent = (typeof events)[number];
type SampledStatus = (typeof statuses)[number];
type Of<Type extends SampledEvent['type']> = Extract<SampledEvent, { type: Type }>;
type Missing<Wanted, Sampled> = Exclude<Wanted, Sampled>;

// Each is `never`, or the compiler names what has no sample.
type Nothing<T extends never> = T;
export type Checked = [
  Nothing<Missing<ChangeoverEvent['type'], SampledEvent['type']>>,
  Nothing<Missing<DecisionKind, Of<'decisionMade'>['decision']['kind']>>,
  Nothing<Missing<AbortReason, Of<'changeoverAborted'>['reason']>>,
  Nothing<Missing<keyof Prompt, keyof Of<'promptShown'>['prompt']>>,
  Nothing<Missing<keyof Decision, keyof Of<'decisionMade'>['decision']>>,
  Nothing<Missing<keyof Status, keyof SampledStatus>>,
  // The level `loader` is the loader's own.
  Nothing<Missing<Exclude<Level, 'loader'>, SampledStatus['level']>>,
  Nothing<Missing<Status['stream'], SampledStatus['stream']>>,
  Nothing<Missing<Urgency, NonNullable<SampledStatus['release']>['urgency']>>,
  Nothing<Missing<NonNullable<Status['changeover']>['phase'], NonNullable<SampledStatus['changeover']>['phase']>>,
  Nothing<Missing<NonNullable<Prompt['busy']>['type'], NonNullable<Of<'promptShown'>['prompt']['busy']>['type']>>,
];
