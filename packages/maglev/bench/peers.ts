import { createRequire } from 'node:module'
import { Maglev } from '@loadbearing/maglev'

/** What all of them can do. */
export interface Balancer {
  find(key: string | number): string | undefined
  /** Takes a node out, or marks it as down. */
  fail(id: string): void
}

export type PeerName = 'maglev' | 'hashring' | 'consistent-hash' | 'consistent-hashing' | 'rendezvous-hash'

// None of them has types.
const require = createRequire(import.meta.url)
interface HashRing {
  get(key: string): string
  remove(id: string): void
}
interface ConsistentHash {
  add(id: string): void
  get(key: string): string
  remove(id: string): void
}
interface ConsistentHashing {
  getNode(key: string): string
  removeNode(id: string): void
}
type Rendezvous = (key: string, shards: Record<string, string>) => string
const HashRingClass: new (ids: readonly string[]) => HashRing = require('hashring')
const ConsistentHashClass: new () => ConsistentHash = require('consistent-hash')
const ConsistentHashingClass: new (
  ids: readonly string[],
) => ConsistentHashing = require('consistent-hashing')
const rendezvous: Rendezvous = require('rendezvous-hash')

/** Each with its default options. Peers take numbers as strings. */
const make: Readonly<Record<PeerName, (ids: readonly string[], size: number) => Balancer>> = {
  maglev(ids, size) {
    const maglev = new Maglev(ids, { tableSize: size })
    return { find: (key) => maglev.lookup(key), fail: (id) => maglev.setHealth(id, 'unhealthy') }
  },
  hashring(ids) {
    const ring = new HashRingClass(ids)
    return { find: (key) => ring.get(String(key)), fail: (id) => ring.remove(id) }
  },
  'consistent-hash'(ids) {
    const ring = new ConsistentHashClass()
    for (const id of ids) ring.add(id)
    return { find: (key) => ring.get(String(key)), fail: (id) => ring.remove(id) }
  },
  'consistent-hashing'(ids) {
    // It keeps the array that it is given, and changes it.
    const ring = new ConsistentHashingClass([...ids])
    return { find: (key) => ring.getNode(String(key)), fail: (id) => ring.removeNode(id) }
  },
  'rendezvous-hash'(ids) {
    const shards = Object.fromEntries(ids.map((id) => [id, id]))
    return {
      find: (key) => rendezvous(String(key), shards),
      fail: (id) => {
        delete shards[id]
      },
    }
  },
}

export function create(peer: PeerName, ids: readonly string[], size: number): Balancer {
  return make[peer](ids, size)
}

export const nodes = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:8080`)
