/** Gives a number from 0 up to, not including, 1, as Math.random does. */
export type Random = () => number

export const systemRandom: Random = () => Math.random()
