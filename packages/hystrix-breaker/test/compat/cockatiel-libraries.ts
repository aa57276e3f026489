import * as cockatiel from 'cockatiel'
import * as face from '../../src/compat/cockatiel.ts'

export type Library = typeof face

export const ours: Library = face

// Its classes have private members, so that the types of the two are not assignable to each other.
export const theirs: Library = cockatiel as unknown as Library
