// node --expose-gc --conditions=@loadbearing/source bench/memory-store.ts [tuples]
// Bytes a tuple, and the time of a direct lookup, of the store in memory: three shapes of a million tuples.

import { spawnSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import type { TupleKey } from '@loadbearing/zanzibar'
import { type MemoryStore, memoryStore, openZanzibar } from '@loadbearing/zanzibar'
import { percentile, tell } from './target.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const collect = globalThis.gc
if (collect === undefined) throw new Error('start node with --expose-gc')

const model = `model
  schema 1.1
type user
type group
  relations
    define member: [user]
type document
  relations
    define viewer: [user, group#member]
    define editor: [user, group#member]
    define owner: [user, group#member]
`

const shapes: readonly (readonly [string, (index: number) => TupleKey])[] = [
  [
    'an object each, 1000 users',
    (index) => ({ user: `user:${index % 1000}`, relation: 'viewer', object: `document:${index}` }),
  ],
  [
    '100,000 users, 200,000 objects, 3 relations, a third for groups',
    (index) => ({
      user: index % 3 === 0 ? `group:${scatter(index, 10_000)}#member` : `user:${scatter(index, 100_000)}`,
      relation: ['viewer', 'editor', 'owner'][scatter(index, 3)] ?? '',
      object: `document:${Math.floor(index / 5)}`,
    }),
  ],
  [
    'a user each, 1000 groups',
    (index) => ({ user: `user:${index}`, relation: 'member', object: `group:${index % 1000}` }),
  ],
]

function scatter(index: number, range: number): number {
  return (Math.imul(index + 1, 0x9e3779b1) >>> 0) % range
}

async function fill(
  tupleOf: (index: number) => TupleKey,
  size: number,
): Promise<{ readonly store: MemoryStore; readonly id: string }> {
  const store = memoryStore()
  const { id } = await store.createStore('bench')
  for (let index = 0; index < size; index += 100) {
    const writes = Array.from({ length: Math.min(100, size - index) }, (_, each) => tupleOf(index + each))
    await store.write(id, { writes, onDuplicate: 'ignore' })
  }
  return { store, id }
}

async function used(): Promise<number> {
  // Buffers are given back after the collection that finds them.
  for (let round = 0; round < 4; round++) {
    collect?.()
    await setImmediate()
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  // `external` holds the buffers too.
  return heapUsed + Math.max(external, arrayBuffers)
}

const chosen = process.argv[3]
if (chosen === undefined) {
  // Each in a process of its own: what one leaves behind is not counted for the next.
  for (const index of shapes.keys()) {
    spawnSync(process.execPath, [...process.execArgv, import.meta.filename, String(count), String(index)], {
      stdio: 'inherit',
    })
  }
}
const shapeAt = Number(chosen ?? -1)
for (const [shape, tupleOf] of shapes.slice(shapeAt, chosen === undefined ? 0 : shapeAt + 1)) {
  // What is compiled by the way is not counted.
  await fill(tupleOf, 20_000)
  const before = await used()
  const began = process.cpuUsage().user
  const { store, id } = await fill(tupleOf, count)
  const loaded = process.cpuUsage().user - began
  const bytes = ((await used()) - before) / count
  const snapshot = store.snapshot(id)
  const asked = Array.from({ length: 100_000 }, (_, each) => tupleOf(scatter(each, count)))
  const times: number[] = []
  let found = 0
  for (let round = 0; round < 3; round++) {
    times.length = 0
    // Ten at a time: the clock itself takes some 50 ns.
    for (let index = 0; index < asked.length; index += 10) {
      const ten = asked.slice(index, index + 10).map((key) => ({ kind: 'tuple' as const, ...key }))
      const start = process.hrtime.bigint()
      for (const read of ten) found += snapshot.at(read)?.length ?? 0
      times.push(Number(process.hrtime.bigint() - start) / 10)
    }
  }
  tell({
    item: 18,
    what: `bytes a tuple: ${shape}`,
    wanted: '<= 60',
    measured: bytes.toFixed(1),
    isMet: bytes <= 60,
  })
  process.stdout.write(
    `lookup p50 ${Math.round(percentile(times, 0.5))} ns, p99 ${Math.round(percentile(times, 0.99))} ns, ` +
      `${(loaded / count).toFixed(1)} µs a write, ${found === 300_000 ? 'all found' : `${found} of 300000 found`}\n`,
  )
  snapshot.release()
  if (shapeAt === 0) await checkDirectly(store, asked)
  await store[Symbol.asyncDispose]()
}

/** Checks of the tuples that are there, three of four; the others of somebody who has nothing. */
async function checkDirectly(store: MemoryStore, asked: readonly TupleKey[]): Promise<void> {
  const zanzibar = await openZanzibar({ model, store, name: 'bench' })
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    times.length = 0
    let allowed = 0
    for (let at = 0; at < asked.length; at += 10) {
      const ten = asked
        .slice(at, at + 10)
        .map((key, each) => ((at + each) % 4 === 3 ? { ...key, user: 'user:nobody' } : key))
      const start = process.hrtime.bigint()
      for (const { user, relation, object } of ten) if (zanzibar.checkSync(user, relation, object)) allowed++
      times.push(Number(process.hrtime.bigint() - start) / 10_000)
    }
    if (allowed !== asked.length * 0.75) throw new Error(`${allowed} of ${asked.length} are allowed`)
  }
  const p50 = percentile(times, 0.5)
  tell({
    item: 18,
    what: `a direct check among ${count} tuples (p50 of tens; p99 ${percentile(times, 0.99).toFixed(1)} µs)`,
    wanted: '<= 3 µs',
    measured: `${p50.toFixed(2)} µs`,
    isMet: p50 <= 3,
  })
}
