/** Thrown where a text is not of the plain kind that is read in one pass; it never leaves this folder. */
export class Bail extends Error {}
