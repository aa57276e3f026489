import { AsyncLocalStorage } from 'node:async_hooks'
import { writeSync } from 'node:fs'
import { crashPoint } from '@loadbearing/harness/faults'

// Every place where a server waits for something is a point, by the phase of the operation that it is in: there it may
// be told to die (`CRASH_AT=phase/point:n`) or to stop (a message `{ stopAt: 'phase/point:n' }`).

const course = new AsyncLocalStorage<{ phase: string }>()
let stop: { readonly site: string; readonly n: number } | undefined
let passed = 0

process.on('message', (message) => {
  const stopAt: unknown = Reflect.get(Object(message), 'stopAt')
  if (typeof stopAt !== 'string') return
  const [site = '', n] = stopAt.split(':')
  stop = { site, n: Number(n) }
  passed = 0
  process.send?.('will stop')
})

/** What `run` does for one request, from its first phase on. */
export function following<Result>(phase: string, run: () => Promise<Result>): Promise<Result> {
  return course.run({ phase }, run)
}

/** What goes on beside the request is at no point of its own. */
export function beside<Result>(run: () => Result): Result {
  return course.exit(run)
}

/** From here on the operation is in another phase. */
export function enter(phase: string): void {
  const current = course.getStore()
  if (current !== undefined) current.phase = phase
}

export function point(name: string): void {
  const site = `${course.getStore()?.phase ?? 'elsewhere'}/${name}`
  crashPoint(site)
  if (stop?.site !== site || ++passed !== stop.n) return
  stop = undefined
  writeSync(1, `stopped at ${site}\n`)
  process.kill(process.pid, 'SIGSTOP')
}

/** A wait, with a point on either side. */
export async function around<Result>(name: string, wait: () => Promise<Result>): Promise<Result> {
  point(`${name}.before`)
  const result = await wait()
  point(`${name}.after`)
  return result
}
