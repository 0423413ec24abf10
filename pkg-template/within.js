// A limit for what may never answer.

/**
 * @template T
 * @param {T} answer
 * @param {number} patience milliseconds
 * @returns {Promise<Awaited<T>>}
 */
export async function within(answer, patience) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, fail) => {
    timer = setTimeout(fail, patience, `no answer within ${patience / 1000} s`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
