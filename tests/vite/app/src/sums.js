export const sum = (list) => list.reduce((total, next) => total + next, 0);
export const largest = (list) => list.reduce((most, next) => (next > most ? next : most), -Infinity);
