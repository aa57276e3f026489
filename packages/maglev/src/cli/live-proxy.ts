import { snapshotOf } from '../adapters/pool-metrics.ts'
import type { Pool } from '../pool/pool.ts'
import { realClock } from '../ports.ts'
import { formatEvent, type LogEvent, logPool } from './event-log.ts'
import { renderLiveView, TerminalScreen } from './live-view.ts'
import type { RunningProxy } from './running-proxy.ts'

const frameMs = 500
const eventsShown = 6

/** Shows a running proxy in the terminal, twice a second, until disposed. */
export function watchPool(
  pool: Pool,
  proxy: RunningProxy,
  title: string,
): Disposable & { log(event: LogEvent): void } {
  const screen = new TerminalScreen(process.stdout)
  const { mode, tableSize } = pool.maglev
  const events: string[] = []
  let slots = snapshotOf(pool).slots
  let moved = new Map<string, number>()
  const log = (event: LogEvent): void => {
    events.unshift(formatEvent('plain', event).replace(/^[^T]*T/, ''))
    events.splice(eventsShown)
  }
  logPool(pool, log)
  pool.on('rebuild', () => {
    const now = snapshotOf(pool).slots
    moved = new Map([...(now ?? [])].map(([id, count]) => [id, count - (slots?.get(id) ?? 0)]))
    slots = now
  })
  const draw = (): void => {
    const { open, accepted, retries } = proxy.stats()
    const { refused, levels } = pool.stats()
    const panic = levels.some((level) => level.panic) ? '   PANIC: all backends are used' : ''
    const lines = renderLiveView(
      {
        title: `maglev ${title}, mode ${mode}, ${tableSize} slots`,
        tableSize,
        backends: [...pool.states()].map(([id, { state, active }]) => ({
          id,
          state,
          active,
          slots: slots?.get(id),
          moved: moved.get(id) ?? 0,
        })),
        traffic: `open ${open}   connections ${accepted}   retries ${retries}   refused ${refused}${panic}`,
        events,
      },
      screen.size,
    )
    screen.draw(lines)
  }
  let timer: unknown
  const frame = (): void => {
    draw()
    timer = realClock.setTimeout(frame, frameMs)
  }
  frame()
  return {
    log,
    [Symbol.dispose]: () => {
      realClock.clearTimeout(timer)
      draw()
    },
  }
}
