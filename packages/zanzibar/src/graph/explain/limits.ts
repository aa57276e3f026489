/** How many tuples are looked for to be taken away, added or changed. */
export const maxTuples = 20
/** How far away they may be. */
export const maxDistance = 12
/** How many are tried one by one, and how many objects that lead to the user for each relation. */
export const maxTried = 1000
export const maxHeld = 3
/** How many objects that a check looked at it is led to once more. */
export const maxLooked = 8
/** How much is walked through to find them. */
export const maxWalked = 2000
/** The id that stands for an object which is proposed and does not exist. */
export const newId = 'new'
