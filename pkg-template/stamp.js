// Which files of the package belong together. A build of the package puts the hash of all its sources in the place of this text.
export const stamp = 'sources';
