export const star = (text) => `* ${text}`;
export const dash = (text) => `- ${text}`;
