// node --conditions=@loadbearing/source bench/wide-group.ts [groups] [memory|postgres]
// A group of a million groups is asked for somebody who is in none: how long the event loop waits meanwhile, and how soon
// the question ends when its signal is aborted (item 25).

import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { isZanzibarError, openZanzibar } from '@loadbearing/zanzibar'
import { openTestStore } from '../test/stores/open-test-store.ts'
import { tell } from './target.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const model = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
`
const isOnPostgres = process.argv[3] === 'postgres'
await using opened = await openTestStore(isOnPostgres ? 'postgres' : 'memory')
const { store } = opened
const filling = await openZanzibar({ model, store })
for (let from = 0; from < count; from += 1000) {
  const add = Array.from({ length: Math.min(1000, count - from) }, (_, at) => ({
    user: `group:${from + at}#member`,
    relation: 'member',
    object: 'group:wide',
  }))
  await filling.write({ add })
}

interface WideGroup {
  /** Milliseconds. */
  readonly whole: number
  /** 99th percentile of how long the event loop was late, in milliseconds. */
  readonly delay: number
  /** Milliseconds from each abort to its rejection, the longest. */
  readonly abort: number
}

async function measure(closureIndex: boolean): Promise<WideGroup> {
  const zanzibar = await openZanzibar({
    model,
    store,
    ...(closureIndex && { closureIndex: { maxEntries: 4 * count } }),
  })
  const ask = (signal?: AbortSignal): Promise<boolean> =>
    zanzibar.check('user:nobody', 'member', 'group:wide', signal && { signal })
  await nextTurn()
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  const began = performance.now()
  if (await ask()) throw new Error('nobody is in no group')
  const whole = performance.now() - began
  const aborts: number[] = []
  for (const part of [0.05, 0.2, 0.4, 0.6, 0.8]) {
    const controller = new AbortController()
    const asked = ask(controller.signal).then(
      () => undefined,
      (error: unknown) => error,
    )
    await sleep(whole * part)
    const aborted = performance.now()
    controller.abort()
    const error = await asked
    // It was answered before.
    if (error === undefined) continue
    if (!isZanzibarError(error) || error.code !== 'cancelled') throw error
    aborts.push(performance.now() - aborted)
  }
  delays.disable()
  await zanzibar[Symbol.asyncDispose]()
  // The monitor counts from the turn before: its resolution is taken off.
  return { whole, delay: delays.percentile(99) / 1e6 - 1, abort: Math.max(...aborts) }
}

// The index is in the process, whatever the store: it is measured once.
for (const closureIndex of isOnPostgres ? [false] : [false, true]) {
  const { whole, delay, abort } = await measure(closureIndex)
  const what = `${count} groups in one group${closureIndex ? ', closure index' : ''}${isOnPostgres ? ', PostgreSQL' : ''}, ${Math.round(whole)} ms in all`
  tell({
    item: 25,
    what: `${what}: the event loop is late (p99)`,
    wanted: '< 20 ms',
    measured: `${delay.toFixed(1)} ms`,
    isMet: delay < 20,
  })
  tell({
    item: 25,
    what: `${what}: from the abort to the rejection (longest of 5)`,
    wanted: '< 10 ms',
    measured: `${abort.toFixed(1)} ms`,
    isMet: abort < 10,
  })
}
