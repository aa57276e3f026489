import { styleText } from 'node:util'
import type { Health } from '../backend.ts'

/** What the terminal shows at one moment. */
export interface LiveView {
  /** Such as `http on 127.0.0.1:8080, stable, 65537 slots`. */
  readonly title: string
  readonly backends: readonly LiveBackend[]
  readonly tableSize: number
  /** One line about the traffic. */
  readonly traffic: string
  /** What happened last, newest first. */
  readonly events: readonly string[]
}

export interface LiveBackend {
  readonly id: string
  readonly state: Health
  /** Undefined where several priorities have a table each. */
  readonly slots: number | undefined
  /** Slots gained or lost by the last change. */
  readonly moved: number
  readonly active: number
}

const barWidth = 20
const linesAround = 8

const colors = {
  healthy: 'green',
  degraded: 'yellow',
  unhealthy: 'red',
  ejected: 'red',
  draining: 'cyan',
  disabled: 'gray',
} as const

/** The lines of the view, none of them wider than the terminal. */
export function renderLiveView(
  view: LiveView,
  { columns, rows }: { columns: number; rows: number },
): string[] {
  const shown = view.backends.slice(0, Math.max(1, rows - linesAround - view.events.length))
  const idWidth = Math.min(Math.max(7, ...shown.map(({ id }) => id.length)), Math.max(7, columns - 62))
  const most = Math.max(1, ...view.backends.map(({ slots }) => slots ?? 0))
  const head = columnsOf('BACKEND'.padEnd(idWidth), 'STATE', 'ACTIVE', 'SLOTS', 'SHARE', '', 'MOVED')
  return [
    { text: view.title, style: 'bold' as const },
    { text: '' },
    { text: head, style: 'dim' as const },
    ...shown.map((backend) => ({
      text: row(backend, { idWidth, most, tableSize: view.tableSize }),
      style: colors[backend.state],
    })),
    ...(shown.length < view.backends.length
      ? [{ text: `… and ${view.backends.length - shown.length} more` }]
      : []),
    { text: '' },
    { text: view.traffic },
    ...view.events.map((text) => ({ text, style: 'dim' as const })),
  ].map(({ text, style }: { text: string; style?: 'bold' | 'dim' | (typeof colors)[Health] }) => {
    const cut = text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text
    return style === undefined ? cut : styleText(style, cut)
  })
}

function row(
  { id, state, slots, moved, active }: LiveBackend,
  { idWidth, most, tableSize }: { idWidth: number; most: number; tableSize: number },
): string {
  const name = id.length > idWidth ? `${id.slice(0, idWidth - 1)}…` : id.padEnd(idWidth)
  const share = slots === undefined ? '' : `${((100 * slots) / tableSize).toFixed(2)} %`
  const bar = '█'.repeat(Math.round((barWidth * (slots ?? 0)) / most))
  const movement = moved === 0 ? '' : moved > 0 ? `+${moved}` : String(moved)
  return columnsOf(name, state, String(active), String(slots ?? ''), share, bar, movement)
}

function columnsOf(
  id: string,
  state: string,
  active: string,
  slots: string,
  share: string,
  bar: string,
  moved: string,
): string {
  return [
    id,
    state.padEnd(9),
    active.padStart(7),
    slots.padStart(7),
    share.padStart(8),
    bar.padEnd(barWidth),
    moved.padStart(7),
  ].join('  ')
}

/** Draws lines over those that it drew before. */
export class TerminalScreen {
  readonly #stream: NodeJS.WriteStream
  #drawn = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 }
  }

  draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}F` : ''
    // Each line is cleared to its end, then what is left of the last picture.
    this.#stream.write(`${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
    this.#drawn = lines.length
  }
}
