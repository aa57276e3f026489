import { createRequire } from 'node:module'
import * as undici8 from 'undici'

const require = createRequire(import.meta.url)

export type Undici = Pick<
  typeof undici8,
  | 'Agent'
  | 'Client'
  | 'fetch'
  | 'getGlobalDispatcher'
  | 'interceptors'
  | 'request'
  | 'setGlobalDispatcher'
  | 'upgrade'
>

// Its types are those of the other one.
const undici7: Undici = require('undici7')

export const undicis: readonly { readonly name: string; readonly undici: Undici }[] = [
  { name: 'undici 8', undici: undici8 },
  { name: 'undici 7', undici: undici7 },
]
