// Names that loader and runtime share and nothing else sees, shortened in the package: the loader has 1500 bytes.
//
// One list for all bundles, since a loader of one bundle meets the runtime of another.
const SHARED = { onFailure: 'f', degrade: 'd', connect: 'c', api: 'a', save: 's' };

/** Options of esbuild. */
export const shortNames = { mangleProps: new RegExp(`^(${Object.keys(SHARED).join('|')})$`), mangleCache: SHARED };
