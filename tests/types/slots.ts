// changeover/slots as apps and adapters write it.
import { keep, load, registry, slot, type Mount, type SlotContext, type SlotHolder, type SlotModule, type Slots } from 'changeover/slots';

interface CartState {
  n: number;
}

export const schema = 2;
export const mount: Mount<CartState, { store: string[] }> = (host, { state, props, signal, keep }) => {
  host.textContent = `${state?.n ?? 0} ${props.store.length} ${signal.aborted} ${keep('x', 1, () => 1)}`;
  return { snapshot: () => ({ n: 1 }), unmount() {}, ready: Promise.resolve(), canSwap: () => true };
};

declare const module_: SlotModule<CartState>;
declare const host: { insertBefore(node: any, before: any): any };
const cart = slot<{ store: string[] }>('cart', async () => module_);
const view = await cart.mount(host, { store: ['tea'] });
view.instance.snapshot?.();
view.unmount();
slot('plain', async () => ({ default: () => {} }));
slot('element', async () => ({ default: class {} }));

const socket: { open: boolean } = keep('socket', 1, (before: { open: boolean } | undefined) => ({ open: before?.open ?? true }));
socket.open satisfies boolean;

const slots: Slots = registry();
const holder: SlotHolder = { snapshot: () => 1, prepare: async () => ({ ready: Promise.resolve(), show() {}, back() {}, drop() {}, discard() {} }) };
const undo: () => void = slots.hold('cart', holder);
undo();
slots.pointTo('cart', { file: 'assets/Cart-1.js', css: ['assets/Cart-1.css'], build: 'b1' });
slots.subscribe(({ kind, id }) => void [kind satisfies 'loaded' | 'moved' | 'held' | 'released' | 'turned', id]);
load('cart').then((module) => module.mount);
export type Context = SlotContext<CartState>;

// @ts-expect-error: an id is a text
slot(1, async () => module_);
// @ts-expect-error: props have their type
cart.mount(host, { store: 'tea' });
// @ts-expect-error: a holder can prepare
slots.hold('cart', { snapshot: () => 1 });
