import type { Prepare } from '@loadbearing/harness/bench'
import { create, type PeerName } from './peers.ts'

/** The same for every subject of a comparison, that of another size apart. */
export interface Input {
  readonly work: 'build' | 'find' | 'failed'
  readonly ids: readonly string[]
  readonly size: number
  /** Who is down in the work `failed`. */
  readonly fails: string
}

type Subject = Prepare<Input, string | number, string | undefined>

function subject(peer: PeerName, size?: number): Subject {
  return (input) => {
    const slots = size ?? input.size
    const balancer = create(peer, input.ids, slots)
    if (input.work === 'build') return { call: () => create(peer, input.ids, slots).find('key') }
    if (input.work === 'failed') balancer.fail(input.fails)
    return { call: (key) => balancer.find(key) }
  }
}

export const maglev: Subject = subject('maglev')
export const maglevLarge: Subject = subject('maglev', 655_373)
export const hashring: Subject = subject('hashring')
export const consistentHash: Subject = subject('consistent-hash')
export const consistentHashing: Subject = subject('consistent-hashing')
export const rendezvousHash: Subject = subject('rendezvous-hash')
