import { Breaker } from '@loadbearing/hystrix-breaker'

// Tells what 10,000 idle breakers hold: bytes each, and timers. A process of its own, in which nothing else comes and goes;
// needs --expose-gc.

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

let timers = 0
const { setTimeout } = globalThis
globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimeout>) => {
  timers++
  return setTimeout(...args)
}, setTimeout)

const before = heap()
const idle = Array.from({ length: 10_000 }, (_, at) => new Breaker({ name: `idle ${at}` }))
const each = (heap() - before) / idle.length
console.log(JSON.stringify({ each, timers }))
