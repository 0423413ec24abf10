// The house repertoire: silent films, all of them older than ninety years.
const films = [
  ['metropolis', 'Metropolis', 'Fritz Lang', 'Germany', 1927, 153, '35mm', 'A city on two levels, and the woman who is copied to keep them apart.'],
  ['sunrise', 'Sunrise', 'F. W. Murnau', 'USA', 1927, 94, '35mm', 'A farmer, a murder that does not happen, and one long day in the city.'],
  ['general', 'The General', 'Buster Keaton', 'USA', 1926, 78, '35mm', 'An engine driver chases his stolen locomotive, and is then chased in it.'],
  ['joan', 'The Passion of Joan of Arc', 'Carl Th. Dreyer', 'France', 1928, 82, '35mm', 'A trial told almost entirely in faces.'],
  ['movie-camera', 'Man with a Movie Camera', 'Dziga Vertov', 'USSR', 1929, 68, 'DCP', 'One day of several cities, and of the people who film and cut it.'],
  ['nosferatu', 'Nosferatu', 'F. W. Murnau', 'Germany', 1922, 94, '35mm', 'An estate agent travels to a client who should not be visited after dark.'],
  ['achmed', 'The Adventures of Prince Achmed', 'Lotte Reiniger', 'Germany', 1926, 65, 'DCP', 'Scissors, black card and a flying horse: the oldest animated feature that survives.'],
  ['caligari', 'The Cabinet of Dr. Caligari', 'Robert Wiene', 'Germany', 1920, 77, 'DCP', 'A fairground, a sleepwalker, and streets painted at angles nobody could walk.'],
  ['sherlock-jr', 'Sherlock Jr.', 'Buster Keaton', 'USA', 1924, 45, '16mm', 'A projectionist falls asleep and climbs into the film he is showing.'],
  ['wind', 'The Wind', 'Victor Sjöström', 'USA', 1928, 95, '35mm', 'A woman from the east, a cabin, and sand that comes through the walls.'],
  ['haxan', 'Häxan', 'Benjamin Christensen', 'Sweden', 1922, 105, 'DCP', 'A lecture on witchcraft that cannot resist showing everything.'],
  ['within-our-gates', 'Within Our Gates', 'Oscar Micheaux', 'USA', 1920, 79, '16mm', 'A teacher goes north for money and finds out what was done to her family.'],
  ['safety-last', 'Safety Last!', 'F. Newmeyer, S. Taylor', 'USA', 1923, 73, '35mm', 'A shop clerk climbs twelve storeys, because the climber did not turn up.'],
  ['pandora', "Pandora's Box", 'G. W. Pabst', 'Germany', 1929, 133, '35mm', 'Lulu wants nothing in particular, and everyone around her pays for it.'],
  ['potemkin', 'Battleship Potemkin', 'Sergei Eisenstein', 'USSR', 1925, 75, '35mm', 'Bad meat, a mutiny, and a staircase.'],
  ['kid', 'The Kid', 'Charles Chaplin', 'USA', 1921, 53, '16mm', 'A tramp finds a child in an alley and keeps him.'],
  ['crowd', 'The Crowd', 'King Vidor', 'USA', 1928, 98, '35mm', 'One desk among hundreds, and the man who thought he was different.'],
  ['page-of-madness', 'A Page of Madness', 'Teinosuke Kinugasa', 'Japan', 1926, 71, '16mm', 'A caretaker in the asylum where his wife is kept. No titles, no relief.'],
  ['lodger', 'The Lodger', 'Alfred Hitchcock', 'UK', 1927, 91, 'DCP', 'London, fog, and a quiet gentleman on the top floor.'],
  ['moon', 'A Trip to the Moon', 'Georges Méliès', 'France', 1902, 15, 'DCP', 'Six astronomers and the most patient face in the sky.'],
];

const FIELDS = ['id', 'title', 'director', 'country', 'year', 'minutes', 'format', 'line'];
export const repertoire = films.map((film) => Object.fromEntries(film.map((value, index) => [FIELDS[index], value])));
export const filmOf = (id) => repertoire.find((film) => film.id === id) ?? repertoire[0];

const TIMES = [['18:00', '20:30'], ['17:30', '19:45', '22:00'], ['18:15', '20:45'], ['15:00', '18:00', '21:00']];
const DAY = 24 * 60 * 60 * 1000;

/** The next four weeks: what runs when. The same for everyone who opens the desk on the same day. */
export function makeProgramme(today = new Date()) {
  const first = Date.UTC(today.getFullYear(), today.getMonth(), today.getDate());
  let next = 0;
  return Array.from({ length: 28 }, (_, day) => {
    const date = new Date(first + day * DAY);
    const screenings = TIMES[(date.getUTCDay() * 3) % TIMES.length].map((time, index) => {
      const film = repertoire[(next++ * 7) % repertoire.length];
      return { ...film, key: `${date.toISOString().slice(5, 10)}-${film.id}`, time, music: (day + index) % 3 === 0 };
    });
    return { date, key: date.toISOString().slice(0, 10), screenings };
  });
}
