// Styles are turned on and off at their sheet. WebKit fetches a link again whose `media` attribute changes, and shows the page
// without the style until it has come.

/**
 * The media for which the style of `link` counts: all for the empty text.
 *
 * @param {HTMLLinkElement} link
 */
export const mediaOf = ({ sheet, media }) => sheet?.media.mediaText ?? media;

/**
 * Lets the style of `link` count for `media`; one that has not been loaded yet reads the attribute when it has.
 *
 * @param {HTMLLinkElement} link
 * @param {string} media
 */
export function setMedia(link, media) {
  if (link.sheet) link.sheet.media.mediaText = media;
  else link.media = media;
}
