export const season = {
  line: 'Winter season, one screen, 168 seats and a stove',
  title: 'Winter in black and white',
};
