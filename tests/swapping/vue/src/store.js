import { ref } from 'vue';

export const user = ref('ada');
globalThis.stores = (globalThis.stores ?? 0) + 1;
