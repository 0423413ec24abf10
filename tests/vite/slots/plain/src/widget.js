export const badge = (text) => Object.assign(document.createElement('b'), { className: 'badge', textContent: `[${text}]` });
