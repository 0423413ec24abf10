export function show(place) {
  place.textContent = 'about';
}
