export const season = {
  line: 'Silent repertory, one screen, 168 seats',
  title: 'Four weeks of silence',
};
